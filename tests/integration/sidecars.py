"""Trees of files with sidecars: made, looked at, and decompressed.

What zcserve precompress wrote is decompressed by the programs gzip, brotli and zstd, not by the libraries that made it.
"""

import os
import random
import shutil
import stat
import subprocess
import tempfile

from client import Skip, expect, expect_content
from fixtures import OLD
from stage import require, write

CODINGS = {"br": "brotli", "zst": "zstd", "gz": "gzip"}
FAST = ("--levels", "br=5,zst=3,gz=6")
TEMPORARY = ".zcserve-precompress-"
DAY = 86400


def noise(length, seed=1):
    """Bytes that no coding makes shorter."""
    return random.Random(seed).randbytes(length)


def digits(length, seed=1):
    """Text that every coding makes about half as long, and needs some time for."""
    return noise(length // 2, seed).hex().encode()


def prose(length, seed=1):
    """Words, of which some come more often than others."""
    words = [noise(2 + i % 9, i).hex() for i in range(400)]
    return " ".join(random.Random(seed).choices(words, range(400, 0, -1), k=length // 8)).encode()[:length]


def tree(stage, files, at=OLD):
    """A directory with these files, all of this time, that belong to the user of the tests."""
    root = os.path.join(stage.setting.place("tree"), "root")
    os.mkdir(root)
    for name, what in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, what)
        os.utime(path, (at, at))
    own(stage, root)
    return root


def own(stage, root):
    """Gives all of it to the user of the tests."""
    if stage.setting.user is None:
        return
    for top, directories, files in os.walk(root):
        for name in (".", *directories, *files):
            os.chown(os.path.join(top, name), stage.setting.user, stage.setting.user, follow_symlinks=False)


def run(stage, *arguments, code=0, **more):
    """Runs it to its end: what it printed."""
    got, out, err = stage.setting.run("precompress", *arguments, **more)
    expect("exit code of %s (%s%s)" % (arguments, out, err), code, got)
    return out, err


def names(root):
    """All that is there, relative; links are not followed."""
    found = set()
    for top, directories, files in os.walk(root):
        found.update(os.path.relpath(os.path.join(top, name), root) for name in (*directories, *files))
    return found


def left_behind(root):
    return {name for name in names(root) if os.path.basename(name).startswith(TEMPORARY)}


def state(root):
    """{name: what would change if somebody wrote to it}."""
    found = {}
    for name in names(root):
        status = os.lstat(os.path.join(root, name))
        found[name] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
    return found


def files_of(found):
    """What of a state is no directory: those change when a file appears."""
    return {name: what for name, what in found.items() if not stat.S_ISDIR(what[3])}


def put(stage, path, what, at=None):
    """Puts a file of the tests' user at its place at one moment, with its time."""
    write(path + ".new", what)
    if at is not None:
        os.utime(path + ".new", (at, at))
    if stage.setting.user is not None:
        os.chown(path + ".new", stage.setting.user, stage.setting.user)
    os.rename(path + ".new", path)


def program_of(coding):
    program = CODINGS[coding]
    if not shutil.which(program):
        raise Skip("no program %s" % program)
    return program


def encoded(coding, content):
    return subprocess.run([program_of(coding), "-c"], input=content, stdout=subprocess.PIPE, check=True).stdout


def decoded(coding, paths):
    """What these sidecars are together. One process decompresses copies of them all."""
    with tempfile.TemporaryDirectory() as place:
        copies = [os.path.join(place, "%d.%s" % (i, coding)) for i in range(len(paths))]
        for path, copy in zip(paths, copies):
            shutil.copyfile(path, copy)
        subprocess.run([program_of(coding), "-d", *copies], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
        return b"".join(content_of(copy.rsplit(".", 1)[0]) for copy in copies)


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def expect_sidecars(root, *originals, codings=CODINGS):
    """These sidecars of these files are there, right, and look as their own."""
    paths = [os.path.join(root, name) for name in originals]
    contents = b"".join(content_of(path) for path in paths)
    for coding in codings:
        for path in paths:
            status, found = os.stat(path), os.stat("%s.%s" % (path, coding))
            expect("time of %s.%s" % (path, coding), status.st_mtime_ns, found.st_mtime_ns)
            expect("mode of %s.%s" % (path, coding), status.st_mode & ~0o111, found.st_mode)
            expect("owner of %s.%s" % (path, coding), (status.st_uid, status.st_gid), (found.st_uid, found.st_gid))
            require(found.st_size < status.st_size, "%s.%s is not smaller", path, coding)
        expect_content("%s of %s" % (coding, originals), contents, decoded(coding, ["%s.%s" % (path, coding) for path in paths]))


def sidecar_write(root, name, coding, content, at):
    """A sidecar made by the program of the coding."""
    path = os.path.join(root, name + "." + coding)
    write(path, encoded(coding, content))
    os.utime(path, (at, at))
    return path
