"""What bench/run is made of.

    works        what is measured: works (loads) and checks (everything else)
    peers        how each server is configured, whole
    servers      who is measured: programs, start, stop
    site         the files that are served, and lists of what is asked for
    clients      who asks: wrk, ab, h2load, bench/pace, and small clients of our own
    answers      is it the right answer?
    counters     what the kernel counted: CPU time, memory, system calls, switches
    readings     what the tools said, read
    loads        one run of a work
    checks       start, idle and slow connections, many files, workers; cold; tails; crosscheck
    environment  where it was measured
    results      what was measured, as tables; bars: what zcserve must show; compare: two runs
    report       for a terminal; prose, plots and page: for a browser
"""


class CannotRun(Exception):
    """The benchmark could not be run (a figure that is too high is never a reason)."""
