"""The sentences under each plot, made from the figures. Pure.

They name zcserve's better model, the nearest peer and the floor, and warn of what could mislead.
"""

import statistics

from . import bars, results
from .loads import SATURATED
from .report import figure_text
from .tails import JUDGED
from .works import LOOPS, PEERS, RANGES_TOGETHER, TUNED, label


def better(ratio):
    """Returns a ratio in words: 0.62 → '38 % less than'."""
    percent = round(100 * abs(1 - ratio))
    if percent <= 2:
        return "as much as"
    return f"{percent} % {'less' if ratio < 1 else 'more'} than"


def best_of(record, work, names, figure, least):
    present = results.servers_measured(record, work)
    return bars.best([name for name in names if name in present],
                     lambda name: results.figure(record, work.name, name, figure), least)


def cost_sentence(record, work):
    own = best_of(record, work, bars.loops_of(work), bars.CPU, False)
    peers = [name for name in work.servers if name.split("+")[0] in PEERS]
    peer = best_of(record, work, peers, bars.CPU, False)
    if not own:
        return ""
    cost = results.figure(record, work.name, own, bars.CPU)
    said = f"{label(own)} takes {figure_text(cost)} µs of CPU a request"
    against = [name for name in dict.fromkeys((peer, *nginx_of(record, work))) if name]
    parts = [f"{better(results.ratio(record, work.name, own, name, bars.CPU))} {label(name)}"
             for name in against]
    if parts:
        said += ", " + " and ".join(parts)
        said += f" ({label(peer)} is the cheapest peer)" if peer else ""
    if "floor" in results.servers_measured(record, work):
        floor = results.figure(record, work.name, "floor", bars.CPU)
        said += f"; the floor takes {figure_text(floor)}"
    return said + "."


def nginx_of(record, work):
    return [name for name in ("nginx", "nginx+log") if name in results.servers_measured(record, work)]


def rate_sentence(record, work):
    present = results.servers_measured(record, work)
    limited = [name for name in present
               if results.figure(record, work.name, name, "client_busy") >= SATURATED]
    own = best_of(record, work, bars.loops_of(work), bars.RATE, True)
    said = ""
    if own:
        rate = results.figure(record, work.name, own, bars.RATE)
        said = f"{label(own)} answers {figure_text(rate)} requests/s. "
    if limited:
        many = "All servers" if len(limited) == len(present) else ", ".join(map(label, limited))
        said += (f"{many} left the client no time to spare (*): they could have answered more, "
                 "so compare the CPU.")
    return said.strip()


def spread_sentence(record, work):
    """Says how much repetitions differ, so that nobody reads a meaning into small differences."""
    apart = []
    for name in results.servers_measured(record, work):
        values = results.figures(record, work.name, name, bars.CPU)
        if len(values) > 1:
            apart.append((max(values) - min(values)) / statistics.median(values))
    if not apart:
        return "One repetition only: differences of some percent mean nothing."
    return (f"Repetitions of the same server differ by {100 * statistics.median(apart):.0f} % "
            "(the median of the servers): a smaller difference between servers means nothing.")


def log_sentence(record, work):
    """Says what the log adds to the cost of the same server without one, measured a while before."""
    added = []
    for name in results.servers_measured(record, work):
        cost = results.figure(record, work.name, name, bars.CPU)
        without = results.figure(record, "c64", name.replace("+log", ""), bars.CPU)
        if name.endswith("+log") and without:
            added.append(f"{100 * (cost / without - 1):+.0f} % ({label(name.replace('+log', ''))})")
    return "The log changes the CPU per request by " + ", ".join(added) + "." if added else ""


def sites_sentence(record, work):
    """Says what sites and rules add to the cost of the same server without them, measured in turns."""
    pairs = [(name, results.ratio(record, work.name, f"{name}+sites", name, bars.CPU))
             for name in LOOPS]
    added = [f"{100 * (ratio - 1):+.0f} % ({label(name)})" for name, ratio in pairs if ratio]
    return "The sites change the CPU per request by " + ", ".join(added) + "." if added else ""


