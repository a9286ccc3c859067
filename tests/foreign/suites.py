"""Gets the tests of other projects, which come with the sources of Debian's packages: the packages themselves leave
them out. apt checks what it fetches by Debian's signatures. Nothing is installed, and no source of this machine's
apt is changed.
"""

import os
import shutil
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.normpath(os.path.join(HERE, "..", ".."))
SUITE = "trixie"  # the tables of differences are made with its versions, also on Debian 12
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SECONDS_MAX = 180


class Unobtainable(Exception):
    """Why a suite cannot be had here."""


def place():
    return os.path.join(os.environ.get("BUILD") or os.path.join(TOP, "build"), "foreign")


def source(name):
    """The directory of an unpacked source; it is kept below $(BUILD)."""
    target = os.path.join(os.path.abspath(place()), name)
    if not os.path.isdir(target):
        unpack(download(name), target)
    return target


def download(name):
    """Fetches the tarball of upstream and gives its path."""
    apt = shutil.which("apt-get")
    if not apt:
        raise Unobtainable("there is no apt-get")
    directory = os.path.join(os.path.abspath(place()), "apt")
    got = os.path.join(directory, "got-" + name)
    for each in ("lists/partial", "cache/archives/partial", os.path.basename(got)):
        os.makedirs(os.path.join(directory, each), exist_ok=True)
    options = options_of(directory)
    if not os.path.exists(os.path.join(directory, "updated")):
        run([apt, *options, "update"], directory)
        with open(os.path.join(directory, "updated"), "w", encoding="ascii"):
            pass
    run([apt, *options, "source", "--download-only", "--tar-only", name], got)
    found = [each for each in os.listdir(got) if ".orig.tar." in each and not each.endswith(".asc")]
    if len(found) != 1:
        raise Unobtainable("apt-get brought %s" % (", ".join(sorted(os.listdir(got))) or "nothing"))
    return os.path.join(got, found[0])


def options_of(directory):
    """apt with lists, cache and sources of its own."""
    mirror = run([os.path.join(TOP, ".ci", "deps"), "--mirror"], directory).strip()
    sources = os.path.join(directory, "foreign.sources")
    with open(sources, "w", encoding="utf-8") as file:
        file.write("Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n" % (mirror, SUITE))
        if os.path.exists(KEYRING):
            file.write("Signed-By: %s\n" % KEYRING)
    known = {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null",
             "Dir::State::Lists": os.path.join(directory, "lists"), "Dir::Cache": os.path.join(directory, "cache"),
             "APT::Sandbox::User": "root", "Acquire::Languages": "none"}
    return [part for name, value in known.items() for part in ("-o", "%s=%s" % (name, value))]


def run(command, directory):
    try:
        done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=SECONDS_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unobtainable(str(error)) from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("E:")] or ["exit code %d" % done.returncode]
        raise Unobtainable("%s: %s" % (os.path.basename(command[0]), lines[0]))
    return done.stdout


def unpack(archive, target):
    """Unpacks what is below the archive's one directory."""
    begun = target + ".new"
    shutil.rmtree(begun, ignore_errors=True)
    with tarfile.open(archive) as tar:
        wanted = [each for each in tar.getmembers() if "/tests/" in each.name and (each.isfile() or each.isdir())
                  and not each.name.startswith("/") and ".." not in each.name.split("/")]
        tar.extractall(begun, wanted)
    inner = os.listdir(begun)
    os.rename(os.path.join(begun, inner[0]), target)
    os.rmdir(begun)
