/*
 * zclab compare A B …: shows the same cases of several runs side by side, with the ratio of each run to the
 * first, and whether that is more than the noise. A directory that holds several runs is a class: its
 * repetitions are pooled.
 */
#include "command.h"

#include "results.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { SIDES_MAX = 8 };

static void rows_add(struct table *into, const struct table *from)
{
    for (size_t r = 0; r < from->rows; r++) {
        struct cell *row = table_row_add(into);
        if (row) memcpy(row, from->cells + r * from->columns, from->columns * sizeof *row);
    }
}

static void folder_add(struct table *into, const char *folder, const struct experiment *e)
{
    struct table one;
    if (results_read(folder, e, &one, NULL) == 0) rows_add(into, &one);
    table_close(&one);
}

/* Reads a run, or a class of runs in a directory. */
static void side_read(struct table *into, const char *folder, const struct experiment *e)
{
    char path[PATH_TEXT_MAX];
    table_open(into, e->factors, e->figures);
    snprintf(path, sizeof path, "%.400s/environment.json", folder);
    if (access(path, R_OK) == 0) {
        folder_add(into, folder, e);
        return;
    }
    DIR *listing = opendir(folder);
    struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        snprintf(path, sizeof path, "%.240s/%.250s", folder, entry->d_name);
        if (entry->d_name[0] != '.') folder_add(into, path, e);
    }
    if (listing) closedir(listing);
}

static void case_compare(const struct table *side, unsigned sides, const char *figure,
                         const char *unit, const char *where)
{
    static const char *const word[] = {"same", "less", "more", "noisy"};
    struct sample first = table_sample(&side[0], figure, "%s", where);
    text value;
    if (first.count == 0) return;
    printf("%14s", text_figure(value, summarise(&first).median, unit));
    for (unsigned s = 1; s < sides; s++) {
        struct sample other = table_sample(&side[s], figure, "%s", where);
        struct comparison c = compare(&other, &first);
        if (other.count == 0)
            printf(" %14s %6s %-5s", "-", "", "");
        else
            printf(" %14s %6.2f %-5s", text_figure(value, summarise(&other).median, unit), c.ratio,
                   isnan(c.low) ? "once" : word[c.verdict]);
    }
    printf("  %s\n", where);
}

static unsigned experiment_compare(const struct experiment *e, char **folders, unsigned sides)
{
    static struct table side[SIDES_MAX];
    char where[FACTORS_TEXT_MAX];
    unsigned cases = 0;
    for (unsigned s = 0; s < sides; s++)
        side_read(&side[s], folders[s], e);
    int column = table_column(&side[0], e->figure);
    if (side[0].rows > 0) printf("\n%u. %s: %s\n", e->number, e->title, e->figure);
    for (size_t row = 0; row < side[0].rows; row++)
        if (table_case(&side[0], row, where)) {
            case_compare(side, sides, e->figure, side[0].column[column]->unit, where);
            cases++;
        }
    for (unsigned s = 0; s < sides; s++)
        table_close(&side[s]);
    return cases;
}

int command_compare(const struct options *options, char **words)
{
    (void)options;
    const struct experiment *all[32];
    unsigned count = experiments_list(all, 32), sides = 0, cases = 0;
    while (words[sides] && sides < SIDES_MAX)
        sides++;
    if (sides < 2 || words[sides]) {
        fprintf(stderr, "zclab: compare takes 2 to %d directories of results\n", SIDES_MAX);
        return EXIT_USAGE;
    }
    printf(
        "Medians; the ratio is to %s. \"same\": no difference beyond the noise (Welch, 95 %%).\n",
        words[0]);
    for (unsigned i = 0; i < count; i++)
        cases += experiment_compare(all[i], words, sides);
    if (cases == 0) fprintf(stderr, "zclab: %s: no results of zclab are here\n", words[0]);
    return cases ? 0 : EXIT_FAILED;
}
