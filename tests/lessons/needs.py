"""What a command may need (data-needs), and whether it is here."""

import ctypes
import os
import shutil


def io_uring_works():
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(425, 1, ctypes.create_string_buffer(256))
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


def one_missing(word):
    if word == "root":
        return None if os.geteuid() == 0 else "needs root"
    if word == "two-cpus":
        return None if len(os.sched_getaffinity(0)) >= 2 else "needs two CPUs"
    if word == "io_uring":
        return None if io_uring_works() else "io_uring does not work here"
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return None if shutil.which(word, path=path) else "there is no %s here" % word


def missing(element):
    """Why the command of this element cannot be run here; None: it can."""
    return next(filter(None, map(one_missing, element.get("data-needs", "").split())), None)
