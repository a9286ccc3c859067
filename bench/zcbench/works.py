"""What is measured: loads (works), other checks, and the bars that zcserve must reach."""

from dataclasses import dataclass

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Work:
    """A file asked for again and again over kept connections."""
    name: str
    title: str
    file_bytes: int
    connections: int = 64
    pipelined: int = 1
    floor_mode: str = "memory"
    servers: tuple = ("floor", "zcserve", "zcserve+uring", "nginx", "nginx+tuned")

    @property
    def file_name(self):
        return f"{self.file_bytes}.txt"


@dataclass(frozen=True)
class Check:
    """A measurement of another kind; zcbench.checks has a function of the same name."""
    name: str
    title: str
    seconds: float  # it takes about so long, for the time left
    servers: tuple = ("zcserve", "nginx")


@dataclass(frozen=True)
class Bar:
    """figure of zcserve (or of subject), over the same figure of against, compared with target."""
    work: str
    figure: str
    text: str
    target: float | None = None  # None: shown, not judged
    against: str = ""            # "": the figure itself, no ratio
    subject: str = "zcserve"
    least: bool = False          # the target is a minimum, not a maximum
    unit: str = ""


WORKS = (
    Work("small", "100 bytes, 64 connections", 100,
         servers=("floor", "zcserve", "zcserve+uring", "nginx", "nginx+tuned", "zcserve+log",
                  "nginx+log")),
    Work("pipelined", "100 bytes, 16 pipelined, 64 connections", 100, pipelined=16),
    Work("memory64k", "64 KiB from memory, 64 connections", 64 * KIB),
    Work("sendfile1m", "1 MiB by sendfile, 64 connections", MIB, floor_mode="sendfile"),
)

CHECKS = (
    Check("worker_memory", "memory of a worker at start", 1, ("zcserve", "zcserve+uring", "nginx")),
    Check("start", "start to first answer", 1.5, ("floor", "zcserve", "nginx")),
    Check("idle_connections", "memory of idle connections", 2,
          ("zcserve", "zcserve+uring", "nginx")),
    Check("many_files", "100,000 files served uniformly, twice", 13, ("zcserve", "nginx")),
)

MANY_FILES_BUDGET = 16 * MIB  # zcserve's cache.size in that check

CPU, RATE = "cpu_us_per_request", "requests_per_second"

BARS = (
    Bar("small", CPU, "100 B: CPU per request, to floor", 1.20, "floor"),
    Bar("small", CPU, "100 B: CPU per request, to nginx", 0.8, "nginx"),
    Bar("small", CPU, "100 B: CPU per request, to nginx tuned for it", None, "nginx+tuned"),
    Bar("pipelined", CPU, "16 pipelined: CPU per request, to floor", 3, "floor"),
    Bar("pipelined", RATE, "16 pipelined: requests/s, to nginx", 25, "nginx", least=True),
    Bar("pipelined", RATE, "16 pipelined: requests/s, to nginx tuned for it", None, "nginx+tuned",
        least=True),
    Bar("memory64k", CPU, "64 KiB: CPU per request, to floor", 1.15, "floor"),
    Bar("memory64k", CPU, "64 KiB: CPU per request, to nginx", 0.85, "nginx"),
    Bar("memory64k", CPU, "64 KiB: CPU per request, to nginx tuned for it", None, "nginx+tuned"),
    Bar("sendfile1m", CPU, "1 MiB: CPU per request, to floor", 1.2, "floor"),
    Bar("sendfile1m", CPU, "1 MiB: CPU per request, to nginx", 0.5, "nginx"),
    Bar("sendfile1m", CPU, "1 MiB: CPU per request, to nginx tuned for it", None, "nginx+tuned"),
    Bar("small", CPU, "access log on, to off: CPU per request", 1.08, "zcserve", "zcserve+log"),
    Bar("worker_memory", "pss_bytes", "worker at start, proportional memory", 4 * MIB, unit="MiB"),
    Bar("start", "milliseconds", "start to first answer", 50, unit="ms"),
    Bar("idle_connections", "bytes_per_connection", "idle connection, memory of the server", 256,
        unit="B"),
    Bar("many_files", "growth_bytes", "100,000 files: growth (cache.size = 16m)",
        MANY_FILES_BUDGET, unit="MiB"),
)

BY_NAME = {each.name: each for each in WORKS + CHECKS}
SERVER_NAMES = ("floor", "zcserve", "zcserve+uring", "zcserve+log", "nginx", "nginx+tuned",
                "nginx+log")
