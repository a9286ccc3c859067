"""Memory and descriptors of a process and all below it, each second, and a drawing of them.

Memory is what the processes wrote themselves, Pss_Anon + Pss_Shmem of smaps_rollup (proc_pid_smaps(5), Linux 5.4). Pss
and Rss are written down, too, but they also have the pages of programs and libraries: those count less while other
programs map them, so they go up and down with what else runs on the machine.
"""

import contextlib
import os
import shutil
import subprocess
import threading
import time

from servers import family

PLOT = """set terminal svg size 720,420 font "sans-serif,12" background "white"
set output "%(name)s.svg"
set title "zcserve, %(title)s: memory and descriptors under constant load"
set xlabel "seconds"
set ylabel "own memory, MiB"
set y2label "descriptors"
set yrange [0:*]
set y2range [0:*]
set y2tics
set ytics nomirror
set grid
set key below
plot "%(name)s.tsv" using 1:($2/1024) with lines lw 2 title "all processes", \\
     "" using 1:($4/1024) with lines lw 2 title "supervisor", \\
     "" using 1:3 axes x1y2 with lines title "descriptors of all"
"""


class Sample:
    """One moment. rows: dicts of pid, name, memory, pss, rss (KiB) and descriptors, one for each process."""

    def __init__(self, seconds, rows, supervisor):
        self.seconds, self.rows = seconds, rows
        self.supervisor = sum(row["memory"] for row in rows if row["pid"] == supervisor)

    def memory(self):
        return sum(row["memory"] for row in self.rows)

    def descriptors(self):
        return sum(row["descriptors"] for row in self.rows)


def row_of(pid):
    """What /proc says of a process; raises OSError when it has ended."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as file:
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in file if line.endswith(" kB\n")}
    with open("/proc/%d/comm" % pid, encoding="utf-8") as file:
        name = file.read().strip()
    return {"pid": pid, "name": name, "memory": sizes["Pss_Anon"] + sizes["Pss_Shmem"],
            "pss": sizes["Pss"], "rss": sizes["Rss"], "descriptors": len(os.listdir("/proc/%d/fd" % pid))}


class Sampler:
    """`with Sampler(pid) as sampler:` takes a sample each second."""

    def __init__(self, pid):
        self.pid, self.samples, self.stop = pid, [], threading.Event()
        self.thread = threading.Thread(target=self.live, daemon=True)

    def live(self):
        began = time.monotonic()
        while not self.stop.wait(1):
            rows = []
            for pid in family(self.pid):
                with contextlib.suppress(OSError, KeyError):
                    rows.append(row_of(pid))
            self.samples.append(Sample(time.monotonic() - began, rows, self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def draw(samples, name, title):
    """NAME.tsv: seconds, memory and descriptors of all, memory of the supervisor. NAME.processes.tsv: each process. NAME.svg."""
    with open(name + ".tsv", "w", encoding="ascii") as file:
        for one in samples:
            file.write("%.1f\t%d\t%d\t%d\n" % (one.seconds, one.memory(), one.descriptors(), one.supervisor))
    with open(name + ".processes.tsv", "w", encoding="utf-8") as file:
        file.write("seconds\tpid\tname\tmemory\tpss\trss\tdescriptors\n")
        for one in samples:
            for row in one.rows:
                file.write("%.1f\t%s\n" % (one.seconds, "\t".join(map(str, row.values()))))
    if not shutil.which("gnuplot"):
        print("  no plot: there is no gnuplot")
        return
    subprocess.run(["gnuplot"], input=PLOT % {"name": name, "title": title.replace("_", "\\\\_")}, text=True, check=True)
