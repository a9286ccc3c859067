"""A copy of the checkout, where commands are run as a reader runs them, and what became of them."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from house import BUILD, SITE, TOP

ALONE = pathlib.Path(__file__).resolve().parent / "alone.py"  # the ports that a page names may be taken here
MAKE = re.compile(r"^\s*make\b", re.M)
MAKING = threading.Lock()  # what is built is shared by workplaces without a build of their own
SECONDS_TO_END = 6  # a server that was told to stop finishes what it began
# What make and tests/run tell their children, and no reader's shell has.
NOT_A_READERS = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "BUILD", "FLAVOUR", "ZCSERVE", "ZCLAB", "ASAN_OPTIONS", "UBSAN_OPTIONS",
                 "TSAN_OPTIONS", "CK_DEFAULT_TIMEOUT", "CK_TIMEOUT_MULTIPLIER")
LEFT_OUT = (".git", "zclab-data", "zclab-results", "bench/results", "www/lab-mine")
NOTHING_RAN = 77  # zclab's, with the reason


class Workplace:
    """A directory below build/, on the same disk. A context manager: it goes on the way out."""

    def __init__(self, with_build=False):
        self.with_build = with_build

    def __enter__(self):
        BUILD.mkdir(exist_ok=True)
        # Not below /tmp: that may be memory, where nothing is ever cold.
        self.holder = tempfile.TemporaryDirectory(dir=BUILD, prefix="lessons-")  # pylint: disable=consider-using-with
        self.place = pathlib.Path(self.holder.name) / "zcserve"
        skip = {BUILD, TOP / "build", *(TOP / name for name in LEFT_OUT)}
        shutil.copytree(TOP, self.place, symlinks=True, ignore=lambda folder, names: {
            name for name in names if pathlib.Path(folder) / name in skip or name == "__pycache__"})
        build = self.place / "build"
        build.mkdir()
        for path in BUILD.iterdir():
            # What a reader made by hand (build/lesson-10, build/check-02) is not what a new reader finds.
            if path.name.startswith(("lesson", "check-", "lab-", "fuzz", "stress")):
                continue
            if path.is_symlink():
                (build / path.name).symlink_to(os.readlink(path))
            elif self.with_build and path.is_dir():
                shutil.copytree(path, build / path.name, symlinks=True)
            else:
                (build / path.name).symlink_to(path)
        self.own_page_renew()
        return self

    def __exit__(self, *_):
        self.holder.cleanup()

    def own_page_renew(self):
        """Nothing is measured: only the page is there that `make site` puts there."""
        mine = self.place / "www/lab-mine"
        shutil.rmtree(mine, ignore_errors=True)
        mine.mkdir()
        shutil.copy(SITE / "learn/nothing-yet.html", mine / "index.html")

    def git(self, *words):
        """git as if there were no repository around this directory: paths begin here."""
        return subprocess.run(["git", *words], cwd=self.place, capture_output=True, text=True, check=False,
                              env={**os.environ, "GIT_CEILING_DIRECTORIES": str(self.place.parent)})

    def run(self, text, seconds):
        """Runs a script; its exit code (None: it took too long), its output, and the processes that it left."""
        mark = "ZCLESSON=%d-%d" % (os.getpid(), time.monotonic_ns())
        kept = {name: value for name, value in os.environ.items() if name not in NOT_A_READERS}
        name, value = mark.split("=")
        environment = {**kept, "ZCLAB_SCALE": "smallest", "LC_ALL": "C.UTF-8", name: value}
        # A file and no pipe: who stays behind would keep a pipe open, and us waiting.
        with tempfile.TemporaryFile() as output, \
                MAKING if MAKE.search(text) and not self.with_build else contextlib.nullcontext():
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                [sys.executable, str(ALONE), "bash", "-c", text], cwd=self.place, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            left = left_running(mark, SECONDS_TO_END if code is not None else 0)
            for number, _ in left:
                signal_send(number)
            process.wait()
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
        return code, said, [] if code is None else left


def left_running(mark, seconds):
    """(number, command line) of those that carry the mark in their environment and are still there then."""
    until = time.monotonic() + seconds
    while True:
        left = list(marked(mark.encode()))
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


def marked(mark):
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                yield int(entry.name), words
        except OSError:
            continue  # it has ended, or is another user's


def signal_send(number):
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        pass
