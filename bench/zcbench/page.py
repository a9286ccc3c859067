"""index.html: the targets, each plot with a sentence about it, and where and how it was measured.

It is one file beside its plots, and requests nothing from outside of its directory.
"""

import html
from pathlib import Path

from . import bars, plots, prose, report, results
from .works import CHECKS, label

STYLE = (Path(__file__).parent.parent / "page.css").read_text()


def text(value):
    return html.escape(str(value))


def figure(names, caption, alt):
    images = "".join(f'<img src="{name}.svg" alt="{text(alt)}" loading="lazy">' for name in names)
    return f"<figure><div>{images}</div><figcaption>{text(caption)}</figcaption></figure>\n"


def table(rows, head):
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    names = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    return (f'<div class="scroll" tabindex="0"><table><thead><tr>{names}</tr></thead>'
            f"<tbody>{lines}</tbody></table></div>\n")


def verdict_cell(verdict):
    if verdict.target is None:
        return "–"
    sign = "≥" if verdict.least else "≤"
    who = f"<br><small>{text(label(verdict.subject))}" if verdict.subject else "<small>"
    if verdict.opponent not in ("", "itself"):
        who += f" / {text(label(verdict.opponent))}"
    word = verdict.text
    return (f'{report.number(verdict.measured)} {sign} {verdict.target:g} '
            f'<span class="{word.split()[0]}">{word}</span>{who}</small>')


def bars_section(record):
    rows = [[text(bar.text), *(verdict_cell(verdicts[name]) for name in bars.OPPONENTS)]
            for bar, verdicts in bars.table(record)]
    return ("<h2>Targets</h2>\n<p>The figures are ratios of the better of the two event loops, epoll "
            "and io_uring, with one worker. The targets were set before. CPU is the time of all "
            "processes of a server, in the program and in the kernel.</p>\n"
            + table(rows, ("", "against nginx", "against the best peer", "against the floor")))


def work_section(record, work):
    head = [name or "server" for name in report.HEADS]
    rows = [[text(cell) for cell in report.work_row(record, work, server)]
            for server in results.servers_measured(record, work)]
    return (f'<h3 id="{work.name}">{text(work.title)} <small>by {text(work.tool)}</small></h3>\n'
            + figure((f"{work.name}-rate", f"{work.name}-cpu"), prose.work_sentences(record, work),
                     f"{work.title}: requests per second, and CPU per request, of each server")
            + f"<details><summary>All figures</summary>{table(rows, head)}</details>\n")


def tails_section(record):
    names = [f"tails-{title}" for title in plots.PERCENTILES.values()]
    rows = []
    for server, figures in record["checks"]["tails"].items():
        rows += [[text(label(server)), f"{100 * row['share']:.0f} %",
                  *(report.figure_text(row[key]) for key in
                    ("offered_per_second", *plots.PERCENTILES, "max_us", "cpu_us", "late_p99_us")),
                  "yes" if row["kept_up"] else "no"] for row in figures["rows"]]
    head = ("server", "of nginx's", "requests/s", *plots.PERCENTILES.values(), "max µs",
            "CPU µs/req", "client late p99", "kept up")
    return ("<h2>Latency against offered load</h2>\n"
            + figure(names, prose.tails_sentence(record), "latency against offered load")
            + f"<details><summary>All figures</summary>{table(rows, head)}</details>\n"
            + crosscheck_section(record))


def crosscheck_section(record):
    """The figures of both sides, for the servers that report theirs."""
    rows = []
    for server, figures in record["checks"]["tails"].items():
        crossed = figures.get("crosscheck")
        if crossed:
            rows += [[text(label(server)), side, *(report.figure_text(crossed[f"{side}_{name}"])
                      for name in ("count", "p50_us", "p90_us", "p99_us", "p999_us")),
                      text(prose.crosscheck_sentence(crossed)) if side == "client" else ""]
                     for side in ("server", "client")]
    if not rows:
        return "<p>zcserve's own histogram was not available to compare with the client's.</p>\n"
    return ("<h3>The server's own view of the same time</h3>\n<p>zcserve's histogram of the judged "
            "load, beside the client's. The difference is the way there and back, and the wait in "
            "the socket before the server reads it.</p>\n<div class=\"words\">"
            + table(rows, ("", "side", "requests", "p50 µs", "p90", "p99", "p99.9",
                           "difference of medians")) + "</div>\n")


