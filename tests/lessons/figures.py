"""A figure in a table is the median of the kept results, as printed: data-figure="EXPERIMENT COLUMN FACTOR=VALUE …"."""

import csv
import functools
import json
import math
import re
import statistics

from house import SITE

# What a unit is worth in that of the column.
UNITS = {
    "us": {"ns": 1e-3, "µs": 1, "μs": 1, "us": 1, "ms": 1e3, "s": 1e6, "min": 60e6},
    "ns": {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9},
    "s": {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60},
    "MB/s": {"kB/s": 1e-3, "MB/s": 1, "GB/s": 1e3},
    "1/s": {"/s": 1, "k/s": 1e3, "M/s": 1e6, "thousand/s": 1e3, "million/s": 1e6},
    "bytes": {"bytes": 1, "B": 1, "KiB": 1024, "MiB": 1024 ** 2, "GiB": 1024 ** 3},
    "share": {"%": 0.01, "": 1},
    "": {"": 1, "×": 1, "times": 1},
}


def unit_of(experiment, column):
    """As NAME.json has it; what has none is counted."""
    about = json.loads((SITE / "lab" / (experiment + ".json")).read_text(encoding="utf-8"))
    unit = next((one["unit"] for one in about["columns"] if one["name"] == column), "")
    return unit if unit in UNITS else ""


def asked(text):
    """(experiment, column, factors) of a data-figure; None when it says less or more."""
    words = [word for word in re.split(r"[\s:;,&?#|]+", text) if word]
    where = dict(word.split("=", 1) for word in words if "=" in word)
    names = [word.removesuffix(".csv") for word in words if "=" not in word]
    return (names[0], names[1], where) if len(names) == 2 else None


@functools.cache
def rows(experiment):
    path = SITE / "lab" / (experiment + ".csv")
    if not path.is_file():
        return None
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def says(cell, wanted):
    if number(cell) is not None and number(wanted) is not None:
        return number(cell) == number(wanted)
    return cell == wanted


def median(experiment, column, where):
    """The median, or a text that says why there is none."""
    table = rows(experiment)
    if table is None:
        return "there is no www/lab/%s.csv" % experiment
    for name in [column, *where]:
        if name not in table[0]:
            return "%s.csv has no column %s" % (experiment, name)
    found = [number(row[column]) for row in table if all(says(row[name], wanted) for name, wanted in where.items())]
    found = [value for value in found if value is not None]
    return statistics.median(found) if found else "no row of %s.csv has %s" % (experiment, where)


def printed(text):
    """What a printed figure says: (number, how near it is meant, unit); None when it is no figure."""
    plain = re.sub(r"[\u00a0\u202f\u2009\s]+", " ", text).strip().removeprefix("about ")
    plain = re.sub(r"(?<=\d)[, ](?=\d{3}(\D|$))", "", plain)
    found = re.fullmatch(r"(\d+(?:\.(\d+))?)\s*(.*)", plain)
    if not found:
        return None
    digits = found.group(1)
    decimals = len(found.group(2) or "")
    step = 10.0 ** -decimals
    if decimals == 0:  # 1,230,000 is meant as three digits, 120 as it stands
        step = 10.0 ** max(0, len(digits) - 3)
    return float(digits), step, found.group(3)


def cells(page):
    for cell in page.all(has="data-figure"):
        wanted = asked(cell.get("data-figure"))
        if cell.tag != "td" or wanted is None:
            yield "line %d: data-figure '%s' names no figure" % (cell.line, cell.get("data-figure"))
            continue
        kept = median(*wanted)
        if isinstance(kept, str):
            yield "line %d: %s" % (cell.line, kept)
            continue
        said = printed(cell.words)
        units = UNITS[cell.get("data-unit", unit_of(wanted[0], wanted[1]))]
        if said is None or said[2] not in units:
            yield "line %d: '%s' is no figure of %s" % (cell.line, cell.words, wanted[1])
            continue
        value, step, unit = said
        if abs(value * units[unit] - kept) > step * units[unit] * 0.51:
            yield "line %d: '%s', but the kept median of %s is %.5g" % (cell.line, cell.words, wanted[1], kept)


# ---- as text: bench/lab/text.c, once more, for tests/lessons/refresh ----

def number_text(value):
    if value == 0:
        return "0"
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    if abs(value) >= 100:
        return "{:,.0f}".format(round(value / step) * step)
    decimals = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else int(-math.log10(step) + 0.5)
    return ("%.*f" % (decimals, value)).rstrip("0").rstrip(".")


def text(value, unit):
    if unit == "bytes":
        for name in ("bytes", "KiB", "MiB", "GiB"):
            if value < 1024:
                break
            value /= 1024
        return ("%.0f %s" if value == int(value) else "%.1f %s") % (value, name)
    scaled = {"share": [(0, 0.01, "%")], "us": [(1e6, 1e6, "s"), (1e3, 1e3, "ms"), (0, 1, "µs")],
              "MB/s": [(1e4, 1e3, "GB/s"), (0, 1, "MB/s")], "s": [(0, 1, "s")], "ns": [(0, 1, "ns")]}.get(unit, [(0, 1, "")])
    _, worth, name = next(one for one in scaled if value >= one[0])
    said = number_text(value / worth)
    return said + "/s" if unit == "1/s" else (said + " " + name).strip()
