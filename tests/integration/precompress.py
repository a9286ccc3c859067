"""zcserve precompress: sidecars of a whole tree, what is left alone, --check, and the command line."""

import json
import os
import socket

from client import expect
from fixtures import OLD, located
from sidecars import (CODINGS, DAY, FAST, TEMPORARY, content_of, expect_sidecars, files_of, names, noise, own, prose, run,
                      sidecar_write, state, tree)
from stage import require, test, write


# ---- what is written ---------------------------------------------------------------------------

COMPRESSED = {
    "index.html": located(3000, "h"),
    "a.css": located(5000, "a"),
    "sub/deep/b.js": located(4000, "b"),
    "large.json": located(600000, "j"),
    "picture.svg": located(900, "s"),
    ".well-known/c.txt": located(700, "w"),
    "with space.txt": located(600, "t"),
    "line\nbreak.css": located(601, "n"),
    "caf\udce9.css": located(602, "e"),
    "\x1b[2J.css": located(603, "c"),
    "%41.txt": located(604, "p"),
    "-rf.css": located(605, "r"),
    "%s.css" % ("n" * 247): located(606, "l"),
    "modern.mjs": located(256, "m"),
    "program.txt": located(700, "x"),
}
LEFT_ALONE = {
    "picture.png": located(4000, "P"),
    "picture.svgz": located(4000, "z"),
    "archive.tar.gz": located(4000, "A"),
    "lonely.css.br": located(400, "L"),
    "font.woff2": located(4000, "f"),
    "noise.txt": noise(4000),
    "small.css": located(255, "S"),
    "empty.css": b"",
    "%s.css" % ("n" * 251): located(4000, "N"),
    ".hidden.css": located(4000, "H"),
    ".git/config.txt": located(4000, "g"),
}


@test("precompress: a tree of all kinds", per_model=False)
def all_kinds(stage):
    root = tree(stage, {**COMPRESSED, **LEFT_ALONE})
    outside = tree(stage, {"o.css": located(2000, "O")})
    os.chmod(os.path.join(root, "program.txt"), 0o755)
    os.chmod(os.path.join(root, "a.css"), 0o640)
    links = {"link.css": "a.css", "sub/up.css": "../a.css", "linked": "sub", "sub/loop": "..", "loop.css": "loop.css",
             "dangling.css": "nothing.css", "out.css": os.path.join(outside, "o.css"), "outside": outside,
             "out2": os.path.relpath(outside, root), "etc.txt": "/etc/passwd"}
    for name, to in links.items():
        os.symlink(to, os.path.join(root, name))
    os.mkfifo(os.path.join(root, "fifo.css"))
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.path.join(root, "socket.css"))
    own(stage, root)
    before, beyond = state(root), state(outside)
    out, err = run(stage, root, *FAST)
    expect("standard error", "", err)
    made = [*COMPRESSED, "link.css", "sub/up.css"]
    expect("what is there", set(before) | {"%s.%s" % (name, coding) for name in made for coding in CODINGS}, names(root))
    expect_sidecars(root, *made)
    after = state(root)
    expect("what was there", files_of(before), {name: after[name] for name in files_of(before)})
    expect("outside", beyond, state(outside))
    require("17 made, 3 not worth it" in out, "it says %r", out)
    run(stage, "--check", root, *FAST)
    out, _ = run(stage, root, *FAST)
    require("17 current" in out, "it says %r", out)
    expect("after the second run", after, state(root))


@test("precompress: the defaults, with the best levels", per_model=False)
def best_levels(stage):
    root = tree(stage, {"a.css": prose(50000)})
    run(stage, root)
    expect_sidecars(root, "a.css")
    best = {coding: os.path.getsize(os.path.join(root, "a.css." + coding)) for coding in CODINGS}
    for coding in CODINGS:
        os.unlink(os.path.join(root, "a.css." + coding))
    run(stage, "--levels", "br=1,zst=1,gz=1", root)
    for coding in CODINGS:
        require(best[coding] < os.path.getsize(os.path.join(root, "a.css." + coding)), "%s is not better", coding)


