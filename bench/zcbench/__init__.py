"""What bench/run is made of.

    works        what is measured, and the bars that zcserve must reach
    servers      who is measured: configuration, start, stop
    counters     what the kernel counted: CPU time, memory, system calls
    clients      who asks: wrk, and small clients of our own
    checks       measurements that are not a load: memory, start, idle connections, many files
    environment  where it was measured
    report       tables, JSON and CSV
"""


class CannotRun(Exception):
    """The benchmark could not be run (a figure that is too high is never a reason)."""
