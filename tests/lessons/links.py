"""Every link inside the site leads somewhere; those that lead elsewhere are addresses."""

import functools
import re
import urllib.parse
import xml.etree.ElementTree

from house import LEARN, SITE
from markup import Page

# Made by `make site`, and by readers: they need not be there.
MADE = ("files/10m.txt", "lab-mine/")
ATTRIBUTES = ("href", "src", "poster", "data")
SVG = "{http://www.w3.org/2000/svg}"
DRAWN_WIDTH = 360
TEXT_LEAST = 12
WIDTH_MOST = 720


def pages_of_site():
    return [path for path in sorted(SITE.rglob("*.html")) if not path.relative_to(SITE).parts[0] == "lab-mine"]


@functools.cache
def anchors(path):
    return frozenset(Page(path).ids)


def elsewhere(target):
    """What is wrong with an address of another site; None: nothing."""
    parts = urllib.parse.urlsplit(target)
    if parts.scheme in ("mailto", "data"):
        return None
    if parts.scheme not in ("https", "http"):
        return "an address of scheme '%s'" % parts.scheme
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost"):
        return "http instead of https"
    if not re.fullmatch(r"[\w.-]+", parts.hostname or "") or re.search(r"[\s<>\"]", target):
        return "no address"
    return None


def link(path, target):
    """What is wrong with a link of this page; None: nothing."""
    if re.match(r"[a-z][a-z+.-]*:", target) or target.startswith("//"):
        return elsewhere(target)
    parts = urllib.parse.urlsplit(target)
    leads = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
    if parts.path.startswith("/"):
        return "an absolute path"
    if not leads.is_relative_to(SITE):
        return "it leaves the site"
    if str(leads.relative_to(SITE)).startswith(MADE) or leads == SITE / "lab-mine":
        return None
    if leads.is_dir():
        leads /= "index.html"
    if not leads.is_file():
        return "there is no such file"
    if parts.fragment and leads.suffix == ".html" and parts.fragment not in anchors(leads):
        return "there is no #%s" % parts.fragment
    return None


def page_links(path):
    page = Page(path)
    for element in page.all():
        for name in ATTRIBUTES:
            target = element.get(name)
            if target is None or (element.tag == "a" and element.inside("svg") and not target):
                continue
            problem = link(path, target) if target else "an empty %s" % name
            if problem:
                yield "line %d: %s: %s" % (element.line, target, problem)
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            for wanted in element.get(name, "").split():
                if wanted not in page.ids:
                    yield "line %d: %s: there is no #%s" % (element.line, name, wanted)


def drawing(path):
    """A drawing names itself, takes both schemes, and can be read where it is 360 px wide."""
    text = path.read_text(encoding="utf-8")
    try:
        root = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError as problem:
        yield str(problem)
        return
    for part in ("title", "desc"):
        found = root.find(SVG + part)
        if found is None or not (found.text or "").strip():
            yield "no <%s>" % part
    if not re.search(r"prefers-color-scheme:\s*dark", text):
        yield "no dark scheme"
    box = (root.get("viewBox") or "").split()
    width = float(box[2]) if len(box) == 4 else 0
    if not 0 < width <= WIDTH_MOST:
        yield "viewBox '%s'" % root.get("viewBox")
        return
    for size in sorted({float(one) for one in re.findall(r"font(?:-size)?[:=]\s*\"?[^;}\"]*?\b([\d.]+)px", text)}):
        if size * DRAWN_WIDTH / width < TEXT_LEAST - 0.05:
            yield "text of %g units is %.1f px high where it is %d px wide" % (size, size * DRAWN_WIDTH / width, DRAWN_WIDTH)
    if re.search(r"(?:href|src)=\"(?!#)", text) or "<script" in text:
        yield "it asks for something else"


def drawing_used(path, pages):
    if not any(image.get("src") == "drawings/" + path.name for page in pages for image in page.all("img")):
        yield "no page shows it"


def checks(pages):
    for path in pages_of_site():
        yield "links of %s" % path.relative_to(SITE), page_links, (path,)
    for path in sorted((LEARN / "drawings").glob("*")):
        yield "drawing %s" % path.name, drawing, (path,)
        yield "use of %s" % path.name, drawing_used, (path, pages)
