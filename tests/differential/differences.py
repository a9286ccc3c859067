"""Where the server differs from nginx, Apache httpd and lighttpd, and which clause justifies ours.

    entry("nginx apache", "status", "400", "200", "RFC 9112 §2.2", "why", r"names of exchanges")

An entry covers each exchange whose name matches one of its patterns, and claims that each of the servers differs
there in this aspect, with these values; None stands for any value.
"""

import dataclasses
import re

# The versions with which this table was made: Debian 12.
VERSIONS = {"nginx": "1.22.1", "apache": "2.4.", "lighttpd": "1.4.69"}
ENTRIES = []


@dataclasses.dataclass
class Entry:
    peers: list
    aspect: str
    ours: str
    theirs: str
    clause: str
    why: str
    patterns: list

    def covers(self, kind, name):
        return kind in self.peers and any(each.search(name) for each in self.patterns)

    def tells(self, aspect, ours, theirs):
        return self.aspect == aspect and self.ours in (None, ours) and self.theirs in (None, theirs)

    def __str__(self):
        return "%s: ours %s, theirs %s (%s)" % (self.aspect, self.ours, self.theirs, self.clause)


def entry(peers, aspect, ours, theirs, clause, why, *patterns):
    ENTRIES.append(Entry(peers.split(), aspect, ours, theirs, clause, why, [re.compile(each) for each in patterns]))
