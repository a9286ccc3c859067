/*
 * zcserve report: it takes a reading, runs a command, and takes another reading. The exit code is
 * that of the command. The command is not run when the first reading fails. There is no report when
 * the server was restarted between the readings.
 */
#include "tool/report.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool/tool.h"

#define SETTLE_TRIES 20 /* times 25 ms */
#define SETTLE_NS 25000000L

static int failed(const char *problem)
{
    fflush(stdout);
    fprintf(stderr, "zcserve report: %s\n", problem);
    return TOOL_FAILED;
}

static bool is_settled(const struct snapshot *before, const struct snapshot *now)
{
    const struct slot_snapshot *a = &before->total, *b = &now->total;
    return a->requests == b->requests && a->sent_bytes == b->sent_bytes &&
           a->accepted == b->accepted && memcmp(a->closed, b->closed, sizeof(a->closed)) == 0;
}

/*
 * A client has its last byte before the server has counted the response, and ends before its
 * connections do. So this takes readings until two are the same; it stops trying when another
 * client keeps the server busy.
 */
static int settled_take(const char *address, struct snapshot *out, char *problem)
{
    const struct timespec pause = {.tv_nsec = SETTLE_NS};
    if (snapshot_take(address, out, problem) != 0) return -1;
    for (int i = 0; i < SETTLE_TRIES; i++) {
        struct snapshot before = *out;
        nanosleep(&pause, NULL);
        int result = snapshot_take(address, out, problem);
        bool settled = result == 0 && is_settled(&before, out);
        snapshot_free(&before);
        if (result != 0 || settled) return result;
    }
    return 0;
}

static int report_print(const struct tool_options *options, const struct snapshot *before,
                        const struct snapshot *now, const struct child *child)
{
    char problem[INTERVAL_PROBLEM_MAX];
    struct interval interval;
    struct load_client client;
    if (interval_between(&interval, before, now, problem) != 0) return failed(problem);
    load_client_read(child->output, &client);
    struct report report = {now, &interval, &client, child, options->command};
    bool printed = true;
    signal(SIGXFSZ,
           SIG_IGN); /* a full file is an ordinary error; no command inherits this any more */
    if (options->json)
        printed = report_json(&report, stdout);
    else
        report_text(&report, stdout);
    interval_free(&interval);
    if (fflush(stdout) != 0 || !printed) return failed("the report cannot be written");
    return child->code;
}

static int bracket(const struct tool_options *options, const struct snapshot *before)
{
    char problem[TOOL_PROBLEM_MAX];
    struct snapshot now;
    struct child child;
    int error = child_run(options->command, options->json ? STDERR_FILENO : STDOUT_FILENO, &child);
    if (error != 0) return failed(strerror(-error));
    int code = TOOL_FAILED;
    if (settled_take(options->address, &now, problem) != 0) {
        failed(problem);
    } else {
        code = report_print(options, before, &now, &child);
        snapshot_free(&now);
    }
    child_free(&child);
    return code;
}

int report_run(const struct tool_options *options)
{
    char problem[TOOL_PROBLEM_MAX];
    struct snapshot before;
    if (settled_take(options->address, &before, problem) != 0) return failed(problem);
    int code = bracket(options, &before);
    snapshot_free(&before);
    return code;
}
