/* Tries in a child process what could not be taken back in this one. */
#ifndef ZCSERVE_CONFINE_ATTEMPT_H
#define ZCSERVE_CONFINE_ATTEMPT_H

/*
 * Returns what `attempted` returns in a child process: 0 or -errno, which fits into an exit code.
 * The child is waited for. Also returns -errno when there is no child.
 */
int attempt(int (*attempted)(const void *of), const void *of);

#endif
