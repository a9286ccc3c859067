"""How a server starts: what it refuses to serve, as which user it runs, who may reach its sockets, and what a
system may forbid it.
"""

import contextlib
import ctypes
import errno
import grp
import os
import platform
import pwd
import re
import stat
import struct
import subprocess

from client import Client, expect
from harness import STARTED, configuration
from stage import require, test, write

# ---- empty values and variables ------------------------------------------------------------------


def conf(stage, *lines):
    place = stage.setting.place("conf")
    os.mkdir(os.path.join(place, "www"))
    path = os.path.join(place, "serve.conf")
    write(path, "".join(line + "\n" for line in lines).encode())
    return path


def expect_refused(stage, says, *arguments, **more):
    for test_only in (["-t"], []):
        code, out, err = stage.setting.run(*test_only, *arguments, **more)
        expect("exit code (%s)" % err, 78, code)
        require(says in err and not STARTED.search(err), "it says %r", err)
        expect("standard output", "", out)


def without(*names):
    return {name: value for name, value in os.environ.items() if name not in names}


@test("an unset variable is refused by its name, wherever it stands: 78", per_model=False)
def unset(stage):
    lines = ('root = "${ZC_SITE}"', 'root = "/srv/${ZC_SITE}"', 'listen = {"127.0.0.1:0", "${ZC_SITE}"}',
             'status = "${ZC_SITE}"', 'error_log = "${ZC_SITE}"', 'mime_types = "${ZC_SITE}"',
             'access_log = "${ZC_SITE}"', 'server = "${ZC_SITE}"', 'include("${ZC_SITE}.conf")',
             'cache { size = "${ZC_SITE}" }', 'unix_socket { mode = "${ZC_SITE}" }',
             'status_hosts = "${ZC_SITE}"')
    for line in lines:
        path = conf(stage, "# ${ZC_OTHER} in a comment is none", 'listen = "127.0.0.1:0"' if "listen" not in line else "",
                    line)
        expect_refused(stage, "serve.conf:3: the environment variable ZC_SITE is not set", "-c", path,
                       env=without("ZC_SITE"))
        expect_refused(stage, "ZC_SITE", "-c", path, "-o", "root=" + os.path.dirname(path),
                       env=without("ZC_SITE"))


@test("an empty value has an answer for every option: 78 where it means nothing", per_model=False)
def empties(stage):
    root = stage.site(a_txt=b"a")
    code, out, err = stage.setting.run("-T", root)
    expect("exit code (%s)" % err, 0, code)
    found, block = [], ""
    for line in out.splitlines():
        opened = re.match(r"(\w+) \{$", line)
        block = opened[1] + "." if opened else "" if line == "}" else block
        option = re.match(r"\s*(\w+) = ", line)
        if option:
            found.append(block + option[1])
    require(len(found) > 40 and "root" in found and "cache.size" in found, "options: %s", found)
    may = {"server", "mime_types", "sidecars", "status_hosts", "unix_socket.mode",
           "unix_socket.owner", "unix_socket.group", "trusted", "compress.codings", "limits.exempt",
           "sandbox.directories"}
    for name in found:
        others = ([] if name == "root" else [root]) + ([] if name == "listen" else ["-p", "0"])
        code, _, err = stage.setting.run("-t", *others, "-o", name + "=", cwd=root)
        expect("exit code of %s= (%s)" % (name, err), 0 if name in may else 78, code)
        require(name in may or (err.startswith("-o: " + name + " = ''") and "must be" in err), "it says %r", err)


@test("an empty root is not the current directory: 78", per_model=False)
def empty_root(stage):
    for line, environment in (('root = ""', {}), ('root = "${ZC_SITE}"', {"ZC_SITE": ""}),
                              ('root = "${ZC_SITE:-}"', {}), ("root = ''", {})):
        path = conf(stage, line, 'listen = "127.0.0.1:0"')
        expect_refused(stage, "serve.conf:1: root = '': must be a path that is not empty", "-c", path,
                       cwd=os.path.dirname(path), env=dict(without("ZC_SITE"), **environment))
    expect_refused(stage, "-o: root = ''", "-p", "0", "-o", "root=", cwd=stage.site())
    for arguments in (("-c", ""), ("",)):
        code, _, err = stage.setting.run(*arguments, cwd=stage.site())
        expect("exit code", 2, code)
        require("empty" in err, "it says %r", err)


# ---- as whom ------------------------------------------------------------------------------------

