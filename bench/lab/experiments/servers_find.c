/*
 * What the figures of experiment 15 mean. Each prediction is a word with a limit, and each server for which
 * it was made is compared with the limit. When the interval of 95 % contains the limit, it is left open.
 */
#include "servers.h"

#include "../text.h"
#include "server_minimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * For rows of a load: whether `figure`, divided by `figure` of the reference, is below or above the limit.
 */
static const struct rule {
    const char *load, *word;
    const char *figure;
    double limit;
    bool above;
    const char *words;     /* what was predicted, in a sentence that begins with "Predicted: " */
    const char *otherwise; /* what may explain it when it did not hold */
} rules[] = {
    {"kept", "flat", "iops", 0.7, true,
     "with the most kept connections there are at least 0.7 times the requests/s of the fewest",
     "What belongs to a connection no longer fits the caches, or the kernel switches too often."},
    {"kept", "falls", "iops", 0.7, false,
     "with the most kept connections there are less than 0.7 times the requests/s of the fewest",
     "Switches between address spaces are cheap on this CPU, or the most were too few to show it."},
    {"new", "cheap", "iops", 0.5, true,
     "with a new connection for each request a server reaches half of the best one's requests/s",
     "What is made for each connection costs more than accept(2) does."},
    {"new", "costly", "iops", 0.5, false,
     "fork(2) for each connection leaves less than half of the best server's requests/s",
     "Making the connection itself costs so much here that fork(2) hardly adds to it."},
    {"slow", "unharmed", "p95_us", 3, false, "slow clients change p95 by less than 3 times",
     "The server has something else that slow clients hold, or another load disturbed."},
    {"slow", "starved", "p95_us", 3, true,
     "slow clients, twice as many as a pool has places, hold all places, and p95 grows 3 times or "
     "more",
     "There were fewer slow clients than places in the pool, or the server ends them before they "
     "are done."},
    {"readers", "unharmed", "p95_us", 3, false, "slow readers change p95 by less than 3 times",
     "The server has something else that slow readers hold, or another load disturbed."},
    {"readers", "starved", "p95_us", 3, true,
     "slow readers, twice as many as a pool has places, hold all places, and p95 grows 3 times or "
     "more",
     "There were fewer slow readers than places in the pool, or the server ends them before they "
     "are done."},
    {"limited", "unharmed", "p95_us", 3, false,
     "cold files on a slow disk change p95 by less than 3 times",
     "The server waits for the disk where it should not."},
    {"limited", "stalled", "p95_us", 3, true,
     "a loop that waits for a slow disk makes all clients wait, and p95 grows 3 times or more",
     "The cold files were in memory after all, or the limit is not kept."},
    {"disk", "unharmed", "p95_us", 3, false, "cold files change p95 by less than 3 times",
     "The CPU that reading takes is in the way here, not the waiting, since all share one CPU; or "
     "the server waits for the disk where it should not."},
    {"disk", "stalled", "p95_us", 3, true,
     "a loop that waits for the disk makes all clients wait, and p95 grows 3 times or more",
     "The device is so fast that the waits hardly show."},
    {"compute", "shared", "p95_us", 1, false,
     "the kernel shares the CPU, and p95 stays below the time of one computation",
     "The scheduler gives a process that computes longer turns than a computation takes."},
    {"compute", "waits", "p95_us", 1, true,
     "a loop computes to the end, and p95 is at least the time of one computation",
     "There were too few computations to delay the others."},
};
#define TELLING (1 << 20) /* a process takes and gives back less than this anyway */
enum { RULES = sizeof rules / sizeof *rules, WHERE = 160 };

/* ---- one server against one rule --------------------------------------------------------------- */

static double most_of(const struct table *t, const char *where, bool most)
{
    struct cell x[DISTINCT_MAX];
    unsigned count = table_distinct(t, "connections", x, "%s", where);
    return count == 0 ? NAN : x[most ? count - 1 : 0].number;
}

/* Returns the fewest kept connections with which as many requests are under way as with more of them. */
static double fewest_of(const struct table *t, const char *where)
{
    struct cell x[DISTINCT_MAX];
    unsigned count = table_distinct(t, "connections", x, "%s", where), i = 0;
    while (i + 1 < count && x[i].number < 8)
        i++;
    return count == 0 ? NAN : x[i].number;
}