def checks_section(record):
    made = {
        "idle": (("memory", "idle-kept"), lambda: prose.memory_sentence(record) + " "
                 + prose.kept_sentence(record, "idle")),
        "slow": (("slow-kept",), lambda: prose.kept_sentence(record, "slow")),
        "cold": (("cold-kept",), lambda: prose.kept_sentence(record, "cold")),
        "scaling": (("scaling",), lambda: prose.scaling_sentence(record)),
        "start": (("start-pss_mib", "start-milliseconds"), lambda: prose.start_sentence(record))}
    parts = []
    for check in CHECKS:
        if check.name not in record["checks"] or check.name == "tails":
            continue
        parts.append(f'<h3 id="{check.name}">{text(check.title)}</h3>\n')
        if check.name in made:
            names, sentence = made[check.name]
            parts.append(figure(names, sentence(), check.title))
        rows = [[text(label(server)), text(report.figures_line(figures))]
                for server, figures in record["checks"][check.name].items()]
        parts.append(f"<details><summary>All figures</summary>{table(rows, ('', ''))}</details>\n")
    return "<h2>Beside hot traffic, and at rest</h2>\n" + "".join(parts) if parts else ""


def method_section(record):
    notes = "".join(f"<li>{text(note)}</li>" for note in report.notes(record))
    return f"""<h2>How it was measured</h2>
<p>The server runs on one core and its client on the other, over the loopback. In each repetition the
servers take turns, each time in another order. Each is freshly started; its responses are compared
with the files; then it is warmed. CPU time is the scheduler's, of all processes and threads of the
server. System calls are counted in a run of their own. A run in which anything was refused or failed
is void. The floors parse nothing and send the same response to every request: what they need is the
price of the kernel. {text(prose.tuned_note())} The generator of a constant rate (bench/pace.c) counts
each response from the time its request was due, so a server that stalls is charged for every request
that it kept waiting.</p>
<ul>{notes}</ul>
"""


def environment_section(record):
    kept = {name: value for name, value in record["environment"].items() if name != "configurations"}
    rows = []
    for name, value in kept.items():
        if isinstance(value, dict):
            value = "; ".join(f"{key}: {one}" for key, one in value.items())
        rows.append(f"<dt>{text(name.replace('_', ' '))}</dt><dd>{text(value)}</dd>")
    parts = []
    for server, variants in record["environment"]["configurations"].items():
        for one in variants:
            works = ", ".join(one["works"])
            parts.append(f"<details><summary>{text(label(server))} <small>({text(works)})</small>"
                         f"</summary><pre>{text(one['command'])}\n\n{text(one['configuration'])}"
                         "</pre></details>\n")
    return (f"<h2>Where</h2>\n<dl>{''.join(rows)}</dl>\n<h2>Every configuration, in full</h2>\n"
            + "".join(parts))


def page_text(record):
    where = record["environment"]
    works = [work for work in results.works_measured(record)
             if results.servers_measured(record, work)]
    sections = [bars_section(record)]
    sections += ["<h2>Works</h2>\n"] if works else []
    sections += [work_section(record, work) for work in works]
    sections += [tails_section(record)] if record["checks"].get("tails") else []
    sections += [checks_section(record), method_section(record), environment_section(record)]
    index = " · ".join(f'<a href="#{each.name}">{text(each.name)}</a>' for each in works)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>zcserve: measured</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><style>{STYLE}</style></head><body><main>
<p><a href="../">zcserve</a></p>
<h1>Measured, beside its peers and the floor</h1>
<p class="quiet">{text(where['date'][:10])} · {text(where['cpus'])} cores of {text(where['cpu'])}
· {text(where['kernel'].split(' #')[0])} · zcserve {text(where['commit'])} ·
<a href="results.json">results.json</a> · <a href="results.csv">results.csv</a></p>
<p>{index}</p>
{"".join(sections)}</main></body></html>
"""


def write(record, directory):
    if not plots.write(record, directory):
        print("no plots and no page: gnuplot is not installed (make bench-deps)")
        return
    (directory / "index.html").write_text(page_text(record))
