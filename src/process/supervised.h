/*
 * One process under the supervisor: its start and its end.
 */
#ifndef ZCSERVE_PROCESS_SUPERVISED_H
#define ZCSERVE_PROCESS_SUPERVISED_H

#include "zcserve/now.h"
#include "zcserve/supervise.h"

#include <signal.h>

#define SUPERVISED_AT_ONCE_NS NS_PER_SECOND /* a process that ends sooner has failed to start */

/* Returns the signals that the supervisor waits for and blocks. */
sigset_t supervised_signals(void);

/*
 * Ties this process to the supervisor: TERM comes when that dies (PR_SET_PDEATHSIG of prctl(2)).
 * Returns false when it has died already; then no signal comes, and the caller must end. The kernel
 * forgets the tie when the credentials of the process change: then this must be called again.
 */
bool supervised_tie(pid_t supervisor);

/*
 * Starts the process. Returns 0, or -errno when there is no new process, which counts as a failure
 * of it. Returns only in the caller, whose pid is `supervisor`.
 */
int supervised_start(struct supervised *process, pid_t supervisor, uint64_t now_ns);

/*
 * Logs the end of the process, with the `status` of waitpid(2), and sets the time to start it
 * again: now, or after a pause. `wanted`: it was not asked to end.
 */
void supervised_end(struct supervised *process, int status, bool wanted, uint64_t now_ns);

#endif
