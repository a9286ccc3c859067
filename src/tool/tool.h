/*
 * "What does a person at a terminal see?" zcserve top and zcserve report: what the status listener
 * tells, read from outside, subtracted, and shown. Nothing here serves, and the server links none of it.
 */
#ifndef ZCSERVE_TOOL_H
#define ZCSERVE_TOOL_H

#include "tool/arguments.h"
#include "tool/snapshot.h"

enum { TOOL_DONE, TOOL_FAILED, TOOL_USAGE }; /* exit codes */

/* The whole of a tool: its first word, then its switches. Gives the exit code. */
int tool_run(int argc, char **argv);

int top_run(const struct tool_options *options);
int report_run(const struct tool_options *options);

/* Asks the server and reads its answer. 0, or -1 with a line in `problem` (TOOL_PROBLEM_MAX bytes). */
#define TOOL_PROBLEM_MAX 512
int snapshot_take(const char *address, struct snapshot *out, char *problem);

#endif
