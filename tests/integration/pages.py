"""The site in www/: it says what the program does, and it is complete when the program serves it."""

import glob
import html.parser
import os
import posixpath
import re
import shutil
import subprocess
import sys
import urllib.parse

from client import expect
from stage import require, test, write

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGES = ("/", "/request.html", "/configure.html", "/cluster.html", "/files/")
SUFFIX_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
                ".txt": "text/plain; charset=utf-8", ".svg": "image/svg+xml; charset=utf-8",
                ".lua": None}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
        "track", "wbr"}
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
TIME_UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}
TIME_BLOCKS = {"timeouts", "log.interval", "cache.recheck"}
NAMED = re.compile(r"\b(?:src|include|conf|tests|bench)/[\w./-]*\w")
SOURCE = re.compile(r"(?<![\w/.])[\w]+\.(?:c|h|def)\b")
LOADS = re.compile(r"url\(\s*['\"]?([^'\")]*)|@import\s+['\"]([^'\"]*)")


class Page(html.parser.HTMLParser):
    """What a page holds, and where its tags do not match."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.problems, self.count, self.ids = [], [], {}, []
        self.text, self.title, self.lang, self.meta_charset = "", "", None, None
        self.links, self.loaded = [], []    # of <a>; of everything else
        self.tables = []                    # caption, then rows of the texts of cells
        self._cell, self._in_table = None, False
        self.feed(text)
        self.close()
        self.problems += ["<%s> is not closed" % tag for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self._begin(tag, dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self._begin(tag, dict(attrs))
        if tag not in VOID and "svg" not in self.open:
            self.problems.append("<%s/> outside of a drawing" % tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            self.problems.append("</%s> of a void element" % tag)
        elif not self.open or self.open[-1] != tag:
            self.problems.append("</%s> at line %d while <%s> is open" % (
                tag, self.getpos()[0], self.open[-1] if self.open else "nothing"))
            if tag in self.open:
                del self.open[len(self.open) - self.open[::-1].index(tag) - 1:]
        else:
            self.open.pop()
        if tag == "table":
            self._in_table = False

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == "title" and "svg" not in self.open:
            self.title += data
        if self._in_table and "caption" in self.open:
            self.tables[-1]["caption"] += data
        elif self._in_table and ("td" in self.open or "th" in self.open):
            self.tables[-1]["rows"][-1][-1] += data

    def _begin(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "html":
            self.lang = attrs.get("lang")
        if tag == "meta" and "charset" in attrs:
            self.meta_charset = attrs["charset"]
        self._note_addresses(tag, attrs)
        if tag == "table":
            self._in_table = True
            self.tables.append({"caption": "", "rows": []})
        elif self._in_table and tag == "tr":
            self.tables[-1]["rows"].append([])
        elif self._in_table and tag in ("td", "th"):
            self.tables[-1]["rows"][-1].append("")

    def _note_addresses(self, tag, attrs):
        for name in ("href", "xlink:href", "src", "srcset", "poster", "data", "action"):
            if attrs.get(name) is not None:
                (self.links if (tag, name) == ("a", "href") else self.loaded).append(attrs[name])
        for one, other in LOADS.findall(attrs.get("style") or ""):
            self.loaded.append(one or other)


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def page_at(path):
    return Page(read("www", path.lstrip("/") + ("index.html" if path.endswith("/") else "")))


def site_copied(stage):
    """A copy that the server's user may read, with the file that `make site` makes."""
    root = os.path.join(stage.setting.place("www"), "root")
    shutil.copytree(os.path.join(ROOT, "www"), root)
    for top, _, names in os.walk(root):  # whatever umask the checkout was made with
        os.chmod(top, 0o755)
        for name in names:
            os.chmod(os.path.join(top, name), 0o644)
    big = os.path.join(root, "files", "10m.txt")
    if not os.path.exists(big):
        write(big, subprocess.run([sys.executable, os.path.join(ROOT, "tests", "locating"),
                                   "10485760"], check=True, capture_output=True).stdout)
    return root


# ---- what the program says and what the page says ----------------------------------------------

def options_printed(text):
    """What -T prints: {"cache.size": "64m"}."""
    found, block = {}, ""
    for line in text.splitlines():
        line = line.strip()
        if line == "}":
            block = ""
        elif line.endswith("{") and "=" not in line and not line.startswith("#"):
            block = line[:-1].strip() + "."
        elif line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found[block + name.strip()] = value.strip()
    return found


