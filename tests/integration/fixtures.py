"""The site that the tests serve.

Contents are self-locating: every 16 bytes say their own offset and the file to which they belong. So
a response that is shifted, cut, doubled or taken from another file shows where it came from. The times
of files are fixed, so that the table can name them.
"""

import os
import socket
import threading

OLD = 1577934245  # Thu, 02 Jan 2020 03:04:05 GMT
NEW = 1577937845  # Thu, 02 Jan 2020 04:04:05 GMT
OLD_DATE = "Thu, 02 Jan 2020 03:04:05 GMT"
NEW_DATE = "Thu, 02 Jan 2020 04:04:05 GMT"

LONGEST_IN_MEMORY = 256 * 1024  # the default of cache.file_max


_made = {}
_making = threading.Lock()
STEP = 4096  # blocks formatted together


def located(length, mark="@"):
    """`length` bytes in which every 16 tell their offset; `mark` tells the file."""
    with _making:
        have = _made.get(mark, b"")
        while len(have) < length:
            first, last = len(have), max(2 * len(have), length)
            have += b"".join((b"%b%%014d\n" % mark.encode() * STEP)
                             % tuple(range(at, at + 16 * STEP, 16))
                             for at in range(first, last, 16 * STEP))
        _made[mark] = have
    return have[:length]


# Path below the root: content. Each has the time OLD unless TIMES says otherwise.
FILES = {
    "index.html": b"<!DOCTYPE html><title>home</title>\n" + located(300, "h"),
    "a.txt": located(1000, "a"),
    "b.txt": located(2000, "b"),
    "empty.txt": b"",
    "one.bin": b"1",
    "with space.txt": located(60, "s"),
    "sm\u00f8rrebr\u00f8d.txt": located(61, "o"),
    "%41.txt": located(62, "+"),
    "A.txt": located(63, "A"),
    "plus+sign.txt": located(64, "p"),
    "tilde~!$&'()*,;=:@.txt": located(65, "t"),
    "sub/index.html": b"<!DOCTYPE html><title>sub</title>\n" + located(200, "i"),
    "sub/b.txt": located(700, "u"),
    "sub/deep/index.html": b"deep",
    "sub/.secret": b"secret",
    "a b/index.html": b"a b",
    "q?q/index.html": b"q?q",
    "%41dir/index.html": b"%41dir",
    "a:b/index.html": b"a:b",
    "#h/index.html": b"#h",
    "a\\b/index.html": b"a\\b",
    "\t\n/index.html": b"controls",
    "\udcff/index.html": b"not UTF-8",
    "%2e%2e/index.html": b"%2e%2e",
    "noindex/file.txt": b"file",
    "errors/page.html": b"<!DOCTYPE html><title>401, 403, 404 or 405</title>\n",
    "errors/other.html": b"<!DOCTYPE html><title>400, 406, 412, 414 or 416</title>\n",
    "start/start.html": b"start",
    "start/index.html": b"index",
    # Names that a target has to encode, and some that are not UTF-8: "\udcff" stands for the byte 0xff.
    "a\\b.txt": located(66, "\\"),
    "tab\tname.txt": located(67, "T"),
    "line\nbreak.txt": located(68, "L"),
    "cr\r\n.txt": located(69, "R"),
    "\x01\x1f\x7f.txt": located(70, "C"),
    "\udcff\udc80.txt": located(71, "Y"),
    "caf\udce9.txt": located(72, "E"),
    "\udcc0\udcaf.txt": located(73, "V"),
    ".hidden": b"hidden",
    ".git/config": b"hidden",
    "..two.txt": b"two dots",
    "...": b"three dots",
    "..dir/index.html": b"a directory of two dots",
    "..../a.txt": b"a directory of four dots",
    "sub/..two.txt": b"two dots in sub",
    ".well-known/..two.txt": b"two dots in .well-known",
    "ends..": b"dots at the end",
    "mid..dle.txt": b"dots in the middle",
    ".well-known/ok.txt": b"well known",
    ".well-known/.hidden": b"hidden",
    "unreadable.txt": b"unreadable",
    "closed/file.txt": b"closed",
    # Lengths on both sides of what is kept in memory.
    "edge.bin": located(LONGEST_IN_MEMORY, "e"),
    "beyond.bin": located(LONGEST_IN_MEMORY + 1, "f"),
    "big.bin": located(3 * 1024 * 1024 + 7, "g"),
    # Media types.
    "t.html": b"<p>t", "t.htm": b"<p>t", "t.HTML": b"<p>T", "t.css": b"a{}", "t.js": b"0",
    "t.mjs": b"0", "t.json": b"{}", "t.svg": b"<svg/>", "t.png": b"png", "t.jpg": b"jpg",
    "t.webp": b"webp", "t.woff2": b"woff2", "t.wasm": b"wasm", "t.pdf": b"pdf", "t.xml": b"<x/>",
    "t.unheard-of": b"?", "t": b"?", "t.tar.gz": b"gz", "t.mp4": b"mp4", "t.ico": b"ico",
    "t.m4s": b"m4s", "t.c": b"c", "t.crl": b"crl", "t.kml": b"kml", "t.spdx.json": b"{}",
    # An image that is compressed itself, and what must not be taken for its sidecar.
    "picture.svgz": located(600, "v"),
    "picture.svgz.gz": located(300, "z"),
    "picture.svgz.br": located(301, "b"),
    "large.svgz": located(LONGEST_IN_MEMORY + 6000, "W"),
    # Sidecars. What is in them need not be compressed: the server never looks.
    "page.css": located(5000, "c"),
    "page.css.gz": located(900, "Z"),
    "page.css.br": located(800, "B"),
    "page.css.zst": located(850, "S"),
    "gz.css": located(4000, "d"),
    "gz.css.gz": located(990, "D"),
    "stale.css": located(3000, "l"),
    "stale.css.gz": located(500, "L"),
    "equal.css": located(3001, "m"),
    "equal.css.gz": located(501, "M"),
    "lonely.css.gz": located(400, "N"),
    "dir.css": located(3002, "n"),
    "locked.css": located(3003, "k"),
    "locked.css.gz": located(503, "K"),
    "outward.css": located(3004, "w"),
    "packed/index.html": located(3005, "P"),
    "packed/index.html.br": located(505, "Q"),
    "large.css": located(LONGEST_IN_MEMORY + 5000, "x"),
    "large.css.gz": located(LONGEST_IN_MEMORY + 3000, "X"),
    "%s.txt" % ("n" * 251): b"the longest name",
}

