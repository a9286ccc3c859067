/*
 * zcserve top, report, reload, upgrade and healthcheck: they read the status of a server from
 * outside. The server does not link this room.
 */
#ifndef ZCSERVE_TOOL_H
#define ZCSERVE_TOOL_H

#include "tool/arguments.h"
#include "tool/snapshot.h"

enum { TOOL_DONE, TOOL_FAILED, TOOL_USAGE }; /* exit codes */

/* Runs a tool: argv begins with its name, then its switches. Returns the exit code. */
int tool_run(int argc, char **argv);

int top_run(const struct tool_options *options);
int report_run(const struct tool_options *options);
int reload_run(const struct tool_options *options);
int upgrade_run(const struct tool_options *options);
int healthcheck_run(const struct tool_options *options);

/* Returns whether a tool has this name. */
bool tool_is(const char *name);

/* Takes a reading. Returns 0, or -1 with a line in `problem` (TOOL_PROBLEM_MAX bytes). */
#define TOOL_PROBLEM_MAX 512
int snapshot_take(const char *address, struct snapshot *out, char *problem);

#endif
