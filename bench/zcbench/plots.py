"""The plots, as SVG by gnuplot: figures go in, and one file for each plot comes out.

Axes have units, and bars begin at zero. Text and lines follow the reader's colour scheme: gnuplot
draws them in a colour that nothing else has, and a style in the file replaces it.
"""

import math
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import bars, results
from .loads import SATURATED
from .works import CHECKS, MIB, label

COLOURS = {
    "floor": "#8c8c8c", "floor+uring": "#ababab", "zcserve+epoll": "#c8452d",
    "zcserve+uring": "#e8833a", "zcserve+prefork": "#d3a13c", "zcserve+threadpool": "#b08a2e",
    "nginx": "#3d9464", "nginx+tuned": "#7dba95", "h2o": "#4a80c4", "lighttpd": "#8d66bd",
    "caddy": "#34a0a8", "apache": "#bb5a86"}
INK = (1, 2, 3)  # stands for the text's colour in what gnuplot writes
STYLE = ("<style>svg{color:#23201b}@media (prefers-color-scheme:dark){svg{color:#e8e3d8}}"
         "text{font-family:'DejaVu Sans',Verdana,Helvetica,sans-serif}</style>")
WIDTH, ROW, FRAME = 480, 25, 76
PERCENTILES = {"p50_us": "p50", "p99_us": "p99", "p999_us": "p99.9", "p9999_us": "p99.99"}


def colour(server):
    return COLOURS[server.replace("+log", "").replace("+sites", "")]


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def script_head(path, height, xlabel):
    ink = "#%02x%02x%02x" % INK
    return f"""\
set terminal svg size {WIDTH},{height} font "DejaVu Sans,13" dynamic noenhanced
set output {quoted(str(path))}
set encoding utf8
set border 3 lc rgb "{ink}" lw 0.8
set tics textcolor rgb "{ink}" nomirror out scale 0.5
set xlabel {quoted(xlabel)} textcolor rgb "{ink}"
set ylabel textcolor rgb "{ink}"
set key textcolor rgb "{ink}"
set grid x lc rgb "#808080" lw 0.4 dt 3
set decimalsign "."
"""


def gnuplot_run(script, path):
    """Draws, and replaces the colour of ink by the reader's."""
    subprocess.run(["gnuplot"], input=script, text=True, check=True, timeout=60)
    svg = path.read_text()
    ink = r"rgb\(\s*%d,\s*%d,\s*%d\)|#%02x%02x%02x" % (INK + INK)
    svg = re.sub(ink, "currentColor", svg)
    svg = re.sub(r"(<svg[^>]*>)", lambda found: found[1] + STYLE, svg, count=1)
    svg = re.sub(r' color="[^"]*"', "", svg)
    svg = svg.replace("stroke='black'", "stroke='currentColor'").replace(
        'stroke="black"', 'stroke="currentColor"')
    path.write_text(svg)


def rows_write(directory, rows):
    """A data file for gnuplot; texts are quoted."""
    path = Path(directory) / f"rows-{len(list(Path(directory).iterdir()))}"
    path.write_text("\n".join(" ".join(quoted(cell) if isinstance(cell, str) else f"{cell:.9g}"
                                       for cell in row) for row in rows) + "\n")
    return path


def bars_draw(path, names, stacks, spreads, texts, xlabel, labels=None):
    """Horizontal bars: stacks[i] is a list of lengths, spreads[i] least and most, or None."""
    count, labels = len(names), labels or [label(name) for name in names]
    most = max([sum(stack) for stack in stacks] + [spread[1] for spread in spreads if spread])
    script = script_head(path, FRAME + ROW * count, xlabel)
    tics = ", ".join(f"{quoted(text)} {count - i}" for i, text in enumerate(labels))
    script += f"set ytics ({tics})\nset yrange [0.4:{count + 0.6}]\nset grid noy\nunset key\n"
    script += f"set xrange [0:{most * 1.22:.6g}]\nset xtics ({tics_make(most * 1.22)})\n"
    script += "set lmargin 19\nset rmargin 2\n"
    with tempfile.TemporaryDirectory() as directory:
        plots = []
        for depth in range(max(map(len, stacks))):
            rows = [(sum(stack[:depth]), sum(stack[:depth + 1]), count - i,
                     int(colour(name)[1:], 16)) for i, (name, stack) in enumerate(zip(names, stacks))]
            fill = "solid 1" if depth == 0 else "transparent solid 0.45"
            plots.append(f"{quoted(str(rows_write(directory, rows)))} using 1:3:1:2:($3-0.36):"
                         f"($3+0.36):4 with boxxyerror lc rgb variable fs {fill} noborder")
        errors = [(sum(stack), *spread, count - i)
                  for i, (stack, spread) in enumerate(zip(stacks, spreads)) if spread]
        if errors:
            plots.append(f"{quoted(str(rows_write(directory, errors)))} using 1:4:2:3 with xerrorbars "
                         f"pt 0 lw 1.2 lc rgb '#%02x%02x%02x'" % INK)
        marks = [(max(sum(stack), spread[1] if spread else 0), count - i, " " + text)
                 for i, (stack, spread, text) in enumerate(zip(stacks, spreads, texts))]
        plots.append(f"{quoted(str(rows_write(directory, marks)))} using 1:2:3 with labels left "
                     "offset 0.3,0 font ',12' tc rgb '#%02x%02x%02x'" % INK)
        gnuplot_run(script + "plot " + ", \\\n".join(plots) + "\n", path)


