/*
 * Finds out, before anything is served, which parts of io_uring work here: each option needs another version of
 * the kernel.
 */
#include "ring.h"
#include "zcserve/log.h"
#include "zcserve/now.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
