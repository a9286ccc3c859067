"""What the server's processes have open, compared with what each kind of process had when all was well."""

import collections
import os
import re

from harness import process_name


def descriptors(pid):
    """{what it is: how many}, with the same name for all of a kind."""
    found = collections.Counter()
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except OSError:
            continue
        found[re.sub(r":\[\d+\]$", "", target)] += 1
    return found


class Leaks:
    """The most that a process of each kind has open. Files of the site are counted apart: a store may keep each
    file open once, also one that is no longer there until the next request tells it; a thread is a store."""

    def __init__(self, server, root, stores):
        self.server, self.root, self.stores = server, root, stores
        self.most = {}

    def _looked_at(self):
        for pid in self.server.processes():
            try:
                yield process_name(pid)[:9], descriptors(pid)
            except OSError:  # it has ended
                continue

    def learn(self):
        """All is well now."""
        for kind, found in self._looked_at():
            self.most[kind] = self.most.get(kind, collections.Counter()) | found

    def found(self):
        """A text for each thing that is open too often."""
        told = []
        for kind, found in self._looked_at():
            for what, count in found.items():
                is_file = what.startswith(self.root)
                most = self.stores if is_file else self.most.get(kind, {}).get(what, 0)
                if count > most:
                    told.append("%s: %s is open %d times instead of %d" % (kind, what, count, most))
        return told