def options_told(page):
    """What the tables of options say: {"cache.size": ["64m", the meaning]}."""
    found = {}
    for table in page.tables:
        if not table["rows"] or table["rows"][0] != ["Option", "Default", "Meaning"]:
            continue
        match = re.search(r"block (\w+) \{", table["caption"])
        for name, *cells in table["rows"][1:]:
            name = (match[1] + "." if match else "") + name.strip()
            require(name not in found, "%s is told twice", name)
            found[name] = [cell.strip() for cell in cells]
    return found


def canonical(name, value):
    """Values that mean the same are the same: 60s and 1m, "a" and {"a"}, off and "off"."""
    value = value.replace(" ", "").strip("{}").replace('"', "")
    match = re.fullmatch(r"(\d+)(ms|[smhdkgt])?", value)
    if not match:
        return value
    is_time = name.split(".")[0] in TIME_BLOCKS or name in TIME_BLOCKS
    return int(match[1]) * (TIME_UNITS if is_time else UNITS).get(match[2], 1)


@test("every option that -T prints stands in configure.html with its default and meaning",
      per_model=False)
def options(stage):
    place = stage.setting.place("defaults")
    os.mkdir(os.path.join(place, "www"))
    path = os.path.join(place, "serve.conf")
    write(path, b"")
    code, out, err = stage.setting.run("-T", "-c", path)
    expect("exit code (%s)" % err, 0, code)
    printed, told = options_printed(out), options_told(page_at("/configure.html"))
    require(len(printed) > 20, "-T prints only %s", sorted(printed))
    printed["root"] = os.path.basename(printed["root"].strip('"'))  # printed as a whole path
    for name, value in printed.items():
        require(name in told, "%s is not in the table", name)
        expect("default of " + name, canonical(name, value), canonical(name, told[name][0]))
    expect("options that are told and not printed", [], sorted(set(told) - set(printed)))
    for name, meaning in meanings_printed(out):
        require(told[name][1].startswith(meaning), "%s means %r, the table says %r", name,
                meaning, told[name][1])


def meanings_printed(text):
    """Names with the line that explains them, which -T prints two lines before."""
    lines, block = [line.strip() for line in text.splitlines()], ""
    for at, line in enumerate(lines):
        if line.endswith("{") and not line.startswith("#") and "=" not in line:
            block = line[:-1].strip() + "."
        elif line == "}":
            block = ""
        elif line and not line.startswith("#"):
            yield block + line.split("=")[0].strip(), lines[at - 2].lstrip("# ")


@test("every word that an option may have stands in configure.html", per_model=False)
def choices(_):
    told = options_told(page_at("/configure.html"))
    for section, name, words in re.findall(
            r'^OPTION\(CHOICE, (\w*), (\w+), "[^"]*", \d+, \d+, "([^"]*)"',
            read("include", "zcserve", "options.def"), re.MULTILINE):
        name = section.rstrip("_") + "." + name if section else name
        listed = "(%s)" % words.replace("|", ", ")
        require(told[name][1].endswith(listed), "%s: %r does not end with %s", name, told[name][1],
                listed)


@test("every switch of -h stands in configure.html", per_model=False)
def switches(stage):
    code, out, err = stage.setting.run("-h")
    expect("exit code (%s)" % err, 0, code)
    told = [row[0] for table in page_at("/configure.html").tables for row in table["rows"]]
    found = re.findall(r"^  (-\w(?:, --[\w-]+(?:\[=[A-Z]+\]| [A-Z=]+)?)?) ", out, re.MULTILINE)
    require(len(found) > 15, "-h names only %s", found)
    expect("switches that are not told", [], [each for each in found if each not in told])
    codes = re.findall(r"^  (\d+) ", out, re.MULTILINE)
    require(codes, "-h names no exit codes: %r", out)
    expect("exit codes that are not told", [], [each for each in codes if each not in told])


@test("every switch of precompress -h stands in configure.html", per_model=False)
def precompress_switches(stage):
    _, out, _ = stage.setting.run("precompress", "-h")
    told = [row[0] for table in page_at("/configure.html").tables for row in table["rows"]]
    found = re.findall(r"^  (?:    )?((?:-\w, )?--[\w-]+(?: [A-Z=]+)?) ", out, re.MULTILINE)
    require(len(found) > 10, "-h names only %s", found)
    expect("switches that are not told", [], [each for each in found if each not in told])


