"""What the kernel counted: CPU time, memory, context switches, load of CPUs, system calls."""

import os
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import readings

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def descriptors_max():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def descriptors_raise():
    """Raises the limit of descriptors as far as allowed: for our clients, and the servers, which inherit it."""
    hard = descriptors_max()
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def stat_fields(pid):
    """Returns the fields of /proc/PID/stat after the name, which may have spaces: state, ppid, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(leader):
    """Returns the ids of all processes of a server: those of its session, and their children."""
    found = {leader}
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            fields = stat_fields(pid)
        except OSError:
            continue
        if int(fields[3]) == leader or int(fields[1]) in found:
            found.add(pid)
    return sorted(found)


@dataclass
class CpuTime:
    """CPU seconds: run is exact (the scheduler's ns); user and system are split by ticks."""
    run: float = 0
    user: float = 0
    system: float = 0

    def __sub__(self, before):
        return CpuTime(self.run - before.run, self.user - before.user, self.system - before.system)


def cpu_clock(pid):
    """Returns the CPU clock of a process, as clock_getcpuclockid(3) does: all threads, ended ones too."""
    return (~pid << 3) | 2


def cpu_time(pids):
    """Returns the CPU time of all these processes, with the kernel threads that work for them (io_uring)."""
    total = CpuTime()
    for pid in pids:
        fields = stat_fields(pid)
        total.user += int(fields[11]) / TICKS_PER_SECOND
        total.system += int(fields[12]) / TICKS_PER_SECOND
        total.run += time.clock_gettime_ns(cpu_clock(pid)) / 1e9
    return total


def switches(pids):
    """Returns the context switches of all threads of these processes, voluntary and involuntary."""
    total = 0
    for pid in pids:
        for status in Path(f"/proc/{pid}/task").glob("*/status"):
            for line in status.read_text().splitlines()[-2:]:
                total += int(line.split()[1]) if "ctxt_switches" in line else 0
    return total


def cpu_busy(cpus):
    """Returns, since boot, the seconds that these CPUs were busy and that the hypervisor took from them."""
    busy = stolen = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *values = line.split()
        if name in {f"cpu{cpu}" for cpu in cpus}:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, values[:8])
            busy += user + nice + system + irq + softirq
            stolen += steal
    return busy / TICKS_PER_SECOND, stolen / TICKS_PER_SECOND


def pss_bytes(pid):
    """Returns proportional memory: private pages, and shared pages divided by the number of sharers."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def pss_all(pids):
    return {pid: pss_bytes(pid) for pid in pids}


class SyscallCounter:
    """Counts with perf. `reason` says why it cannot; it is empty when it can."""

    EVENT = "raw_syscalls:sys_enter"

    def __init__(self):
        self.program = shutil.which("perf")
        self.reason = self._reason() if self.program else "perf is not installed"

    def _reason(self):
        tried = subprocess.run([self.program, "stat", "-e", self.EVENT, "true"],
                               capture_output=True, text=True, errors="replace")
        if tried.returncode == 0:
            return ""
        lines = [line.strip() for line in tried.stderr.splitlines() if line.strip()]
        return f"perf may not count {self.EVENT}: {lines[-1] if lines else 'no message'}"

    def wrap(self, command, pids, output):
        """Returns a command that runs `command` and meanwhile counts the system calls of these processes."""
        return [self.program, "stat", "-x", ",", "-o", str(output), "-e", self.EVENT,
                "-p", ",".join(map(str, pids)), "--", *command]

    @staticmethod
    def count(output):
        return readings.perf_read(Path(output).read_text(), SyscallCounter.EVENT)