/* Returns the figure of the best server under this load. */
static struct sample best_of(const struct table *t, const char *load, const char *figure)
{
    struct sample best = {0};
    for (const struct server *s = servers; s->name; s++) {
        struct sample one = table_sample(t, figure, "load=%s server=%s", load, s->name);
        if (one.count > 0 && (best.count == 0 || summarise(&one).median > summarise(&best).median))
            best = one;
    }
    return best;
}

/* Takes the two samples whose ratio is compared with the limit. */
static void samples_take(const struct table *t, const struct rule *rule, const char *server,
                         struct sample *a, struct sample *b)
{
    char where[WHERE];
    snprintf(where, sizeof where, "server=%s load=%s prediction=%s", server, rule->load,
             rule->word);
    *a = table_sample(t, rule->figure, "%s", where);
    *b = (struct sample){0};
    if (!strcmp(rule->load, "kept")) {
        double least = fewest_of(t, where), most = most_of(t, where, true);
        *a = table_sample(t, rule->figure, "%s connections=%.10g", where, most);
        if (most > least) *b = table_sample(t, rule->figure, "%s connections=%.10g", where, least);
    } else if (!strcmp(rule->load, "new")) {
        *b = best_of(t, "new", rule->figure);
    } else if (!strcmp(rule->load, "compute")) {
        *b = (struct sample){2, {MINIMAL_COMPUTE_MS * 1e3, MINIMAL_COMPUTE_MS * 1e3}};
    } else {
        *b = table_sample(t, rule->figure, "server=%s load=alone", server);
    }
}

enum outcome { ABSENT, HELD, FAILED, OPEN, OUTCOMES };

static enum outcome outcome_of(const struct rule *rule, const struct sample *a,
                               const struct sample *b, double *ratio)
{
    struct comparison c = compare(a, b);
    *ratio = c.ratio;
    if (a->count == 0 || b->count == 0) return ABSENT;
    if (isnan(c.low)) return OPEN;
    if (c.low < rule->limit && c.high >= rule->limit) return OPEN;
    return (c.ratio >= rule->limit) == rule->above ? HELD : FAILED;
}

/* ---- sentences --------------------------------------------------------------------------------- */

static void rule_find(const struct table *t, const struct rule *rule, struct findings *into)
{
    static const char *const said[OUTCOMES] = {"", "It held for ", "It did not hold for ",
                                               "It is too noisy to tell for "};
    char list[OUTCOMES][200] = {"", "", "", ""};
    for (const struct server *s = servers; s->name; s++) {
        struct sample a, b;
        double ratio;
        text number;
        samples_take(t, rule, s->name, &a, &b);
        enum outcome o = outcome_of(rule, &a, &b, &ratio);
        size_t used = strlen(list[o]);
        snprintf(list[o] + used, sizeof list[o] - used, "%s%s (%s)", used ? ", " : "", s->name,
                 text_number(number, ratio));
    }
    char sentence[FINDING_TEXT_MAX] = "";
    for (unsigned o = HELD; o < OUTCOMES; o++) {
        size_t used = strlen(sentence);
        if (*list[o]) snprintf(sentence + used, sizeof sentence - used, " %s%s.", said[o], list[o]);
    }
    if (!*sentence) return;
    finding_add(into,
                *list[FAILED] ? FINDING_NOT_HELD
                : *list[HELD] ? FINDING_HELD
                              : FINDING_OPEN,
                "Predicted: %s (ratio in brackets).%s%s%s", rule->words, sentence,
                *list[FAILED] ? " " : "", *list[FAILED] ? rule->otherwise : "");
}

/*
 * Returns what one more connection takes, from the fewest and the most that were measured. NAN: these are
 * too few.
 */
