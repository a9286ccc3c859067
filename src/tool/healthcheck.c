/*
 * zcserve healthcheck: asks the status listener whether the server is ready, for containers and
 * scripts that have no HTTP client.
 */
#include "tool/tool.h"

#include <stdio.h>
#include <stdlib.h>

#include "tool/fetch.h"

int healthcheck_run(const struct tool_options *options)
{
    char problem[FETCH_PROBLEM_MAX];
    struct fetched answer;
    if (fetch(options->address, "/readyz", &answer, problem) != 0) {
        fprintf(stderr, "zcserve healthcheck: not ready: %s\n", problem);
        return TOOL_FAILED;
    }
    free(answer.text);
    puts("ready");
    return TOOL_DONE;
}