@test("precompress: as many jobs as one likes, the same bytes", per_model=False)
def jobs(stage):
    files = {"%d/%d.css" % (i % 7, i): located(1000 + 37 * i, chr(65 + i)) for i in range(24)}
    found = []
    for count in ("1", "2", "16"):
        root = tree(stage, files)
        run(stage, "-j", count, root, *FAST)
        expect("files with " + count, 4 * len(files) + 7, len(names(root)))
        found.append({name: content_of(os.path.join(root, name)) for name in files_of(state(root))})
    require(found[0] == found[1] == found[2], "other bytes with other jobs")


@test("precompress: the options of the configuration, and those of the command line", per_model=False)
def options(stage):
    files = {"a.css": located(1000), ".b.css": located(1000), "c.strange": located(1000), "d.ttf": located(1000)}
    plain = set(files)
    for arguments, made in (
            (("-o", "sidecars=gz"), {"a.css.gz"}),
            (("-o", "sidecars=gz", "-o", "hidden=on"), {"a.css.gz", ".b.css.gz"}),
            (("-o", "sidecars=br,zst", "--types", "font/ttf"), {"d.ttf.br", "d.ttf.zst"}),
            (("-o", "sidecars=br", "--types", "default,font/*"), {"a.css.br", "d.ttf.br"}),
            (("-o", "sidecars=",), set()),
            (("-o", "sidecars=gz", "--min-size", "1001"), set()),
            (("-o", "sidecars=gz", "--max-size", "999"), set())):
        root = tree(stage, files)
        run(stage, *arguments, root)
        expect("with %s" % (arguments,), plain | made, names(root))
    root = tree(stage, files)
    place = stage.setting.place("conf")
    write(os.path.join(place, "mime.types"), b"text/x-strange strange\n")
    write(os.path.join(place, "serve.conf"), b'root = "%s"\nsidecars = {"br"}\nmime_types = mime.types\n' % root.encode())
    run(stage, "-c", os.path.join(place, "serve.conf"))
    expect("by the configuration", plain | {"c.strange.br"}, names(root))
    other = tree(stage, files)
    run(stage, "-c", os.path.join(place, "serve.conf"), "-o", "sidecars=gz", other)
    expect("DIR and -o win", plain | {"c.strange.gz"}, names(other))


@test("precompress: symbolic links never followed, as the server does with symlinks = never", per_model=False)
def no_links(stage):
    root = tree(stage, {"a/b.css": located(1000)})
    os.symlink("a", os.path.join(root, "c"))
    os.symlink("a/b.css", os.path.join(root, "d.css"))
    run(stage, "-o", "symlinks=never", "-o", "sidecars=gz", root)
    expect("names", {"a", "a/b.css", "a/b.css.gz", "c", "d.css"}, names(root))


@test("precompress: a root that is a link is one, as for the server", per_model=False)
def linked_root(stage):
    root = tree(stage, {"a.css": located(1000)})
    link = os.path.join(stage.setting.place("link"), "current")
    os.symlink(root, link)
    run(stage, link, *FAST)
    expect_sidecars(root, "a.css")


# ---- what is there already ---------------------------------------------------------------------

@test("precompress: sidecars of others: current, with another time, wrong", per_model=False)
def others(stage):
    names_of = ("current.css", "older.css", "newer.css", "wrong.css", "rolled-back.css")
    root = tree(stage, {name: located(3000, name[0]) for name in names_of})
    inode = {}
    for coding in CODINGS:
        for name, content, at in (("current.css", located(3000, "c"), OLD), ("older.css", located(3000, "o"), OLD - DAY),
                                  ("newer.css", located(3000, "n"), OLD + DAY), ("wrong.css", b"other" * 300, OLD - DAY),
                                  ("rolled-back.css", b"later" * 300, OLD + DAY)):
            inode[name, coding] = os.stat(sidecar_write(root, name, coding, content, at)).st_ino
    own(stage, root)
    out, _ = run(stage, "-v", root, *FAST)
    expect_sidecars(root, *names_of)
    for coding in CODINGS:
        for name in names_of:
            kept = os.stat(os.path.join(root, name + "." + coding)).st_ino == inode[name, coding]
            expect("%s.%s is kept" % (name, coding), name in ("current.css", "older.css", "newer.css"), kept)
        for line in ("dated older.css.", "dated newer.css.", "made wrong.css.", "made rolled-back.css."):
            require(line + coding in out, "no %r in %r", line + coding, out)
        require("current.css." + coding not in out, "it names what it left: %r", out)