static double slope_of(const struct table *t, const struct server *server, const char *figure)
{
    char where[WHERE];
    snprintf(where, sizeof where, "server=%s load=kept", server->name);
    double least = most_of(t, where, false), most = most_of(t, where, true);
    struct sample a = table_sample(t, figure, "%s connections=%.10g", where, least);
    struct sample b = table_sample(t, figure, "%s connections=%.10g", where, most);
    if (!((most - least) * server->predicted_bytes >= TELLING) || a.count == 0 || b.count == 0)
        return NAN;
    return (summarise(&b).median - summarise(&a).median) / (most - least);
}

/* Checks that memory is within a factor of three of the prediction. */
static void memory_find(const struct table *t, struct findings *into)
{
    char list[2][300] = {"", ""}, kernel[300] = "";
    for (const struct server *s = servers; s->name; s++) {
        double bytes = slope_of(t, s, "memory_bytes"), in_kernel = slope_of(t, s, "kernel_bytes");
        text is, was;
        if (isnan(bytes)) continue;
        bool near = bytes < 3.0 * s->predicted_bytes && bytes > s->predicted_bytes / 3.0;
        size_t used = strlen(list[near]);
        snprintf(list[near] + used, sizeof list[near] - used, "%s%s %s (predicted %s)",
                 used ? ", " : "", s->name, text_bytes(is, fmax(0, round(bytes))),
                 text_bytes(was, s->predicted_bytes));
        used = strlen(kernel);
        if (in_kernel > 0)
            snprintf(kernel + used, sizeof kernel - used, "%s%s %s", used ? ", " : "", s->name,
                     text_bytes(is, fmax(0, round(in_kernel))));
    }
    if (*list[true])
        finding_add(into, FINDING_HELD,
                    "Memory of one more connection is within 3 times of what was predicted for %s.",
                    list[true]);
    if (*list[false])
        finding_add(into, FINDING_NOT_HELD,
                    "Memory of one more connection is not within 3 times of what was predicted for "
                    "%s. A model's buffers, or pages that are shared, were estimated wrongly.",
                    list[false]);
    if (*kernel)
        finding_add(into, FINDING_FACT,
                    "In the kernel one more connection takes (both ends of the socket, and what "
                    "others took meanwhile): %s.",
                    kernel);
}

static void ratios_find(const struct table *t, struct findings *into)
{
    static const char *const pair[][3] = {{"kept", "io_uring", "epoll"},
                                          {"kept", "epoll", "min-loop"},
                                          {"kept", "min-thread", "min-loop"},
                                          {"new", "min-fork", "min-thread"},
                                          {"new", "epoll", "min-loop"}};
    for (unsigned i = 0; i < sizeof pair / sizeof *pair; i++) {
        char a[WHERE], b[WHERE], name[64], load[WHERE];
        snprintf(load, sizeof load, "server=%s load=%s", pair[i][1], pair[i][0]);
        double at = fewest_of(t, load);
        if (isnan(at)) continue;
        snprintf(a, sizeof a, "server=%s load=%s connections=%.10g", pair[i][1], pair[i][0], at);
        snprintf(b, sizeof b, "server=%s load=%s connections=%.10g", pair[i][2], pair[i][0], at);
        snprintf(name, sizeof name, "%s (%s connections)", pair[i][1], pair[i][0]);
        finding_ratio(into, t, "iops", name, a, pair[i][2], b);
    }
}

/* Where the client had no time left, the server may be faster than it looks. */
static void client_find(const struct table *t, struct findings *into)
{
    int cpu = table_column(t, "client_cpu");
    size_t limited = 0, all = 0;
    for (size_t r = 0; r < t->rows; r++) {
        if (!table_matches(t, r, "load=kept") && !table_matches(t, r, "load=new")) continue;
        double busy = t->cells[r * t->columns + (unsigned)cpu].number;
        all += isfinite(busy) != 0;
        limited += busy > 0.95;
    }
    if (limited > 0)
        finding_add(into, FINDING_OPEN,
                    "%zu of %zu measurements of kept and new connections: the client's CPU was "
                    "busy for more than 95 %% of the time, so the server may be faster than it "
                    "looks.",
                    limited, all);
}

void servers_find(const struct table *t, struct findings *into)
{
    for (unsigned i = 0; i < RULES; i++)
        rule_find(t, &rules[i], into);
    memory_find(t, into);
    ratios_find(t, into);
    client_find(t, into);
}
