"""Tables for a terminal. Pure: a record in, text out."""

import statistics

from . import bars, results
from .loads import SATURATED
from .works import CHECKS, MIB, label

DISTURBED = 0.05  # of the CPUs' time used by others, or taken by the hypervisor


def table_text(rows):
    """Returns a table. Columns are as wide as they must be, the first to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def number(value, places=2):
    return "–" if value is None else f"{value:,.{places}f}"


def figure_text(value):
    """Returns a figure with as many digits as have a meaning."""
    if value is None:
        return "–"
    return number(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2)


HEADS = ("", "requests/s", "least…most", "CPU µs/req", "least…most", "user", "system",
         "to nginx", "calls", "switches", "p50 µs", "p90", "p99", "p99.9", "MiB")


def work_row(record, work, server):
    def value(name):
        return results.figure(record, work.name, server, name)
    rates = results.figures(record, work.name, server, bars.RATE)
    costs = results.figures(record, work.name, server, bars.CPU)
    mark = "*" if value("client_busy") >= SATURATED else ""
    return [label(server), figure_text(statistics.median(rates)) + mark,
            f"{figure_text(min(rates))}…{figure_text(max(rates))}",
            figure_text(statistics.median(costs)),
            f"{figure_text(min(costs))}…{figure_text(max(costs))}",
            figure_text(value("user_us")), figure_text(value("system_us")),
            number(results.ratio(record, work.name, server, "nginx", bars.CPU)),
            number(record["syscalls"].get(work.name, {}).get(server)),
            number(value("switches_per_request")),
            *(figure_text(value(name)) for name in ("p50_us", "p90_us", "p99_us", "p999_us")),
            number(value("pss_bytes") / MIB, 1)]


def work_text(record, work):
    rows = [list(HEADS)]
    rows += [work_row(record, work, server) for server in results.servers_measured(record, work)]
    return f"{work.name}: {work.title}\n{table_text(rows)}\n"


def figures_line(figures):
    """Returns the plain numbers of a check with their names."""
    return ", ".join(f"{name} {figure_text(value)}" for name, value in figures.items()
                     if isinstance(value, (int, float)))


def check_text(record, check):
    rows = [f"  {label(server):<19}{figures_line(figures)}"
            for server, figures in record["checks"][check.name].items()]
    return f"{check.name}: {check.title}\n" + "\n".join(rows) + "\n"


def verdict_text(verdict):
    if verdict.target is None:
        return "–"
    sign = "≥" if verdict.least else "≤"
    who = f" ({label(verdict.opponent)})" if verdict.opponent else ""
    return f"{number(verdict.measured)} {sign} {verdict.target:g} {verdict.text}{who}"


def bars_text(record):
    rows = [["must show", "against nginx", "against the best peer", "against the floor"]]
    for bar, verdicts in bars.table(record):
        rows.append([bar.text, *(verdict_text(verdicts[name]) for name in bars.OPPONENTS)])
    return table_text(rows)


def notes(record):
    """Returns what a reader must know about the figures."""
    said = ["Medians of the repetitions; ratios are taken within each repetition, then their "
            "median."]
    if not record["finished"]:
        said.insert(0, "Not finished: this was measured before it was interrupted.")
    runs = record["runs"]
    if any(run["client_busy"] >= SATURATED for run in runs):
        said.append("* The client used its whole CPU: the server could have answered more.")
    disturbed = sum(run["others_busy"] > DISTURBED for run in runs)
    if disturbed:
        said.append(f"{disturbed} of {len(runs)} runs were disturbed: others used over "
                    f"{100 * DISTURBED:.0f} % of the CPUs.")
    void = sorted({f"{run['work']} {label(run['server'])} ({run['errors']})"
                   for run in runs if run["errors"]})
    said += [f"Void: {each}." for each in void]
    said += [f"Left out: {what}: {why}" for what, why in record["absent"].items()]
    return said


def text(record):
    parts = [work_text(record, work) for work in results.works_measured(record)
             if results.servers_measured(record, work)]
    parts += [check_text(record, check) for check in CHECKS if check.name in record["checks"]]
    return "\n".join([*parts, bars_text(record), "", *notes(record)])
