"""Where it was measured, so that a figure can be judged and repeated."""

import os
import platform
import time
from pathlib import Path

from . import clients, servers


def line_read(path):
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def cpu_model():
    for line in line_read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def mitigations():
    """What the kernel says of each weakness of this CPU that it does something about."""
    directory = Path("/sys/devices/system/cpu/vulnerabilities")
    said = {path.name: line_read(path) for path in sorted(directory.glob("*"))}
    return {name: text for name, text in said.items() if text != "Not affected"}


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def read(programs, syscalls):
    """{name: text or table}; the servers' configurations are added as they are measured."""
    versions = {kind: servers.version(kind, path) for kind, path in sorted(programs.items())}
    versions["wrk"] = servers.version("wrk", clients.wrk_find())
    versions["perf"] = servers.version("perf", syscalls.program) if syscalls.program else "absent"
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "kernel": f"{platform.system()} {platform.release()} {platform.version()}",
        "kernel_command_line": line_read("/proc/cmdline"),
        "mitigations": mitigations(),
        "governor": line_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        "load_average_before": os.getloadavg(),
        "server_cpu": servers.SERVER_CPU,
        "client_cpu": clients.CLIENT_CPU,
        "versions": versions,
    }
