/*
 * The way through the cases of an experiment: once to plan, once for every repetition, and again for the
 * cases whose repetitions differ too much. The repetitions of a case are far apart in time. So a
 * disturbance does not affect all of them, and what changes slowly (a device that warms up) affects all
 * cases alike.
 */
#include "lab.h"
#include "warnings.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REPETITIONS_MAX (SAMPLE_MAX / 2) /* so that there is room to repeat */
#define NS_MIN (10 * NS_PER_S / 1000)
#define NS_MAX (2 * NS_PER_S)

/* Keeps each reason. The first one of its kind is printed; more with the same reason are counted. */
void lab_skip(struct lab *lab, const char *what, const char *why)
{
    bool told = false;
    for (unsigned i = 0; i < lab->skips; i++) {
        if (!strcmp(lab->skipped[i].what, what)) return;
        told |= !strcmp(lab->skipped[i].why, why);
    }
    if (lab->skips == SKIPPED_MAX) return;
    snprintf(lab->skipped[lab->skips].what, sizeof lab->skipped[0].what, "%s", what);
    snprintf(lab->skipped[lab->skips++].why, sizeof lab->skipped[0].why, "%s", why);
    lab->skips_untold += told;
    progress_end(&lab->progress);
    if (!told) fprintf(stderr, "%-12s left out: %s: %s\n", lab->experiment->name, what, why);
}

static double minutes_of(const struct lab *lab)
{
    const struct experiment *e = lab->experiment;
    enum scale scale = lab->options->scale;
    return scale == SCALE_FULL    ? e->full_minutes
           : scale == SCALE_QUICK ? e->quick_minutes
                                  : 2.0 / 60;
}

void lab_plan(struct lab *lab, const struct experiment *experiment, const struct options *options)
{
    memset(lab, 0, sizeof *lab);
    lab->experiment = experiment;
    lab->options = options;
    table_open(&lab->table, experiment->factors, experiment->figures);
    mkdir(options->data, 0755);
    device_of(&lab->device, MACHINE_ITSELF, options->data);
    progress_begin(&lab->progress, experiment->name);
    uint64_t repetitions = lab_number(lab, "repetitions");
    lab->repetitions = repetitions < 1                 ? 1
                       : repetitions > REPETITIONS_MAX ? REPETITIONS_MAX
                                                       : (unsigned)repetitions;
    lab->spread_max = (double)lab_number(lab, "spread") / 100;
    experiment->run(lab);
    lab->cases = lab->next;
    lab->state = calloc(lab->cases ? lab->cases : 1, sizeof *lab->state);
    const char *said = parameter_text(experiment, options, "seconds");
    double seconds = said ? strtod(said, NULL) : 0;
    if (seconds > 0) {
        lab->seconds_ns = (uint64_t)(seconds * 1e9);
        return;
    }
    /* Preparing and warming up need their share; half of the time is left for measuring. */
    double each = 0.5 * 60e9 * minutes_of(lab) / (lab->cases * lab->repetitions + 1);
    lab->seconds_ns = (uint64_t)fmin(fmax(each, (double)NS_MIN), (double)NS_MAX);
}

void lab_close(struct lab *lab)
{
    data_scratch_remove(lab);
    table_close(&lab->table);
    free(lab->state);
    lab->state = NULL;
}

/* ---- one measurement --------------------------------------------------------------------------- */

static int run_once(struct lab *lab, const struct work *work, struct measuring *on, bool warming)
{
    static struct measure m;
    uint64_t limit = work->time_is_not_limited ? 30 * NS_PER_S : lab->seconds_ns;
    memset(&m, 0, sizeof m);
    m.operations_max = work->operations_max;
    m.warming = warming;
    m.lab = lab;
    on->seconds_ns = warming ? limit / 10 : limit;
    int result = work->open ? work->open(work->context) : 0;
    if (result >= 0) {
        m.row = on;
        measuring_begin(on);
        m.deadline_ns = on->begun_ns + on->seconds_ns;
        result = work->run(work->context, &m);
    }
    if (result >= 0 && !warming) measuring_end(on, &m);
    if (work->close) work->close(work->context);
    if (result >= 0 && !warming && m.tally.operations == 0) return -ENODATA;
    return result;
}

/* A warm-up must not touch the row. */
static int warm_up(struct lab *lab, const struct work *work)
{
    struct measuring scrap = {.table = &lab->table};
    return run_once(lab, work, &scrap, true);
}

static int case_run(struct lab *lab, const struct work *work, struct measuring *on, bool first)
{
    double before = NAN;
    int result = first && !work->no_warm_up ? warm_up(lab, work) : 0;
    if (result == 0) result = data_cache_prepare(lab, work, &before);
    if (result == 0) result = run_once(lab, work, on, false);
    if (result < 0 || work->cache == CACHE_AS_IT_IS) return result;
    double after = data_share(work->data);
    row_set(on, "resident_before", before);
    row_set(on, "resident_after", after);
    if (work->cache == CACHE_WARM && after < 0.99) {
        snprintf(lab->failure, sizeof lab->failure, "it was warm, and %.1f %% was left afterwards",
                 100 * after);
        return -EBUSY;
    }
    return 0;
}