TIMES = {name: NEW for name in FILES if name.endswith((".gz", ".br", ".zst"))}
TIMES.update({"stale.css": NEW, "stale.css.gz": OLD, "equal.css": OLD, "equal.css.gz": OLD})

# A table of media types as distributions write it: a byte-order mark, CRLF, suffixes with dots, types
# with parameters, suffixes given twice. It is beside the root.
TYPES = (
    '\ufeff# As distributions write it: a byte-order mark, CRLF, suffixes with dots, types with parameters.\r\n'
    '\r\n'
    'text/html\t\t\t\t\thtml htm\r\n'
    'text/css;charset=utf-8\tcss\r\n'
    'application/octet-stream\r\n'
    'application/gzip\tgz svgz\r\n'
    'application/x-compressed-tar\ttar.gz\r\n'
    'application/json\tjson\r\n'
    'application/spdx+json\tspdx.json\r\n'
    'application/x-trash\t~ % bak old\r\n'
    'text/x-c++src\tc++ cpp\r\n'
    'image/jpeg\tpng\r\n'
    'image/png\tPNG apng\t# the last one counts\r\n'
    '\'text/xml; charset="utf-16"\' xml\r\n')

LINKS = {
    "link.txt": "a.txt",
    "sub/up.txt": "../a.txt",
    "linked": "sub",
    "dangling.txt": "nothing.txt",
    "loop.txt": "loop.txt",
    "out.txt": "../outside.txt",
    "outdir": "../outside",
    "etc.txt": "/etc/passwd",
    "outward.css.gz": "../outside.txt",
}


def content(path):
    """The bytes of a file of the site, by the path that a target would name."""
    name = path.lstrip("/")
    if name == "" or name.endswith("/"):
        name += "index.html"
    return FILES[name]


def site_make(root):
    """Writes the site to `root`, and beside it what must never be served."""
    beside = os.path.dirname(root)
    os.makedirs(os.path.join(beside, "outside"))
    with open(os.path.join(beside, "distribution.types"), "wb") as file:
        file.write(TYPES.encode())
    for name in ("outside.txt", "outside/file.txt"):
        with open(os.path.join(beside, name), "wb") as file:
            file.write(b"OUTSIDE")
    for name, what in FILES.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(what)
        time = TIMES.get(name, OLD)
        os.utime(path, (time, time))
    for name, to in LINKS.items():
        os.symlink(to, os.path.join(root, name))
    os.makedirs(os.path.join(root, "dir.css.gz"))
    os.mkfifo(os.path.join(root, "fifo"))
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.path.join(root, "socket"))
    os.chmod(os.path.join(root, "unreadable.txt"), 0)
    os.chmod(os.path.join(root, "locked.css.gz"), 0)
    os.chmod(os.path.join(root, "closed"), 0)
