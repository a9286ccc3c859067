"""What a test function gets: a setting, a model, and ways to make sites and servers.

    @test("what must hold")
    def name(stage):
        ...                     # raises Failure when it does not
"""

import os
import statistics
import time

from client import Failure, Skip
from fixtures import located
from harness import Server, cpu_seconds

TESTS = []


def test(name, per_model=True):
    """Registers a test. One that has nothing to do with a model runs once."""
    def register(function):
        group = function.__module__.rsplit(".", 1)[-1]
        TESTS.append((group, name, function, per_model))
        return function
    return register


class Stage:
    def __init__(self, setting, model):
        self.setting = setting
        self.model = model

    def server(self, root, options=None, **more):
        return Server(self.setting, self.model, root, options, **more)

    def is_ring(self):
        """Whether the model is io_uring, with whatever options."""
        return self.model.startswith("io_uring")

    def is_ring_thread(self):
        """Whether a thread of the kernel's takes part, which may have to wait for a CPU itself."""
        return self.model == "io_uring+options"

    def is_blocking(self):
        """Whether the model serves one connection at a time."""
        return self.model in ("prefork", "threadpool")

    def seconds(self, seconds):
        return seconds * self.setting.slow

    def milliseconds(self, seconds):
        """A time as an option of the server, as long as this build needs."""
        return "%dms" % (seconds * self.setting.slow * 1000)

    def site(self, **files):
        """A new root with these files; `a_txt` is a.txt."""
        root = os.path.join(self.setting.place("site"), "root")
        os.mkdir(root)
        for name, what in files.items():
            write(os.path.join(root, name.replace("_", ".")), what)
        return root


def write(path, what):
    """Makes a file, or writes over one in place."""
    with open(path, "wb") as file:
        file.write(what)


def replace(path, what):
    """Puts a new file in the place of an old one, at one moment."""
    write(path + ".new", what)
    os.rename(path + ".new", path)


def expect_rest(pid, seconds):
    """The process has no work, and does none."""
    used = cpu_seconds(pid)
    time.sleep(seconds)
    used = cpu_seconds(pid) - used
    require(used < 0.2 * seconds, "%.2f s of processor time in %.1f s without work", used, seconds)


def seconds_of(function, *arguments):
    began = time.monotonic()
    function(*arguments)
    return time.monotonic() - began


def expect_pace(what, mine, control, times, grain):
    """`mine` took no longer than the control did beside it, in turns. Both are lists of seconds: whatever else
    this machine does slows both, and a single stop is in no median. A test that says "soon" is one of these; a
    bound in seconds alone would be a guess about the machine. `grain`: seconds that are no difference."""
    took, beside = statistics.median(mine), statistics.median(control)
    require(took <= times * beside + grain, "%s: %.3f s in the median, and the control beside it %.3f s", what,
            took, beside)


class Silence:
    """The longest time in which a test did nothing itself, though it was to do something steadily."""

    def __init__(self):
        self.longest, self.since = 0, time.monotonic()

    def broken(self):
        now = time.monotonic()
        self.longest, self.since = max(self.longest, now - self.since), now


def tried_steadily(deadline, trial):
    """A trial that must not come near a deadline of the server's: it is given a Silence to break at each step. Where
    it failed because others had the CPU for so long, nothing was shown, and it is tried again."""
    for _ in range(4):
        silence = Silence()
        try:
            return trial(silence)
        except (Failure, OSError):
            silence.broken()
            if silence.longest < deadline / 2:
                raise
    raise Skip("this test was held up again and again")


def big(mebibytes, mark="@"):
    return located(mebibytes << 20, mark)


def require(true, text, *values):
    if not true:
        raise Failure(text % values if values else text)
