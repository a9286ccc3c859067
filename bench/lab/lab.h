/* One run of one experiment, as the frame keeps it. Experiments include experiment.h only. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "device.h"
#include "experiment.h"
#include "measuring.h"
#include "options.h"
#include "progress.h"

enum { DATA_MAX = 64, SKIPPED_MAX = 256 };

/* One case: what is measured once in each pass. */
struct lab_case {
    bool failed;
    unsigned count;         /* repetitions so far */
    size_t row[SAMPLE_MAX]; /* their rows */
    struct sample figure;   /* the figure by which noise is judged */
};

struct lab {
    const struct experiment *experiment;
    const struct options *options;
    unsigned pass; /* 0: planning; then one for each repetition */
    unsigned repetitions;
    bool only_noisy;        /* this pass is only for cases whose repetitions differ too much */
    unsigned next, cases;   /* cases seen in this pass; cases in all */
    struct lab_case *state; /* of each case */
    unsigned datas, skips, skips_untold, measured;
    struct data data[DATA_MAX];
    struct {
        char what[192], why[224];
    } skipped[SKIPPED_MAX];
    struct table table;
    FILE *csv;
    struct device device; /* of the data */
    double null_ns, spread_max;
    uint64_t seconds_ns;            /* of one measurement */
    uint64_t begun_ns, deadline_ns; /* of the experiment */
    uint64_t bytes_allowed;         /* the peak that was announced */
    struct progress progress;
    char failure[224]; /* why a case was not measured, when the errno does not say it */
};

/*
 * The way through an experiment: plan, one pass for each repetition, then again the cases that are too
 * noisy.
 */
void lab_plan(struct lab *lab, const struct experiment *experiment, const struct options *options);
void lab_walk(struct lab *lab);
void lab_close(struct lab *lab);

/* Returns what prevents the whole experiment (root, CPUs, a disk); NULL: nothing. */
const char *lab_hindrance(const struct lab *lab);

/*
 * data.c: the bytes of one item, whether made or not; makes all that were asked for; removes scratch.
 * Errors are printed.
 */
uint64_t data_bytes(const struct data *data);
int data_make(struct lab *lab);
void data_scratch_remove(struct lab *lab);
int data_clean(const char *directory);
/*
 * Evicts or warms what a case reads, and verifies it. Returns 0 or -errno, with the reason in lab->failure.
 */
int data_cache_prepare(struct lab *lab, const struct work *work, double *share);
double data_share(const struct data *data);

/*
 * parameters.c: returns 0, or -1 after it has printed which setting no experiment has, or which value is
 * wrong.
 */
int parameters_check(const struct options *options, const struct experiment *const list[],
                     unsigned count);
/*
 * Returns the text of a parameter in this run: the experiment's or one of the frame's; NULL: there is none.
 */
const char *parameter_text(const struct experiment *experiment, const struct options *options,
                           const char *name);
extern const struct parameter frame_parameters[];

/* null.c: returns the ns of one operation that does nothing, in the loop of measure.h. */
double null_cost_ns(void);

/* guards.c: sets the words of `warnings` in a row. */
void guards_apply(const struct lab *lab, struct cell *row, bool has_data);
void guard_warn(const struct table *table, struct cell *row, const char *word);

#endif
