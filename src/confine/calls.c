/*
 * Takes away the system calls that the work of a process does not need (seccomp(2), libseccomp).
 * calls.def has the calls that are allowed whatever their arguments; here are those that are allowed
 * with some arguments only.
 *
 * What is refused arrives as SIGSYS in the thread that called, before anything has happened. The
 * handler logs the call once, and the call fails. Clone3 alone is refused by the kernel itself, because
 * its flags are in memory where the filter cannot see them: then the C library uses clone, whose
 * flags it can see.
 */
#define _GNU_SOURCE
#include "confine/refused.h"
#include "zcserve/confine.h"
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#define CACHESTAT 451 /* unknown to the libseccomp of Debian 12 */
#define BIT(role) (1u << (role))

enum {
    E = BIT(CONFINE_PREFORK) | BIT(CONFINE_THREADPOOL) | BIT(CONFINE_EPOLL),
    U = BIT(CONFINE_URING),
    S = E | U,
    R = BIT(CONFINE_RECORDER),
    T = BIT(CONFINE_STATUS),
};

#define CLONE_NEW_ANY                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)
#define OPEN_CHANGES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static const struct {
    unsigned who;
    int number;
} calls[] = {
#define CALL(who, name) {who, SCMP_SYS(name)},
#include "confine/calls.def"
#undef CALL
    {S, CACHESTAT},
};

/* A call that is allowed when one of its arguments is right; several rows of one call are "or". */
static const struct {
    unsigned who;
    int number;
    struct scmp_arg_cmp right;
} conditions[] = {
    /* nothing is opened for writing, created or truncated */
    {S | T, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, OPEN_CHANGES, O_RDONLY)},
    {S | T, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, OPEN_CHANGES, O_RDONLY)},
    /*
     * A listener that is shut down for reading is no listener any more, and TCP Fast Open would then connect it
     * to anywhere with a send, past Landlock. Workers with a ring need such a shutdown to abort.
     */
    {E, SCMP_SYS(shutdown), SCMP_A1(SCMP_CMP_EQ, SHUT_WR)},
    {T, SCMP_SYS(sendto), SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0)},
    {T, SCMP_SYS(sendmsg), SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0)},
    /* an address so short that it can only be AF_UNSPEC, which drops a connection: lane_abort() */
    {U, SCMP_SYS(connect), SCMP_A2(SCMP_CMP_EQ, sizeof(sa_family_t))},
    /* how much is in a socket; is this a terminal (answered by the C library's isatty) */
    {S | R | T, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONREAD)},
    {S | R | T, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, SIOCOUTQ)},
    {S | R | T, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, TCGETS)},
    {S | R | T, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONBIO)},
    /* no flag of an open file changes: the error log is appended to, and not written over */
    {S | R | T, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC)},
    {S | R | T, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL)},
    {S | R | T, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD)},
    {S | R | T, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFD)},
    {S | R | T, SCMP_SYS(pwritev2), SCMP_A5(SCMP_CMP_EQ, 8 /* RWF_NOWAIT */)},
    /* memory that can be executed is neither made nor changed */
    {S | R | T, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
    {S | R | T, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
    /* threads, no processes and no name spaces */
    {S | T, SCMP_SYS(clone),
     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_NEW_ANY, CLONE_THREAD)},
    {S | R | T, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)},
    /* its rings were made before; one thing is left to do, when a ring is closed */
    {U, SCMP_SYS(io_uring_register), SCMP_A1(SCMP_CMP_EQ, 23 /* IORING_UNREGISTER_PBUF_RING */)},
    /* limits can be read */
    {S | R | T, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0)},
};

/* Calls that fail without a word: the C library asks, and does without. */
static const struct {
    int number, error;
    unsigned conditions;
    struct scmp_arg_cmp when;
} quiet[] = {
    {SCMP_SYS(clone3), ENOSYS, 0, {0}},
    {SCMP_SYS(prctl), EINVAL, 1, SCMP_A0(SCMP_CMP_EQ, 0x53564d41 /* PR_SET_VMA, in malloc */)},
};

/* Returns why a call that is refused failed. */
static int error_of(int number)
{
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
        if (conditions[i].number == number) return EPERM;
    return number == SYS_tgkill ? EPERM : ENOSYS;
}

const char *confine_calls_problem(void)
{
    uint32_t action = SECCOMP_RET_TRAP;
    if (!refused_is_known()) return "the registers of this processor are not known to zcserve";
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return NULL;
    return errno == ENOSYS ? "this kernel has no seccomp filters, or a filter forbids them"
                           : strerror(errno);
}

/* ---- the filter ------------------------------------------------------------------------------- */

/* A signal only to this process itself: abort(3). */
static int self_add(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
}

static int rules_add(scmp_filter_ctx filter, enum confine_role role)
{
    int error = self_add(filter);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && error == 0; i++)
        if (calls[i].who & BIT(role))
            error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].number, 0);
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]) && error == 0; i++)
        if (conditions[i].who & BIT(role))
            error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditions[i].number, 1,
                                           &conditions[i].right);
    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]) && error == 0; i++)
        error = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)quiet[i].error),
                                       quiet[i].number, quiet[i].conditions, &quiet[i].when);
    return error;
}

/*
 * TSYNC: for all threads. OPTIMIZE 2: a binary tree instead of a list. SSB: the kernel does not slow
 * the processor down against programs that run code of others, as browsers do (before Linux 5.16 it
 * did so for each filter).
 */
static int filter_load(enum confine_role role)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (!filter) return -ENOMEM;
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0) error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (error == 0) error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    if (error == 0) error = rules_add(filter, role);
    if (error == 0) error = seccomp_load(filter);
    seccomp_release(filter);
    return error;
}

bool confine_calls(const struct confinement *confinement, enum confine_role role)
{
    if (!confinement->calls) return true;
    tzset(); /* reads files: later, while it writes a line, the process could not */
    refused_listen(error_of);
    int error = filter_load(role);
    if (error != 0) log_error("system calls cannot be taken away: %s", strerror(-error));
    return error == 0;
}