@test("the front page tells of every model", per_model=False)
def models(_):
    front = page_at("/").text
    for name in ("prefork", "threadpool", "epoll", "io_uring"):
        require(re.search(r"\b%s\b" % name, front), "%s is not on the front page", name)
    told = [row for table in page_at("/").tables for row in table["rows"]
            if row[0] in ("prefork", "thread pool", "epoll", "io_uring")]
    expect("rows of the table of models", 4, len(told))


# ---- files that are named ----------------------------------------------------------------------

@test("every path and every source file named in the pages exists", per_model=False)
def named_files(_):
    sources = {os.path.basename(path) for room in ("src", "include") for path in
               glob.glob(os.path.join(ROOT, room, "**", "*.*"), recursive=True)}
    named = set()
    for path in PAGES:
        text = page_at(path).text
        for name in NAMED.findall(text):
            named.add(name)
            require(os.path.exists(os.path.join(ROOT, name)), "%s names %s, which is not there",
                    path, name)
        for name in SOURCE.findall(text):
            require(name in sources, "%s names %s, which is no source file", path, name)
    require(len(named) > 20, "the pages name only %s", sorted(named))


@test("every step of conn.h is on the front page, and in the story of a request", per_model=False)
def steps(_):
    enum = re.search(r"enum conn_step \{(.*?)\};", read("include", "zcserve", "conn.h"), re.DOTALL)
    for step in re.findall(r"\bCONN_(\w+)", enum[1]):
        for path in ("/", "/request.html"):
            require(re.search(r"\b%s\b" % step, page_at(path).text), "%s is not on %s", step, path)


# ---- pages as they are served ------------------------------------------------------------------

@test("pages are served with their charset, and their tags match")
def tags(stage):
    with stage.server(site_copied(stage)) as server, server.client() as client:
        for path in PAGES:
            answer = client.get(path)
            expect("status of " + path, 200, answer.status)
            expect("type of " + path, "text/html; charset=utf-8",
                   (answer.field("Content-Type") or "").lower())
            check_page(path, Page(answer.content.decode("utf-8")))


def check_page(path, page):
    expect("tags of " + path, [], page.problems)
    expect("h1 of " + path, 1, page.count.get("h1"))
    expect("main of " + path, 1, page.count.get("main"))
    require(page.title.strip(), "%s has no title", path)
    expect("language of " + path, "en-GB", page.lang)
    expect("charset of " + path, "utf-8", page.meta_charset)
    expect("scripts of " + path, None, page.count.get("script"))
    twice = sorted({each for each in page.ids if page.ids.count(each) > 1})
    expect("ids given twice on " + path, [], twice)


def is_outside(address):
    parts = urllib.parse.urlsplit(address)
    return bool(parts.scheme or parts.netloc)


@test("every link and asset of the pages is there, with its type; none is loaded from outside")
def links(stage):
    wanted, fragments = set(), []
    for path in PAGES:
        page = page_at(path)
        expect("loaded from outside by " + path, [], list(filter(is_outside, page.loaded)))
        for address in page.links + page.loaded:
            if is_outside(address):
                require(address.startswith(("https://", "http://127.0.0.1:8080/")),
                        "%s leads to %s", path, address)
                continue
            target, fragment = urllib.parse.urldefrag(urllib.parse.urljoin(path, address))
            require(target.startswith("/"), "%s: what is %r?", path, address)
            wanted.add(target)
            if fragment:
                fragments.append((path, target, fragment))
    for one, other in LOADS.findall(read("www", "style.css")):
        require(not is_outside(one or other), "style.css loads %s", one or other)
        wanted.add(urllib.parse.urljoin("/style.css", one or other))
    require(wanted.issuperset(PAGES) and "/style.css" in wanted, "links are %s", sorted(wanted))
    check_served(stage, wanted)
    for path, target, fragment in fragments:
        require(fragment in page_at(target).ids, "%s leads to %s#%s, which is not there", path,
                target, fragment)


def check_served(stage, targets):
    root = site_copied(stage)
    with stage.server(root) as server, server.client() as client:
        for target in sorted(targets):
            answer = client.get(target)
            expect("status of " + target, 200, answer.status)
            suffix = posixpath.splitext(target)[1] or ".html"
            require(suffix in SUFFIX_TYPES, "what type should %s have?", target)
            got = (answer.field("Content-Type") or "").lower()
            expect("type of " + target, SUFFIX_TYPES[suffix] or got, got)
            name = target.lstrip("/") + ("index.html" if target.endswith("/") else "")
            expect("bytes of " + target, os.path.getsize(os.path.join(root, name)),
                   len(answer.content))
