/*
 * Reads the command line: which configuration file, which overrides, and what to do with them. It
 * prints help and versions, but loads and serves nothing.
 */
#ifndef ZCSERVE_COMMAND_LINE_H
#define ZCSERVE_COMMAND_LINE_H

#include <stddef.h>
#include <stdio.h>

#include "zcserve/config.h"

#define COMMAND_LINE_OVERRIDES_MAX 64
#define COMMAND_LINE_FIELDS_MAX 64
#define COMMAND_LINE_TEXT_MAX 32 /* bytes of "127.0.0.1:65535", with its NUL */

enum command {
    COMMAND_SERVE,
    COMMAND_TEST,    /* -t: load the configuration and report whether it is valid     */
    COMMAND_PRINT,   /* -T: load it, and print it with config_print()                 */
    COMMAND_EXPLAIN, /* --explain: say how it would answer the request `asked`      */
    COMMAND_DONE     /* end: help or a version was printed, or a mistake was reported */
};

/* The request of --explain, in the words of the command line. */
struct command_request {
    const char *url, *method, *from; /* `method` and `from` are NULL when they were not given */
    const char *field[COMMAND_LINE_FIELDS_MAX]; /* "Name: value" */
    size_t fields;
};

struct command_line {
    enum command command;
    struct command_request asked;
    const char *config_file; /* for config_load; NULL: none, defaults and overrides alone */
    const char *reason; /* which configuration that is, and why; for the first line of the log */
    bool opens;         /* --open: announce (announce.h) where it listens */
    struct config_override overrides[COMMAND_LINE_OVERRIDES_MAX];
    size_t override_count;
    char text[COMMAND_LINE_OVERRIDES_MAX][COMMAND_LINE_TEXT_MAX]; /* overrides point into this */
};

/*
 * Reads the arguments. It may change their order, and it cuts arguments of -o at the "=". `out`
 * points into the arguments and into itself, so it must not be copied. Returns an exit code: 0, or
 * 2 after it reported a mistake on standard error. The program ends with this code when
 * out->command is COMMAND_DONE.
 *
 * With --open, a port of -p is for all addresses; without a listener and a configuration, so is the
 * default port.
 *
 * Without -c and DIR, the configuration is ZCSERVE_CONFIG_FILE if that exists, else the current
 * directory is served. With DIR and without -c, no configuration is read.
 */
int command_line_read(int argc, char **argv, struct command_line *out);

#endif
