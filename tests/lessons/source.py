"""What a lesson says of the code is still so: files and functions are there, and quotes are what stands there."""

import re

from house import TOP

QUOTE_LINES_MOST = 30


def definition(text, name):
    """Where a function of this name begins in a file of C, Python, JavaScript or shell; None: nowhere."""
    word = re.escape(name)
    # C: from the first column on, with its parameters and no semicolon before the body.
    forms = (r"^(?:[A-Za-z_][^\n;{}()=#]*[ *])?%s\([^;{}]*\)\s*\{" % word,
             r"^START_TEST\(%s\)" % word,
             r"^#define %s\b" % word,
             r"^(?:static |const |typedef )*(?:struct|union|enum) %s(?: \w+)?\s*\{" % word,
             r"^ *(?:async )?(?:def|class) %s\b" % word,
             r"^ *(?:export )?(?:default )?(?:async )?(?:function\*?|class|const|let) %s\b" % word,
             r"^ +(?:static |async |get |set )*%s\([^;{}]*\) \{" % word,
             r"^(?:function )?%s ?\(\) *\{" % word)
    for form in forms:
        found = re.search(form, text, re.M)
        if found:
            return found.start()
    return None


def function_text(text, name):
    """A function of C, from its type to the brace in the first column that ends it; None: it is not there."""
    begin = definition(text, name)
    if begin is None:
        return None
    end = re.compile(r"^\}", re.M).search(text, begin)
    return text[begin:end.end()] if end else None


def text_of(name):
    path = TOP / name
    inside = path.resolve().is_relative_to(TOP)
    return path.read_text(encoding="utf-8") if inside and path.is_file() else None


def references(page):
    """Every data-file is there, and defines its data-function."""
    for element in page.all(has="data-function"):
        if not element.has("data-file"):
            yield "line %d: data-function without data-file" % element.line
    for element in page.all(has="data-file"):
        name, function = element.get("data-file"), element.get("data-function")
        text = text_of(name)
        if text is None and not (function is None and (TOP / name).is_dir()):
            yield "line %d: there is no file %s" % (element.line, name)
        elif function is not None and definition(text, function.removesuffix("()")) is None:
            yield "line %d: %s defines no %s" % (element.line, name, function)


def quotes(page):
    """Every quote is a whole function, letter by letter."""
    for quote in page.all("pre", "quote"):
        name, function = quote.get("data-file", ""), quote.get("data-function", "")
        text = text_of(name)
        now = function_text(text, function) if text is not None else None
        if now is None:
            yield "line %d: no function %s in %s" % (quote.line, function, name)
            continue
        said = quote.text.strip("\n")
        whole_lines = ("\n" + said + "\n") in ("\n" + text)
        if now not in said or not whole_lines:
            yield "line %d: %s() is another one now: %s" % (quote.line, function, first_difference(said, now))
        elif now.count("\n") + 1 > QUOTE_LINES_MOST:
            yield "line %d: %s() has %d lines" % (quote.line, function, now.count("\n") + 1)


def first_difference(said, now):
    for one, other in zip(said.split("\n"), now.split("\n")):
        if one != other:
            return "'%s', quoted as '%s'" % (other, one)
    return "one of them has more lines"


def mentioned(page):
    """Paths of the source that are named without a mark are there, too."""
    for element in page.all("code"):
        said = element.text.strip()
        if element.inside("pre") or not re.fullmatch(r"(?:src|include|bench|tests|conf|www)/[\w./-]+", said):
            continue
        if said.startswith("www/lab-mine") or said == "www/files/10m.txt":
            continue
        if not (TOP / said).exists():
            yield "line %d: there is no %s" % (element.line, said)


def tests_named(page):
    """The tests that the page of faults names are there: <span data-test="MODULE"> of the integration tests, `make TARGET`."""
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.M))
    named = list(page.all(has="data-test"))
    if not named:
        yield "it names no test"
    for element in named:
        module = TOP / "tests/integration" / (element.get("data-test") + ".py")
        if '@test("%s"' % element.words not in module.read_text(encoding="utf-8"):
            yield "line %d: %s has no test \"%s\"" % (element.line, module.name, element.words)
    for element in page.all(has="data-target"):
        if element.words.removeprefix("make ") not in targets:
            yield "line %d: there is no %s" % (element.line, element.words)
    for row in page.all("tbody"):
        for cells in row.all("tr"):
            if not cells.first(has="data-test") and not cells.first(has="data-target"):
                yield "line %d: no test shows it" % cells.line
