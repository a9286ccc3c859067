/*
 * Trace points (USDT) for bpftrace, perf and gdb. A trace point that is not in use is a nop; its
 * arguments are in registers, or cost a move. Scripts in bench/trace/ use them. Times are in ns.
 *
 *      request_start  worker, fd, bytes
 *                     bytes came, and no request had begun before
 *      resolve        worker, fd, kind, path, length
 *                     the store returned a result of this kind (enum resolution_kind)
 *      first_byte     worker, fd, answers
 *                     the kernel took the first byte of so many responses
 *      request_done   worker, fd, status | source << 16, total, path, length
 *                     a response ended, and the request took `total`
 *      phases         queue, head, resolve, first byte, send
 *                     how long each phase of a complete response took
 *      stall          worker, ns
 *                     a turn of an event loop took longer than 10 ms
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