@contextlib.contextmanager
def started(stage, *arguments, **more):
    """The program, as the user who runs the tests: (process, what it said up to its start line)."""
    process = subprocess.Popen([stage.setting.binary, *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)
    with watched(stage, process) as said:
        yield process, said


@contextlib.contextmanager
def started_as_usual(stage, options, **more):
    """The same as the server's user, with a configuration."""
    options = {"root": stage.site(a_txt=b"a"), "model": stage.model, "workers": 1, **options}
    file = os.path.join(stage.setting.place("conf"), "serve.conf")
    write(file, configuration(options).encode())
    process = stage.setting.program("-c", file, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                    **more)
    with watched(stage, process) as said:
        yield process, said


@contextlib.contextmanager
def watched(stage, process):
    said = ""
    try:
        for line in process.stderr:
            said += line
            if STARTED.search(line):
                break
        require(STARTED.search(said), "it did not start: %r", said)
        yield said
        process.terminate()
        said = process.stderr.read()
        expect("exit code (%s)" % said, 0, process.wait(stage.seconds(8)))
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@test("started as root it warns, in one line with the remedy; as another user it does not", per_model=False)
def as_root(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root) as server:
        expect("warnings as another user", [],
               [line for line in server.lines if "root" in line and " warn " in line])
    if os.geteuid() != 0:
        return
    place = stage.setting.place("err")
    errors = os.path.join(place, "errors")
    os.chmod(os.path.dirname(root), 0o700)  # nobody cannot pass it, so the processes stay root
    with started(stage, "-p", "0", root) as (_, said):
        lines = [line for line in said.splitlines() if " warn " in line and "serving as root" in line]
        expect("warnings as root", 1, len(lines))
        require("User=" in lines[0] and "CAP_NET_BIND_SERVICE" in lines[0], "it says %r", lines[0])
    run = subprocess.run([stage.setting.binary, "-t", root], capture_output=True, text=True, timeout=30)
    expect("as a test: %s" % run.stderr, False, "as root" in run.stderr)
    require(not os.path.exists(errors), "a file was made")


@test("without the guard of a lesson it serves, and warns; with it, it does not")
def disk_guard(stage):
    root = stage.site(a_txt=b"a", large_bin=bytes(1 << 20))
    for guard, warnings in (("off", 1), ("on", 0)):
        with stage.server(root, {"lesson.disk_guard": guard, "cache.file_max": "4k"}) as server:
            said = [line for line in server.lines if "lesson.disk_guard is off" in line and " warn " in line]
            expect("warnings, disk_guard = %s" % guard, warnings, len(said))
            expect("status", 200, server.get("/a.txt").status)
            expect("length", 1 << 20, len(server.get("/large.bin").content))


# ---- who may reach a Unix socket ------------------------------------------------------------------

def socket_options(stage, **more):
    path = os.path.join(stage.setting.place("unix"), "socket")
    options = {"listen": ["unix:" + path]}
    options.update({"unix_socket." + name: value for name, value in more.items()})
    return path, options


@test("the file of a Unix socket has the mode of the option, whatever the umask; status too", per_model=False)
def unix_mode(stage):
    for mode in ("0660", "0600", "0777", "666", "0222"):
        path, options = socket_options(stage, mode=mode)
        options["status"] = "unix:" + path + ".status"
        with started_as_usual(stage, options, umask=0o077):
            for each in (path, path + ".status"):
                expect("mode of %s" % mode, int(mode, 8), stat.S_IMODE(os.stat(each).st_mode))
            with Client(path, stage.seconds(5)) as client:
                expect("content", b"a", client.get("/a.txt").content)
        require(not os.path.exists(path), "the file is left behind")


@test("without the option a Unix socket has what the umask leaves", per_model=False)
def unix_umask(stage):
    path, options = socket_options(stage)
    with started_as_usual(stage, options, umask=0o027):
        expect("mode", 0o750, stat.S_IMODE(os.stat(path).st_mode))


@test("the file of a Unix socket gets owner and group, by name or number, before anybody can connect",
      per_model=False)
def unix_owner(stage):
    if os.geteuid() != 0:
        return  # only root may give files away
    someone = pwd.getpwnam("daemon")
    for owner, group in (("daemon", grp.getgrgid(someone.pw_gid).gr_name), ("1234", "4321"),
                         ("", "4321"), ("1234", "")):
        path, options = socket_options(stage, mode="0640", owner=owner, group=group)
        options.update({"root": stage.site(a_txt=b"a"), "model": stage.model, "workers": 1})
        file = path + ".conf"
        write(file, configuration(options).encode())
        with started(stage, "-c", file):
            found = os.stat(path)
            wanted = ({"daemon": someone.pw_uid, "": 0}.get(owner, 1234),
                      {"": 0, "4321": 4321}.get(group, someone.pw_gid))
            expect("owner and group", wanted, (found.st_uid, found.st_gid))
            expect("mode", 0o640, stat.S_IMODE(found.st_mode))
            with Client(path, stage.seconds(5)) as client:
                expect("content", b"a", client.get("/a.txt").content)


@test("a wrong mode, owner or group is told with its line: 78", per_model=False)
def unix_wrong(stage):
    for name, value, says in (("mode", "rw", "octal"), ("mode", "0888", "octal"), ("mode", "1777", "octal"),
                              ("mode", "17777", "octal"), ("mode", "-1", "octal"), ("mode", "0o660", "octal"),
                              ("mode", "60", "octal"), ("owner", "no-such-user", "no user"),
                              ("owner", "99999999999", "no user"), ("owner", "4294967295", "no user"),
                              ("group", "no-such-group", "no group"), ("group", "-5", "no group")):
        path = conf(stage, 'root = "www"', 'listen = "unix:socket"', 'unix_socket { %s = "%s" }' % (name, value))
        expect_refused(stage, "serve.conf:3: unix_socket.%s: " % name, "-c", path)
        _, _, err = stage.setting.run("-t", "-c", path)
        require(says in err and value in err, "it says %r", err)


@test("an owner that may not be given: 1, with the remedy, and no file is left", per_model=False)
def unix_not_allowed(stage):
    path, options = socket_options(stage, owner="root" if stage.setting.user else "1", mode="0600")
    if os.geteuid() == 0 and stage.setting.user is None:
        return
    options["root"] = stage.site(a_txt=b"a")
    file = path + ".conf"
    write(file, configuration(options).encode())
    code, _, err = stage.setting.run("-c", file)
    expect("exit code (%s)" % err, 1, code)
    require(path in err and "CAP_CHOWN" in err, "it says %r", err)
    require(not os.path.exists(path), "the file is left behind")


# ---- what a system forbids ------------------------------------------------------------------------

NUMBERS = {"x86_64": (0xc000003e, 425), "aarch64": (0xc00000b7, 425)}
CALLS = ("io_uring_setup", "io_uring_enter", "io_uring_register")  # numbered so, one after the other


def forbid(call, error):
    """To be run in a child before it becomes the server: a seccomp filter as container engines set one."""
    number = NUMBERS[platform.machine()][1] + CALLS.index(call)
    steps = [(0x20, 0, 0, 0),                  # the number of the call
             (0x15, 0, 1, number),             # is it this one?
             (0x06, 0, 0, 0x00050000 | error),  # then this error
             (0x06, 0, 0, 0x7fff0000)]         # else go on
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    space = ctypes.create_string_buffer(code)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(space)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, program) != 0:
        os._exit(99)


