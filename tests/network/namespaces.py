"""Network namespaces: machines of a network that exists for a test alone. Making them needs root and iproute2."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess

CLONE_NEWNET = 0x40000000  # setns(2)


def hindrance():
    """Why namespaces cannot be made here; None when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "there is no ip (Debian's package iproute2)"
    probe = "zcserve-probe-%d" % os.getpid()
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return "network namespaces are not allowed here: %s" % made.stderr.strip()
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return None


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError("ip %s: %s" % (" ".join(words), done.stderr.strip()))


class Namespace:
    """A machine of its own, as far as the network is concerned. It goes away with `close`."""

    def __init__(self, name):
        self.name = "zcserve-%d-%s" % (os.getpid(), name)
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")

    def command(self, *words):
        """The command that runs `words` in here."""
        return ["ip", "netns", "exec", self.name, *words]

    def enter(self):
        """Moves the calling thread in here: what it opens and starts from now on belongs to this network."""
        descriptor = os.open("/run/netns/" + self.name, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def entered(self):
        """The same for the time of a `with`."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self.enter()
            yield
        finally:
            ctypes.CDLL(None).setns(back, CLONE_NEWNET)
            os.close(back)

    def close(self):
        """Kills whoever still lives in here, and takes the namespace away."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        for pid in listed.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", self.name], check=False)


class Network:
    """Namespaces on one bridge, which is in a namespace of its own: nothing of the machine itself is touched."""

    def __init__(self):
        self.hub = Namespace("hub")
        ip("-n", self.hub.name, "link", "add", "bridge", "type", "bridge")
        ip("-n", self.hub.name, "link", "set", "bridge", "up")
        self.members = []

    def add(self, name, address):
        """A namespace with this address, as in 192.0.2.1/24."""
        member = Namespace(name)
        self.members.append(member)
        ip("-n", self.hub.name, "link", "add", "to-" + name, "type", "veth", "peer", "name", "eth0", "netns", member.name)
        ip("-n", self.hub.name, "link", "set", "to-" + name, "master", "bridge", "up")
        ip("-n", member.name, "address", "add", address, "dev", "eth0")
        ip("-n", member.name, "link", "set", "eth0", "up")
        return member

    def close(self):
        for member in [*self.members, self.hub]:
            member.close()
