/*
 * Points at which a tracer may look in (USDT: bpftrace, perf, gdb). One that nobody looks at is a nop; what it
 * would show lies in registers or costs a move. bench/trace/ has scripts that use them.
 *
 *      request_start  worker, fd, bytes                   bytes came, and a request had not begun before
 *      resolve        worker, fd, kind, path, length      the store has answered (enum resolution_kind)
 *      first_byte     worker, fd, answers                 the kernel took the first byte of so many answers
 *      request_done   worker, fd, status | source << 16, total, path, length    all in ns; the answer ended
 *      phases         queue, head, resolve, first byte, send                    …and how long each took
 *      stall          worker, ns                          a turn of an event loop took longer than 10 ms
 */
#ifndef ZCSERVE_WORKER_PROBE_H
#define ZCSERVE_WORKER_PROBE_H

#include <sys/sdt.h>

#define PROBE_STALL_NS (10 * NS_PER_MS)

#define PROBE_REQUEST_START(worker, fd, bytes) \
    DTRACE_PROBE3(zcserve, request_start, worker, fd, bytes)
#define PROBE_RESOLVE(worker, fd, kind, path) \
    DTRACE_PROBE5(zcserve, resolve, worker, fd, kind, (path).base, (path).length)
#define PROBE_FIRST_BYTE(worker, fd, answers) \
    DTRACE_PROBE3(zcserve, first_byte, worker, fd, answers)
#define PROBE_REQUEST_DONE(worker, fd, status, source, total_ns, path)                    \
    DTRACE_PROBE6(zcserve, request_done, worker, fd, (status) | (source) << 16, total_ns, \
                  (path).base, (path).length)
#define PROBE_PHASES(queue_ns, head_ns, resolve_ns, first_ns, send_ns) \
    DTRACE_PROBE5(zcserve, phases, queue_ns, head_ns, resolve_ns, first_ns, send_ns)
#define PROBE_STALL(worker, ns) DTRACE_PROBE2(zcserve, stall, worker, ns)

#endif
