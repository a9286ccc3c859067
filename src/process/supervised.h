/*
 * One process under the supervisor: how it begins, and how its end is taken.
 */
#ifndef ZCSERVE_PROCESS_SUPERVISED_H
#define ZCSERVE_PROCESS_SUPERVISED_H

#include "zcserve/now.h"
#include "zcserve/supervise.h"

#include <signal.h>

#define SUPERVISED_AT_ONCE_NS NS_PER_SECOND /* a process that ends sooner has failed to start */

/* The signals that the supervisor waits for, all blocked in it. */
sigset_t supervised_signals(void);

/*
 * Starts it: 0, or -errno when there is no new process, which counts as a failure. Returns in the
 * caller only; `supervisor` is the caller's pid.
 */
int supervised_start(struct supervised *process, pid_t supervisor, uint64_t now_ns);

/*
 * It was waited for and `status` is how it ended: logged, and the time to start it again set, at once
 * or after a back-off. `wanted`: nobody had asked it to end.
 */
void supervised_end(struct supervised *process, int status, bool wanted, uint64_t now_ns);

#endif