def forbidding(call, error):
    return lambda: forbid(call, error)


def has_ring(stage):
    """As the user who runs the tests: others share the memory that the server's user may lock."""
    run = subprocess.run([stage.setting.binary, "-t", "-m", "io_uring", stage.site()], capture_output=True,
                         timeout=30)
    return run.returncode == 0 and platform.machine() in NUMBERS


@test("io_uring forbidden: each of its calls is named, and by what; auto takes epoll with one clear line",
      per_model=False)
def ring_forbidden(stage):
    if not has_ring(stage):
        return
    root = stage.site(a_txt=b"a")
    for call in CALLS:
        for error in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            what = "%s, %s" % (call, errno.errorcode[error])
            run = subprocess.run([stage.setting.binary, "-m", "io_uring", "-p", "0", root], capture_output=True,
                                 text=True, timeout=30, preexec_fn=forbidding(call, error))
            expect("exit code of %s (%s)" % (what, run.stderr), 1, run.returncode)
            lines = [line for line in run.stderr.splitlines() if " error " in line]
            expect("lines of " + what, 1, len(lines))
            first_and_unknown = call == "io_uring_setup" and error == errno.ENOSYS
            require(call in lines[0] and "Timer" not in lines[0] and "seccomp" in lines[0]
                    and "model = epoll" in lines[0], "%s: it says %r", what, lines[0])
            require(first_and_unknown == ("Linux 6.0" in lines[0]), "%s: it says %r", what, lines[0])
            with started(stage, "-m", "auto", "-p", "0", root, preexec_fn=forbidding(call, error)) as (_, said):
                chosen = [line for line in said.splitlines() if "epoll was chosen" in line]
                require(len(chosen) == 1 and call in chosen[0], "%s: it says %r", what, said)
                require("(model epoll" in said, "%s: it says %r", what, said)
                found = STARTED.search(said)
                with Client((found[1], int(found[2])), stage.seconds(5)) as client:
                    expect("content", b"a", client.get("/a.txt").content)
