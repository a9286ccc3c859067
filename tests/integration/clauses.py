"""Which clauses the exchanges name: every row names one or more, and every clause of clauses.txt has an exchange
or a reason why it can have none.

A clause is written "RFC 9110 §14.2"; behind one RFC several sections may follow, "RFC 9112 §6.1, §6.3".
"""

import os
import re

import sample
from client import expect
from rows import ROWS
from stage import require, test

HERE = os.path.dirname(os.path.abspath(__file__))
LINE = re.compile(r"(RFC \d+ §[\d.]+)\s+(.*?)(?:\s+-- (.*))?$")
FAMILIES = []  # (clause, name, function that yields the exchanges), of the generated families


def named(text):
    """The clauses that a text names: ["RFC 9112 §6.1", "RFC 9112 §6.3"]."""
    found, document = [], None
    for number, section in re.findall(r"RFC (\d+)|§(\d+(?:\.\d+)*)", text):
        if number:
            document = number
        else:
            found.append("RFC %s §%s" % (document, section))
    return found


def known():
    """{clause: (what it is about, why no exchange shows it or None)}, in the order of clauses.txt."""
    found = {}
    with open(os.path.join(HERE, "clauses.txt"), encoding="utf-8") as file:
        for line in file:
            match = LINE.match(line)
            if match:
                found[match[1]] = (match[2], match[3])
            else:
                require(line.strip() == "" or line.startswith("#"), "clauses.txt: %r", line)
    return found


def counted():
    """{clause: [exchanges of the table, exchanges of families]}."""
    found = {}
    for row in ROWS:
        for clause in set(named(row.clause) + named(row.name)):
            found.setdefault(clause, [0, 0])[0] += 1
    for text, _, each in FAMILIES:
        count = count_of(each())
        for clause in named(text):
            found.setdefault(clause, [0, 0])[1] += count
    return found


def count_of(items):
    return sum(1 for _ in items)


def table_print():
    """The conformance table: a line for each clause."""
    counts = counted()
    print("exchanges, of families, clause")
    for clause, (about, reason) in known().items():
        mine, families = counts.get(clause, (0, 0))
        print("%6d %8d  %-18s %s%s" % (mine, families, clause, about, ": none, " + reason if reason else ""))
    print("%6d exchanges in the table, and %d of %d families (%s), for each model" % (
        len(ROWS), sum(count_of(each()) for _, _, each in FAMILIES), len(FAMILIES), sample.told()))


@test("every exchange names clauses that are in clauses.txt", per_model=False)
def rows_name_clauses(_):
    clauses = known()
    for row in ROWS:
        found = named(row.clause)
        require(found, "%s: %s names no clause", row.clause, row.name)
        for clause in found + named(row.name):
            require(clause in clauses, "%s: %s names %s, which is not in clauses.txt", row.clause, row.name, clause)
    for text, name, _ in FAMILIES:
        require(named(text), "%s names no clause", name)
        expect("clauses of " + name, [], [clause for clause in named(text) if clause not in clauses])


@test("every clause has an exchange, or a reason why it has none", per_model=False)
def clauses_have_exchanges(_):
    counts = counted()
    for clause, (about, reason) in known().items():
        has = clause in counts
        require(has or reason, "%s (%s) has no exchange", clause, about)
        require(not (has and reason), "%s (%s) has exchanges, though %s", clause, about, reason)


@test("no two exchanges have one name", per_model=False)
def names_differ(_):
    seen = set()
    for row in ROWS:
        name = (row.server, row.clause, row.name)
        require(name not in seen, "%s: %s: %s is there twice", *name)
        seen.add(name)
