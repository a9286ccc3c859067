"""What changed between two records, with noise taken into account. Pure.

A difference of medians counts when two things are true. It is larger than what matters for this
figure. And it is hardly a matter of chance: with four or more repetitions on each side by the exact
rank test of Mann and Whitney (p < 0.05), with fewer when the two ranges do not overlap at all.
"""

import itertools
import statistics
from dataclasses import dataclass

from . import results
from .loads import SATURATED
from .works import label

CHANCE = 0.05
RANKED_LEAST = 4
# figure: (the smallest difference that matters, whether more is better)
FIGURES = {"cpu_us": (0.03, False), "requests_per_second": (0.04, True), "p99_us": (0.2, False),
           "p999_us": (0.3, False), "pss_bytes": (0.1, False)}
SAME_ENVIRONMENT = ("cpu", "cpus", "kernel", "memory_bytes", "mitigations", "versions")


@dataclass
class Change:
    """The change of one figure. `ratio` is the new median over the old one."""
    work: str
    server: str
    figure: str
    old: float
    new: float
    chance: float | None  # p: of such a difference without a cause; None: too few repetitions
    verdict: str          # worse, better, same

    @property
    def ratio(self):
        return self.new / self.old if self.old else 1.0


def above(one, other):
    """Returns U of Mann and Whitney: the pairs in which the first is larger; a tie counts half."""
    return sum((a > b) + 0.5 * (a == b) for a in one for b in other)


def chance_of(one, other):
    """Returns the exact two-sided p, over all ways to divide these values into groups of these sizes."""
    values = one + other
    middle = len(one) * len(other) / 2
    seen = abs(above(one, other) - middle)
    as_far = total = 0
    for chosen in itertools.combinations(range(len(values)), len(one)):
        rest = [values[i] for i in range(len(values)) if i not in chosen]
        as_far += abs(above([values[i] for i in chosen], rest) - middle) >= seen - 1e-9
        total += 1
    return as_far / total


def apart(one, other):
    return max(one) < min(other) or max(other) < min(one)


def judge(old, new, matters, more_is_better):
    """Returns (verdict, chance) of two lists of repetitions."""
    before, after = statistics.median(old), statistics.median(new)
    chance = None
    if len(old) >= RANKED_LEAST and len(new) >= RANKED_LEAST:
        chance = chance_of(old[:8], new[:8])
        real = chance < CHANCE
    else:
        real = apart(old, new)
    if not real or before == 0 or abs(after / before - 1) < matters:
        return "same", chance
    return "better" if (after > before) == more_is_better else "worse", chance


def client_limited(record, work, server):
    busy = results.figure(record, work, server, "client_busy")
    return busy is not None and busy >= SATURATED


def work_changes(old, new, work, server):
    """Returns the changes. Requests per second are left out where the client was the limit in either record."""
    limited = client_limited(old, work, server) or client_limited(new, work, server)
    for figure, (matters, more_is_better) in FIGURES.items():
        before = results.figures(old, work, server, figure)
        after = results.figures(new, work, server, figure)
        if not before or not after or (limited and figure == "requests_per_second"):
            continue
        verdict, chance = judge(before, after, matters, more_is_better)
        yield Change(work, server, figure, statistics.median(before), statistics.median(after),
                     chance, verdict)


def changes(old, new):
    """Returns all changes: the worst regressions first, then improvements, then what stayed the same."""
    pairs = {(run["work"], run["server"]): None for run in old["runs"]}
    present = {(run["work"], run["server"]) for run in new["runs"]}
    found = [change for work, server in pairs if (work, server) in present
             for change in work_changes(old, new, work, server)]
    order = {"worse": 0, "better": 1, "same": 2}

    def badness(change):
        more_is_better = FIGURES[change.figure][1]
        return change.ratio if more_is_better else -change.ratio
    return sorted(found, key=lambda change: (order[change.verdict], badness(change)))


def environment_differences(old, new):
    return [f"{name} differs: {old['environment'].get(name)} → {new['environment'].get(name)}"
            for name in SAME_ENVIRONMENT
            if old["environment"].get(name) != new["environment"].get(name)]


def change_text(change):
    chance = "" if change.chance is None else f"  p = {change.chance:.3f}"
    return (f"  {change.work:<10} {label(change.server):<19} {change.figure:<20}"
            f"{change.old:>12,.2f} → {change.new:>12,.2f}  {100 * (change.ratio - 1):+6.1f} %{chance}")


def text(old, new):
    found = changes(old, new)
    parts = [f"NOTE: {said}" for said in environment_differences(old, new)]
    for verdict in ("worse", "better"):
        lines = [change_text(change) for change in found if change.verdict == verdict]
        parts += [f"{verdict}: {len(lines)}", *lines]
    same = sum(change.verdict == "same" for change in found)
    parts.append(f"within noise: {same} of {len(found)} figures compared")
    return "\n".join(parts)