static void case_keep(struct lab *lab, struct lab_case *state, struct cell *row, bool has_data)
{
    int figure = table_column(&lab->table, lab->experiment->figure);
    guards_apply(lab, row, has_data);
    state->row[state->count++] = lab->table.rows - 1;
    if (figure >= 0 && isfinite(row[figure].number))
        state->figure.value[state->figure.count++] = row[figure].number;
    lab->measured++;
    if (lab->csv) {
        table_row_write(&lab->table, lab->table.rows - 1, lab->experiment->name, lab->csv);
        fflush(lab->csv);
    }
}

static void case_measure(struct lab *lab, struct lab_case *state, const struct work *work,
                         const char *factors)
{
    struct cell *row = table_row_add(&lab->table);
    const char *unknown = row ? table_set(&lab->table, row, factors) : "memory";
    if (unknown) {
        fprintf(stderr, "zclab: %s: no factor '%s'\n", lab->experiment->name, unknown);
        exit(1); /* an error in the experiment, or no memory */
    }
    struct measuring on = {.table = &lab->table,
                           .row = row,
                           .null_ns = lab->null_ns,
                           .device = work->data ? &lab->device : NULL};
    row_set(&on, "repetition", state->count + 1);
    lab->failure[0] = '\0';
    int result = case_run(lab, work, &on, state->count == 0);
    if (result == 0 && !measure_stopped) {
        case_keep(lab, state, row, work->data);
        return;
    }
    lab->table.rows--;
    if (measure_stopped) return;
    state->failed = true;
    lab_skip(lab, factors, lab->failure[0] ? lab->failure : strerror(-result));
}

/* ---- the walk ---------------------------------------------------------------------------------- */

static bool is_noisy(const struct lab *lab, const struct lab_case *state)
{
    return state->figure.count > 1 && summarise(&state->figure).spread > lab->spread_max;
}

void lab_measure(struct lab *lab, const struct work *work, const char *factors, ...)
{
    char said[FACTORS_TEXT_MAX];
    unsigned index = lab->next++;
    if (lab->pass == 0 || index >= lab->cases || measure_stopped) return;
    struct lab_case *state = &lab->state[index];
    if (state->failed || state->count == SAMPLE_MAX || (lab->only_noisy && !is_noisy(lab, state)))
        return;
    uint64_t now = measure_now();
    if (now > lab->deadline_ns) return;
    va_list values;
    va_start(values, factors);
    vsnprintf(said, sizeof said, factors, values);
    va_end(values);
    unsigned total = lab->cases * lab->repetitions, done = (lab->pass - 1) * lab->cases + index;
    double passed = (double)(now - lab->begun_ns) / 1e9;
    if (done < total)
        progress_measuring(&lab->progress, done, total, done ? passed / done * (total - done) : 0,
                           said);
    case_measure(lab, state, work, said);
}

static void pass_walk(struct lab *lab)
{
    lab->pass++;
    lab->next = 0;
    lab->experiment->run(lab);
    if (lab->next != lab->cases && !measure_stopped)
        fprintf(stderr, "zclab: %s: %u cases were planned and %u walked\n", lab->experiment->name,
                lab->cases, lab->next);
}

/* Marks each row of the cases that are still too noisy after they were repeated. */
static void noisy_mark(struct lab *lab)
{
    for (unsigned c = 0; c < lab->cases; c++)
        for (unsigned i = 0; is_noisy(lab, &lab->state[c]) && i < lab->state[c].count; i++)
            guard_warn(&lab->table, lab->table.cells + lab->state[c].row[i] * lab->table.columns,
                       warning_word[WARNING_SPREAD]);
}

static void left_out_tell(struct lab *lab)
{
    unsigned left_out = 0;
    char what[64];
    for (unsigned c = 0; c < lab->cases; c++)
        left_out += lab->state[c].count == 0 && !lab->state[c].failed;
    snprintf(what, sizeof what, "%u of %u cases", left_out, lab->cases);
    if (left_out > 0) lab_skip(lab, what, "the time for this experiment was over");
}

void lab_walk(struct lab *lab)
{
    lab->null_ns = null_cost_ns();
    lab->begun_ns = measure_now();
    lab->deadline_ns = lab->begun_ns + (uint64_t)(1.3 * 60e9 * fmax(minutes_of(lab), 0.25));
    progress_begin(&lab->progress, lab->experiment->name);
    for (unsigned r = 0; r < lab->repetitions; r++)
        pass_walk(lab);
    lab->only_noisy = true; /* in the rest of the experiment's minutes */
    lab->deadline_ns = lab->begun_ns + (uint64_t)(60e9 * minutes_of(lab));
    for (unsigned r = 0; r < lab->repetitions && lab->options->scale != SCALE_SMALLEST; r++)
        pass_walk(lab);
    noisy_mark(lab);
    progress_end(&lab->progress);
    if (!measure_stopped) left_out_tell(lab);
    if (lab->skips_untold > 0)
        fprintf(stderr, "%-12s left out: %u more for the same reasons (%s.json has all)\n",
                lab->experiment->name, lab->skips_untold, lab->experiment->name);
}
