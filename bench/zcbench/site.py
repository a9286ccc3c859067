"""The files that are served, in temporary directories, and the lists of requests for them."""

import gzip
import os
import random
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from .works import KIB, MIB, RANGES_TOGETHER, WORKS

DIRECTORIES, FILES_EACH, FILE_BYTES = 1000, 100, 1024
MEMORY_DIRECTORY, MEMORY_BYTES_FREE = "/dev/shm", 1 << 30
LIST_LENGTH = 1 << 17
NAMES_LISTED = 10_000
SITE_ACCEPT = "Accept-Encoding: br, gzip"
COMPRESSED = ("html", "css", "js", "svg")
# (kind, number of files, KB of the smallest, KB of the largest)
SITE = (("html", 8, 4, 60), ("css", 3, 8, 120), ("js", 8, 6, 300), ("svg", 3, 3, 20),
        ("png", 5, 5, 200), ("woff2", 3, 20, 80))


@dataclass
class Requests:
    """The requests for a load generator: one path, or a list in a file, and fields for all of them."""
    first: str
    path: Path | None = None
    fields: tuple = ()


class Site:
    """`root` has a file for each work. Lists and the 100,000 files are made when they are first needed."""

    def __init__(self, works=WORKS):
        self.cleanup = ExitStack()
        self.root = self._directory_make()
        self.lists = self._directory_make()
        self.many_root, self.many_paths = None, []
        self.mixed_root, self.mixed_paths = None, []
        self.listed_root = None
        self.cold_root = None  # made and filled by zcbench.cold, on a disk
        for length in sorted({work.file_bytes for work in works}):
            (self.root / f"{length}.txt").write_bytes(content(f"{length}.txt", length))

    def root_of(self, work):
        if work.requests == "zipf":
            return self.many_files()[0]
        if work.requests == "site":
            return self.mixed_files()[0]
        if work.requests == "listing":
            return self.listed_files()
        return self.cold_root if work.requests == "cold" else self.root

    def first_path(self, work):
        return self.requests_of(work).first

    def file_of(self, work):
        return str(self.root_of(work)) + self.first_path(work)

    def requests_of(self, work):
        """Returns the requests of a work. Fields for a 304 depend on the server: zcbench.answers adds them."""
        if work.requests == "zipf":
            return Requests(self.many_files()[1][0], self._list("zipf", self._zipf_lines))
        if work.requests == "site":
            return Requests(self.mixed_files()[1][0], self._list("site", self._site_lines),
                            (SITE_ACCEPT,))
        if work.requests == "ranges":
            return Requests(f"/{100 * MIB}.txt", self._list("ranges", ranges_lines))
        if work.requests == "multipart":
            return Requests(f"/{100 * MIB}.txt", self._list("multipart", multipart_lines))
        if work.requests == "listing":
            return Requests("/")
        closing = ("Connection: close",) if work.close and work.tool == "wrk" else ()
        return Requests(f"/{work.file_bytes}.txt", fields=closing)

    def _list(self, name, lines):
        path = self.lists / name
        if not path.exists():
            path.write_text("\n".join(lines()) + "\n")
        return path

    def _zipf_lines(self):
        """Returns paths by Zipf's law. Popular files are in any directory, as on a real site."""
        paths, chance = self.many_files()[1], random.Random(2)
        chance.shuffle(paths)
        weights = list(accumulate(1 / rank for rank in range(1, len(paths) + 1)))
        return chance.choices(paths, cum_weights=weights, k=LIST_LENGTH)

    def _site_lines(self):
        return self.mixed_files()[1]

    def many_files(self):
        """Returns the root, and the paths below it in the order in which they were made."""
        if self.many_root is None:
            self.many_root = self._directory_make(memory_directory())
            self.many_paths = list(files_make(self.many_root))
        return self.many_root, list(self.many_paths)

    def mixed_files(self):
        """Returns the root and the paths of a site of 30 files; text files have .br and .gz beside them."""
        if self.mixed_root is None:
            self.mixed_root = self._directory_make()
            self.mixed_paths = site_make(self.mixed_root)
        return self.mixed_root, self.mixed_paths

    def listed_files(self):
        """Returns a directory with many empty files."""
        if self.listed_root is None:
            self.listed_root = self._directory_make()
            for number in range(NAMES_LISTED):
                (self.listed_root / name_listed(number)).touch()
        return self.listed_root

    def _directory_make(self, parent=None):
        directory = Path(tempfile.mkdtemp(prefix="zcbench-site-", dir=parent))
        directory.chmod(0o755)  # for servers that do not stay root
        self.cleanup.callback(shutil.rmtree, directory, ignore_errors=True)
        return directory

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cleanup.close()


def memory_directory():
    """Returns a directory in memory when there is room: on some disks, 100,000 files take a minute."""
    try:
        room = os.statvfs(MEMORY_DIRECTORY)
    except OSError:
        return None
    roomy = room.f_bavail * room.f_bsize > MEMORY_BYTES_FREE
    return MEMORY_DIRECTORY if roomy and os.access(MEMORY_DIRECTORY, os.W_OK) else None


def content(name, length):
    """Returns text that begins with the name, so that one file cannot be taken for another."""
    line = (name + " " + "." * 60)[:63].encode() + b"\n"
    return (line * (length // len(line) + 1))[:length]


def name_listed(number):
    return f"package-{number:05}.tar.zst"


def files_make(root):
    """Makes the files and yields the path of each, as it is requested."""
    for number in range(DIRECTORIES):
        directory = root / str(number)
        directory.mkdir(parents=True)
        for file_number in range(FILES_EACH):
            path = f"/{number}/{file_number}.txt"
            (directory / f"{file_number}.txt").write_bytes(content(path, FILE_BYTES))
            yield path


def ranges_lines():
    """Yields requests as of a viewer who jumps about: ranges of 64 KiB to 1 MiB anywhere."""
    chance = random.Random(3)
    for _ in range(4096):
        length = chance.randrange(64 * KIB, MIB)
        offset = chance.randrange(0, 100 * MIB - length)
        yield f"/{100 * MIB}.txt\tRange: bytes={offset}-{offset + length - 1}"


def multipart_lines():
    """Yields the same ranges, some in each request."""
    ranges = [line.partition("bytes=")[2] for line in ranges_lines()]
    for at in range(0, len(ranges), RANGES_TOGETHER):
        yield f"/{100 * MIB}.txt\tRange: bytes=" + ",".join(ranges[at:at + RANGES_TOGETHER])


def text_make(chance, length):
    """Returns words that compress about as well as the source of a page."""
    words = ["".join(chance.choices("abcdefghijklmnoprstuvwxyz<>/=\"{};:", k=chance.randrange(2, 10)))
             for _ in range(600)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    count = length // 4
    return " ".join(chance.choices(words, cum_weights=weights, k=count)).encode()[:length]


def site_make(root):
    """Makes the files. Returns their paths, with the kinds mixed."""
    chance, paths = random.Random(4), []
    for suffix, count, least, most in SITE:
        for number in range(count):
            length = int(1000 * least * (most / least) ** (number / max(1, count - 1)))
            path = root / f"{suffix}-{number}.{suffix}"
            text = text_make(chance, length) if suffix in COMPRESSED else chance.randbytes(length)
            path.write_bytes(text)
            if suffix in COMPRESSED:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(text, 9, mtime=0))
                if shutil.which("brotli"):
                    subprocess.run(["brotli", "-q", "11", "-k", "-f", str(path)], check=True)
            paths.append("/" + path.name)
    chance.shuffle(paths)
    return paths
