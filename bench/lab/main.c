/*
 * zclab: the I/O laboratory. Its experiments measure how files, sockets and threads perform on this
 * machine, with plots, and with sentences that say what the figures mean. The experiments are in
 * experiments/, one file each. experiment.h says how to add one, and FORMATS.md what a run leaves behind.
 */
#include "command.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *words, *help;
    int (*run)(const struct options *options, char **words);
} commands[] = {
    {"list", "[NAME]", "the experiments; with NAME: what it expects and what --set changes",
     command_list},
    {"run", "NAME…", "measure, draw, and say what the figures mean", command_run},
    {"all", "", "every experiment", command_all},
    {"report", "[DIR]", "draw the page of a run again (the latest one)", command_report},
    {"compare", "A B…", "runs side by side; a directory of several runs is pooled",
     command_compare},
    {"advise", "DIR", "what the figures of this machine mean for serving DIR with serve.conf",
     command_advise},
    {"clean", "", "remove the data sets", command_clean},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

#define HELP_COLUMN 22 /* bytes of the left column, padded */

static int usage(FILE *to)
{
    char left[64];
    fputs("zclab: experiments on how I/O performs on this machine\n\n", to);
    for (unsigned i = 0; i < COMMANDS; i++) {
        const char *space = commands[i].words[0] ? " " : "";
        snprintf(left, sizeof left, "zclab %s%s%s", commands[i].name, space, commands[i].words);
        fprintf(to, "  %-*s %s\n", HELP_COLUMN, left, commands[i].help);
    }
    fputs("\n  --quick          10 minutes for all of them\n"
          "  --smallest       seconds, to see that it works\n"
          "  -c FILE          advise: the configuration that is judged (without -c: the defaults)\n"
          "  --set KEY=VALUE  another value of a parameter (zclab list NAME shows them)\n"
          "  --out DIR        where results go (zclab-results/DATE-HOST)\n"
          "  --data DIR       where data sets are kept (zclab-data): the disk that is measured\n"
          "  --seed N         seed of contents and of random places (1)\n"
          "  -h, --help       print this\n"
          "\nWithout such an option the environment variable ZCLAB_SCALE (quick or smallest)\n"
          "says how large a run is; smallest also makes --quick smallest, so that a test can run\n"
          "a command as it is written\n"
          "\nexit codes: 0, 1 failure, 2 usage, 77 nothing could run, 130 interrupted\n",
          to);
    return to == stdout ? 0 : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options options;
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return usage(stdout);
    int first = options_read(&options, argc, argv);
    if (first < 0) return EXIT_USAGE;
    for (unsigned i = 0; first < argc && i < COMMANDS; i++) {
        if (strcmp(argv[first], commands[i].name) != 0) continue;
        if (!options.configuration || commands[i].run == command_advise)
            return commands[i].run(&options, argv + first + 1);
        fputs("zclab: -c is for advise\n", stderr);
        return EXIT_USAGE;
    }
    if (first < argc) fprintf(stderr, "zclab: unknown command '%s'\n", argv[first]);
    return usage(stderr);
}
