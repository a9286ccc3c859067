/*
 * Forbids system calls with a seccomp filter (seccomp(2)), as container engines do. It is for this process
 * and its children and cannot be undone, so call it in a child.
 */
#ifndef ZCSERVE_TEST_FORBID_H
#define ZCSERVE_TEST_FORBID_H

/* From now on the call with this number (SYS_…) fails with `error`. Returns 0 or -errno. */
int forbid_call(long number, int error);

/* Forbids openat2(2), as an old container does. Fails the test when that is not possible. */
void forbid_openat2(void);

#endif
