/*
 * What a program prints for -h, taken apart into its parts. The lines of a help text are:
 *
 *     usage: zcserve top [-d SECONDS]        a usage; the next ones are indented by seven spaces
 *       -d, --delay SECONDS   how long       a row: two columns, at least two spaces between them
 *           --once                           a row whose left column begins later
 *                             and more       the right column goes on
 *       zcserve -p 0 site                    a row with one column
 *     exit codes:                            a title: what follows belongs to it
 *     any other words                        text, until an empty line
 */
#ifndef ZCSERVE_EXPAND_HELP_H
#define ZCSERVE_EXPAND_HELP_H

#include <stddef.h>

#define HELP_PARTS_MAX 128
#define HELP_LEFT_MAX 128   /* bytes of a left column, with its NUL            */
#define HELP_RIGHT_MAX 1024 /* bytes of a right column or a text, with its NUL */

enum help_kind { HELP_TEXT, HELP_USAGE, HELP_ROW, HELP_TITLE };

struct help_part {
    enum help_kind kind;
    char left[HELP_LEFT_MAX];   /* of a row or a usage; else ""                     */
    char right[HELP_RIGHT_MAX]; /* its explanation, or "": a text; a title, no colon */
};

struct help {
    struct help_part part[HELP_PARTS_MAX];
    size_t count;
};

/*
 * Runs a program of the directory `programs` with -h, and reads what it prints into `out`. `words`
 * are its name and what comes before -h: "zcserve-tool top". Returns 0, or -1 when that fails or the
 * text does not fit into struct help; the reason is printed on standard error.
 */
int help_of(const char *programs, const char *words, struct help *out);

/*
 * Writes the names of the tools, which are the usages "zcserve top|report …": "top report". Other
 * usages begin with a switch or a word in capitals after the name of the program. What does not fit
 * is left out.
 */
void help_tools(const struct help *help, char names[HELP_LEFT_MAX]);

/* A switch as a row shows it: "-c, --config FILE". */
struct help_switch {
    char letter[3];    /* "-c", or ""       */
    char word[32];     /* "--config", or "" */
    char argument[32]; /* "FILE", or "[=FILE]" when there need not be one, or "" */
};

/* Returns 0, or -1 when the row is not a switch. */
int help_switch_read(const struct help_part *part, struct help_switch *out);

#endif
