"""zcserve --open: the addresses under which people reach the server, and their QR code."""

import contextlib
import ctypes
import fcntl
import http.client
import os
import pty
import re
import signal
import struct
import subprocess
import termios

from client import Skip, expect
from stage import require, test

COLUMNS = 80
DRAWN = re.compile("\033\\[30;107m([^\033]*)\033")
QUIET = 2


class Code(ctypes.Structure):
    """QRcode of qrencode.h."""
    _fields_ = [("version", ctypes.c_int), ("width", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte))]


class Opened:
    """`zcserve --open` on a terminal."""

    def __init__(self, stage, columns, locale, *arguments):
        self.ours, theirs = pty.openpty()
        self.text = ""
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        with open(os.path.join(stage.setting.place("open"), "log"), "wb") as log:
            self.process = subprocess.Popen([stage.setting.binary, "--open", *arguments, stage.site(a_txt=b"a")],
                                            stdin=subprocess.DEVNULL, stdout=theirs, stderr=log,
                                            env=dict(os.environ, LC_ALL=locale))
        os.close(theirs)

    def read(self):
        """Reads on; False at the end of the program."""
        try:
            self.text += os.read(self.ours, 65536).decode().replace("\r\n", "\n")
            return True
        except OSError:
            return False

    def read_until(self, found):
        while not found(self.text):
            require(self.read(), "it ended with %s after %r", self.process.poll(), self.text)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        while self.read():
            pass
        return self.process.wait(30)


@contextlib.contextmanager
def opened(*arguments):
    one = Opened(*arguments)
    try:
        yield one
    finally:
        one.end()
        os.close(one.ours)


def modules_of(text):
    """The dark modules of a code, as qrencode gives them."""
    try:
        library = ctypes.CDLL("libqrencode.so.4")
    except OSError as error:
        raise Skip("no libqrencode here") from error
    library.QRcode_encodeString.restype = ctypes.POINTER(Code)
    code = library.QRcode_encodeString(text.encode(), 0, 0, 2, 1).contents
    return [[bool(code.data[row * code.width + column] & 1) for column in range(code.width)]
            for row in range(code.width)]


def modules_drawn(text):
    rows = []
    for line in DRAWN.findall(text):
        rows += [[letter in "▀█" for letter in line], [letter in "▄█" for letter in line]]
    width = len(rows[0]) - 2 * QUIET
    frame = rows[:QUIET] + rows[QUIET + width:] + [row[:QUIET] + row[-QUIET:] for row in rows]
    require(not any(any(row) for row in frame), "the code has no quiet zone: %r", text)
    return [row[QUIET:-QUIET] for row in rows[QUIET:QUIET + width]]


def urls_of(text):
    return re.findall("^  (http://(\\S+):(\\d+)/)$", text, re.MULTILINE)


def is_drawn(text):
    rows = DRAWN.findall(text)
    return rows and 2 * len(rows) >= len(rows[0])


def expect_answer(host, port):
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=10)
    connection.request("GET", "/a.txt")
    expect("content", b"a", connection.getresponse().read())
    connection.close()


@test("--open: every address that is told answers, and the QR code is the first that others reach", per_model=False)
def addresses(stage):
    modules_of("a code")  # skips where there is no library
    with opened(stage, COLUMNS, "C.UTF-8", "-p", "0") as one:
        one.read_until(lambda text: is_drawn(text) or "other machines cannot" in text)
        if "other machines cannot" in one.text:
            raise Skip("this machine has only its loopback interface")
        told = urls_of(one.text)
        require("http://127.0.0.1:" in one.text, "it prints %r", one.text)
        for _, host, port in told:
            expect_answer(host, port)
        distant = [url for url, host, _ in told if host not in ("127.0.0.1", "[::1]")]
        expect("the code's modules", modules_of(distant[0]), modules_drawn(one.text))


@test("--open: no QR code where it does not fit or UTF-8 is not shown", per_model=False)
def no_code(stage):
    for columns, locale in ((20, "C.UTF-8"), (COLUMNS, "C")):
        with opened(stage, columns, locale, "-p", "0") as one:
            one.read_until(urls_of)
            expect("exit code", 0, one.end())
            require(not DRAWN.search(one.text), "it prints %r", one.text)


@test("--open: listeners for this machine alone are told as such", per_model=False)
def loopback(stage):
    with opened(stage, COLUMNS, "C.UTF-8", "-l", "127.0.0.1:0") as one:
        one.read_until(urls_of)
        expect("exit code", 0, one.end())
        expect("hosts", ["127.0.0.1"], [host for _, host, _ in urls_of(one.text)])
        require("other machines cannot reach these" in one.text and not DRAWN.search(one.text), "it prints %r", one.text)
