"""lighttpd's own tests of a server (tests/request.t), run as they are through adapter.pl.

Sections about modules and conditions of its configuration are not for a server of files alone. Each other test
must pass, or stand in DIFFERENCES with the clause that justifies ours.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "integration"))

# pylint: disable=wrong-import-position
from client import Failure, Skip
from fixtures import OLD
from harness import Server

SECONDS_MAX = 120
NOT_OURS = re.compile(r"mod_|simple-vhost|404 handlers|config conditions|lower-casing|case-insensitive|this should not")
RESULT = re.compile(r"(not )?ok \d+(?: - (.*))?$")
TYPES = "text/plain;charset=utf-8 txt\ntext/html html\nimage/jpeg jpg\n"
POST = "RFC 9110 §15.5.6: a file takes no content"
OPTIONS = "RFC 9110 §9.3.7, §15.3.5: a response to OPTIONS without content is 204"
PAGE = "RFC 9110 §15.5.17: the status is the same; the text of its page is the server's own"
INVALID = "RFC 9110 §14.2: an invalid Range, or two of them, are ignored"
RELATIVE = "RFC 9110 §10.2.2: Location may be relative, and is so right behind a prefix"
ABSOLUTE_LINK = "RFC 9110 §17.3: an absolute link could lead out of the root (README.md, Honest limits)"
DIFFERENCES = {
    "OPTIONS": OPTIONS, "OPTIONS with Content-Length": OPTIONS,
    "Content-Length > max-request-size": POST, "POST request, empty request-body": POST, "Continue, Expect": POST,
    "POST via Transfer-Encoding: chunked, lc hex": POST, "POST via Transfer-Encoding: chunked, uc hex": POST,
    "POST via Transfer-Encoding: chunked, two hex": POST, "POST via Transfer-Encoding: chunked, with trailer": POST,
    "POST via Transfer-Encoding: chunked, chunked header comment":
        "RFC 9110 §15.5.6: a file takes no content. RFC 9112 §7.1.1 allows white space before the name of an extension; "
        "README.md says that it is refused",
    "Hostname in first line, HTTP/1.1": "RFC 9112 §3.2: HTTP/1.1 has a Host, also beside the absolute form",
    "GET, Range 0-1,3-4 (ranges merged)": "RFC 9110 §15.3.7.2: ranges with a gap may be merged; ours only where they touch",
    "GET, Range 0-1,97-98 (ranges not merged)":
        "RFC 9110 §14.6: the boundary is the server's own; the parts are the same",
    "GET, Range 0--": INVALID, "GET, Range -2-3": INVALID, "GET, Range ignore invalid range (second)": INVALID,
    "GET, Range -0": PAGE, "GET, Range start out of range": PAGE,
    "GET, Range with range-requests-disabled": "RFC 9110 §14.3: ranges are for every file; lighttpd has an option here",
    "Status 304 has no Content-Length (#1002)": "RFC 9110 §15.4.5: a 304 has no Content-Type",
    "internal redirect in directory": RELATIVE, "internal redirect in directory + querystring": RELATIVE,
    "internal redirect in directory with special characters": RELATIVE,
    "internal redirect in directory with special characters + querystring": RELATIVE,
    "Implicit HTTP/1.1 Keep-Alive w/ excess blank b/w requests":
        "RFC 9112 §2.2: at least one empty line before a request is ignored; ours are all that come",
    "allow: symlinked file": ABSOLUTE_LINK, "allow: directly symlinked dir": ABSOLUTE_LINK,
    "allow: symlinked dir in path": ABSOLUTE_LINK,
}


def sections(text):
    """{name of a test: its section}."""
    found, section = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:].strip()
        match = re.match(r"\s*ok\(.*, '((?:[^'\\]|\\.)*)'\)", line)
        if match:
            found.setdefault(re.sub(r"\\(.)", r"\1", match[1]), section)
    return found


def copy_make(setting, source):
    """A copy with the site that the tests are about, which the server's user may read."""
    place = os.path.join(setting.place("lighttpd"), "tests")
    shutil.copytree(os.path.join(source, "tests"), place)
    made = subprocess.run(["sh", "./prepare.sh"], cwd=place, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Failure("prepare.sh: %s" % made.stderr.strip())
    for top, _, names in os.walk(place):  # a file of this second would have no date yet
        for name in names:
            os.utime(os.path.join(top, name), (OLD, OLD))
    with open(os.path.join(place, "..", "test.types"), "w", encoding="ascii") as file:
        file.write(TYPES)
    return place


def results(setting, model, source):
    """{(name, how often it was there before): (whether it passed, what was said)}."""
    if not shutil.which("perl"):
        raise Skip("there is no perl")
    place = copy_make(setting, source)
    roots = [os.path.join(place, "tmp/lighttpd/servers", name, "pages") for name in ("www.example.org", "123.example.org")]
    options = {"mime_types": os.path.join(place, "..", "test.types"), "charset": "off"}
    with Server(setting, model, roots[0], options) as www, Server(setting, model, roots[1], options) as other:
        environment = dict(os.environ, PORT_WWW=str(www.address[1]), PORT_123=str(other.address[1]))
        run = subprocess.run(["perl", os.path.join(HERE, "adapter.pl")], cwd=place, env=environment, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             errors="replace", timeout=SECONDS_MAX, check=False)
        return results_read(run.stdout)


def results_read(text):
    found, said, counts = {}, [], {}
    for line in text.splitlines():
        match = RESULT.match(line)
        if match:
            name = (match[2] or "").replace("\\#", "#")
            counts[name] = counts.get(name, -1) + 1
            found[name, counts[name]] = (not match[1], " ".join(said))
            said = []
        elif line.strip("# ") and "Failed test" not in line and not line.startswith("#   at "):
            said.append(line.strip("# "))
    return found


def run(tally, setting, model, source):
    with open(os.path.join(source, "tests", "request.t"), encoding="utf-8") as file:
        section_of = sections(file.read())
    found = results(setting, model, source)
    if len(found) < 100:
        raise Failure("request.t: only %d results: %s" % (len(found), found))
    for (name, number), (passed, said) in found.items():
        if NOT_OURS.search(section_of.get(name, "")):
            continue
        label = "%s: lighttpd: %s%s" % (model, name, " (%d)" % (number + 1) if number else "")
        tally.judge(label, passed, said, DIFFERENCES.get(name))