def multipart_sentence(record, work):
    """Compares several ranges in a response with as many responses, measured a while before."""
    parts = []
    for name in results.servers_measured(record, work) if work.requests == "multipart" else ():
        cost = results.figure(record, work.name, name, bars.CPU)
        single = results.figure(record, "ranges", name, bars.CPU)
        if single:
            parts.append(f"{cost / single / RANGES_TOGETHER:.2f} times ({label(name)})")
    return "One response needs the CPU of as many single ones " + ", ".join(parts) + "." \
        if parts else ""


def work_sentences(record, work):
    parts = (cost_sentence(record, work), log_sentence(record, work),
             sites_sentence(record, work), multipart_sentence(record, work), rate_sentence(record, work),
             spread_sentence(record, work))
    return " ".join(part for part in parts if part)


def tails_sentence(record):
    measured = record["checks"]["tails"]
    capacity = record["checks"]["tails_capacity"]["nginx"]["requests_per_second"]
    own = bars.best([name for name in LOOPS if name in measured],
                    lambda name: measured[name]["p999_us"], False)
    others = [name for name in measured if name not in LOOPS]
    peer = bars.best(others, lambda name: measured[name]["p999_us"], False)
    said = (f"The same load for everybody: {100 * JUDGED:.0f} % is "
            f"{figure_text(capacity * JUDGED)} requests/s of the {figure_text(capacity)} that nginx "
            "answers at most. ")
    if own and peer:
        said += (f"There {label(own)} answers 99.9 % within {figure_text(measured[own]['p999_us'])} "
                 f"µs, {label(peer)}, the best peer, within "
                 f"{figure_text(measured[peer]['p999_us'])} µs. ")
    said += "A curve ends where its server no longer answers 99 % of what is due."
    late = sorted({label(name) for name, figures in measured.items()
                   for row in figures["rows"] if row["client_late"] and row["kept_up"]})
    if late:
        said += (" The generator itself was late by over 50 µs (p99) in some points of "
                 + ", ".join(late) + ": read those as upper limits.")
    return said


def memory_sentence(record):
    each = {name: figures["bytes_each"] for name, figures in record["checks"]["idle"].items()}
    return ("A connection kept open after one answer costs the server's processes "
            + ", ".join(f"{figure_text(value)} bytes ({label(name)})"
                        for name, value in sorted(each.items(), key=lambda item: item[1]))
            + ". The kernel's own memory for sockets is the same for all and not counted.")


def kept_sentence(record, check):
    rows = record["checks"][check]
    own = bars.best([name for name in LOOPS if name in rows], lambda name: rows[name]["kept"], True)
    worst = min(rows, key=lambda name: rows[name]["kept"])
    said = ""
    if own:
        said = (f"{label(own)} keeps {100 * rows[own]['kept']:.0f} % of its hot requests/s, with a "
                f"p99 of {figure_text(rows[own]['p99_us_with'])} µs instead of "
                f"{figure_text(rows[own]['p99_us_without'])}; ")
    return said + f"{label(worst)} keeps {100 * rows[worst]['kept']:.0f} %."


def scaling_sentence(record):
    rows = record["checks"]["scaling"]
    ratios = ", ".join(f"{label(name)} {figures['cpu_ratio']:.2f}" for name, figures in rows.items())
    return ("Two cores can show one thing: whether each request costs more with a second worker. With "
            "two workers the client runs on the same two cores, so requests/s are not compared. CPU "
            f"per request with two workers, divided by that with one: {ratios}.")


def start_sentence(record):
    rows = record["checks"]["start"]
    return "; ".join(f"{label(name)} {figures['milliseconds']:.0f} ms, {figures['pss_mib']:.1f} MiB"
                     for name, figures in rows.items()) + "."


def crosscheck_sentence(crossed):
    """Says how the medians differ, and whether the network explains it."""
    more = crossed["more_us"]
    if more < 0:
        return (f"{figure_text(-more)} µs less than the server: the server counts until it learns "
                "that the kernel took the response, which is after the client has it")
    if crossed["explained"]:
        return f"{figure_text(more)} µs more: the way through the loopback"
    return f"{figure_text(more)} µs more: beyond what the loopback explains"


def tuned_note():
    return (f"{label(TUNED[0])} has other values of sendfile and tcp_nopush than its documentation "
            "advises: for each work those that were cheapest in trials.")
