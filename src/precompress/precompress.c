/*
 * The run as a whole: the command line, the directory, the work, the summary. A sidecar that this
 * program leaves as it is may be one that another program made.
 */
#include "precompress/precompress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tool/format.h"
#include "precompress/pool.h"
#include "precompress/report.h"
#include "tool/tool.h"
#include "zcserve/now.h"
#include "zcserve/supervise.h"

static int failed(const char *what, int error)
{
    fflush(stdout);
    fprintf(stderr, "zcserve precompress: %s: %s\n", what, strerror(error));
    return TOOL_FAILED;
}

/* Ends the process by a signal, as if nobody had taken it: a shell sees why it ended. */
static int die_by(int number)
{
    fputs("zcserve precompress: interrupted; what was written is whole\n", stderr);
    fflush(stdout);
    signal(number, SIG_DFL);
    raise(number);
    return TOOL_FAILED;
}

static int summary_print(const struct docroot *docroot, const struct outcomes *outcomes, bool json,
                         double seconds)
{
    bool written = true;
    if (json)
        written = precompress_report_json(docroot, outcomes, seconds, stdout);
    else
        precompress_report_text(docroot, outcomes, seconds, stdout);
    if (fflush(stdout) != 0 || ferror(stdout) || !written)
        return failed("standard output", errno ? errno : EIO);
    return outcomes_are_bad(outcomes) ? TOOL_FAILED : TOOL_DONE;
}

static int run(const struct docroot *docroot, const struct precompress_switches *switches,
               struct outcomes *outcomes)
{
    /* static: after a signal the threads still have it */
    static struct work work;
    uint64_t began_ns = now_monotonic_ns();
    uint32_t jobs = switches->jobs ? switches->jobs : cpu_count_usable();
    bool found = walk(docroot, outcomes, &work);
    int result = found ? pool_run(docroot, &work, outcomes, jobs) : -ENOMEM;
    if (result > 0) return die_by(result);
    work_free(&work);
    if (result < 0) return failed(found ? "no thread can be started" : "the directory", -result);
    double seconds = (double)(now_monotonic_ns() - began_ns) / NS_PER_SECOND;
    return summary_print(docroot, outcomes, switches->json, seconds);
}

/* Each root has a summary of its own. */
static int root_run(struct docroot *docroot, uint32_t number,
                    const struct precompress_switches *switches)
{
    static struct outcomes outcomes;
    if (!docroot_enter(docroot, number)) return TOOL_USAGE;
    outcomes_open(&outcomes, &switches->wishes, switches->json ? stderr : stdout);
    int code = run(docroot, switches, &outcomes);
    outcomes_close(&outcomes);
    return code;
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

int precompress_run(int argc, char **argv)
{
    static struct precompress_switches switches;
    static struct docroot docroot;
    int code = TOOL_DONE;
    format_locale();
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves must not end it while a sidecar is written */
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is an error as a full disk is */
    if (!precompress_arguments_read(argc, argv, &switches, &code)) return code;
    if (!docroot_open(&docroot, &switches)) return TOOL_USAGE;
    for (uint32_t i = 0; i < docroot.roots && code != TOOL_USAGE; i++)
        code = worse(code, root_run(&docroot, i, &switches));
    docroot_close(&docroot);
    return code;
}