@test("precompress: what is not worth it goes with --prune alone", per_model=False)
def prune(stage):
    root = tree(stage, {"noise.css": noise(3000), "small.css": b"a{}", "a.css": located(3000), "a.tar": located(3000)})
    sidecar_write(root, "noise.css", "gz", located(3000), OLD - DAY)
    sidecar_write(root, "small.css", "br", b"b{}", OLD + DAY)
    sidecar_write(root, "a.css", "zst", located(3000), OLD)
    sidecar_write(root, "a.tar", "gz", b"a download of its own", OLD - DAY)
    sidecar_write(root, "lonely.css", "gz", b"another", OLD)
    own(stage, root)
    out, _ = run(stage, root, *FAST, code=1)
    require("stale noise.css.gz\n" in out and "stale small.css.br\n" in out, "it says %r", out)
    made = {"a.css.br", "a.css.gz"}
    whole = {"noise.css", "noise.css.gz", "small.css", "small.css.br", "a.css", "a.css.zst", "a.tar", "a.tar.gz",
             "lonely.css.gz"} | made
    expect("without", whole, names(root))
    out, _ = run(stage, "-v", "--prune", root, *FAST)
    require("removed noise.css.gz\n" in out and "removed small.css.br\n" in out, "it says %r", out)
    expect("with", whole - {"noise.css.gz", "small.css.br"}, names(root))


@test("precompress --dry-run: says what it would do, and writes nothing", per_model=False)
def dry_run(stage):
    root = tree(stage, {"a.css": located(3000), "b.css": located(3000, "b"), "c.css": noise(3000)})
    sidecar_write(root, "b.css", "gz", located(3000, "b"), OLD + DAY)
    sidecar_write(root, "c.css", "gz", located(3000, "b"), OLD - DAY)
    write(os.path.join(root, TEMPORARY + "1-1"), b"left behind")
    own(stage, root)
    before = state(root)
    out, _ = run(stage, "-n", "--prune", "-o", "sidecars=gz", root)
    expect("the tree", before, state(root))
    for line in ("would be made a.css.gz (", "would be dated b.css.gz (", "would be removed c.css.gz\n", "1 to be made"):
        require(line in out, "no %r in %r", line, out)


# ---- --check -----------------------------------------------------------------------------------

@test("precompress --check: a line for each that is missing, stale or different; nothing is written", per_model=False)
def check(stage):
    root = tree(stage, {"%s.css" % name: located(3000, name[0]) for name in
                        ("ok", "missing", "older", "different", "damaged", "cut", "empty")} | {"noise.css": noise(3000)})
    run(stage, root, *FAST)
    run(stage, "--check", root)
    os.unlink(os.path.join(root, "missing.css.br"))
    os.utime(os.path.join(root, "older.css.zst"), (OLD - 1, OLD - 1))
    sidecar_write(root, "different.css", "gz", located(3000, "x"), OLD)
    for name, what in (("damaged.css.br", lambda old: old[:20] + bytes([old[20] ^ 255]) + old[21:]),
                       ("cut.css.zst", lambda old: old[:-1]), ("empty.css.gz", lambda old: b"")):
        path = os.path.join(root, name)
        write(path, what(content_of(path)))
        os.utime(path, (OLD, OLD))
    own(stage, root)
    before = state(root)
    out, err = run(stage, "--check", root, code=1)
    lines = set(out.splitlines())
    wanted = {"missing missing.css.br", "stale older.css.zst", "different different.css.gz", "different damaged.css.br",
              "different cut.css.zst", "stale empty.css.gz"}
    require(wanted <= lines, "lines %s are missing in %r", wanted - lines, out)
    expect("lines", 6, sum(line.split()[0] in ("missing", "stale", "different") for line in lines))
    expect("standard error", "", err)
    expect("the tree", before, state(root))
    run(stage, root, *FAST)  # times tell of older and empty, but not of what was changed behind them
    out, _ = run(stage, "--check", root, code=1)
    expect("left", {"different different.css.gz", "different damaged.css.br", "different cut.css.zst"},
           {line for line in out.splitlines() if ".css." in line})


