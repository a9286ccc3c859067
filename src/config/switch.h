/* The switches of the command line. getopt's tables and the text of -h are made from this table. */
#ifndef ZCSERVE_SWITCH_H
#define ZCSERVE_SWITCH_H

#include <stdio.h>

enum switch_kind {
    SWITCH_CONFIG,
    SWITCH_PORT,
    SWITCH_OVERRIDE, /* sets the option `sets` */
    SWITCH_OPTION,   /* -o NAME=VALUE          */
    SWITCH_OPEN,
    SWITCH_TEST,
    SWITCH_PRINT,
    SWITCH_VERSION,
    SWITCH_BUILD,
    SWITCH_HELP
};

struct command_switch {
    char letter;
    enum switch_kind kind;
    const char *word;     /* its long name, as in --port; NULL: none         */
    const char *argument; /* what -h calls its argument; NULL: it takes none */
    const char *sets;     /* the option that it sets; NULL: none             */
    const char *told;     /* what messages call it, as "-p"                  */
    const char *help;     /* one line for -h                                 */
};

/* After the last switch, `letter` is 0. */
extern const struct command_switch switch_table[];
extern const size_t switch_count;

void switch_help(FILE *out);    /* -h */
void switch_version(FILE *out); /* -v */
void switch_build(FILE *out);   /* -V */

#endif
