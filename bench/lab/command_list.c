/* zclab list, report, clean: the commands that measure nothing. */
#include "command.h"

#include "page.h"
#include "results.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *needs_words(unsigned needs)
{
    static char words[64];
    snprintf(words, sizeof words, "%s%s%s", needs & NEEDS_ROOT ? "root " : "",
             needs & NEEDS_TWO_CPUS ? "2-CPUs " : "", needs & NEEDS_DISK ? "disk " : "");
    if (!*words) strcpy(words, "-");
    return words;
}

static void parameters_print(const struct parameter *p)
{
    for (; p && p->name; p++)
        printf("  --set %s=%s\n      %s; quick: %s\n", p->name, p->full, p->meaning, p->quick);
}

static void one_print(const struct experiment *e)
{
    printf("%u. %s (zclab run %s)\n\n%s\n\nExpected: %s\n\nNeeds: %s; %s. About %.1f minutes, "
           "quick %.1f.\n\n",
           e->number, e->title, e->name, e->question, e->expectation, needs_words(e->needs),
           e->floor, e->full_minutes, e->quick_minutes);
    parameters_print(e->parameters);
    parameters_print(frame_parameters);
}

int command_list(const struct options *options, char **words)
{
    (void)options;
    const struct experiment *all[32];
    unsigned count = experiments_list(all, 32);
    if (*words) {
        const struct experiment *e = experiment_named(*words);
        if (!e) fprintf(stderr, "zclab: there is no experiment '%s' (zclab list)\n", *words);
        if (e) one_print(e);
        return e ? 0 : EXIT_USAGE;
    }
    printf("%2s  %-14s %7s %7s  %-12s %s\n", "", "name", "minutes", "quick", "needs", "question");
    for (unsigned i = 0; i < count; i++)
        printf("%2u  %-14s %7.1f %7.1f  %-12s %s\n", all[i]->number, all[i]->name,
               all[i]->full_minutes, all[i]->quick_minutes, needs_words(all[i]->needs),
               all[i]->question);
    return 0;
}

static int is_run(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int command_report(const struct options *options, char **words)
{
    char path[PATH_TEXT_MAX];
    const char *folder = *words ? *words : options->out;
    if (!folder) {
        struct dirent **run;
        int count = scandir("zclab-results", &run, is_run, alphasort);
        if (count <= 0) {
            fputs("zclab: no results are below zclab-results/ (zclab run NAME makes some)\n",
                  stderr);
            return EXIT_FAILED;
        }
        snprintf(path, sizeof path, "zclab-results/%s", run[count - 1]->d_name);
        folder = path;
    }
    if (page_write(folder) < 0) return EXIT_FAILED;
    printf("%s/index.html\n", folder);
    return 0;
}

int command_clean(const struct options *options, char **words)
{
    (void)words;
    int result = data_clean(options->data);
    if (result < 0) fprintf(stderr, "zclab: %s: %s\n", options->data, strerror(-result));
    return result < 0 ? EXIT_FAILED : 0;
}
