"""The files that are served, in temporary directories."""

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from .works import WORKS

DIRECTORIES, FILES_EACH, FILE_BYTES = 1000, 100, 1024
MEMORY_DIRECTORY, MEMORY_BYTES_FREE = "/dev/shm", 1 << 30


class Site:
    """root: a file for each work. many_files(): a hundred thousand, made when first asked for.

    small: root, and the path of a small file in it.
    """

    def __init__(self):
        self.cleanup = ExitStack()
        self.root = self._directory_make()
        self.small = self.root, f"/{WORKS[0].file_name}"
        for work in WORKS:
            (self.root / work.file_name).write_bytes(content(work.file_name, work.file_bytes))
        self.many_root, self.many_paths = None, []

    def many_files(self):
        """The root, and the paths beneath it in the order of their making."""
        if self.many_root is None:
            self.many_root = self._directory_make(memory_directory())
            self.many_paths = list(files_make(self.many_root))
        return self.many_root, list(self.many_paths)

    def _directory_make(self, parent=None):
        directory = Path(tempfile.mkdtemp(prefix="zcbench-site-", dir=parent))
        self.cleanup.callback(shutil.rmtree, directory, ignore_errors=True)
        return directory

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cleanup.close()


def memory_directory():
    """Where many files are made soonest, when there is room; some disks take a minute for them."""
    try:
        room = os.statvfs(MEMORY_DIRECTORY)
    except OSError:
        return None
    roomy = room.f_bavail * room.f_bsize > MEMORY_BYTES_FREE
    return MEMORY_DIRECTORY if roomy and os.access(MEMORY_DIRECTORY, os.W_OK) else None


def content(name, length):
    """Text that begins with the name, so that one file is never taken for another."""
    line = (name + " " + "." * 60)[:63].encode() + b"\n"
    return (line * (length // len(line) + 1))[:length]


def files_make(root):
    """Makes the files and gives their paths as they are asked for."""
    for number in range(DIRECTORIES):
        directory = root / str(number)
        directory.mkdir(parents=True)
        for file_number in range(FILES_EACH):
            path = f"/{number}/{file_number}.txt"
            (directory / f"{file_number}.txt").write_bytes(content(path, FILE_BYTES))
            yield path
