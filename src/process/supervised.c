/*
 * A process under the supervisor. Before `run`, the new process gets a name, signals in a known
 * state and perhaps a CPU. The supervisor keeps when the process began, and decides from how soon
 * it ended when to start it again: after a failure it waits, and twice as long after each further
 * one.
 */
#define _GNU_SOURCE
#include "process/supervised.h"

#include "zcserve/log.h"
#include "zcserve/sink.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACK_OFF_LEAST_NS (100 * NS_PER_MS)
#define BACK_OFF_MOST_NS (10 * NS_PER_SECOND)

static const int waited_for[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGHUP};

sigset_t supervised_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(waited_for) / sizeof(waited_for[0]); i++)
        sigaddset(&set, waited_for[i]);
    return set;
}

static void supervised_set_signals(void)
{
    sigset_t unblocked = supervised_signals();

    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sink_ignore_signals();
    sigdelset(&unblocked, SIGTERM);
    sigdelset(&unblocked, SIGUSR1);
    sigdelset(&unblocked, SIGUSR2);
    sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
}

static void supervised_describe(const struct supervised *process, char *text, size_t size)
{
    if (process->last)
        snprintf(text, size, "%s", process->name);
    else
        snprintf(text, size, "%s %u", process->name, process->index);
}

static void supervised_set_name(const struct supervised *process)
{
    char name[32];
    char title[16]; /* the kernel keeps 15 bytes */

    supervised_describe(process, name, sizeof(name));
    log_name(name);
    snprintf(title, sizeof(title), process->last ? "zcserve:%c" : "zcserve:%c%u", process->name[0],
             process->index);
    prctl(PR_SET_NAME, title);
}

static void supervised_pin(const struct supervised *process)
{
    cpu_set_t set[8]; /* of 1024 CPUs each */

    if (process->cpu < 0) return;
    CPU_ZERO_S(sizeof(set), set);
    CPU_SET_S((size_t)process->cpu, sizeof(set), set);
    if (sched_setaffinity(0, sizeof(set), set) < 0)
        log_warn("cannot be pinned to CPU %d: %s", process->cpu, strerror(errno));
}

bool supervised_tie(pid_t supervisor)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return getppid() == supervisor;
}

static void supervised_begin(const struct supervised *process, pid_t supervisor)
{
    if (!supervised_tie(supervisor)) exit(EXIT_FAILURE);
    supervised_set_signals();
    supervised_set_name(process);
    supervised_pin(process);
    exit(process->run(process->of, process->index));
}

static void supervised_fail(struct supervised *process, uint64_t now_ns)
{
    uint64_t back_off_ns = BACK_OFF_LEAST_NS;

    for (uint32_t i = 0; i < process->failures && back_off_ns < BACK_OFF_MOST_NS; i++)
        back_off_ns *= 2;
    process->failures++;
    process->restart_ns =
        now_ns + (back_off_ns < BACK_OFF_MOST_NS ? back_off_ns : BACK_OFF_MOST_NS);
}

int supervised_start(struct supervised *process, pid_t supervisor, uint64_t now_ns)
{
    fflush(NULL); /* else both processes would write what is buffered */
    pid_t pid = fork();

    if (pid == 0) supervised_begin(process, supervisor);
    if (pid < 0) {
        int error = errno;
        log_error("cannot start %s %u: %s", process->name, process->index, strerror(error));
        supervised_fail(process, now_ns);
        return -error;
    }
    process->pid = pid;
    process->started_ns = now_ns;
    process->pushes = process->kills = 0;
    process->push_ns = process->kill_ns = process->stopped_ns = process->seen_ns = 0;
    process->late = false;
    return 0;
}

static void supervised_log_end(const struct supervised *process, int status, bool wanted,
                               uint64_t now_ns)
{
    char name[32];
    char again[48] = "";
    enum log_level level = wanted ? LOG_ERROR : LOG_INFO;

    supervised_describe(process, name, sizeof(name));
    if (wanted) {
        uint64_t in_ns = process->restart_ns > now_ns ? process->restart_ns - now_ns : 0;
        snprintf(again, sizeof(again), "; starting it again in %.1f s", (double)in_ns / 1e9);
    }
    if (WIFSIGNALED(status)) {
        log_line(LOG_ERROR, "%s (%d) was killed by signal %d (%s)%s", name, (int)process->pid,
                 WTERMSIG(status), strsignal(WTERMSIG(status)), again);
    } else {
        log_line(WEXITSTATUS(status) == 0 ? level : LOG_ERROR, "%s (%d) ended with code %d%s", name,
                 (int)process->pid, WEXITSTATUS(status), again);
    }
}

void supervised_end(struct supervised *process, int status, bool wanted, uint64_t now_ns)
{
    if (wanted && now_ns - process->started_ns < SUPERVISED_AT_ONCE_NS) {
        supervised_fail(process, now_ns);
    } else {
        process->failures = 0;
        process->restart_ns = now_ns;
    }
    supervised_log_end(process, status, wanted, now_ns);
    process->late = false;
    process->pid = 0;
}
