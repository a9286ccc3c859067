"""Tables for people, JSON and CSV for programs."""

import csv
import json
import statistics

from .works import BARS, BY_NAME, CHECKS, CPU, MIB, RATE, WORKS

DISTURBED = 0.05   # of both CPUs' time used by others, or taken by the hypervisor
SATURATED = 0.95   # of its CPU used by the client: requests/s is then the client's limit


class Results:
    """runs: a dictionary for each load; checks: {(check, server): figures}."""

    def __init__(self, environment, chosen):
        self.environment = environment
        self.chosen = chosen  # names of works and checks
        self.runs = []
        self.syscalls = {}   # (work, server): calls per request
        self.checks = {}
        self.absent = {}     # what was left out: why
        self.finished = False

    def figures(self, work, server, name):
        """One figure of each repetition, in order."""
        return [run[name] for run in self.runs if (run["work"], run["server"]) == (work, server)]

    def figure(self, work, server, name):
        """The median of a work's figure, or a check's figure; None when it was not measured."""
        if work in {check.name for check in CHECKS}:
            return self.checks.get((work, server), {}).get(name)
        figures = self.figures(work, server, name)
        return statistics.median(figures) if figures else None

    def ratio(self, work, server, against, name):
        """The median of the ratios within each repetition, whose runs were a short while apart."""
        pairs = list(zip(self.figures(work, server, name), self.figures(work, against, name)))
        return statistics.median(one / other for one, other in pairs) if pairs else None

    def bars(self):
        return [bar for bar in BARS if bar.work in self.chosen]

    def servers(self, work):
        present = {run["server"] for run in self.runs if run["work"] == work.name}
        return [name for name in work.servers if name in present]


def table_text(rows):
    """Columns as wide as they must be; the first to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def number(value, places=2):
    return "–" if value is None else f"{value:,.{places}f}"


def work_row(results, work, server):
    rates = results.figures(work.name, server, RATE)
    costs = results.figures(work.name, server, CPU)
    client = results.figure(work.name, server, "client_busy")
    mark = "*" if client >= SATURATED else ""
    return [server, number(statistics.median(rates), 0) + mark,
            f"{number(min(rates), 0)}…{number(max(rates), 0)}",
            number(statistics.median(costs)), f"{number(min(costs))}…{number(max(costs))}",
            number(100 * results.figure(work.name, server, "system_share"), 0) + " %",
            number(results.ratio(work.name, server, "floor", CPU)),
            number(results.ratio(work.name, server, "nginx", CPU)),
            number(results.syscalls.get((work.name, server)))]


def work_text(results, work):
    rows = [["", "requests/s", "least…most", "CPU µs/request", "least…most", "in kernel",
             "to floor", "to nginx", "calls/request"]]
    rows += [work_row(results, work, server) for server in results.servers(work)]
    return f"{work.name}: {work.title}\n{table_text(rows)}\n"


def checks_text(results):
    rows = []
    for (check, server), figures in results.checks.items():
        shown = ", ".join(figure_text(name, value) for name, value in figures.items())
        rows.append(f"  {check:<18}{server:<15}{shown}")
    return "\n".join(rows)


def figure_text(name, value):
    """A check's figure with its name, in a unit that people read."""
    if isinstance(value, str):
        return f"{name} {value}"
    if name.endswith("_bytes"):
        return f"{name.removesuffix('_bytes')} {number(value / MIB)} MiB"
    return f"{name} {number(value, 0 if value >= 1000 else 1)}"


def bar_measured(results, bar):
    if bar.against:
        return results.ratio(bar.work, bar.subject, bar.against, bar.figure)
    return results.figure(bar.work, bar.subject, bar.figure)


def bar_verdict(bar, measured):
    if measured is None:
        return "not measured"
    if bar.target is None:
        return ""
    return "met" if (measured >= bar.target if bar.least else measured <= bar.target) else "NOT MET"


def bar_row(results, bar):
    measured, scale = bar_measured(results, bar), MIB if bar.unit == "MiB" else 1
    unit = " " + bar.unit if bar.unit else " ×"
    target = "–"
    if bar.target is not None:
        target = f"{'≥' if bar.least else '≤'} {bar.target / scale:g}{unit}"
    shown = "–" if measured is None else number(measured / scale) + unit
    return [bar.text, target, shown, bar_verdict(bar, measured)]


def bars_text(results):
    rows = [["what zcserve must show", "target", "measured", ""]]
    rows += [bar_row(results, bar) for bar in results.bars()]
    return table_text(rows)


def notes_text(results):
    notes = ["Medians of the repetitions; ratios are of CPU per request, taken within each",
             "repetition, then their median."]
    if not results.finished:
        notes.insert(0, "NOT FINISHED: what follows was measured before it was interrupted.")
    if any(run["client_busy"] >= SATURATED for run in results.runs):
        notes.append("* the client used its whole CPU: the server could have answered more.")
    disturbed = sum(run["others_busy"] > DISTURBED for run in results.runs)
    if disturbed:
        notes.append(f"{disturbed} of {len(results.runs)} runs were disturbed: others used over "
                     f"{100 * DISTURBED:.0f} % of the two CPUs. Measure again when it is quiet.")
    errors = sorted({(run["work"], run["server"]) for run in results.runs if run["errors"]})
    notes += [f"wrk met socket errors: {work}, {server}." for work, server in errors]
    notes += [f"left out: {name}: {reason}." for name, reason in results.absent.items()]
    return "\n".join(notes)


def text(results):
    parts = [work_text(results, work) for work in WORKS if results.servers(work)]
    parts += [checks_text(results) + "\n"] if results.checks else []
    return "\n".join([*parts, bars_text(results), "", notes_text(results)])


def summary(results):
    """{work: {server: {figure: median, least, most}}}"""
    if not results.runs:
        return {}
    names = [name for name, value in results.runs[0].items()
             if isinstance(value, (int, float)) and name != "repetition"]
    return {work.name: {server: {name: spread(results.figures(work.name, server, name))
                                 for name in names}
                        for server in results.servers(work)}
            for work in WORKS if results.servers(work)}


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def bar_record(results, bar):
    measured = bar_measured(results, bar)
    return {"text": bar.text, "subject": bar.subject, "against": bar.against, "target": bar.target,
            "least": bar.least, "measured": measured, "verdict": bar_verdict(bar, measured)}


def write(results, directory):
    """results.json has everything; runs.csv a line for each run; report.txt what was printed."""
    record = {
        "environment": results.environment,
        "finished": results.finished,
        "works": {name: work.title for name, work in BY_NAME.items()},
        "summary": summary(results),
        "syscalls_per_request": {f"{work} {server}": calls
                                 for (work, server), calls in results.syscalls.items()},
        "checks": {f"{check} {server}": figures
                   for (check, server), figures in results.checks.items()},
        "bars": [bar_record(results, bar) for bar in results.bars()],
        "absent": results.absent,
        "runs": results.runs,
    }
    (directory / "results.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    (directory / "report.txt").write_text(text(results) + "\n")
    if results.runs:
        with open(directory / "runs.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, results.runs[0].keys())
            writer.writeheader()
            writer.writerows(results.runs)
