"""Reads differences.txt: where the server differs from others, and the clause that justifies ours."""

import dataclasses
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
# The versions with which the table was made: Debian 12.
VERSIONS = {"nginx": "1.22.1", "apache": "2.4.", "lighttpd": "1.4.69"}
DIFFERENCE = re.compile(r"  ([a-z ]+): (.*): ours (.*), theirs (.*)$")
ENTRIES = []


@dataclasses.dataclass
class Entry:
    """The servers that differ in an aspect, with two values, in these exchanges."""
    peers: list
    aspect: str
    ours: str
    theirs: str
    reason: str
    names: set

    def covers(self, kind, name):
        return kind in self.peers and name in self.names

    def tells(self, aspect, ours, theirs):
        return (self.aspect, self.ours, self.theirs) == (aspect, shown(ours), shown(theirs))

    def __str__(self):
        return "%s: ours %s, theirs %s (%s)" % (self.aspect, self.ours, self.theirs, self.reason)


def shown(value):
    """A name or a value as the table has it."""
    text = str(value).encode("unicode_escape").decode()
    return text[:-1] + "\\x20" if text.endswith(" ") else text


def entries_read():
    reason = None
    with open(os.path.join(HERE, "differences.txt"), encoding="utf-8") as file:
        for line in file.read().split("\n"):
            match = DIFFERENCE.match(line)
            if line.startswith("    "):
                ENTRIES[-1].names.add(line[4:])
            elif match:
                ENTRIES.append(Entry(match[1].split(), *match.groups()[1:], reason, set()))
            elif line.startswith("RFC "):
                reason = line
            elif line and not line.startswith("#"):
                raise ValueError("differences.txt: %r" % line)


entries_read()
