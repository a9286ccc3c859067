"""What is measured: works, which are loads of one kind, and checks, which are of other kinds."""

from dataclasses import dataclass, field

KIB, MIB = 1024, 1024 * 1024
RANGES_TOGETHER = 4  # in a request of the work "multipart"

FLOORS = ("floor", "floor+uring")
LOOPS = ("zcserve+epoll", "zcserve+uring")
BLOCKING = ("zcserve+prefork", "zcserve+threadpool")
PEERS = ("nginx", "h2o", "lighttpd", "caddy", "apache")
NEAR = PEERS[:3]  # the peers nearest to zcserve, measured in every work; the others only in some
TUNED = ("nginx+tuned",)  # nginx with other values of sendfile and tcp_nopush than it advises
LOGGED = tuple(f"{name}+log" for name in LOOPS + PEERS)
SITED = tuple(f"{name}+sites" for name in LOOPS)  # ten sites with ten rules each
SERVERS = FLOORS + LOOPS + BLOCKING + PEERS + TUNED + LOGGED + SITED


@dataclass(frozen=True)
class Work:
    """Requests of one kind, as many as the server can answer."""
    name: str
    title: str
    file_bytes: int = 100
    connections: int = 64
    tool: str = "wrk"
    pipelined: int = 1
    requests: str = ""      # the name of a list of requests of zcbench.site; "": one file
    status: int = 200
    close: bool = False     # a new connection for each request
    seconds: float = 1      # of a run; multiplied by --seconds
    by_bytes: bool = False  # requests are counted by the bytes that arrived: few end within a run
    floor_mode: str = "memory"
    nginx_tuned: tuple = () # sendfile, tcp_nopush
    options: dict = field(default_factory=dict, hash=False)
    servers: tuple = FLOORS + LOOPS + PEERS


@dataclass(frozen=True)
class Check:
    """A measurement of another kind; zcbench.checks has a function with its name."""
    name: str
    title: str
    seconds: float  # about how long it takes, to compute the time left
    servers: tuple = LOOPS + PEERS
    repeated: bool = False  # measured as often as a work, in turns; else once


WORKS = (
    Work("c1", "100 bytes, 1 connection", connections=1, servers=FLOORS[:1] + LOOPS + NEAR),
    Work("c8", "100 bytes, 8 connections", connections=8, servers=FLOORS[:1] + LOOPS + NEAR),
    Work("c64", "100 bytes, 64 connections", nginx_tuned=("off", "on"),
         servers=FLOORS + LOOPS + BLOCKING + PEERS + TUNED),
    Work("c512", "100 bytes, 512 connections", connections=512),
    Work("c4096", "100 bytes, 4096 connections", connections=4096,
         servers=FLOORS[:1] + LOOPS + NEAR),
    Work("log", "100 bytes, 64 connections, access log on", servers=LOGGED),
    Work("sites", "100 bytes, 64 connections, with and without ten sites of ten rules each",
         servers=LOOPS + SITED),
    Work("pipelined", "100 bytes, 16 pipelined, 64 connections", pipelined=16,
         nginx_tuned=("off", "on"), servers=FLOORS + LOOPS + PEERS + TUNED),
    Work("close", "100 bytes, a new connection for each request", close=True, tool="ab",
         floor_mode="close", servers=FLOORS[:1] + LOOPS + PEERS),
    Work("4k", "4 KiB, 64 connections", 4 * KIB, tool="h2load", servers=FLOORS[:1] + LOOPS + NEAR),
    Work("64k", "64 KiB, 64 connections, read by the client", 64 * KIB, nginx_tuned=("on", "off"),
         servers=FLOORS[:1] + LOOPS + PEERS + TUNED),
    Work("64kdiscarded", "64 KiB, 64 connections, discarded by the client", 64 * KIB, tool="pace",
         servers=FLOORS[:1] + LOOPS + NEAR),
    Work("1m", "1 MiB, 64 connections, discarded by the client", MIB, tool="pace", floor_mode="sendfile", by_bytes=True,
         nginx_tuned=("on", "off"), servers=FLOORS[:1] + LOOPS + PEERS + TUNED),
    Work("1mread", "1 MiB, 16 connections, read by the client", MIB, connections=16,
         floor_mode="sendfile", by_bytes=True, servers=FLOORS[:1] + LOOPS + NEAR),
    Work("100m", "100 MiB, 4 connections, discarded by the client", 100 * MIB, connections=4, tool="pace",
         floor_mode="sendfile", by_bytes=True, seconds=2, servers=FLOORS[:1] + LOOPS + PEERS),
    Work("100mread", "100 MiB, 4 connections, read by the client", 100 * MIB, connections=4,
         floor_mode="sendfile", by_bytes=True, seconds=2, servers=FLOORS[:1] + LOOPS + NEAR),
    Work("site", "site mix: 30 files of 3 to 300 KB, br and gzip accepted", requests="site",
         servers=LOOPS + PEERS),
    Work("zipf", "100,000 files by Zipf's law, a cache of 16 MiB", requests="zipf",
         options={"cache_size": "16m"}, servers=LOOPS + NEAR),
    Work("ranges", "ranges of 64 KiB to 1 MiB in a 100 MiB file", requests="ranges", status=206,
         by_bytes=True, servers=LOOPS + NEAR),
    Work("multipart", "four of these ranges in each response", requests="multipart", status=206,
         by_bytes=True, servers=LOOPS + NEAR),
    Work("listing", "a listing of 10,000 names", requests="listing", by_bytes=True,
         servers=LOOPS + ("nginx",)),
    Work("304", "conditional requests answered 304", requests="304", status=304,
         servers=LOOPS + NEAR),
)

CHECKS = (
    Check("start", "start to first answer, memory of all its processes then", 1,
          FLOORS[:1] + LOOPS + PEERS),
    Check("idle", "10,000 idle connections beside hot requests; memory of 0 to 10,000", 6.5),
    Check("slow", "10,000 slow readers beside hot requests", 7, LOOPS + NEAR),
    Check("cold", "a cold file on a slow disk beside hot requests", 9, LOOPS + ("nginx",)),
    Check("many_files", "100,000 files served uniformly, twice", 13, ("zcserve+epoll", "nginx")),
    Check("scaling", "one and two workers on the two cores", 6.5),
    Check("tails", "latency against offered load, constant rate", 8.5, repeated=True),
)

BY_NAME = {each.name: each for each in WORKS + CHECKS}


def label(name):
    """Returns the name of a server for people: 'zcserve epoll', 'nginx tuned'."""
    return {"floor": "floor epoll", "floor+uring": "floor io_uring"}.get(
        name, name.replace("+uring", "+io_uring")).replace("+", " ")
