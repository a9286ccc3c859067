/* The switches of the command line. getopt's tables and the text of -h are made from this table. */
#ifndef ZCSERVE_SWITCH_H
#define ZCSERVE_SWITCH_H

#include <stdbool.h>
#include <stdio.h>

enum switch_kind {
    SWITCH_CONFIG,
    SWITCH_PORT,
    SWITCH_OVERRIDE, /* sets the option `sets` */
    SWITCH_OPTION,   /* -o NAME=VALUE          */
    SWITCH_OPEN,
    SWITCH_TEST,
    SWITCH_PRINT,
    SWITCH_EXPLAIN,
    SWITCH_METHOD, /* of --explain, as the next one */
    SWITCH_FROM,
    SWITCH_VERSION,
    SWITCH_BUILD,
    SWITCH_HELP
};

struct command_switch {
    char letter;
    enum switch_kind kind;
    const char *word;     /* its long name, as in --port; NULL: none         */
    const char *argument; /* what -h calls its argument; NULL: it takes none; */
                          /* "[=ORIGIN]": it may have one, behind a "="       */
    const char *sets;     /* the option that it sets; NULL: none             */
    const char *told;     /* what messages call it, as "-p"                  */
    const char *help;     /* one line for -h                                 */
    const char *value;    /* what it sets when it is given without argument  */
};

/* After the last switch, `letter` is 0. */
extern const struct command_switch switch_table[];
extern const size_t switch_count;

/* Returns whether the switch may have an argument, and need not. */
bool switch_may_have(const struct command_switch *one);

void switch_help(FILE *out);    /* -h */
void switch_version(FILE *out); /* -v */
void switch_build(FILE *out);   /* -V */

#endif
