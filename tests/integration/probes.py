"""The trace points of src/worker/probe.h: all exist with their arguments, and the scripts of bench/trace/ see them.

Tracing needs bpftrace, root, and a kernel that allows it. Where one of these is missing, the live tests are
skipped. tracefs is not mounted in many containers and on fresh machines; it is mounted for the tracer alone.
"""

import contextlib
import os
import re
import shutil
import subprocess

from client import Skip, expect, wait_until
from stage import require, test

TRACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "trace")
POINTS = {"request_start": 3, "resolve": 5, "first_byte": 3, "request_done": 6, "phases": 5, "stall": 2}


def points_of(binary):
    """{name: number of arguments} of the points that the notes of a program tell of."""
    notes = subprocess.run(["readelf", "-n", binary], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"Provider: zcserve\s+Name: (\w+)\s+Location:.*\s+Arguments: ?(.*)", notes)
    return {name: len(re.findall(r"-?\d@", arguments)) for name, arguments in found}


# Mounts what a tracer needs, seen by nobody else, and becomes the tracer.
LOOK = """
[ -d /sys/kernel ] || mount -t sysfs sysfs /sys || exit
mount -t tracefs tracefs /sys/kernel/tracing || exit
exec "$@"
"""


def is_mounted():
    return any(os.path.isdir(os.path.join("/sys/kernel", each, "events")) for each in ("tracing", "debug/tracing"))


def looking(*command):
    return list(command) if is_mounted() else ["unshare", "--mount", "sh", "-c", LOOK, "look", *command]


def is_chroot():
    """Whether nothing is mounted at "/", or the first process has the same mounts but another root, as far as that
    may be asked."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        if all(line.split()[4] != "/" for line in file):
            return True
    with contextlib.suppress(OSError):
        same_mounts = os.readlink("/proc/1/ns/mnt") == os.readlink("/proc/self/ns/mnt")
        return same_mounts and not os.path.samefile("/proc/1/root/", "/")
    return False


def can_look():
    """Skips the test that calls it where nobody may look, or there is nothing to look at."""
    if os.geteuid() != 0:
        raise Skip("looking into another process takes root")
    if not shutil.which("bpftrace"):
        raise Skip("there is no bpftrace here")
    if is_chroot() and not is_mounted():  # a tracer with mounts of its own would look for the file elsewhere
        raise Skip("tracefs is not mounted, and within a chroot it cannot be for the tracer alone")
    trials = (["bpftrace", "-e", "BEGIN { exit(); }"],
              ["sh", "-c", "cd /sys/kernel/tracing/events || cd /sys/kernel/debug/tracing/events && ls -d sched syscalls"])
    for trial in trials:
        tried = subprocess.run(looking(*trial), capture_output=True, text=True, timeout=60)
        if tried.returncode != 0:
            said = (tried.stdout + tried.stderr).strip().splitlines() or ["exit code %d" % tried.returncode]
            raise Skip("the kernel does not let bpftrace look: " + said[-1])


def script(name):
    return os.path.join(TRACE, name)


@test("every trace point is there, with its arguments", per_model=False)
def points(stage):
    expect("points", POINTS, points_of(stage.setting.binary))


@test("the scripts name only points that are there", per_model=False)
def scripts(stage):
    names = sorted(os.listdir(TRACE))
    require(len(names) >= 3, "scripts: %s", names)
    known = points_of(stage.setting.binary)
    for name in names:
        with open(script(name), encoding="utf-8") as file:
            used = re.findall(r"^usdt:\*:zcserve:(\w+)", file.read(), re.MULTILINE)
        require(used and set(used) <= known.keys(), "%s uses %s", name, used)


def tracer(server, *arguments):
    return subprocess.Popen(looking("bpftrace", "-p", str(server.workers()[0]), *arguments), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@test("a tracer sees answers go by")
def live(stage):
    can_look()
    look = "usdt:*:zcserve:phases { printf(\"seen %d\\n\", arg0 + arg4 < 1000000000); exit(); }"
    with stage.server(stage.site(a_txt=b"12345"), at_once=1) as server:
        process = tracer(server, "-e", look)
        wait_until("a tracer has seen one",
                   lambda: server.get("/a.txt") and process.poll() is not None, server.seconds(15))
        output = process.communicate()[0]
    require("seen 1\n" in output, "bpftrace said: %s", output)


def dry_run():
    """How this bpftrace is asked to read a script and not to run it: until 0.20 by -d."""
    says = subprocess.run(["bpftrace", "--help"], capture_output=True, text=True, timeout=60)
    return "--dry-run" if "--dry-run" in says.stdout + says.stderr else "-d"


@test("the scripts can be run", per_model=False)
def runnable(stage):
    can_look()
    with stage.server(stage.site(a_txt=b"12345")) as server:
        for name in sorted(os.listdir(TRACE)):
            process = tracer(server, dry_run(), script(name), "1000")
            output = process.communicate(timeout=server.seconds(30))[0]
            require(process.returncode == 0, "%s: %s", name, output[-500:])
