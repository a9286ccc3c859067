"""A bad link between two network namespaces: it loses, delays, reorders, doubles and damages packets, as a seed decides.

Each end is a TUN device (Documentation/networking/tuntap.rst). What one end sends is read here, and written to the other
end when its time has come. The kernel's own netem does the same, where it is compiled in.
"""

import ctypes
import fcntl
import heapq
import multiprocessing
import os
import random
import select
import struct
import time

TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKET_MAX = 65536
COUNTED = ("packets", "lost", "late", "doubled", "damaged", "strangers")


class Badness:
    """How bad a link is: shares of packets, and seconds."""

    def __init__(self, lost=0.01, late=0.05, doubled=0.005, damaged=0.005, delay=0.002, lateness=0.008):
        self.lost, self.late, self.doubled, self.damaged = lost, late, doubled, damaged
        self.delay, self.lateness = delay, lateness


def device(space, name, address):
    """A TUN device in the namespace. Returns its descriptor."""
    with space.entered():
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    space.ip("address", "add", address + "/24", "dev", name)
    space.ip("link", "set", name, "up")
    space.ip("route", "add", "default", "dev", name)
    return descriptor


class Link:
    """`with Link(ends, seed) as link:` joins two namespaces; ends: ((namespace, address), (namespace, address))."""

    def __init__(self, ends, seed, badness=None):
        self.addresses = [bytes(int(part) for part in address.split(".")) for _, address in ends]
        self.ends = [device(space, "bad", address) for space, address in ends]
        self.random, self.badness = random.Random(seed), badness or Badness()
        self.counts = multiprocessing.Array(ctypes.c_uint64, len(COUNTED), lock=False)
        self.waiting, self.number = [], 0
        self.process = multiprocessing.Process(target=self.live, daemon=True)

    def count(self, what):
        self.counts[COUNTED.index(what)] += 1

    def told(self):
        """The counts so far: {name: number}."""
        return dict(zip(COUNTED, self.counts))

    def live(self):
        poll = select.poll()
        for end in self.ends:
            poll.register(end, select.POLLIN)
        while True:
            poll.poll(max(0, 1000 * (self.waiting[0][0] - time.monotonic())) if self.waiting else None)
            for end, other in (self.ends, reversed(self.ends)):
                self.take(end, other)
            self.deliver()

    def take(self, end, other):
        """All that this end has sent."""
        while True:
            try:
                packet = os.read(end, PACKET_MAX)
            except BlockingIOError:
                return
            self.judge(packet, other)

    def judge(self, packet, other):
        """What becomes of a packet. One for an address that does not exist (an answer to a flood) is not for this link."""
        self.count("packets")
        if packet[16:20] not in self.addresses:
            self.count("strangers")
            return
        draw, badness = self.random.random, self.badness
        if draw() < badness.lost:
            self.count("lost")
            return
        delay = badness.delay
        if draw() < badness.late:
            self.count("late")
            delay += draw() * badness.lateness
        if draw() < badness.damaged:
            self.count("damaged")
            packet = self.damage(packet)
        self.wait(delay, packet, other)
        if draw() < badness.doubled:
            self.count("doubled")
            self.wait(delay + draw() * badness.lateness, packet, other)

    def damage(self, packet):
        """Changes one byte. The checksum of TCP finds it, and the receiver drops the packet."""
        at = self.random.randrange(20, len(packet))
        return packet[:at] + bytes([packet[at] ^ (1 << self.random.randrange(8))]) + packet[at + 1:]

    def wait(self, delay, packet, other):
        self.number += 1
        heapq.heappush(self.waiting, (time.monotonic() + delay, self.number, other, packet))

    def deliver(self):
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, _, other, packet = heapq.heappop(self.waiting)
            self.inject(other, packet)

    @staticmethod
    def inject(end, packet):
        try:
            os.write(end, packet)
        except OSError:
            pass  # as on a wire: a full queue loses it

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()
        for end in self.ends:
            os.close(end)


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(source, target, ports, sequence):
    """A packet that asks for a connection (RFC 9293 §3.1). Addresses are four bytes each."""
    segment = struct.pack("!HHIIBBHHH", *ports, sequence, 0, 5 << 4, 0x02, 64240, 0, 0)
    pseudo = source + target + struct.pack("!BBH", 0, 6, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, source, target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + segment
