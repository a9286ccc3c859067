/*
 * Explains why io_uring does not work here. Containers and hardened systems forbid it in several ways that all give
 * the same errno.
 */
#include "ring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Returns 1 or 2 when sysctl kernel.io_uring_disabled forbids io_uring; 0 when it does not or is unknown. */
static int disabled_by_sysctl(void)
{
    int value = 0;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (!file) return 0;
    if (fscanf(file, "%d", &value) != 1) value = 0;
    fclose(file);
    return value;
}

/* ---- which call is forbidden -------------------------------------------------------------- */

/*
 * Each of these makes one io_uring call in a form that always works, or that fails with an error that only
 * the kernel's own code returns. Any other error comes from a rule: a seccomp filter may return any error,
 * and the operation that failed does not say which call was forbidden.
 */
static int setup_try(int *ring)
{
    struct io_uring_params params = {0};
    *ring = io_uring_setup(1, &params);
    return *ring < 0 ? -*ring : 0;
}

static int enter_try(int ring)
{
    int result = io_uring_enter((unsigned)ring, 0, 0, 0, NULL);
    return result < 0 ? -result : 0;
}

/* No eventfd is registered, so the kernel's own answer is ENXIO. */
static int register_try(int ring)
{
    int result = io_uring_register((unsigned)ring, IORING_UNREGISTER_EVENTFD, NULL, 0);
    return result < 0 && result != -ENXIO ? -result : 0;
}

/*
 * Returns the name of the call that a rule forbids, and sets its error; NULL when no call is forbidden. When
 * io_uring_setup() fails for lack of memory or descriptors, or on an old kernel, that is no rule.
 */
static const char *forbidden_call(int *error)
{
    int ring = -1;
    const char *call = "io_uring_setup";
    if ((*error = setup_try(&ring)) != 0)
        return *error == EPERM || *error == ENOSYS || *error == EACCES ? call : NULL;
    if ((*error = enter_try(ring)) != 0)
        call = "io_uring_enter";
    else
        call = (*error = register_try(ring)) != 0 ? "io_uring_register" : NULL;
    close(ring);
    return call;
}

static const char *forbidden_remedy(const char *call, int error)
{
    static char text[256];
    bool is_setup = strcmp(call, "io_uring_setup") == 0;
    if (is_setup && error == EPERM && disabled_by_sysctl() > 0)
        return "io_uring_setup is forbidden by sysctl kernel.io_uring_disabled; set it to 0";
    snprintf(text, sizeof(text),
             is_setup && error == ENOSYS
                 ? "%s is not there (%s): this kernel has no io_uring (Linux 6.0 or later is "
                   "needed), or "
                   "a seccomp filter hides it"
                 : "%s is forbidden (%s) by a seccomp filter, as container engines set one; allow "
                   "io_uring_setup, io_uring_enter and io_uring_register in its profile",
             call, strerror(error));
    return text;
}

const char *ring_remedy(int error)
{
    int forbidden = 0;
    const char *call = forbidden_call(&forbidden);
    if (call) return forbidden_remedy(call, forbidden);
    switch (error) {
    case ENOMEM: return "not enough memory may be locked; raise ulimit -l or LimitMEMLOCK=";
    case EMFILE:
    case ENFILE: return "no descriptor is left; raise ulimit -n or LimitNOFILE=";
    case EINVAL: return "this kernel's io_uring is too old (Linux 6.0 or later is needed)";
    default: return strerror(error);
    }
}
