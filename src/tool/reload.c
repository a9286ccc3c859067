/*
 * zcserve reload: sends HUP to the supervisor whose id the status shows, and waits until the status
 * shows one more reload.
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

/* What is compared of two readings. */
struct reloads {
    uint64_t pid, generation, done, failed;
    char problem[SNAPSHOT_PROBLEM_MAX];
};

static int reloads_read(const char *address, struct reloads *out, char *problem)
{
    struct snapshot snapshot;
    if (snapshot_take(address, &snapshot, problem) != 0) return -1;
    *out = (struct reloads){.pid = snapshot.pid,
                            .generation = snapshot.generation,
                            .done = snapshot.reloads,
                            .failed = snapshot.reloads_failed};
    memcpy(out->problem, snapshot.reload_problem, sizeof(out->problem));
    snapshot_free(&snapshot);
    return 0;
}

static int failed(const char *problem)
{
    fprintf(stderr, "zcserve reload: %s\n", problem);
    return TOOL_FAILED;
}

/* Waits without a limit, because old workers may have minutes to finish; it says so after a second. */
static int reload_await(const struct tool_options *options, const struct reloads *before,
                        struct reloads *now)
{
    char problem[TOOL_PROBLEM_MAX];
    uint64_t began_ns = now_monotonic_ns();
    bool told = false;
    *now = *before;
    while (now->done == before->done) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
        /* The status process is started again by each reload, so that it may be away for a moment. */
        if (kill((pid_t)before->pid, 0) != 0 && errno == ESRCH)
            return failed("the server has ended");
        if (reloads_read(options->address, now, problem) != 0) continue;
        if (now->pid != before->pid) return failed("another server answers at this address now");
        if (!told && now_monotonic_ns() - began_ns > NS_PER_SECOND) {
            fputs("waiting: the new workers begin, or those of an earlier reload finish\n", stderr);
            told = true;
        }
    }
    return TOOL_DONE;
}

int reload_run(const struct tool_options *options)
{
    char problem[TOOL_PROBLEM_MAX];
    struct reloads before, now;
    if (reloads_read(options->address, &before, problem) != 0) return failed(problem);
    if (before.pid == 0) return failed("the status does not say which process the server is");
    if (kill((pid_t)before.pid, SIGHUP) != 0) {
        snprintf(problem, sizeof(problem), "process %llu cannot be signalled: %s",
                 (unsigned long long)before.pid, strerror(errno));
        return failed(problem);
    }
    int code = reload_await(options, &before, &now);
    if (code != TOOL_DONE) return code;
    if (now.failed > before.failed) {
        format_tame(now.problem);
        snprintf(problem, sizeof(problem), "nothing has changed: %s", now.problem);
        return failed(problem);
    }
    printf("generation %llu serves\n", (unsigned long long)now.generation);
    return TOOL_DONE;
}
