"""The targets ("bars") of zcserve, and whether it reaches them. Pure.

Each bar is a work and a figure, with targets against nginx, against the best of the peers and
against the floor. The better one of zcserve's epoll and io_uring models is judged. A ratio is the
median of the ratios within each repetition.
"""

from dataclasses import dataclass

from . import results
from .works import LOOPS, PEERS, TUNED

CPU, RATE = "cpu_us", "requests_per_second"
OPPONENTS = ("nginx", "best", "floor")


@dataclass(frozen=True)
class Bar:
    """targets: against nginx, the best peer, the floor; None where there is none."""
    work: str
    text: str
    figure: str
    targets: tuple
    least: bool = False  # the targets are minimums


BARS = (
    Bar("c64", "100 B, 64 connections: CPU per request", CPU, (0.70, 1.0, 1.10)),
    Bar("c512", "100 B, 512 connections: CPU per request", CPU, (0.55, 0.80, 1.15)),
    Bar("pipelined", "16 pipelined: requests/s", RATE, (35, 6, 0.6), least=True),
    Bar("close", "new connection per request: CPU per request", CPU, (0.95, 0.95, 1.08)),
    Bar("64k", "64 KiB: CPU per request", CPU, (0.82, 0.85, 1.10)),
    Bar("1m", "1 MiB: CPU per request", CPU, (0.42, 0.75, 1.10)),
    Bar("1mread", "1 MiB, read by the client: CPU per request", CPU, (0.45, 0.75, 1.10)),
    Bar("100m", "100 MiB: CPU per request", CPU, (0.9, 0.95, 1.10)),
    Bar("site", "site mix: CPU per request", CPU, (0.60, 0.60, None)),
    Bar("zipf", "100,000 files, a cache of 16 MiB: CPU per request", CPU, (0.90, 0.95, None)),
    Bar("ranges", "ranges of a large file: CPU per request", CPU, (None, 1.0, None)),
    Bar("listing", "a listing of 10,000 names: requests/s", RATE, (5, None, None), least=True),
    Bar("tails", "p99.9 at 60 % of nginx's capacity, constant rate", "p999_us", (0.5, 0.8, None)),
    Bar("cold", "cold file beside hot traffic: hot requests/s kept", "kept", (None, None, 0.90),
        least=True),
)


@dataclass
class Verdict:
    """One cell: the names of the zcserve model that was judged and of its opponent."""
    measured: float | None
    target: float | None
    subject: str = ""
    opponent: str = ""
    least: bool = False

    @property
    def text(self):
        if self.target is None:
            return ""
        if self.measured is None:
            return "not measured"
        met = self.measured >= self.target if self.least else self.measured <= self.target
        return "reached" if met else "missed"


def loops_of(work):
    """zcserve's event loops among a work's servers."""
    return [name for name in work.servers if name.replace("+log", "") in LOOPS]


def best(choice, value, least):
    """Returns the name with the best value; names without a value do not count."""
    valued = [name for name in choice if value(name) is not None]
    return (max if least else min)(valued, key=value) if valued else ""


def work_verdict(record, bar, opponents, target):
    def value(name):
        return results.figure(record, bar.work, name, bar.figure)
    opponent = best(opponents, value, bar.least)
    if not opponent:
        return Verdict(None, target, least=bar.least)

    def ratio(name):
        return results.ratio(record, bar.work, name, opponent, bar.figure)
    subject = best(LOOPS, ratio, bar.least)
    return Verdict(ratio(subject) if subject else None, target, subject, opponent, bar.least)


def check_value(record, bar, name):
    """Returns a figure of a check; for the tails, the median of the repetitions at 60 % load."""
    return record["checks"].get(bar.work, {}).get(name, {}).get(bar.figure)


def check_verdict(record, bar, opponents, target):
    def value(name):
        return check_value(record, bar, name)
    subject = best(LOOPS, value, bar.least)
    if bar.work == "cold":
        return Verdict(value(subject) if subject else None, target, subject, "itself", bar.least)
    opponent = best(opponents, value, bar.least)
    measured = value(subject) / value(opponent) if subject and opponent else None
    return Verdict(measured, target, subject, opponent, bar.least)


def verdicts(record, bar):
    """{nginx|best|floor: Verdict}"""
    judge = check_verdict if bar.work in ("tails", "cold") else work_verdict
    names = {"nginx": ("nginx",), "best": PEERS + TUNED, "floor": ("floor",)}
    return {opponent: judge(record, bar, names[opponent], target)
            for opponent, target in zip(OPPONENTS, bar.targets)}


def table(record):
    """Returns [(bar, verdicts)] of the works that were chosen."""
    return [(bar, verdicts(record, bar)) for bar in BARS if bar.work in record["chosen"]]
