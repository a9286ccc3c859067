"""Runs a program that somebody else wrote."""

import shutil
import subprocess

from client import Failure, Skip


def program_of(name):
    path = shutil.which(name)
    if not path:
        raise Skip("no %s here" % name)
    return path


def run(name, *arguments, seconds=600, **more):
    """Runs it to its end. Returns what it printed on both outputs; a bad exit code is a failure."""
    try:
        done = subprocess.run([program_of(name), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False, errors="replace", **more)
    except subprocess.TimeoutExpired:
        raise Failure("%s did not end within %d s" % (name, seconds)) from None
    if done.returncode != 0:
        raise Failure("%s ended with %d: %s" % (name, done.returncode, done.stdout[-2000:]))
    return done.stdout