def tics_make(most):
    """Returns about four round values from zero on, in the form that gnuplot needs."""
    rough = most / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough)
    return ", ".join(f"{quoted(tic_text(i * step))} {i * step:.9g}"
                     for i in range(int(most / step) + 1))


def tic_text(value):
    for scale, unit in ((1e6, "M"), (1e3, "k")):
        if value >= 10 * scale or (value >= scale and unit == "M"):
            return f"{value / scale:g}{unit}"
    return f"{value:.6g}"


def short(value):
    """Returns a figure for the end of a bar."""
    if value >= 1e6:
        return f"{value / 1e6:.2f}M"
    if value >= 1e4:
        return f"{value / 1e3:.0f}k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def work_draw(record, work, directory):
    """Requests per second, and CPU per request as system and user, both with their spread."""
    names = results.servers_measured(record, work)

    def column(figure):
        return [results.figures(record, work.name, name, figure) for name in names]
    rates = [results.spread(values) for values in column(bars.RATE)]
    costs = [results.spread(values) for values in column(bars.CPU)]
    busy = [results.figure(record, work.name, name, "client_busy") for name in names]
    bars_draw(directory / f"{work.name}-rate.svg", names, [[each["median"]] for each in rates],
              [(each["least"], each["most"]) for each in rates],
              [short(each["median"]) + ("*" if client >= SATURATED else "")
               for each, client in zip(rates, busy)], "requests per second")
    parts = [[results.figure(record, work.name, name, "system_us"),
              results.figure(record, work.name, name, "user_us")] for name in names]
    whole = [sum(part) or 1 for part in parts]
    stacks = [[piece * cost["median"] / total for piece in part]
              for part, cost, total in zip(parts, costs, whole)]
    bars_draw(directory / f"{work.name}-cpu.svg", names, stacks,
              [(each["least"], each["most"]) for each in costs],
              [short(each["median"]) for each in costs],
              "µs of CPU per request; pale: its own program")


def lines_draw(path, series, xlabel, ylabel, extra):
    """series: [(server, [(x, y)])]."""
    script = script_head(path, 440, xlabel) + f"set ylabel {quoted(ylabel)}\n{extra}"
    script += "set grid y lc rgb '#808080' lw 0.4 dt 3\n"
    script += "set key outside below maxrows 4 width 1 samplen 2 spacing 1.1\nset bmargin 8\n"
    with tempfile.TemporaryDirectory() as directory:
        plots = [f"{quoted(str(rows_write(directory, rows)))} using 1:2 with linespoints pt 7 ps 0.5"
                 f" lw 1.8 lc rgb '{colour(server)}' title {quoted(label(server))}"
                 for server, rows in series]
        gnuplot_run(script + "plot " + ", \\\n".join(plots) + "\n", path)


def tails_draw(record, directory):
    """A curve for each percentile; where a server no longer keeps up, its curve ends."""
    measured = record["checks"]["tails"]
    for name, title in PERCENTILES.items():
        series = []
        for server, figures in measured.items():
            rows = [(row["offered_per_second"] / 1000, row[name]) for row in figures["rows"]
                    if row["kept_up"]]
            series += [(server, rows)] if rows else []
        lines_draw(directory / f"tails-{title}.svg", series, "offered load in 1000 requests/s",
                   f"{title} latency in µs", "set logscale y\nset xrange [0:*]\n")


def memory_draw(record, directory):
    series = [(server, [(count, pss / MIB) for count, pss in figures["memory"]])
              for server, figures in record["checks"]["idle"].items()]
    lines_draw(directory / "memory.svg", series, "connections kept open", "memory (PSS) in MiB",
               "set logscale y\nset xrange [0:*]\nset yrange [0.5:*]\n")


def kept_draw(record, check, directory):
    rows = record["checks"][check.name]
    kept = [100 * figures["kept"] for figures in rows.values()]
    bars_draw(directory / f"{check.name}-kept.svg", list(rows), [[value] for value in kept],
              [None] * len(kept), [f"{value:.0f} %" for value in kept],
              "hot requests/s kept, in % of those without")


def scaling_draw(record, directory):
    names, stacks, labels = [], [], []
    for server, figures in record["checks"]["scaling"].items():
        for workers, _rate, cpu_us in figures["rows"]:
            names.append(server)
            stacks.append([cpu_us])
            labels.append(f"{label(server)} × {workers}")
    bars_draw(directory / "scaling.svg", names, stacks, [None] * len(names),
              [short(stack[0]) for stack in stacks], "CPU per request in µs, 1 and 2 workers",
              labels)


def start_draw(record, directory):
    rows = record["checks"]["start"]
    for figure, xlabel in (("pss_mib", "memory (PSS) of all its processes in MiB, at start"),
                           ("milliseconds", "ms from its start to the end of the first answer")):
        values = [figures[figure] for figures in rows.values()]
        bars_draw(directory / f"start-{figure}.svg", list(rows), [[value] for value in values],
                  [None] * len(values), [short(value) for value in values], xlabel)


def write(record, directory):
    """Draws all plots for which there are figures. Returns False when there is no gnuplot."""
    if shutil.which("gnuplot") is None:
        return False
    for work in results.works_measured(record):
        if results.servers_measured(record, work):
            work_draw(record, work, directory)
    drawers = {"tails": tails_draw, "idle": memory_draw, "scaling": scaling_draw,
               "start": start_draw}
    for check in CHECKS:
        if check.name not in record["checks"]:
            continue
        if check.name in drawers:
            drawers[check.name](record, directory)
        if check.name in ("idle", "slow", "cold"):
            kept_draw(record, check, directory)
    return True
