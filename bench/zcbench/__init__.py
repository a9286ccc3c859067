"""What bench/run is made of.

    works        what is measured: works (loads) and checks (everything else)
    peers        the complete configuration of each server
    servers      the servers that are measured: their programs, how they start and stop
    site         the files that are served, and the lists of requests
    clients      the load generators wrk, ab, h2load and bench/pace, and small clients of our own
    answers      checks that every response is right
    counters     what the kernel counted: CPU time, memory, system calls, switches
    readings     parses the output of the tools
    loads        one run of a work
    checks       start, idle and slow connections, many files, workers; cold, tails and crosscheck
    environment  the machine on which it was measured
    results      what was measured, as tables; bars: the targets; compare: two runs
    report       tables for a terminal; prose, plots and page: for a browser
"""


class CannotRun(Exception):
    """The benchmark could not be run (a figure that is too high is never a reason)."""
