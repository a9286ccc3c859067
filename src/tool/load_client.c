/*
 * Reads the output of load generators by a table, which says which line of which program has which
 * figure in which word. A line is found by how it begins or by what it contains; words are counted
 * from 0 and separated by blanks. A line that is not in the table is ignored, and a figure that is
 * not found is NAN.
 */
#include "tool/load_client.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 512 /* more than any line of a summary; the rest of a line is ignored */
#define WORDS_MAX 24

enum unit { COUNT, TIME, SECONDS, MILLISECONDS };

struct rule {
    const char *begins; /* the line begins with this, after blanks */
    const char *has;    /* and contains this; NULL: anything       */
    int word;           /* the number of the word                  */
    enum unit unit;
    enum client_figure figure;
};

static const struct rule wrk_rules[] = {
    {"", " threads and ", 3, COUNT, CLIENT_CONNECTIONS},
    {"Latency ", NULL, 1, TIME, CLIENT_MEAN_NS},
    {"Latency ", NULL, 3, TIME, CLIENT_MAX_NS},
    {"50%", NULL, 1, TIME, CLIENT_P50_NS},
    {"90%", NULL, 1, TIME, CLIENT_P90_NS},
    {"99%", NULL, 1, TIME, CLIENT_P99_NS},
    {"50.000%", NULL, 1, TIME, CLIENT_P50_NS}, /* wrk2 */
    {"90.000%", NULL, 1, TIME, CLIENT_P90_NS},
    {"99.000%", NULL, 1, TIME, CLIENT_P99_NS},
    {"", " requests in ", 0, COUNT, CLIENT_REQUESTS},
    {"", " requests in ", 3, TIME, CLIENT_SECONDS},
    {"Non-2xx or 3xx responses:", NULL, 4, COUNT, CLIENT_FAILED},
    {NULL, NULL, 0, COUNT, CLIENT_FIGURES},
};

static const struct rule ab_rules[] = {
    {"Concurrency Level:", NULL, 2, COUNT, CLIENT_CONNECTIONS},
    {"Time taken for tests:", NULL, 4, SECONDS, CLIENT_SECONDS},
    {"Complete requests:", NULL, 2, COUNT, CLIENT_REQUESTS},
    {"Failed requests:", NULL, 2, COUNT, CLIENT_FAILED},
    {"Time per request:", "[ms] (mean)", 3, MILLISECONDS, CLIENT_MEAN_NS},
    {"50%", NULL, 1, MILLISECONDS, CLIENT_P50_NS},
    {"90%", NULL, 1, MILLISECONDS, CLIENT_P90_NS},
    {"99%", NULL, 1, MILLISECONDS, CLIENT_P99_NS},
    {"100%", "longest request", 1, MILLISECONDS, CLIENT_MAX_NS},
    {NULL, NULL, 0, COUNT, CLIENT_FIGURES},
};

static const struct rule h2load_rules[] = {
    {"finished in ", NULL, 2, TIME, CLIENT_SECONDS},
    {"requests: ", " done,", 5, COUNT, CLIENT_REQUESTS},
    {"requests: ", " failed,", 9, COUNT, CLIENT_FAILED},
    {"time for request:", NULL, 4, TIME, CLIENT_MAX_NS},
    {"time for request:", NULL, 5, TIME, CLIENT_MEAN_NS},
    {NULL, NULL, 0, COUNT, CLIENT_FIGURES},
};

/* A program is recognised by a line that only it prints. */
static const struct program {
    const char *name, *begins, *has;
    const struct rule *rules;
    double resolution_ns;
} programs[] = {
    {"wrk", "Running ", " test @ ", wrk_rules, 1e3},
    {"ab", "This is ApacheBench", NULL, ab_rules, 1e6},
    {"ab", "Server Software:", NULL, ab_rules, 1e6}, /* with -q */
    {"h2load", "starting benchmark...", NULL, h2load_rules, 1e3},
};

/* ---- a line ---------------------------------------------------------------------------------- */

static bool line_is(const char *line, const char *begins, const char *has)
{
    return strncmp(line, begins, strlen(begins)) == 0 && (!has || strstr(line, has));
}

static const struct {
    const char *suffix;
    double ns;
} time_units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

/* Returns the unit of a time such as "1.25ms" or "10.00s,", in ns; NAN when there is none. */
static double time_unit_ns(const char *suffix)
{
    for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
        size_t length = strlen(time_units[i].suffix);
        if (strncmp(suffix, time_units[i].suffix, length) == 0 &&
            !isalpha((unsigned char)suffix[length]))
            return time_units[i].ns;
    }
    return NAN;
}

static double word_value(const char *word, enum unit unit, enum client_figure figure)
{
    char *end;
    if (!isdigit((unsigned char)*word)) return NAN;
    double number = strtod(word, &end);
    if (!isfinite(number)) return NAN;
    double ns = 1;
    switch (unit) {
    case COUNT: return number;
    case SECONDS: ns = 1e9; break;
    case MILLISECONDS: ns = 1e6; break;
    case TIME: ns = time_unit_ns(end); break;
    }
    return figure == CLIENT_SECONDS ? number * ns / 1e9 : number * ns;
}

static double line_value(const char *line, const struct rule *rule)
{
    for (int word = 0; word < WORDS_MAX; word++) {
        line += strspn(line, " \t");
        if (word == rule->word) return word_value(line, rule->unit, rule->figure);
        line += strcspn(line, " \t");
    }
    return NAN;
}

static void program_found(struct load_client *out, const struct program *program)
{
    *out = (struct load_client){.name = program->name, .resolution_ns = program->resolution_ns};
    for (int i = 0; i < CLIENT_FIGURES; i++)
        out->figure[i] = NAN;
}

static void line_read(const char *line, struct load_client *out, const struct rule **rules)
{
    line += strspn(line, " \t\r");
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (line_is(line, programs[i].begins, programs[i].has)) {
            if (*rules != programs[i].rules) program_found(out, &programs[i]);
            *rules = programs[i].rules;
        }
    for (const struct rule *rule = *rules; rule && rule->begins; rule++) {
        double value = line_is(line, rule->begins, rule->has) ? line_value(line, rule) : NAN;
        if (!isnan(value)) out->figure[rule->figure] = value;
    }
}

void load_client_read(const char *text, struct load_client *out)
{
    const struct rule *rules = NULL;
    program_found(out, &(struct program){0});
    while (*text) {
        char line[LINE_MAX_BYTES];
        size_t length = strcspn(text, "\n");
        size_t kept = length < sizeof(line) ? length : sizeof(line) - 1;
        memcpy(line, text, kept);
        line[kept] = '\0';
        line_read(line, out, &rules);
        text += length + (text[length] == '\n');
    }
}

const char *client_figure_name(enum client_figure figure)
{
    static const char *const names[CLIENT_FIGURES] = {
        [CLIENT_REQUESTS] = "requests",    [CLIENT_FAILED] = "failed",
        [CLIENT_SECONDS] = "seconds",      [CLIENT_CONNECTIONS] = "connections",
        [CLIENT_MEAN_NS] = "mean_seconds", [CLIENT_P50_NS] = "p50_seconds",
        [CLIENT_P90_NS] = "p90_seconds",   [CLIENT_P99_NS] = "p99_seconds",
        [CLIENT_MAX_NS] = "max_seconds",
    };
    return names[figure];
}
