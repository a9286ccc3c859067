/* "What did the command do?" Runs a command, lets its output through, and keeps the end of it. */
#ifndef ZCSERVE_CHILD_H
#define ZCSERVE_CHILD_H

#include <stddef.h>

#define CHILD_KEPT_MAX (256U << 10) /* bytes of its output that are kept: the last */

struct child {
    int code; /* its exit code; 128 + N when signal N ended it; 126 or 127 when it could not be started */
    double seconds, user_seconds,
        system_seconds; /* from start to end; the CPU it and its children used */
    char *
        output; /* what it wrote to both its outputs, the last of it; ends with a NUL; child_free */
    size_t length;
};

/*
 * Starts `command` (NULL after its last argument, found by PATH), waits until it and whoever it left its
 * outputs to are done with them. What it writes to its standard output goes to descriptor `out`, what it writes to its standard
 * error to ours. INT and TERM are passed on to it, and do not end this process. 0, or -errno when
 * nothing could be started; that it was no program shows in `code`.
 */
int child_run(char *const *command, int out, struct child *child);
void child_free(struct child *child);

#endif
