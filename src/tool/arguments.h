/* The switches of zcserve top, report, reload, upgrade and healthcheck. */
#ifndef ZCSERVE_TOOL_ARGUMENTS_H
#define ZCSERVE_TOOL_ARGUMENTS_H

#include <stdbool.h>

#define TOOL_ADDRESS_MAX 256
#define TOOL_ADDRESS_DEFAULT "127.0.0.1:8081"
#define TOOL_DELAY_MIN 0.1 /* seconds */
#define TOOL_DELAY_MAX 60.0

enum tool { TOOL_TOP, TOOL_REPORT, TOOL_RELOAD, TOOL_UPGRADE, TOOL_HEALTHCHECK };

struct tool_options {
    enum tool tool;
    char address[TOOL_ADDRESS_MAX]; /* of the status listener                  */
    double delay_seconds;           /* -d of top                               */
    bool once;                      /* --once of top                           */
    bool json;                      /* --json of report                        */
    char **command;                 /* of report; NULL after its last argument */
};

/*
 * Reads `argv`, which begins with the name of the tool; `out` points into it. Returns false when
 * nothing is left to do: help was printed (*code is 0), or a mistake was reported on standard error
 * (*code is 2, or 1 when the configuration has no address).
 */
bool tool_arguments_read(int argc, char **argv, struct tool_options *out, int *code);

#endif
