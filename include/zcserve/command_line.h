/*
 * "What was zcserve started for?" Its command line, read: a configuration's file and overrides,
 * and what to do with them. Help and versions are printed here; nothing is loaded or served.
 */
#ifndef ZCSERVE_COMMAND_LINE_H
#define ZCSERVE_COMMAND_LINE_H

#include <stddef.h>
#include <stdio.h>

#include "zcserve/config.h"

#define COMMAND_LINE_OVERRIDES_MAX 64
#define COMMAND_LINE_TEXT_MAX 32 /* bytes of "127.0.0.1:65535", with its NUL */

enum command {
    COMMAND_SERVE,
    COMMAND_TEST,  /* -t: load the configuration, say whether it is right */
    COMMAND_PRINT, /* -T: load it, and print it with config_print         */
    COMMAND_DONE   /* nothing is left to do: help or a version was printed, or a mistake told */
};

struct command_line {
    enum command command;
    const char *config_file; /* for config_load; NULL: none, defaults and overrides alone */
    const char *reason; /* which configuration that is, and why; for the first line of the log */
    struct config_override overrides[COMMAND_LINE_OVERRIDES_MAX];
    size_t override_count;
    char text[COMMAND_LINE_OVERRIDES_MAX][COMMAND_LINE_TEXT_MAX]; /* overrides point into this */
};

/*
 * Reads the arguments, of which it may change the order and cut -o's at the "="; `out` points into
 * them and into itself, so it must not be copied. The result is an exit code: 0, or 2 after a
 * mistake was told on standard error. It is final when out->command is COMMAND_DONE.
 *
 * Without -c and DIR, the configuration is ZCSERVE_CONFIG_FILE when that is there, else the current
 * directory is served; with DIR alone no file is read.
 */
int command_line_read(int argc, char **argv, struct command_line *out);

#endif