@test("precompress --json: one object with every count", per_model=False)
def as_json(stage):
    root = tree(stage, {"a.css": located(3000), "caf\udce9.css": located(3000), "noise.css": noise(3000)})
    out, err = run(stage, "--json", "-v", "-o", "sidecars=gz,br", root)
    found = json.loads(out)
    expect("lines", 1, out.count("\n"))
    require("made a.css.gz" in err, "no lines on standard error: %r", err)
    expect("whole", (True, 3, 0, [], root), tuple(found[key] for key in ("ok", "files", "not_tried", "problems", "directory")))
    expect("codings", {"gz", "br"}, set(found["codings"]))
    for coding in ("gz", "br"):
        of = found["codings"][coding]
        expect("counts", {"made": 2, "not_worth_it": 1}, {k: n for k, n in of.items() if n and not k.endswith("bytes")})
        expect("original bytes", 6000, of["original_bytes"])
        expect("sidecar bytes", sum(os.path.getsize(os.path.join(root, name)) for name in names(root)
                                    if name.endswith("." + coding)), of["sidecar_bytes"])
    os.unlink(os.path.join(root, "caf\udce9.css.gz"))
    out, _ = run(stage, "--json", "--check", "-o", "sidecars=gz,br", root, code=1)
    found = json.loads(out)
    expect("ok", False, found["ok"])
    expect("problems", [{"path": "caf\\xe9.css.gz", "problem": "missing", "coding": "gz"}], found["problems"])


@test("precompress -c: the roots of all sites, each with its own sidecars, once", per_model=False)
def roots_of_sites(stage):
    roots = [tree(stage, {"a.css": located(3000)}) for _ in range(3)]
    conf = os.path.join(stage.setting.place("conf"), "sites.conf")
    write(conf, b"""root = "%s"
sidecars = gz
site "a.example" { root = "%s"
    sidecars = {br, zst} }
site "b.example" { root = "%s"
    sidecars = {br, zst} }
site "c.example" { root = "%s" }
""" % tuple(os.fsencode(root) for root in (roots[0], roots[1], roots[1], roots[2])))
    out, err = run(stage, "-v", "-c", conf, *FAST)
    expect("standard error", "", err)
    expect("the tree outside of sites", {"a.css", "a.css.gz"}, names(roots[0]))
    expect("of the first and second site", {"a.css", "a.css.br", "a.css.zst"}, names(roots[1]))
    expect("of the third site", {"a.css", "a.css.gz"}, names(roots[2]))
    expect("files made", 4, out.count("made a.css."))
    run(stage, "-c", conf, "--check")
    os.unlink(os.path.join(roots[2], "a.css.gz"))
    out, _ = run(stage, "-c", conf, "--check", code=1)
    require("missing a.css.gz" in out, "it says %r", out)
    run(stage, "-c", conf, *FAST, roots[0])  # DIR alone, although the configuration has sites
    expect("of the third site", {"a.css"}, names(roots[2]))


# ---- the command line -------------------------------------------------------------------------

@test("precompress: wrong usage: 2; -h: 0", per_model=False)
def usage(stage):
    root = tree(stage, {"a.css": located(1000)})
    place = stage.setting.place("conf")
    write(os.path.join(place, "bad.conf"), b"sidecarz = gz\n")
    for arguments, says in (((), "DIR is missing"), ((root, root), "only one directory"), (("-Z", root), "'-Z'"),
                            (("--levels", "br=12", root), "br=12"), (("-o", "sidecars=xz", root), "sidecars"),
                            (("-o", "sidecarz=gz", root), "sidecarz"), (("-o", "mime_types=/nonexistent", root), "/nonexistent"),
                            (("-c", os.path.join(place, "bad.conf")), "did you mean 'sidecars'"),
                            (("-c", "/nonexistent.conf"), "/nonexistent.conf"),
                            (("/nonexistent",), "/nonexistent"), ((os.path.join(root, "a.css"),), "a.css")):
        out, err = run(stage, *arguments, code=2)
        require(says in err and not out, "%s says %r, %r", arguments, out, err)
    expect("the tree", {"a.css"}, names(root))
    out, err = run(stage, "-h")
    require("usage: zcserve precompress" in out and not err, "it says %r, %r", out, err)


@test("a directory named precompress is served as ./precompress", per_model=False)
def directory(stage):
    place = stage.setting.place("place")
    os.mkdir(os.path.join(place, "precompress"))
    code, _, err = stage.setting.run("-t", "./precompress", cwd=place)
    expect("exit code (%s)" % err, 0, code)
