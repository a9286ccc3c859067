"""The machine on which it was measured, so that a figure can be judged and repeated."""

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

from . import clients, servers

TOOLS = ("wrk", "h2load", "ab", "perf", "gnuplot")
SYSCTLS = ("net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
           "net.ipv4.ip_local_port_range", "kernel.io_uring_disabled", "vm.overcommit_memory")


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
    """Returns what the kernel says about each vulnerability that affects this CPU."""
    directory = Path("/sys/devices/system/cpu/vulnerabilities")
    said = {path.name: line_read(path) for path in sorted(directory.glob("*"))}
    return {name: text for name, text in said.items() if text != "Not affected"}


def virtual():
    """Returns the hypervisor, as far as it shows itself."""
    flags = line_read("/proc/cpuinfo")
    vendor = line_read("/sys/class/dmi/id/sys_vendor")
    return f"virtual machine {vendor}".strip() if " hypervisor" in flags else "no"


def system_name():
    for line in line_read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown"


def commit():
    said = subprocess.run(["git", "-C", str(servers.TOP), "describe", "--always", "--dirty"],
                          capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def versions_read(programs):
    found = {kind: servers.version(kind, path) for kind, path in sorted(programs.items())}
    for tool in TOOLS:
        program = shutil.which(tool)
        found[tool] = servers.version(tool, program) if program else "absent"
    return found


def read(programs):
    """Returns {name: text or table}. The configurations of servers are added when they are measured."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": commit(),
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "virtual": virtual(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": system_name(),
        "kernel": f"{platform.system()} {platform.release()} {platform.version()}",
        "kernel_command_line": line_read("/proc/cmdline"),
        "sysctls": {name: line_read("/proc/sys/" + name.replace(".", "/")).replace("\t", " ")
                    for name in SYSCTLS},
        "mitigations": mitigations(),
        "governor": line_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        "load_average_before": os.getloadavg(),
        "server_cpu": servers.SERVER_CPU,
        "client_cpu": clients.CLIENT_CPU,
        "versions": versions_read(programs),
        "configurations": {},
    }
