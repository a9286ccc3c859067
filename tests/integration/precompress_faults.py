"""zcserve precompress where something goes wrong: no rights, a full disk, files that change, the end at any moment; and
beside a server.
"""

import contextlib
import gzip
import os
import pty
import select
import signal
import subprocess
import threading
import time

from client import Skip, expect, expect_content, wait_until
from fixtures import OLD, located
from harness import cpu_seconds
from sidecars import (CODINGS, DAY, FAST, TEMPORARY, content_of, decoded, digits, encoded, expect_sidecars, left_behind, names,
                      noise, own, put, run, sidecar_write, state, tree)
from stage import require, test, write


# ---- what cannot be read or written ------------------------------------------------------------

@test("precompress: files and directories without rights are told, the others are done", per_model=False)
def no_rights(stage):
    files = {"a.css": located(1000), "b.css": located(1000), "c/d.css": located(1000), "e/f.css": located(1000),
             "g.css": located(1000)}
    root = tree(stage, files)
    os.mkdir(os.path.join(root, "g.css.gz"))
    os.chmod(os.path.join(root, "b.css"), 0)
    os.chmod(os.path.join(root, "c"), 0)
    os.chmod(os.path.join(root, "e"), 0o555)
    own(stage, root)
    out, err = run(stage, "-o", "sidecars=gz", root, code=1)
    for line in ("b.css: Permission denied", "c: Permission denied", "e/f.css.gz: Permission denied", "g.css.gz: something else"):
        require("zcserve precompress: %s" % line in err, "no %r in %r", line, err)
    expect_sidecars(root, "a.css", codings=["gz"])
    require("2 not readable" in out and "2 failed" in out, "it says %r", out)
    os.chmod(os.path.join(root, "c"), 0o755)


