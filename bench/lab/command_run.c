/* zclab run and all: plan everything, announce the disk use, measure, draw, and print the findings. */
#include "command.h"

#include "environment.h"
#include "page.h"
#include "results.h"
#include "text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { EXPERIMENTS_MAX = 32 };

/* The first INT or TERM ends the measurement under way; the second one ends the program. */
static void on_signal(int number)
{
    measure_stopped = true;
    signal(number, SIG_DFL);
}

static void signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Allows as many descriptors as the hard limit does: some experiments hold thousands. */
static void limits_raise(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* ---- disk use ---------------------------------------------------------------------------------- */

/* Data sets are kept, so each counts once for all experiments. Scratch counts while it is there. */
static uint64_t peak_bytes(struct lab *labs, unsigned count)
{
    uint64_t kept = 0, scratch_most = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t scratch = 0;
        for (unsigned d = 0; d < labs[i].datas; d++) {
            const struct data *data = &labs[i].data[d];
            bool known = false;
            if (data->scratch) scratch += data_bytes(data);
            for (unsigned j = 0; j < i && !known; j++)
                for (unsigned k = 0; k < labs[j].datas && !known; k++)
                    known = !strcmp(labs[j].data[k].path, data->path);
            if (!data->scratch && !known) kept += data_bytes(data);
        }
        if (scratch > scratch_most) scratch_most = scratch;
    }
    return kept + scratch_most;
}

/* ---- one experiment ---------------------------------------------------------------------------- */

static void findings_print(const struct lab *lab)
{
    static const char *const sign[] = {" ", "+", "!", "?"};
    static struct findings findings;
    results_find(lab->experiment, &lab->table, &findings);
    printf("\n%u. %s\n%s\n", lab->experiment->number, lab->experiment->title,
           lab->experiment->question);
    for (unsigned i = 0; i < findings.count; i++)
        printf(" %s %s\n", sign[findings.finding[i].kind], findings.finding[i].text);
    fflush(stdout);
}

/* Returns 0, EXIT_FAILED or EXIT_NOTHING_RAN. */
static int experiment_run(struct lab *lab, const char *folder)
{
    const char *hindrance = lab_hindrance(lab);
    if (hindrance) {
        lab_skip(lab, lab->experiment->name, hindrance);
        return EXIT_NOTHING_RAN;
    }
    int made = data_make(lab);
    if (made < 0) {
        if (made != -EINTR) lab_skip(lab, lab->experiment->name, strerror(-made));
        return EXIT_NOTHING_RAN;
    }
    lab->csv = results_csv_open(folder, lab);
    if (!lab->csv) return EXIT_FAILED;
    lab_walk(lab);
    int lost = ferror(lab->csv);
    if (fclose(lab->csv) != 0) lost = 1;
    lab->csv = NULL;
    int written = results_write(folder, lab);
    if (lost || written < 0) {
        fprintf(stderr, "zclab: %s: %s\n", folder,
                written < 0 ? strerror(-written) : "cannot be written");
        return EXIT_FAILED;
    }
    findings_print(lab);
    return lab->measured > 0 ? 0 : EXIT_NOTHING_RAN;
}

static int environment_write(const char *folder, const char *data)
{
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "%.400s/environment.json", folder);
    json_t *environment = environment_read(data);
    int failed = json_dump_file(environment, path, JSON_INDENT(1));
    json_decref(environment);
    return failed ? -EIO : 0;
}

static int everything_run(struct lab *labs, unsigned count, const struct options *options)
{
    char folder[PATH_TEXT_MAX];
    text peak;
    int code = EXIT_NOTHING_RAN, failed = results_open(options, folder);
    if (failed < 0 || (failed = environment_write(folder, options->data)) < 0) {
        fprintf(stderr, "zclab: %s: %s\n", folder, strerror(-failed));
        return EXIT_FAILED;
    }
    uint64_t bytes = peak_bytes(labs, count);
    fprintf(stderr, "results: %s; peak disk use: %s in %s (zclab clean gives it back)\n", folder,
            text_bytes(peak, (double)bytes), options->data);
    for (unsigned i = 0; i < count && !measure_stopped; i++) {
        labs[i].bytes_allowed = bytes;
        int ended = experiment_run(&labs[i], folder);
        if (ended == EXIT_FAILED || code == EXIT_NOTHING_RAN) code = ended;
        data_scratch_remove(&labs[i]);
    }
    if (page_write(folder) == 0) printf("\n%s/index.html\n", folder);
    return measure_stopped ? EXIT_INTERRUPTED : code;
}

static int list_run(const struct experiment *const list[], unsigned count,
                    const struct options *options)
{
    if (parameters_check(options, list, count) < 0) return EXIT_USAGE;
    struct lab *labs = calloc(count, sizeof *labs);
    if (!labs) return EXIT_FAILED;
    signals_catch();
    limits_raise();
    for (unsigned i = 0; i < count; i++)
        lab_plan(&labs[i], list[i], options);
    int code = everything_run(labs, count, options);
    for (unsigned i = 0; i < count; i++)
        lab_close(&labs[i]);
    free(labs);
    return code;
}

int command_run(const struct options *options, char **words)
{
    const struct experiment *list[EXPERIMENTS_MAX];
    unsigned count = 0;
    for (; *words && count < EXPERIMENTS_MAX; words++) {
        list[count] = experiment_named(*words);
        if (!list[count++]) {
            fprintf(stderr, "zclab: there is no experiment '%s' (zclab list)\n", *words);
            return EXIT_USAGE;
        }
    }
    if (count == 0) {
        fputs("zclab: run needs the name of an experiment (zclab list shows them)\n", stderr);
        return EXIT_USAGE;
    }
    return list_run(list, count, options);
}

int command_all(const struct options *options, char **words)
{
    const struct experiment *list[EXPERIMENTS_MAX];
    (void)words;
    return list_run(list, experiments_list(list, EXPERIMENTS_MAX), options);
}
