/*
 * Counts under one lock. Lines and the progress are printed under it too, so that none is inside
 * another.
 */
#include "precompress/outcomes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool/format.h"
#include "zcserve/utf8.h"

#define COLUMNS_DEFAULT 80
#define CLEAR_LINE "\r\x1b[K" /* ECMA-48 EL; every terminal but a dumb one knows it */

/* Only a terminal that can take a line back shows the progress. */
static bool can_show(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

void outcomes_open(struct outcomes *outcomes, const struct precompress_wishes *wishes, FILE *lines)
{
    *outcomes = (struct outcomes){.wishes = wishes, .lines = lines, .shows = can_show()};
    pthread_mutex_init(&outcomes->mutex, NULL);
}

void outcomes_close(struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->trouble_count; i++)
        free(outcomes->troubles[i].path);
    free(outcomes->troubles);
    pthread_mutex_destroy(&outcomes->mutex);
}

const char *outcome_word(enum outcome outcome)
{
    static const char *const words[OUTCOMES] = {
        [OUTCOME_CURRENT] = "current", [OUTCOME_MADE] = "made",
        [OUTCOME_DATED] = "dated",     [OUTCOME_NOT_WORTH] = "not_worth_it",
        [OUTCOME_REMOVED] = "removed", [OUTCOME_MISSING] = "missing",
        [OUTCOME_STALE] = "stale",     [OUTCOME_DIFFERENT] = "different",
        [OUTCOME_FAILED] = "failed",   [OUTCOME_GONE] = "gone",
    };
    return words[outcome];
}

static bool is_bad(enum outcome outcome)
{
    return outcome == OUTCOME_MISSING || outcome == OUTCOME_STALE || outcome == OUTCOME_DIFFERENT ||
           outcome == OUTCOME_FAILED;
}

/* ---- progress -------------------------------------------------------------------------------- */

static int terminal_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : COLUMNS_DEFAULT;
}

static uint64_t bytes_saved(const struct outcomes *outcomes)
{
    uint64_t original = 0, sidecar = 0;
    for (int i = 0; i < CODING_COUNT; i++) {
        original += outcomes->of[i].original_bytes;
        sidecar += outcomes->of[i].sidecar_bytes;
    }
    return original > sidecar ? original - sidecar : 0;
}

static void line_clear(const struct outcomes *outcomes)
{
    if (outcomes->shows) fputs(CLEAR_LINE, stderr);
}

void outcomes_show(struct outcomes *outcomes)
{
    char line[160];
    format_space saved;
    if (!outcomes->shows) return;
    pthread_mutex_lock(&outcomes->mutex);
    double share =
        outcomes->cost_all > 0 ? (double)outcomes->cost_done / (double)outcomes->cost_all : 1;
    format_bytes(saved, (double)bytes_saved(outcomes));
    int length = snprintf(line, sizeof(line), "%3.0f %%  %llu of %llu sidecars, %s saved",
                          100 * share, (unsigned long long)outcomes->pieces_done,
                          (unsigned long long)outcomes->pieces_all, saved);
    int columns = terminal_columns() - 1; /* the last one would wrap */
    if (columns > length) columns = length;
    fprintf(stderr, CLEAR_LINE "%.*s", columns, line);
    pthread_mutex_unlock(&outcomes->mutex);
}

void outcomes_clear(struct outcomes *outcomes)
{
    pthread_mutex_lock(&outcomes->mutex);
    line_clear(outcomes);
    pthread_mutex_unlock(&outcomes->mutex);
}

void outcomes_expect(struct outcomes *outcomes, uint64_t pieces, uint64_t cost)
{
    pthread_mutex_lock(&outcomes->mutex);
    outcomes->pieces_all = pieces;
    outcomes->cost_all = cost;
    pthread_mutex_unlock(&outcomes->mutex);
}

void outcomes_advance(struct outcomes *outcomes, uint64_t cost)
{
    pthread_mutex_lock(&outcomes->mutex);
    outcomes->pieces_done++;
    outcomes->cost_done += cost;
    pthread_mutex_unlock(&outcomes->mutex);
}

/* ---- lines ----------------------------------------------------------------------------------- */

void outcomes_say(struct outcomes *outcomes, const char *text)
{
    pthread_mutex_lock(&outcomes->mutex);
    line_clear(outcomes);
    fprintf(stderr, "zcserve precompress: %s\n", text);
    pthread_mutex_unlock(&outcomes->mutex);
}

