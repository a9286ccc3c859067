/* The directives of a template. Each writes lines that are made from a table or a help text. */
#ifndef ZCSERVE_EXPAND_DIRECTIVE_H
#define ZCSERVE_EXPAND_DIRECTIVE_H

#include <stdio.h>

struct expansion {
    FILE *out;
    const char *programs; /* the directory of the programs whose help is read */
    const char *version;  /* "0.1.0"                                          */
    const char *date;     /* "2026-07-01", of the newest change               */
};

/*
 * Each of these functions takes the words behind the name of its directive. It returns 0, or -1
 * after it has said on standard error what failed.
 */

/* manual_help.c: a help text as a part of a manual page. `words` is a command: "zcserve". */
int expand_usage(const struct expansion *e, const char *words);    /* how it is called            */
int expand_before(const struct expansion *e, const char *words);   /* what is before the switches */
int expand_switches(const struct expansion *e, const char *words); /* the list of switches        */
int expand_after(const struct expansion *e, const char *words);    /* what follows the switches   */
int expand_tools(const struct expansion *e, const char *words);    /* all help of all its tools   */

/* manual_options.c: the options of "config", "site" or "rule", each with what it must be. */
int expand_options(const struct expansion *e, const char *words);

/* manual_metrics.c: every family of metrics, its type, help and labels. `words` is empty. */
int expand_metrics(const struct expansion *e, const char *words);

/* completion.c: tables for the completion of a shell. `words` is a command. */
int expand_tool_names(const struct expansion *e, const char *words); /* tools='top report'      */
int expand_completion(const struct expansion *e, const char *words); /* a case for each command */

/* The names of all options, "listen cache.size", as the value of the variable `words`. */
int expand_option_names(const struct expansion *e, const char *words);

/* A case for each option that allows words. `words` is empty. */
int expand_option_words(const struct expansion *e, const char *words);

#endif
