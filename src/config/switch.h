/* "What may stand on the command line?" Each switch once; getopt's tables and -h are made of it. */
#ifndef ZCSERVE_SWITCH_H
#define ZCSERVE_SWITCH_H

#include <stdio.h>

enum switch_kind {
    SWITCH_CONFIG,
    SWITCH_PORT,
    SWITCH_OVERRIDE, /* sets the option `sets` */
    SWITCH_OPTION,   /* -o NAME=VALUE          */
    SWITCH_TEST,
    SWITCH_PRINT,
    SWITCH_VERSION,
    SWITCH_BUILD,
    SWITCH_HELP
};

struct command_switch {
    char letter;
    enum switch_kind kind;
    const char *word;     /* NULL: only the letter is there                             */
    const char *argument; /* NULL: takes none                                           */
    const char *sets;     /* the option that it sets; NULL: none                        */
    const char *told;     /* "-p", for messages                                         */
    const char *help;
};

/* The last has no letter. */
extern const struct command_switch switch_table[];
extern const size_t switch_count;

void switch_help(FILE *out);    /* -h */
void switch_version(FILE *out); /* -v */
void switch_build(FILE *out);   /* -V */

#endif
