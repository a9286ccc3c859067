/*
 * zcserve upgrade: sends USR2 to the supervisor whose id the status shows, and waits until another
 * supervisor answers at the same address, or the status shows one more failure.
 */
#include "tool/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool/format.h"
#include "zcserve/now.h"

#define LOOK_NS (50 * NS_PER_MS)
#define ABSENCE_LOOKS 40 /* without an answer after the old server ended, until it is given up */

/* What is compared of two readings. */
struct upgrades {
    uint64_t pid, failed;
    char problem[SNAPSHOT_PROBLEM_MAX];
};

static int upgrades_read(const char *address, struct upgrades *out, char *problem)
{
    struct snapshot snapshot;
    if (snapshot_take(address, &snapshot, problem) != 0) return -1;
    *out = (struct upgrades){.pid = snapshot.pid, .failed = snapshot.upgrades_failed};
    memcpy(out->problem, snapshot.upgrade_problem, sizeof(out->problem));
    snapshot_free(&snapshot);
    return 0;
}

static int failed(const char *problem)
{
    fprintf(stderr, "zcserve upgrade: %s\n", problem);
    return TOOL_FAILED;
}

static bool is_over(const struct upgrades *before, const struct upgrades *now)
{
    return now->pid != before->pid || now->failed != before->failed;
}

/* Waits without a limit while the old server lives: it gives the new one a limited time itself. */
static int upgrade_await(const char *address, const struct upgrades *before, struct upgrades *now)
{
    char problem[TOOL_PROBLEM_MAX];
    int absent = 0;
    *now = *before;
    while (!is_over(before, now)) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
        bool ended = kill((pid_t)before->pid, 0) != 0 && errno == ESRCH;
        if (upgrades_read(address, now, problem) == 0)
            absent = 0;
        else if (ended && ++absent == ABSENCE_LOOKS)
            return failed("the old server has ended, and no new one answers at this address; the "
                          "new configuration may have another status");
    }
    return TOOL_DONE;
}

int upgrade_run(const struct tool_options *options)
{
    char problem[TOOL_PROBLEM_MAX];
    struct upgrades before, now;
    if (upgrades_read(options->address, &before, problem) != 0) return failed(problem);
    if (before.pid == 0) return failed("the status does not say which process the server is");
    if (kill((pid_t)before.pid, SIGUSR2) != 0) {
        snprintf(problem, sizeof(problem), "process %llu cannot be signalled: %s",
                 (unsigned long long)before.pid, strerror(errno));
        return failed(problem);
    }
    int code = upgrade_await(options->address, &before, &now);
    if (code != TOOL_DONE) return code;
    if (now.pid == before.pid) {
        format_tame(now.problem);
        snprintf(problem, sizeof(problem), "nothing has changed: %s", now.problem);
        return failed(problem);
    }
    printf("process %llu serves\n", (unsigned long long)now.pid);
    return TOOL_DONE;
}
