"""Every lesson has the same parts in the same order, and what tests and scripts rely on is marked as they expect."""

import re

from house import LEARN, LESSONS, QUOTING, SITE, command_text
from markup import Page

SECTIONS = ["idea", "predict", "experiment", "result", "code", "exercises", "sources"]
NAV = {"../", "../request.html", "../configure.html", "../cluster.html", "../files/", "./"}
WORDS_A_MINUTE = 200
MINUTES_MOST = 10
CHECK_FORM = re.compile(r'\(\n.*\n\) && echo "right" \|\| \{ echo "not right yet"; false; \}', re.S)


def all_there():
    for name in LESSONS:
        if not (LEARN / (name + ".html")).exists():
            yield "www/learn/%s.html is not there" % name
    for path in sorted(LEARN.glob("[0-9]*.html")):
        if path.stem not in LESSONS:
            yield "%s is none of the sixteen" % path.name


def well_formed(page):
    yield from page.complaints
    ids = page.ids
    for one in sorted(set(ids)):
        if ids.count(one) > 1:
            yield "id '%s' is there %d times" % (one, ids.count(one))
    if page.first("html") is None or page.first("html").get("lang") != "en-GB":
        yield "<html lang> is not en-GB"
    for tag in ("title", "h1", "main"):
        if len(list(page.all(tag))) != 1:
            yield "not one <%s> but %d" % (tag, len(list(page.all(tag))))
    yield from headings(page)


def headings(page):
    """No level is left out on the way down, and none is empty."""
    above = 0
    for heading in page.all():
        if not re.fullmatch(r"h[1-6]", heading.tag):
            continue
        level = int(heading.tag[1])
        if level > above + 1:
            yield "line %d: <%s> after <h%d>" % (heading.line, heading.tag, above)
        if not heading.words:
            yield "line %d: <%s> is empty" % (heading.line, heading.tag)
        above = level


def nothing_inline(page):
    """Scripts and style come from files."""
    for element in page.all():
        if element.tag == "style" or element.has("style"):
            yield "line %d: style within the page (<%s>)" % (element.line, element.tag)
        if element.tag == "script" and (not element.get("src") or element.text.strip()):
            yield "line %d: a script within the page" % element.line
        for name in element.attributes:
            if name.startswith("on"):
                yield "line %d: %s in <%s>" % (element.line, name, element.tag)


def frame(page):
    """Head, navigation and foot, as on all pages below learn/."""
    sheets = [link.get("href") for link in page.all("link", rel="stylesheet")]
    if sheets != ["../style.css", "learn.css"]:
        yield "style sheets are %s" % sheets
    if page.first("script", type="module", src="learn.js") is None:
        yield "learn.js is not loaded as a module"
    bar = page.first("header", "bar")
    links = {link.get("href") for link in bar.all("a")} if bar else set()
    if not NAV <= links:
        yield "the bar has no link to %s" % ", ".join(sorted(NAV - links))
    if page.first("a", "skip", href="#main") is None or page.first("main", id="main") is None:
        yield "no link that skips to <main id=main>"
    if page.first("footer", "foot") is None:
        yield "no footer"


def opening(page):
    number = int(page.name[:2])
    main = page.first("main")
    chapter = main.first("p", "chapter")
    if chapter is None or chapter.words != "Lesson %d of 16" % number:
        yield "p.chapter is not 'Lesson %d of 16'" % number
    for cls in ("lede", "needs"):
        found = main.first("p", cls)
        if found is None or not found.words:
            yield "no p.%s" % cls


def sections(page):
    found = [section.get("id") for section in page.first("main").all("section") if section.has("id")]
    if [one for one in found if one in SECTIONS] != SECTIONS:
        yield "sections are %s" % " ".join(found)
    for section in page.first("main").all("section"):
        if section.get("id") in SECTIONS and section.first("h2") is None:
            yield "section %s has no h2" % section.get("id")


def section(page, name):
    return page.first("section", id=name)


def prediction(page):
    forms = list(section(page, "predict").all("form", "prediction"))
    if not forms:
        yield "no form.prediction in section predict"
    names = [form.get("data-prediction", "") for form in forms]
    for form, name in zip(forms, names):
        if not re.fullmatch(page.name[:2] + r"-[a-z0-9-]+", name):
            yield "data-prediction is '%s'" % name
        label, area = form.first("label"), form.first("textarea")
        if label is None or area is None or not label.get("for") == area.get("id") == "p-" + name:
            yield "the label and the textarea of %s are not joined by p-%s" % (name, name)
    shown = [one.get("data-shows") for one in section(page, "result").all("p", "predicted")
             if one.first("output") is not None]
    if sorted(shown) != sorted(names):
        yield "predicted %s, shown %s" % (names, shown)


def experiment(page):
    commands = list(page.all("pre", has="data-command"))
    if not any(True for _ in section(page, "experiment").all("pre", has="data-command")):
        yield "no pre[data-command] in section experiment"
    for command in commands:
        if command.first("code") is None or not command.words:
            yield "line %d: a command without <code>" % command.line
        try:
            re.compile(command.get("data-expect") or "(")
        except re.error as problem:
            yield "line %d: data-expect: %s" % (command.line, problem)
    if section(page, "experiment").first("ol") is None:
        yield "the steps are not numbered"


def images(page):
    for image in page.all("img"):
        if not image.get("alt"):
            yield "line %d: an image without alt text" % image.line
        if image.get("src", "").startswith("drawings/") and not (image.get("width") and image.get("height")):
            yield "line %d: a drawing without width and height" % image.line
    for figure in page.all("figure", "plot"):
        image = figure.first("img")
        name = figure.get("data-plot", "")
        if image is None or image.get("src") != "../lab/" + name or not name.endswith(".svg"):
            yield "line %d: data-plot '%s' and its image differ" % (figure.line, name)
        if figure.first("figcaption") is None:
            yield "line %d: a plot without figcaption" % figure.line


