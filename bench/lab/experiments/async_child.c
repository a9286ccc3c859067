/*
 * Runs a job in a child process, either alone or under ptrace(2), which stops the child at each system call
 * and so counts the calls. A child has an alarm, so it ends in every case; and it ends when we end.
 */
#include "async_work.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_SPARE = 15, NO_PROGRAM = 127 };

struct child {
    pid_t pid;
    int pipe;                /* the output of a runtime; -1: none */
    struct outcome *outcome; /* shared with a way in C; NULL: for a runtime */
};

static _Noreturn void child_main(const struct way *way, struct command *command,
                                 const struct job *job, struct child *child, int to, bool traced)
{
    signal(SIGALRM, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the parent ends it */
    alarm((unsigned)(job->ns / NS_PER_S) + SECONDS_SPARE);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (traced && ptrace(PTRACE_TRACEME, 0, 0, 0) < 0) _exit(1);
    if (traced) raise(SIGSTOP);
    if (way) {
        way_run(way, job, child->outcome);
        _exit(0);
    }
    if (dup2(to, STDOUT_FILENO) >= 0) execv(command->program, (char **)(uintptr_t)command->argv);
    _exit(NO_PROGRAM);
}

static int child_start(const char *name, const struct job *job, struct child *child, bool traced)
{
    static struct command command;
    const struct way *way = async_way_named(name);
    int ends[2] = {-1, -1};
    *child = (struct child){.pid = -1, .pipe = -1};
    if (!way && !runtime_command(name, job, &command)) return -ENOENT;
    if (!way && pipe2(ends, O_CLOEXEC) < 0) return -errno;
    if (way) {
        void *shared = mmap(NULL, sizeof *child->outcome, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) return -errno;
        child->outcome = shared;
        child->outcome->failure = -ECHILD; /* until it reports something else */
    }
    child->pid = fork();
    if (child->pid == 0) child_main(way, &command, job, child, ends[1], traced);
    int result = child->pid < 0 ? -errno : 0;
    if (ends[1] >= 0) close(ends[1]);
    child->pipe = ends[0];
    return result;
}

/* Returns the result of a child that has ended or is about to end. */
static int child_end(struct child *child, struct outcome *outcome)
{
    if (child->outcome) *outcome = *child->outcome;
    if (child->outcome) munmap(child->outcome, sizeof *child->outcome);
    if (child->pipe >= 0) close(child->pipe);
    child->outcome = NULL;
    child->pipe = -1;
    return outcome->failure;
}

static void child_wait(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        if (measure_stopped) kill(pid, SIGKILL);
}

int child_run(const char *name, const struct job *job, struct outcome *outcome)
{
    struct child child;
    memset(outcome, 0, sizeof *outcome);
    outcome->failure = child_start(name, job, &child, false);
    if (outcome->failure == 0) {
        if (child.pipe >= 0) runtime_read(child.pipe, outcome);
        if (measure_stopped) kill(child.pid, SIGKILL);
        child_wait(child.pid);
    } else {
        int failure = outcome->failure;
        child_end(&child, outcome);
        return outcome->failure = failure;
    }
    return child_end(&child, outcome);
}

/* ---- counting ---------------------------------------------------------------------------------- */

static void call_count(struct calls_counted *c, uint64_t number)
{
    c->all++;
    switch (number) {
    case SYS_pread64:
    case SYS_preadv:
    case SYS_preadv2: c->transfer++; break;
    case SYS_io_submit:
    case SYS_io_getevents:
    case SYS_io_uring_enter: c->ring++; break;
    case SYS_futex: c->lock++; break;
    case SYS_epoll_pwait:
    case SYS_epoll_ctl:
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
#ifdef SYS_poll
    case SYS_poll:
#endif
    case SYS_read: /* of an eventfd or a pipe; the file is read by pread */
    case SYS_write: c->event++; break;
    default: break;
    }
}

/* Handles one stop of one thread and counts it in `counted`. Returns the signal to pass on. */
static int stop_take(pid_t pid, int status, struct calls_counted *counted)
{
    struct __ptrace_syscall_info info; /* as glibc calls it */
    int number = WSTOPSIG(status);
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_CLONE << 8)) counted->threads++;
    if (number == (SIGTRAP | 0x80)) {
        long got = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
        if (got > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY) call_count(counted, info.entry.nr);
        return 0;
    }
    bool of_tracing = status >> 16 != 0 || number == SIGTRAP || number == SIGSTOP;
    return of_tracing ? 0 : number;
}

/* Traces until the child and all that it started have ended. Its alarm ends it at the latest. */
static int trace(pid_t child, struct calls_counted *counted)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
    int status, result = 0;
    pid_t pid = waitpid(child, &status, 0);
    memset(counted, 0, sizeof *counted);
    counted->threads = 1;
    if (pid != child || !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, child, 0, options) < 0)
        result = -EPERM;
    if (result < 0)
        kill(child, SIGKILL);
    else
        ptrace(PTRACE_SYSCALL, child, 0, 0);
    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (measure_stopped) kill(child, SIGKILL);
        if (pid <= 0 || !WIFSTOPPED(status)) continue;
        int deliver = stop_take(pid, status, counted);
        ptrace(PTRACE_SYSCALL, pid, 0, (long)deliver);
    }
    return result;
}

int child_count(const char *name, const struct job *job, struct outcome *outcome,
                struct calls_counted *counted)
{
    struct child child;
    memset(outcome, 0, sizeof *outcome);
    int failure = child_start(name, job, &child, true);
    if (failure == 0) failure = trace(child.pid, counted);
    if (failure == 0 && child.pipe >= 0) runtime_read(child.pipe, outcome);
    child_end(&child, outcome);
    if (failure < 0) outcome->failure = failure;
    return outcome->failure;
}