@contextlib.contextmanager
def small_disk(stage, size):
    """A disk of its own that is soon full."""
    if os.geteuid() != 0:
        raise Skip("only root can mount a small disk")
    place = stage.setting.place("disk")
    owner = stage.setting.user or 0
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s,uid=%d,gid=%d,mode=755" % (size, owner, owner),
                              "tmpfs", place], stderr=subprocess.PIPE, text=True, check=False)
    if mounted.returncode != 0:
        raise Skip("no small disk: %s" % mounted.stderr.strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@test("precompress: a full disk: the old sidecars stay whole, nothing is left behind; later it goes on", per_model=False)
def full_disk(stage):
    with small_disk(stage, "1m") as root:
        for name, what in {"a.css": digits(400000), "b.css": digits(200000, 2), "ballast.png": noise(250000)}.items():
            write(os.path.join(root, name), what)
            os.utime(os.path.join(root, name), (OLD, OLD))
        old = sidecar_write(root, "a.css", "gz", b"old" * 500, OLD - DAY)
        own(stage, root)
        before = state(root)
        out, err = run(stage, root, *FAST, code=1)
        require("No space left on device" in err and "nothing more can be written" in err, "it says %r", err)
        require("not tried" in out, "it says %r", out)
        expect("left behind", set(), left_behind(root))
        for name in names(root) - set(before):  # what had room is right
            expect_sidecars(root, name.rsplit(".", 1)[0], codings=[name.rsplit(".", 1)[1]])
        expect_content("the old sidecar", b"old" * 500, decoded("gz", [old]))
        os.unlink(os.path.join(root, "ballast.png"))
        run(stage, "-o", "sidecars=gz", root, *FAST)
        expect_sidecars(root, "a.css", "b.css", codings=["gz"])


@test("precompress: a limit of file sizes is an error like others", per_model=False)
def size_limit(stage):
    root = tree(stage, {"large.css": digits(20000), "a.css": located(1000)})
    with stage.setting.program("precompress", root, *FAST, through='ulimit -f 4; exec "$0" "$@"', text=True,  # 2 KiB
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=stage.seconds(10))
    expect("exit code (%s)" % err, 1, process.returncode)
    require("large.css.br: File too large" in err, "it says %r", err)
    expect("names", {"large.css", "a.css", "a.css.br", "a.css.zst", "a.css.gz"}, names(root))
    expect_sidecars(root, "a.css")


@test("precompress: its reader leaves: the work is done, exit code 1", per_model=False)
def nobody_reads(stage):
    files = {"a%d.css" % i: located(1000 + i) for i in range(20)}
    root = tree(stage, files)
    read, written = os.pipe()
    os.close(read)
    with stage.setting.program("precompress", "-v", root, *FAST, stdout=written, stderr=subprocess.PIPE) as process:
        os.close(written)
        _, err = process.communicate(timeout=stage.seconds(10))
    expect("exit code (%s)" % err, 1, process.returncode)
    expect_sidecars(root, *files)
    expect("left behind", set(), left_behind(root))


@contextlib.contextmanager
def growing(path):
    """A file that somebody writes to all the time."""
    stop = threading.Event()

    def grow():
        with open(path, "ab") as file:
            while not stop.wait(0.001):
                file.write(b"x")
                file.flush()
    thread = threading.Thread(target=grow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@test("precompress: a file that changes all the time is told; one that changes once is right in the end", per_model=False)
def changing(stage):
    root = tree(stage, {"once.css": digits(1500000), "always.css": located(2000)})
    arguments = ("-j", "2", "-o", "sidecars=br,zst", "--levels", "br=9,zst=15", root)
    with growing(os.path.join(root, "always.css")):
        with stage.setting.program("precompress", *arguments, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE) as process:
            # It takes more than half a second to compress it, and hardly any time to begin with that.
            wait_until("some work", lambda: cpu_seconds(process.pid) > 0.1, stage.seconds(20), step=0.002)
            put(stage, os.path.join(root, "once.css"), digits(50000, 7))
            _, err = process.communicate(timeout=stage.seconds(60))
    expect("exit code (%s)" % err, 1, process.returncode)
    for coding in ("br", "zst"):
        require("always.css.%s: it keeps changing" % coding in err, "it says %r", err)
        require(not os.path.exists(os.path.join(root, "always.css." + coding)), "a sidecar of what changes")
    expect_sidecars(root, "once.css", codings=("br", "zst"))
    expect("left behind", set(), left_behind(root))


# ---- ended from outside ------------------------------------------------------------------------

FORMER = b"former " * 100
FILES = 20


def old_tree(stage, codings=tuple(CODINGS)):
    """Files with sidecars of a former content: (root, {name of a sidecar: its bytes})."""
    root = tree(stage, {"f%d.css" % i: digits(3000 + 200 * i, i) for i in range(FILES)})
    former = {}
    for coding in codings:
        what = encoded(coding, FORMER)
        for i in range(FILES):
            name = "f%d.css.%s" % (i, coding)
            former[name] = what
            write(os.path.join(root, name), what)
            os.utime(os.path.join(root, name), (OLD - DAY, OLD - DAY))
    own(stage, root)
    return root, former


def renewed(root):
    """The sidecars that have the time of their originals."""
    with os.scandir(root) as entries:
        return {entry.name for entry in entries
                if entry.name.count(".") == 2 and entry.stat().st_mtime_ns == OLD * 10 ** 9}


def expect_whole(root, former):
    """Each sidecar is the former one or the new one: how many are new."""
    new = renewed(root) & set(former)
    for coding in {name.rsplit(".", 1)[1] for name in new}:
        expect_sidecars(root, *(name.rsplit(".", 1)[0] for name in new if name.endswith("." + coding)), codings=[coding])
    for name in set(former) - new:
        expect_content(name, former[name], content_of(os.path.join(root, name)))
    return len(new)


@test("precompress: killed at any moment, every sidecar is whole; the next run removes what was left", per_model=False)
def killed(stage):
    root, former = old_tree(stage)
    for more in (1, 3, 10):
        wanted = len(renewed(root)) + more

        def is_time(wanted=wanted):
            return len(renewed(root)) >= wanted or process.poll() is not None
        with stage.setting.program("precompress", "-j", "2", root, *FAST, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL) as process:
            wait_until("more sidecars", is_time, stage.seconds(10), step=0.001)
            process.kill()
        expect_whole(root, former)
    write(os.path.join(root, TEMPORARY + "4194305-0"), b"as if it had been killed while it wrote")
    own(stage, root)
    run(stage, root, *FAST)
    expect("new", len(former), expect_whole(root, former))
    expect("left behind", set(), left_behind(root))


@test("precompress: INT, TERM and HUP end it at once, and nothing is left behind", per_model=False)
def interrupted(stage):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        root, former = old_tree(stage, ["br"])
        write(os.path.join(root, "long.css"), digits(4000000))  # the best brotli takes many seconds for it
        own(stage, root)
        with stage.setting.program("precompress", "-j", "2", "-o", "sidecars=br", root, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE) as process:
            wait_until("the first sidecars", lambda root=root: len(renewed(root)) >= 3, stage.seconds(20))
            began = time.monotonic()
            process.send_signal(number)
            _, err = process.communicate(timeout=stage.seconds(10))
        expect("ended by (%s)" % err, -number, process.returncode)
        require(time.monotonic() - began < stage.seconds(3), "it took %.1f s", time.monotonic() - began)
        expect("standard error", "zcserve precompress: interrupted; what was written is whole\n", err)
        expect("left behind", set(), left_behind(root))
        expect_whole(root, former)
        require("long.css.br" not in names(root), "it had nothing left to be interrupted in")


@test("precompress: signals that it was told to ignore, as by nohup, do not end it", per_model=False)
def ignored(stage):
    root = tree(stage, {"f%d.css" % i: digits(20000, i) for i in range(FILES)})
    with stage.setting.program("precompress", "-j", "2", root, *FAST, through='trap "" HUP INT; exec "$0" "$@"', text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until("the first sidecar", lambda: renewed(root), stage.seconds(20), step=0.002)
        while process.poll() is None:
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        _, err = process.communicate(timeout=stage.seconds(10))
    expect("exit code (%s)" % err, 0, process.returncode)
    expect_sidecars(root, *("f%d.css" % i for i in range(FILES)))


@test("precompress: INT while sidecars are written, again and again", per_model=False)
def interrupted_while_writing(stage):
    root, former = old_tree(stage)
    for _ in range(5):
        before = len(renewed(root))
        if before > len(former) - FILES:
            break
        with stage.setting.program("precompress", "-j", "8", root, "--levels", "br=0,zst=1,gz=1", stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL) as process:
            wait_until("more sidecars", lambda before=before: len(renewed(root)) > before, stage.seconds(10), step=0.001)
            process.send_signal(signal.SIGINT)
            code = process.wait(stage.seconds(10))
        require(code in (-signal.SIGINT, 0), "exit code %d", code)  # 0: it was done before that
        expect("left behind", set(), left_behind(root))
    expect_whole(root, former)


@test("precompress: two at once in one directory", per_model=False)
def two_at_once(stage):
    root, former = old_tree(stage)
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(stage.setting.program("precompress", "-j", "2", root, *FAST, text=True,
                                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)) for _ in range(2)]
        said = [process.communicate(timeout=stage.seconds(20)) for process in both]
        expect("exit codes (%s)" % (said,), [0, 0], [process.returncode for process in both])
    expect("new", len(former), expect_whole(root, former))
    expect("left behind", set(), left_behind(root))


# ---- a terminal --------------------------------------------------------------------------------

def shown(stage, root, **environment):
    """What it writes to a terminal as its standard error."""
    controller, terminal = pty.openpty()
    said = b""
    known = {name: value for name, value in os.environ.items() if name != "TERM"}
    try:
        with stage.setting.program("precompress", root, "--levels", "br=9", stdout=subprocess.DEVNULL, stderr=terminal,
                                   env={**known, **environment}) as process:
            while process.poll() is None or select.select([controller], [], [], 0)[0]:
                if select.select([controller], [], [], 0.05)[0]:
                    said += os.read(controller, 65536)
        expect("exit code (%r)" % said, 0, process.returncode)
    finally:
        os.close(controller)
        os.close(terminal)
    return said


@test("precompress: progress on a terminal, and on nothing else", per_model=False)
def progress(stage):
    files = {"a%d.css" % i: digits(5000, i) for i in range(10)}
    said = shown(stage, tree(stage, files), TERM="xterm")
    require(b" of 30 sidecars, " in said and b" %  " in said, "it shows %r", said)
    require(said.endswith(b"\r\x1b[K"), "the last line is left: %r", said[-200:])
    expect("on a dumb one", b"", shown(stage, tree(stage, files), TERM="dumb"))
    expect("without TERM", b"", shown(stage, tree(stage, files)))


# ---- served ------------------------------------------------------------------------------------

@test("precompress: the server sends what it wrote, at once, and never what is stale")
def served(stage):
    root = tree(stage, {"a.css": located(5000, "a"), "sub/b.js": located(4000, "b"), "noise.css": noise(2000)})
    tokens = {"br": "br", "zst": "zstd", "gz": "gzip"}

    def see(server, name, coding, sent):
        answer = server.get("/" + name, "Accept-Encoding: " + tokens[coding])
        path = os.path.join(root, name)
        expect("coding of " + name, tokens[coding] if sent else None, answer.field("Content-Encoding"))
        with open(path + "." + coding if sent else path, "rb") as file:
            expect_content(name, file.read(), answer.content)
    with stage.server(root) as server:
        for coding in CODINGS:
            see(server, "a.css", coding, False)
        run(stage, root, *FAST)
        for coding in CODINGS:
            see(server, "a.css", coding, True)
            see(server, "sub/b.js", coding, True)
            see(server, "noise.css", coding, False)
        write(os.path.join(root, "a.css"), located(5001, "n"))
        for coding in CODINGS:
            see(server, "a.css", coding, False)
            see(server, "sub/b.js", coding, True)
        out, _ = run(stage, "--check", root, code=1)
        require("stale a.css.br" in out, "it says %r", out)
        run(stage, root, *FAST)
        expect_sidecars(root, "a.css")
        for coding in CODINGS:
            see(server, "a.css", coding, True)


@test("precompress beside a server under load: every answer is whole and right")
def under_load(stage):
    files = {"a%d.css" % i: located(3000 + i, chr(97 + i)) for i in range(8)}
    root = tree(stage, files)
    answers, failures, stop = {"gzip": 0, None: 0}, [], threading.Event()

    def load(server):
        try:
            with server.client() as client:
                while not stop.is_set():
                    for name, content in files.items():
                        answer = client.get("/" + name, "Accept-Encoding: gzip")
                        coding = answer.field("Content-Encoding")
                        expect_content(name, content, gzip.decompress(answer.content) if coding else answer.content)
                        answers[coding] += 1
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)
    with stage.server(root) as server:
        thread = threading.Thread(target=load, args=(server,))
        thread.start()
        try:
            for _ in range(3):
                run(stage, "-o", "sidecars=gz", root, *FAST)
                wanted = answers["gzip"] + len(files)
                wait_until("answers in gzip", lambda wanted=wanted: answers["gzip"] > wanted or failures, stage.seconds(5))
                for name in files:  # what nobody may get
                    put(stage, os.path.join(root, name + ".gz"), b"\x1f\x8bnonsense", OLD - DAY)
        finally:
            stop.set()
            thread.join()
        if failures:
            raise failures[0]
        require(answers[None] > 0, "no answer before there were sidecars: %s", answers)
