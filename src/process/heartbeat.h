/*
 * The watch on processes that do not move.
 */
#ifndef ZCSERVE_PROCESS_HEARTBEAT_H
#define ZCSERVE_PROCESS_HEARTBEAT_H

#include "process/supervision.h"

/* A signal has stopped the process (true), or it goes on (false). */
void heartbeat_stopped(struct supervised *process, bool stopped, uint64_t now_ns);

/*
 * Marks processes that are late, so that others accept for them, and ends those that hang. Returns
 * when to call it again.
 */
uint64_t heartbeat_take_turn(struct supervision *s, uint64_t now_ns);

/*
 * Returns the state of a process from the text of /proc/PID/stat (proc(5)): 'R' it runs, 'S' it
 * sleeps, 'D' it waits for a disk; '\0' when the text is something else. The name of the process,
 * which comes before the state, may contain any byte.
 */
char heartbeat_state(const char *stat_text);

#endif
