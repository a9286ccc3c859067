/* The commands of zclab. Each gets the words behind its name and returns the exit code. */
#ifndef LAB_COMMAND_H
#define LAB_COMMAND_H

#include "options.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOTHING_RAN = 77,
    EXIT_INTERRUPTED = 130,
};

int command_list(const struct options *options, char **words);
int command_run(const struct options *options, char **words);
int command_all(const struct options *options, char **words);
int command_report(const struct options *options, char **words);
int command_compare(const struct options *options, char **words);
int command_advise(const struct options *options, char **words);
int command_clean(const struct options *options, char **words);

#endif
