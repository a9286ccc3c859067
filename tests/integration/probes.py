"""The trace points of src/worker/probe.h: all there with their arguments, and seen by the scripts of bench/trace/.

Looking takes bpftrace, root, and a kernel that lets root look. Where one of these is missing the live tests hold
what can be held without: that the scripts name points which exist.
"""

import os
import re
import shutil
import subprocess

from client import expect, wait_until
from stage import require, test

TRACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "trace")
POINTS = {"request_start": 3, "resolve": 5, "first_byte": 3, "request_done": 6, "phases": 5, "stall": 2}


def points_of(binary):
    """{name: number of arguments} of the points that the notes of a program tell of."""
    notes = subprocess.run(["readelf", "-n", binary], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"Provider: zcserve\s+Name: (\w+)\s+Location:.*\s+Arguments: ?(.*)", notes)
    return {name: len(re.findall(r"-?\d@", arguments)) for name, arguments in found}


def can_look():
    if os.geteuid() != 0 or not shutil.which("bpftrace"):
        return False
    return subprocess.run(["bpftrace", "-e", "BEGIN { exit(); }"], capture_output=True,
                          timeout=30).returncode == 0


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
    return subprocess.Popen(["bpftrace", "-p", str(server.workers()[0]), *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@test("a tracer sees answers go by")
def live(stage):
    if not can_look():
        return
    look = "usdt:*:zcserve:phases { printf(\"seen %d\\n\", arg0 + arg4 < 1000000000); exit(); }"
    with stage.server(stage.site(a_txt=b"12345"), at_once=1) as server:
        process = tracer(server, "-e", look)
        wait_until("a tracer has seen one",
                   lambda: server.get("/a.txt") and process.poll() is not None, server.seconds(15))
        output = process.communicate()[0]
    require("seen 1\n" in output, "bpftrace said: %s", output)


@test("the scripts can be run", per_model=False)
def runnable(stage):
    if not can_look():
        return
    with stage.server(stage.site(a_txt=b"12345")) as server:
        for name in sorted(os.listdir(TRACE)):
            process = tracer(server, "-d", script(name), "1000")
            output = process.communicate(timeout=server.seconds(30))[0]
            require(process.returncode == 0, "%s: %s", name, output[-500:])
