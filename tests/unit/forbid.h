/*
 * Forbids system calls with a seccomp filter (seccomp(2)), as container engines do. It is for this process
 * and its children and cannot be undone, so call it in a child.
 */
#ifndef ZCSERVE_TEST_FORBID_H
#define ZCSERVE_TEST_FORBID_H

/* The call of this number (SYS_…) fails with `error` from now on. 0 or -errno. */
int forbid_call(long number, int error);

/* No openat2(2), as in an old container; the test fails when that cannot be had. */
void forbid_openat2(void);

#endif
