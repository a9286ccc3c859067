"""A large file, downloaded by programs that people use for it, and compared byte by byte."""

import filecmp
import os
import subprocess
import sys

from client import Failure
from program import run

LOCATING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "locating")
NAME = "large.bin"


def prepare(root, size):
    path = os.path.join(root, NAME)
    if not os.path.exists(path) or os.path.getsize(path) != size:
        with open(path, "wb") as file:
            subprocess.run([sys.executable, LOCATING, str(size)], stdout=file, check=True)


def tests(root, server):
    url = "http://%s:%d/%s" % (*server.address, NAME)
    for name, download in (("curl", by_curl), ("curl -C -, which goes on in the middle", by_curl_again),
                           ("wget -c, which goes on in the middle", by_wget), ("aria2c -x 16", by_aria2c)):
        yield name, lambda download=download: compared(root, url, download)


def compared(root, url, download):
    """Each has an empty directory of its own for what it downloads."""
    original, to = os.path.join(root, NAME), os.path.join(root, ".to")
    os.mkdir(to)
    path = os.path.join(to, NAME)
    try:
        download(url, path, original)
        if not filecmp.cmp(original, path, shallow=False):
            raise Failure("what came differs from the file")
    finally:
        for name in os.listdir(to):
            os.remove(os.path.join(to, name))
        os.rmdir(to)


def begin(path, original):
    """A download that was cut a third through the file."""
    with open(original, "rb") as file, open(path, "wb") as part:
        left = os.path.getsize(original) // 3
        while left > 0:
            left -= part.write(file.read(min(left, 1 << 20)))


def by_curl(url, path, _):
    run("curl", "-sSf", "-o", path, url)


def by_curl_again(url, path, original):
    begin(path, original)
    run("curl", "-sSf", "-C", "-", "-o", path, url)


def by_wget(url, path, original):
    begin(path, original)
    said = run("wget", "-c", "-O", path, url)
    if "206 Partial Content" not in said:
        raise Failure("wget did not go on: " + said[-1000:])


def by_aria2c(url, path, _):
    run("aria2c", "-q", "-x", "16", "-s", "16", "-k", "1M", "--file-allocation=none", "-d", os.path.dirname(path),
        "-o", os.path.basename(path), url)
