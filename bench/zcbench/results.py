"""What was measured, as plain tables that can be written, read and queried. Pure.

A record is one dictionary, as in results.json:
    environment, finished, chosen, absent
    runs      one flat dictionary for each run of a work
    syscalls  {work: {server: calls per request}}
    checks    {check: {server: figures}}; a figure is a number or a list of rows
"""

import csv
import json
import statistics

from .works import BY_NAME


def empty(environment, chosen):
    return {"environment": environment, "finished": False, "chosen": list(chosen), "absent": {},
            "runs": [], "syscalls": {}, "checks": {}}


def runs_of(record, work, server):
    """Returns the runs that count: those without errors."""
    return [run for run in record["runs"]
            if run["work"] == work and run["server"] == server and not run["errors"]]


def figures(record, work, server, name):
    """Returns one figure of each repetition, in order."""
    values = [run[name] for run in runs_of(record, work, server)]
    return [value for value in values if value is not None]


def figure(record, work, server, name):
    """Returns the median, or None when it was not measured."""
    values = figures(record, work, server, name)
    return statistics.median(values) if values else None


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratios(record, work, server, against, name):
    """Returns the ratios of one figure within each repetition, whose runs were made soon after each other."""
    others = {run["repetition"]: run[name] for run in runs_of(record, work, against)}
    return [run[name] / others[run["repetition"]] for run in runs_of(record, work, server)
            if run[name] and others.get(run["repetition"])]


def ratio(record, work, server, against, name):
    values = ratios(record, work, server, against, name)
    return statistics.median(values) if values else None


def combined(values):
    """Makes one table of several that have the same form: medians of numbers; true when all are true."""
    first = values[0]
    if isinstance(first, dict):
        return {key: combined([value[key] for value in values]) for key in first}
    if isinstance(first, list):
        return [combined(list(items)) for items in zip(*values)]
    if isinstance(first, bool):
        return all(values)
    return statistics.median(values) if isinstance(first, (int, float)) else first


def works_measured(record):
    present = {run["work"] for run in record["runs"]}
    return [each for name, each in BY_NAME.items() if name in present]


def servers_measured(record, work):
    """Returns the servers of which at least one run counts, in the order of the work's list."""
    present = {run["server"] for run in record["runs"]
               if run["work"] == work.name and not run["errors"]}
    return [name for name in work.servers if name in present]


def summary(record):
    """{work: {server: {figure: median, least, most}}}"""
    return {work.name: {server: server_summary(record, work.name, server)
                        for server in servers_measured(record, work)}
            for work in works_measured(record)}


def server_summary(record, work, server):
    names = [name for name, value in runs_of(record, work, server)[0].items()
             if isinstance(value, (int, float)) and name != "repetition"]
    spreads = {name: figures(record, work, server, name) for name in names}
    return {name: spread(values) for name, values in spreads.items() if values}


def write(record, directory):
    """Writes results.json, which has everything, and results.csv, which has a line for each run."""
    whole = {**record, "works": {name: work.title for name, work in BY_NAME.items()},
             "summary": summary(record)}
    (directory / "results.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    if record["runs"]:
        with open(directory / "results.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, record["runs"][0].keys())
            writer.writeheader()
            writer.writerows(record["runs"])


def read(path):
    with open(path) as file:
        record = json.load(file)
    if "runs" not in record or "environment" not in record:
        raise ValueError(f"{path} is not a results.json of bench/run")
    return record
