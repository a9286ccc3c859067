"""Runs a command with a loopback of its own, where no other program has taken a port: alone.py COMMAND…

The user stays who it was: one who is not root has no more rights afterwards than before. Where the kernel forbids
it (user_namespaces(7), network_namespaces(7)) the command runs all the same, on the loopback that everybody shares.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_LOOPBACK = 0x8914, 0x1, 0x8


def told(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def unshared():
    """True when this process has a network of its own."""
    user, group = os.geteuid(), os.getegid()
    flags = CLONE_NEWNET if user == 0 else CLONE_NEWNET | CLONE_NEWUSER
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        return False
    if user != 0:
        told("/proc/self/setgroups", "deny")
        told("/proc/self/uid_map", "%d %d 1" % (user, user))
        told("/proc/self/gid_map", "%d %d 1" % (group, group))
    return True


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        fcntl.ioctl(asked, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_LOOPBACK))


if __name__ == "__main__":
    if unshared():
        loopback_up()
    os.execvp(sys.argv[1], sys.argv[1:])