def tables(page):
    for table in page.all("table"):
        if not any(True for _ in table.all("th", has="scope")):
            yield "line %d: a table without th scope" % table.line
        for head in table.all("th"):
            if head.get("scope") not in ("row", "col", "rowgroup", "colgroup"):
                yield "line %d: th without scope" % head.line


def code(page):
    places = [one for one in section(page, "code").all("li") if one.first("code", has="data-function") is not None]
    if not 3 <= len(places) <= 6:
        yield "%d places to read" % len(places)
    if page.name in QUOTING and page.first("pre", "quote") is None:
        yield "no quote of the code"


def exercises(page):
    part = section(page, "exercises")
    folded = list(part.all("details", "exercise"))
    if len(folded) != 3:
        yield "%d exercises" % len(folded)
    for one in folded:
        task = one.first("summary")
        if task is None or not task.words or len(one.words) <= len(task.words):
            yield "line %d: an exercise without a task or an answer" % one.line
    coded = list(part.all("section", "exercise-code"))
    if len(coded) != 1:
        yield "%d exercises that change code" % len(coded)
    for one in coded:
        check = one.first("pre", has="data-check")
        if check is None or not check.words:
            yield "line %d: no pre[data-check]" % one.line
        elif not CHECK_FORM.fullmatch(command_text(check).strip()):
            yield "line %d: the check is not in brackets, or does not say what came of it" % one.line
        if not re.fullmatch(r"exercises/%s-[a-z0-9-]+\.patch" % page.name[:2], one.get("data-patch", "")):
            yield "line %d: data-patch is '%s'" % (one.line, one.get("data-patch"))


def sources(page):
    links = [link.get("href", "") for link in section(page, "sources").all("a")]
    if not any(link.startswith("https://") for link in links):
        yield "no source with a link"


def neighbours(page):
    """The lesson before and the one after, by the links at the end."""
    at = LESSONS.index(page.name)
    nav = page.first("nav", "lessons")
    links = {link.get("href") for link in nav.all("a")} if nav else set()
    for other in [at - 1] * (at > 0) + [at + 1] * (at < len(LESSONS) - 1):
        if LESSONS[other] + ".html" not in links:
            yield "nav.lessons has no link to %s" % LESSONS[other]


def simulations(page):
    for one in page.all(cls="simulation"):
        name = one.get("data-simulation", "")
        if not (LEARN / "sim" / (name + ".js")).is_file():
            yield "line %d: there is no sim/%s.js" % (one.line, name)
        if one.first("noscript") is None and (one.parent is None or one.parent.first("noscript") is None):
            yield "line %d: no <noscript> beside the simulation" % one.line


def short_enough(page):
    """What is read before the exercises, without commands and quotes, takes ten minutes at most."""
    count = 0
    for name in ("idea", "predict", "experiment", "result", "code"):
        part = section(page, name)
        left_out = sum(len(pre.words.split()) for pre in part.all("pre"))
        count += len(part.words.split()) - left_out
    if count > WORDS_A_MINUTE * MINUTES_MOST:
        yield "%d words: more than %d minutes" % (count, MINUTES_MOST)


CHECKS = (sections, opening, prediction, experiment, images, tables, code, exercises, sources, neighbours,
          simulations, short_enough)


def lesson_checks(page):
    """Of one lesson; nothing else can be said where its sections are not there."""
    missing = list(sections(page))
    if missing:
        yield "sections", lambda page: missing
        return
    for check in CHECKS:
        yield check.__name__, check


def contents(page):
    """The page of contents names the lessons in their order, by their own titles."""
    links = list(page.first(cls="contents").all("a"))
    if [link.get("href") for link in links] != [name + ".html" for name in LESSONS]:
        yield "not the sixteen in their order"
        return
    for link in links:
        path = LEARN / link.get("href")
        title = Page(path).first("h1") if path.exists() else None
        if title is not None and title.words != link.words:
            yield "%s is called '%s' here, and '%s' itself" % (link.get("href"), link.words, title.words)


def linked_from_elsewhere():
    """Who reads the site finds the lessons."""
    for name, wanted in (("index.html", "learn/"), ("request.html", "learn/"), ("configure.html", "learn/"), ("cluster.html", "learn/"),
                         ("files/index.html", "../learn/")):
        bar = Page(SITE / name).first("header", "bar")
        if bar is None or bar.first("a", href=wanted) is None:
            yield "the bar of www/%s has no link to the lessons" % name


def teachers(page, lessons):
    """The table of needs names every lesson, and says root and two CPUs where a command of the lesson does."""
    table = page.first("section", id="needs").first("table") if page.first("section", id="needs") else None
    if table is None:
        yield "no table of needs"
        return
    rows = {row.first("a").get("href"): {cell.get("data-label"): cell.words for cell in row.all("td")}
            for row in table.all("tr") if row.first("a") is not None}
    for lesson in lessons:
        said = rows.get(lesson.name + ".html")
        needs = {word for command in lesson.all(has="data-needs") for word in command.get("data-needs").split()}
        if said is None:
            yield "%s is not in the table of needs" % lesson.name
            continue
        for need, column in (("root", "Root"), ("two-cpus", "Two CPUs")):
            if need in needs and said.get(column, "no") == "no":
                yield "%s needs %s, and the table says 'no'" % (lesson.name, need)
