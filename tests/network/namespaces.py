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
    made = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"],
                          capture_output=True, text=True, check=False)
    return None if made.returncode == 0 else "network namespaces are not allowed here: %s" % made.stderr.strip()


class Namespace:
    """A machine of its own, as far as the network is concerned. It is there as long as its first process is: until
    `close`, or until the test ends, however that ends."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "setpriv", "--pdeathsig", "KILL",
                                        "sh", "-c", "echo made; exec sleep infinity"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.path = "/proc/%d/ns/net" % self.holder.pid
        self.ip("link", "set", "lo", "up")

    def command(self, *words):
        """The command that runs `words` in here."""
        return ["nsenter", "--net=" + self.path, *words]

    def ip(self, *words):
        done = subprocess.run(self.command("ip", *words), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError("ip %s: %s" % (" ".join(words), done.stderr.strip()))

    def enter(self):
        """Moves the calling thread in here: what it opens and starts from now on belongs to this network."""
        with open(self.path, "rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    @contextlib.contextmanager
    def entered(self):
        """The same for the time of a `with`."""
        with open("/proc/thread-self/ns/net", "rb") as back:
            self.enter()
            try:
                yield
            finally:
                ctypes.CDLL(None).setns(back.fileno(), CLONE_NEWNET)

    def inhabitants(self):
        """The processes that live in here."""
        own = os.readlink(self.path)
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if name.isdigit() and os.readlink("/proc/%s/ns/net" % name) == own:
                    yield int(name)

    def close(self):
        """Kills whoever lives in here; then the namespace goes away by itself."""
        for pid in [each for each in self.inhabitants() if each != self.holder.pid] + [self.holder.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.holder.wait()
        self.holder.stdout.close()


class Network:
    """Namespaces on one bridge, which is in a namespace of its own: nothing of the machine itself is touched."""

    def __init__(self):
        self.hub = Namespace()
        self.hub.ip("link", "add", "bridge", "type", "bridge")
        self.hub.ip("link", "set", "bridge", "up")
        self.members = []

    def add(self, name, address):
        """A namespace with this address, as in 192.0.2.1/24."""
        member, port = Namespace(), "to-" + name
        self.members.append(member)
        self.hub.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(member.holder.pid))
        self.hub.ip("link", "set", port, "master", "bridge", "up")
        member.ip("address", "add", address, "dev", "eth0")
        member.ip("link", "set", "eth0", "up")
        return member

    def close(self):
        for member in [*self.members, self.hub]:
            member.close()
