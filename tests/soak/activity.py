"""What goes on during a soak: wrk, and a thread that changes files, rotates the log and asks for what is not there."""

import http.client
import os
import random
import re
import subprocess
import threading
import time

CONNECTIONS = 32
CHURN_SECONDS = 0.1
ROTATE_SECONDS = 7
SCRIPT = """
local names = {%s}
math.randomseed(%d)
function request()
    local fields = {}
    local chance = math.random(8)
    if chance <= 4 then fields["Accept-Encoding"] = "gzip" end
    if chance == 8 then fields["Range"] = "bytes=100-299" end
    return wrk.format("GET", "/" .. names[math.random(#names)], fields)
end
"""


class Wrk:
    """Loads a server, and adds up what wrk says."""

    def __init__(self, port, place, files):
        self.address, self.script = "http://127.0.0.1:%d/" % port, os.path.join(place, "load.lua")
        self.files = files
        self.requests, self.errors = 0, []

    def load(self, seconds):
        with open(self.script, "w", encoding="ascii") as file:
            file.write(SCRIPT % (", ".join('"%s"' % name for name in self.files), self.requests))
        done = subprocess.run(["wrk", "-t1", "-c%d" % CONNECTIONS, "-d%ds" % round(seconds), "-s", self.script, self.address],
                              capture_output=True, text=True, timeout=seconds + 60, check=False)
        counted = re.search(r"^ *(\d+) requests in", done.stdout, re.M)
        self.requests += int(counted[1]) if counted else 0
        self.errors += re.findall(r"Socket errors:.*|Non-2xx.*", done.stdout)
        if not counted:
            self.errors.append("wrk: " + (done.stdout + done.stderr)[-200:])


class Churn:
    """`with Churn(server):` something changes all the time."""

    def __init__(self, server):
        self.server, self.stop = server, threading.Event()
        self.thread = threading.Thread(target=self.live, daemon=True)

    def live(self):
        rotated = time.monotonic()
        while not self.stop.wait(CHURN_SECONDS):
            self.server.replace()
            self.absent()
            if time.monotonic() - rotated > ROTATE_SECONDS:
                rotated = time.monotonic()
                self.server.rotate()

    def absent(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request("GET", "/absent/%x" % random.getrandbits(64))
        status = connection.getresponse().status
        connection.close()
        assert status == 404, status

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
