/* Experiment 14, queueing: what its figures mean. Pure; the lesson is in queueing.c. */
#include "queueing.h"

#include "../text.h"

#include <math.h>
#include <string.h>

static const char *service_words(const char *service)
{
    return !strcmp(service, "fixed")     ? "equal requests"
           : !strcmp(service, "varying") ? "varying requests"
                                         : "reads of the disk";
}

/* Says the parts of the response time at one load: "sweep=load loop=open service=… load_of_capacity=…". */
static void parts_find(const struct table *t, struct findings *into, const char *service,
                       double load, const char *where)
{
    struct sample response = table_sample(t, "mean_us", "%s", where);
    struct sample waiting = table_sample(t, "waiting_us", "%s", where);
    struct sample served = table_sample(t, "service_us", "%s", where);
    text r, w, s;
    if (response.count == 0 || waiting.count == 0 || served.count == 0) return;
    text_figure(r, summarise(&response).median, "us");
    text_figure(w, summarise(&waiting).median, "us");
    text_figure(s, summarise(&served).median, "us");
    finding_add(into, FINDING_FACT,
                "At %.0f %% of the capacity a response to %s takes %s: %s of waiting and %s of "
                "service (medians; response times of repetitions differ by %.0f %%).",
                100 * load, service_words(service), r, w, s, 100 * summarise(&response).spread);
}

/* Says from which load on waiting takes as long as service: the first load for which it is certain. */
static void knee_find(const struct table *t, struct findings *into, const char *service,
                      const struct curve *curve, const char *where)
{
    const char *words = service_words(service);
    bool doubt = false;
    for (unsigned i = 0; i < curve->count; i++) {
        struct sample served =
            table_sample(t, "service_us", "%s load_of_capacity=%.10g", where, curve->x[i]);
        struct comparison c = compare(&curve->y[i], &served);
        double twice = summarise(&curve->y[i]).median / summarise(&served).median / 2;
        if (c.low >= 2) {
            finding_add(into, FINDING_FACT,
                        "The response to %s takes twice the service or longer from %.0f %% of the "
                        "capacity on.",
                        words, 100 * curve->x[i]);
            return;
        }
        doubt |= twice >= 1 || isnan(c.low);
    }
    if (doubt)
        finding_add(into, FINDING_OPEN,
                    "It is too noisy to tell from which load on the response to %s takes twice the "
                    "service.",
                    words);
    else if (curve->count > 0)
        finding_add(into, FINDING_FACT,
                    "The response to %s never takes twice the service, up to %.0f %% of the "
                    "capacity.",
                    words, 100 * curve->x[curve->count - 1]);
}

/* Returns the highest load below 1, because only there waiting has a mean; -1: none. */
static int highest_steady(const struct curve *curve)
{
    int highest = -1;
    for (unsigned i = 0; i < curve->count; i++)
        if (curve->x[i] < 0.999) highest = (int)i;
    return highest;
}

static void load_find(const struct table *t, struct findings *into, const char *service)
{
    char where[96], at[160], expectation[160];
    snprintf(where, sizeof where, "sweep=load loop=open service=%s", service);
    struct curve curve = curve_of(t, "load_of_capacity", "mean_us", where);
    int high = highest_steady(&curve);
    if (high < 0) return;
    snprintf(at, sizeof at, "%s load_of_capacity=%.10g", where, curve.x[high]);
    parts_find(t, into, service, curve.x[high], at);
    knee_find(t, into, service, &curve, where);
    if (high == 0) return;
    struct comparison c = compare(&curve.y[high], &curve.y[0]);
    snprintf(expectation, sizeof expectation,
             "%s get their responses later at %.0f %% of the capacity than at %.0f %%",
             service_words(service), 100 * curve.x[high], 100 * curve.x[0]);
    finding_expect(into, expectation, MORE, &c,
                   "The capacity was higher while it was measured under load than before: a device "
                   "or CPU that wakes up only when it is busy.");
}

/*
 * Compares with the formula where it says most and a short run still comes near its mean: at 80 %, or the
 * next load below.
 */
