"""The exercises that change code: the patch fits, and the check fails without it and succeeds with it."""

import os
import subprocess

from commands import indented, tail
from house import LEARN, TOP, Skip, command_text
from needs import missing

SECONDS_MOST = 600


def exercises(page):
    """(patch, the element with the check) of each exercise that changes code."""
    for part in page.all("section", "exercise-code"):
        yield LEARN / part.get("data-patch", ""), part.first("pre", has="data-check")


def applies(page):
    for patch, _ in exercises(page):
        if not patch.is_file():
            yield "there is no %s" % patch.relative_to(TOP)
            continue
        done = subprocess.run(["git", "apply", "--check", str(patch)], cwd=TOP, capture_output=True, text=True, check=False,
                              env={**os.environ, "GIT_CEILING_DIRECTORIES": str(TOP.parent)})
        if done.returncode != 0:
            yield "%s: %s" % (patch.name, done.stderr.strip())


def patches_used(pages):
    known = {patch.name for page in pages for patch, _ in exercises(page)}
    for patch in sorted((LEARN / "exercises").glob("*")):
        if patch.name not in known:
            yield "no lesson has %s" % patch.name


def attempt(check, workplace, patched):
    """One run of the check command; what is wrong with how it ended."""
    code, output, left = workplace.run(command_text(check), SECONDS_MOST)
    state = "with the patch" if patched else "on the unchanged code"
    for number, words in left:
        yield "%s: left running: %d %s" % (state, number, words)
    if code is None:
        yield "%s: not over after %d s: %s" % (state, SECONDS_MOST, indented(tail(output)))
    elif (code == 0) != patched:
        yield "%s: exit code %d: %s" % (state, code, indented(tail(output)))


def tried(patch, check, workplace):
    reason = missing(check)
    if reason:
        raise Skip(reason)
    yield from attempt(check, workplace, False)
    done = workplace.git("apply", str(patch))
    if done.returncode != 0:
        yield "%s: %s" % (patch.name, done.stderr.strip())
        return
    yield from attempt(check, workplace, True)