static void problem_print(const struct outcomes *outcomes, const char *path, const char *what)
{
    line_clear(outcomes);
    fputs("zcserve precompress: ", stderr);
    utf8_print(stderr, path);
    fprintf(stderr, ": %s\n", what);
}

/* "made css/a.css.br (5.00 KiB, now 812 B)"; with -n "would be made". */
static void line_print(const struct outcomes *outcomes, const char *path,
                       const struct piece_result *result)
{
    format_space original, sidecar;
    enum outcome outcome = result->outcome;
    bool sizes = outcome == OUTCOME_MADE || outcome == OUTCOME_DATED;
    line_clear(outcomes);
    fprintf(outcomes->lines, "%s%s ",
            outcomes->wishes->dry_run && !is_bad(outcome) ? "would be " : "",
            outcome_word(outcome));
    utf8_print(outcomes->lines, path);
    if (sizes)
        fprintf(outcomes->lines, " (%s, now %s)",
                format_bytes(original, (double)result->original_size),
                format_bytes(sidecar, (double)result->sidecar_size));
    fputc('\n', outcomes->lines);
}

/* ---- counting -------------------------------------------------------------------------------- */

/* Without memory for the list the counts are right all the same. */
static void trouble_add(struct outcomes *outcomes, struct trouble trouble, const char *path)
{
    if (outcomes->trouble_count == outcomes->trouble_room) {
        size_t room = outcomes->trouble_room ? 2 * outcomes->trouble_room : 64;
        struct trouble *more = realloc(outcomes->troubles, room * sizeof(*more));
        if (!more) return;
        outcomes->troubles = more;
        outcomes->trouble_room = room;
    }
    trouble.path = strdup(path);
    if (trouble.path) outcomes->troubles[outcomes->trouble_count++] = trouble;
}

void outcomes_add_file(struct outcomes *outcomes)
{
    pthread_mutex_lock(&outcomes->mutex);
    outcomes->files++;
    pthread_mutex_unlock(&outcomes->mutex);
}

void outcomes_add_too_large(struct outcomes *outcomes, const char *path)
{
    pthread_mutex_lock(&outcomes->mutex);
    outcomes->too_large++;
    problem_print(outcomes, path, "left alone, because it is larger than --max-size");
    pthread_mutex_unlock(&outcomes->mutex);
}

void outcomes_add_failure(struct outcomes *outcomes, const char *path, int error)
{
    pthread_mutex_lock(&outcomes->mutex);
    outcomes->failed++;
    problem_print(outcomes, path, piece_problem(error));
    trouble_add(outcomes, (struct trouble){.outcome = OUTCOME_FAILED, .error = error}, path);
    pthread_mutex_unlock(&outcomes->mutex);
}

static void result_count(struct coding_outcomes *of, const struct piece_result *result)
{
    of->count[result->outcome]++;
    if (result->sidecar_size == 0 || is_bad(result->outcome)) return;
    of->sidecar_bytes += result->sidecar_size;
    of->original_bytes += result->original_size;
}

static bool is_told(const struct outcomes *outcomes, enum outcome outcome)
{
    if (is_bad(outcome)) return true;
    bool changed =
        outcome == OUTCOME_MADE || outcome == OUTCOME_DATED || outcome == OUTCOME_REMOVED;
    return changed && (outcomes->wishes->verbose || outcomes->wishes->dry_run);
}

void outcomes_add(struct outcomes *outcomes, const char *path, enum coding coding,
                  const struct piece_result *result)
{
    char sidecar[PATH_MAX];
    enum outcome outcome = result->outcome;
    file_sidecar_name(path, coding, sidecar);
    pthread_mutex_lock(&outcomes->mutex);
    result_count(&outcomes->of[coding], result);
    if (outcome == OUTCOME_FAILED)
        problem_print(outcomes, sidecar, piece_problem(result->error));
    else if (is_told(outcomes, outcome))
        line_print(outcomes, sidecar, result);
    if (is_bad(outcome))
        trouble_add(outcomes,
                    (struct trouble){.coding = coding, .outcome = outcome, .error = result->error},
                    sidecar);
    pthread_mutex_unlock(&outcomes->mutex);
}

bool outcomes_are_bad(const struct outcomes *outcomes)
{
    uint64_t bad = outcomes->failed;
    for (int i = 0; i < CODING_COUNT; i++)
        for (int j = 0; j < OUTCOMES; j++)
            if (is_bad((enum outcome)j)) bad += outcomes->of[i].count[j];
    return bad > 0 || outcomes->pieces_done < outcomes->pieces_all;
}
