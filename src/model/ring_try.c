/*
 * Finds out, before anything is served, which parts of io_uring work here, and explains why others do not.
 * Containers and hardened systems forbid io_uring in several ways that all give the same errno, and each
 * option needs another version of the kernel.
 */
#include "ring.h"
#include "zcserve/log.h"
#include "zcserve/now.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

/* ---- trying ------------------------------------------------------------------------------- */

/* Tries a multishot receive: io_uring_probe tells which opcodes there are, but not which flags they take. */
static int receive_try(struct ring *ring, const int pair[2])
{
    struct io_uring_cqe *cqe;
    ring_receive(ring, pair[0], 0);
    if (write(pair[1], "", 1) != 1) return -errno;
    ring_turn(ring, NS_PER_SECOND);
    if (io_uring_peek_cqe(&ring->uring, &cqe) != 0) return -ETIME;
    bool again = cqe->res == 1 && (cqe->flags & IORING_CQE_F_MORE);
    return again ? 0 : cqe->res < 0 ? cqe->res : -EINVAL;
}

const char *ring_problem(void)
{
    static const struct uring_options none;
    static struct ring ring;
    static char problem[256];
    int pair[2];
    int result = ring_open(&ring, 1, &none, problem, sizeof(problem));
    if (result != 0) return problem;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        result = -errno;
    } else {
        result = receive_try(&ring, pair);
        close(pair[0]);
        close(pair[1]);
    }
    ring_close(&ring);
    snprintf(problem, sizeof(problem), "io_uring: %s", ring_remedy(-result));
    return result == 0 ? NULL : problem;
}

/* ---- options ------------------------------------------------------------------------------ */

/* Returns whether a ring with only this option can be opened; if not, logs why. */
static bool option_works(const char *name, const struct uring_options *alone, const char *needs)
{
    struct ring ring = {.lent = 0};
    char problem[256];
    int result = ring_open(&ring, 1, alone, problem, sizeof(problem));
    if (result == 0)
        ring_close(&ring);
    else
        log_warn("io_uring.%s is left out: it needs %s (%s)", name, needs, strerror(-result));
    return result == 0;
}

static bool gathering_works(void)
{
    static const struct uring_options none;
    struct ring ring = {.lent = 0};
    char problem[256];
    if (ring_open(&ring, 1, &none, problem, sizeof(problem)) != 0) return false;
    bool works = ring_gathers(&ring);
    ring_close(&ring);
    if (!works) log_info("io_uring.gather is left out: it needs Linux 6.12");
    return works;
}

void ring_options_try(struct uring_options *options)
{
    struct uring_options o = *options;
    if (o.gather_ns > 0 && !gathering_works()) options->gather_ns = 0;
    if (o.sqpoll_ns > 0 &&
        !option_works("sqpoll", &(struct uring_options){.sqpoll_ns = o.sqpoll_ns},
                      "Linux 5.13, and no rule against a thread of the kernel's"))
        options->sqpoll_ns = 0;
    if (o.registered_files &&
        !option_works("registered_files", &(struct uring_options){.registered_files = true},
                      "Linux 5.19"))
        options->registered_files = false;
    if (o.zero_copy_bytes > 0 &&
        !option_works("zero_copy", &(struct uring_options){.zero_copy_bytes = o.zero_copy_bytes},
                      "Linux 6.1"))
        options->zero_copy_bytes = 0;
    if (o.napi_ns > 0 && !option_works("napi", &(struct uring_options){.napi_ns = o.napi_ns},
                                       "Linux 6.9, built with CONFIG_NET_RX_BUSY_POLL"))
        options->napi_ns = 0;
}
