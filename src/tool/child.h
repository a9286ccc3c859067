/* Runs a command, passes its output on, and keeps the end of that output. */
#ifndef ZCSERVE_CHILD_H
#define ZCSERVE_CHILD_H

#include <stddef.h>

#define CHILD_KEPT_MAX (256U << 10) /* how many of the last bytes of its output are kept */

struct child {
    /* its exit code; 128 + N when signal N ended it; 126 or 127 when it could not be started */
    int code;
    /* the time from its start to its end; the CPU time of it and its children */
    double seconds, user_seconds, system_seconds;
    char *output; /* the end of both its outputs, and a NUL */
    size_t length;
};

/*
 * Starts `command` (NULL after its last argument, found by PATH), and waits until it has ended and
 * all processes have closed its outputs. Its standard output goes to descriptor `out`, its standard
 * error to ours. INT, TERM and QUIT are passed on to it, and do not end this process. Returns 0, or
 * -errno when no process could be started; `code` shows when the program could not be executed.
 * child_free() frees `output`.
 */
int child_run(char *const *command, int out, struct child *child);
void child_free(struct child *child);

#endif
