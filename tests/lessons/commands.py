"""Every command of every lesson, taken from the page, is run as it is written, and says what the page expects."""

import re

from house import Skip, command_text
from needs import missing
from workplace import NOTHING_RAN

SECONDS_MOST = 120
SHOWN_MOST = 1500


def tail(output):
    output = output.strip()
    return output if len(output) <= SHOWN_MOST else "… " + output[-SHOWN_MOST:]


def indented(text):
    return text.replace("\n", "\n        ")


def command(element, workplace):
    reason = missing(element)
    if reason:
        raise Skip(reason)
    text = command_text(element)
    code, output, left = workplace.run(text, SECONDS_MOST)
    if code is None:
        yield "not over after %d s: %s" % (SECONDS_MOST, indented(tail(output)))
        return
    for number, words in left:
        yield "left running: %d %s" % (number, words)
    if code == NOTHING_RAN:
        raise Skip("nothing could run: %s" % " ".join(output.split())[-200:])
    # A figure may stand anywhere: `.` takes whole lines, `^` and `$` are the borders of one.
    if not re.search(element.get("data-expect"), output, re.M | re.S):
        yield "'%s' is not in what it says (exit code %d): %s" % (element.get("data-expect"), code, indented(tail(output)))


def commands(page):
    """(name, element) of each command of a lesson, in their order."""
    for number, element in enumerate(page.all("pre", has="data-command"), 1):
        yield "%s command %d (line %d)" % (page.name, number, element.line), element
