"""The board that the injected program and the test share; board.h lays it out in the same way."""

import errno
import mmap
import os
import re
import struct
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SITES_MAX = 4096
HEAD = struct.Struct("<Qq i I i I I I I I")
SITE = struct.Struct("<QQ")
SIZE = HEAD.size + SITES_MAX * SITE.size
ARMED, LEFT, ERROR, FIRED, PID, SHORTEN, SHUFFLE, LOST, TRIED, OPENED = range(10)


def calls_read():
    """The calls in their order, each with the errnos that it may fail with."""
    with open(os.path.join(HERE, "calls.def"), encoding="utf-8") as file:
        found = re.findall(r'^CALL\((\w+), "([A-Z0-9 ]+)"\)$', file.read(), re.MULTILINE)
    return [(name, errnos.split()) for name, errnos in found]


CALLS = calls_read()


class Site:
    """A place that makes a call. Its key is the same in all processes of the program."""

    def __init__(self, key):
        self.key = key
        self.call, self.errnos = CALLS[(key >> 48) - 1]

    def __str__(self):
        return "%s at %d+0x%x" % (self.call, self.key >> 40 & 0xFF, self.key & 0xFFFFFFFFFF)


class Board:
    def __init__(self):
        descriptor, self.path = tempfile.mkstemp(prefix="zcserve-board-")
        os.ftruncate(descriptor, SIZE)
        self._memory = mmap.mmap(descriptor, SIZE)
        os.close(descriptor)

    def close(self):
        self._memory.close()
        os.unlink(self.path)

    def _field(self, index):
        return HEAD.unpack_from(self._memory)[index]

    def _set(self, index, value):
        """Writes one field alone: the program writes others at the same time."""
        offset = (0, 8, 16, 20, 24, 28, 32, 36, 40, 44)[index]
        struct.pack_into("<" + "QqiIiIIIII"[index], self._memory, offset, value)

    def arm(self, site, nth, name):
        """The nth call of this site from now on fails with this errno."""
        self.disarm()
        self._set(FIRED, 0)
        self._set(LEFT, nth)
        self._set(ERROR, getattr(errno, name))
        self._set(ARMED, site.key)

    def disarm(self):
        self._set(ARMED, 0)

    def fired(self):
        return self._field(FIRED) > 0

    def fired_in(self):
        """The process in which the call failed."""
        return self._field(PID)

    def trial(self, ask):
        """Asks processes to try whether they are confined: asked(), how many have tried, and how many were not."""
        self._set(TRIED, 0)
        self._set(OPENED, 0)
        ask()
        return lambda: (self._field(TRIED), self._field(OPENED))

    def shorten(self, seed):
        self._set(SHORTEN, seed)

    def shuffle(self, seed):
        self._set(SHUFFLE, seed)

    def counts(self):
        """How often each site made its call until now."""
        if self._field(LOST):
            raise RuntimeError("the board has no room for %d sites" % self._field(LOST))
        found = {}
        for index in range(SITES_MAX):
            key, count = SITE.unpack_from(self._memory, HEAD.size + index * SITE.size)
            if key:
                found[key] = count
        return found

    def counted(self, work):
        """Does the work: which sites made their call how often meanwhile, the sites in the order of their keys."""
        before = self.counts()
        work()
        after = self.counts()
        return {key: count - before.get(key, 0) for key, count in sorted(after.items())
                if count > before.get(key, 0)}
