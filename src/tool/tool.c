/*
 * Chooses the tool by its name, and takes a reading for all tools.
 */
#include "tool/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/fetch.h"
#include "tool/format.h"

#define STATUS_PATH "/status.json?buckets=1"

int snapshot_take(const char *address, struct snapshot *out, char *problem)
{
    struct fetched answer;
    char why[SNAPSHOT_PROBLEM_MAX];
    if (fetch(address, STATUS_PATH, &answer, problem) != 0) return -1;
    int result = snapshot_parse(answer.text, answer.length, out, why);
    if (result != 0)
        snprintf(problem, TOOL_PROBLEM_MAX, "http://%s%s cannot be understood: %s", address,
                 STATUS_PATH, why);
    free(answer.text);
    return result;
}

static const struct tool_of {
    const char *name;
    int (*run)(const struct tool_options *options);
} tools[] = {
    [TOOL_TOP] = {"top", top_run},
    [TOOL_REPORT] = {"report", report_run},
    [TOOL_RELOAD] = {"reload", reload_run},
    [TOOL_UPGRADE] = {"upgrade", upgrade_run},
    [TOOL_HEALTHCHECK] = {"healthcheck", healthcheck_run},
};

bool tool_is(const char *name)
{
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
        if (strcmp(name, tools[i].name) == 0) return true;
    return false;
}

int tool_run(int argc, char **argv)
{
    struct tool_options options;
    int code = TOOL_DONE;
    format_locale();
    if (!tool_arguments_read(argc, argv, &options, &code)) return code;
    return tools[options.tool].run(&options);
}