static void formula_find(const struct table *t, struct findings *into, const char *service)
{
    char expectation[160];
    struct cell load[DISTINCT_MAX];
    double at = 0;
    unsigned loads =
        table_distinct(t, "load_of_capacity", load, "sweep=load loop=open service=%s", service);
    for (unsigned i = 0; i < loads; i++)
        if (load[i].number <= 0.801) at = load[i].number;
    struct sample waited = table_sample(
        t, "waiting_us", "sweep=load loop=open service=%s load_of_capacity=%.10g", service, at);
    struct sample predicted = table_sample(
        t, "predicted_us", "sweep=load loop=open service=%s load_of_capacity=%.10g", service, at);
    if (waited.count == 0 || predicted.count == 0) return;
    struct comparison c = compare(&waited, &predicted);
    snprintf(expectation, sizeof expectation,
             "%s wait as long as Pollaczek and Khinchine say at %.0f %% of the capacity",
             service_words(service), 100 * at);
    finding_expect(
        into, expectation, SAME, &c,
        "A short run has few busy spells; others that take the CPU or the device for a while make "
        "one service depend on the one before it, which the formula excludes.");
}

/* Compares Little's law with what was counted, in every measurement. */
static void little_find(const struct table *t, struct findings *into)
{
    int seen = table_column(t, "requests_in_system"), law = table_column(t, "little");
    double most = 0;
    unsigned count = 0;
    for (size_t r = 0; r < t->rows; r++) {
        double a = t->cells[r * t->columns + (unsigned)seen].number;
        double b = t->cells[r * t->columns + (unsigned)law].number;
        if (!(a > 0) || !(b > 0)) continue;
        count++;
        most = fmax(most, fabs(a / b - 1));
    }
    if (count == 0) return;
    bool held = most <= 0.05;
    finding_add(into, held ? FINDING_HELD : FINDING_NOT_HELD,
                "Expected: requests in the system = requests per second × mean response time "
                "(Little's law). %s: in %u measurements what was seen differs from it by at most "
                "%.1f %%.%s",
                held ? "It held" : "It did not hold", count, 100 * most,
                held ? ""
                     : " The measurement was too short for the moments at which requests were "
                       "counted, or ended with requests unserved.");
}

static void loops_find(const struct table *t, struct findings *into)
{
    char open[128], closed[128];
    struct cell load[DISTINCT_MAX];
    unsigned loads =
        table_distinct(t, "load_of_capacity", load, "sweep=load loop=closed service=varying");
    struct sample a = table_sample(t, "p99_us", "sweep=stall loop=open");
    struct sample b = table_sample(t, "p99_us", "sweep=stall loop=closed");
    struct comparison c = compare(&a, &b);
    if (loads > 0) {
        double most = load[loads - 1].number;
        snprintf(open, sizeof open, "sweep=load service=varying loop=open load_of_capacity=%.10g",
                 most);
        snprintf(closed, sizeof closed,
                 "sweep=load service=varying loop=closed load_of_capacity=%.10g", most);
        text name;
        snprintf(name, sizeof name, "an open loop (%.0f %% of the capacity)", 100 * most);
        finding_ratio(into, t, "p99_us", name, open, "a closed loop", closed);
    }
    if (a.count == 0 || b.count == 0) return;
    finding_ratio(into, t, "p99_us", "a server that stands still twice, seen by an open loop",
                  "sweep=stall loop=open", "the same seen by a closed one",
                  "sweep=stall loop=closed");
    finding_expect(
        into,
        "when the server stands still, an open loop tells a higher p99 than a closed one, "
        "which does not send meanwhile (coordinated omission)",
        MORE, &c,
        "Another program stopped this one so often that requests of the closed loop were "
        "hit as often as those of the open one.");
}

void queueing_find(const struct table *t, struct findings *into)
{
    static const char *const service[] = {"fixed", "varying", "disk"};
    for (unsigned s = 0; s < 3; s++)
        load_find(t, into, service[s]);
    for (unsigned s = 0; s < 3; s++)
        formula_find(t, into, service[s]);
    struct sample varying =
        table_sample(t, "waiting_us", "sweep=load loop=open service=varying load_of_capacity=0.8");
    struct sample fixed =
        table_sample(t, "waiting_us", "sweep=load loop=open service=fixed load_of_capacity=0.8");
    struct comparison c = compare(&varying, &fixed);
    if (varying.count > 0 && fixed.count > 0)
        finding_expect(into, "at 80 % of the capacity varying requests wait longer than equal ones",
                       MORE, &c,
                       "The server was stopped by others now and then, so that equal requests were "
                       "served in times that vary, too.");
    little_find(t, into);
    loops_find(t, into);
}
