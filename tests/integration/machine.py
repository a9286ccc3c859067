"""What the program may lack on a machine, in a login or under a supervisor: standard descriptors, a home, rights."""

import os

from client import expect
from stage import require, test

STANDARD = (0, 1, 2)


def descriptor(pid, number):
    return os.readlink("/proc/%d/fd/%d" % (pid, number))


def closing(*numbers):
    """For /bin/sh, which then becomes the program: `exec "$0" "$@"` without these descriptors."""
    return 'exec "$0" "$@" ' + " ".join("%d>&-" % number for number in numbers)


@test("started without standard descriptors: no connection, file or log takes their numbers")
def no_standard_descriptors(stage):
    """Else what is written to standard error would be sent to a client."""
    said = os.path.join(stage.setting.place("log"), "error.log")
    options = {"error_log": said, "log_level": "debug"}
    with stage.server(stage.site(a_txt=b"12345"), options, through=closing(*STANDARD)) as server:
        with server.client() as client:
            for _ in range(3):
                expect("content", b"12345", client.get("/a.txt").content)
            for pid in (server.pid, *server.workers()):
                expect("descriptors of %d" % pid, ["/dev/null"] * 3, [descriptor(pid, each) for each in STANDARD])


@test("started without standard error alone", per_model=False)
def no_standard_error(stage):
    """Its own words must go nowhere, not to whatever was opened next."""
    said = os.path.join(stage.setting.place("log"), "error.log")
    with stage.server(stage.site(a_txt=b"12345"), {"error_log": said}, through=closing(2)) as server:
        expect("content", b"12345", server.get("/a.txt").content)
        expect("standard error", "/dev/null", descriptor(server.pid, 2))
        require(os.path.getsize(said) > 0, "nothing in the error log")
