/*
 * Experiment 8: multiplexing.
 *
 * Question.  What does it cost one thread to wait for many descriptors, and what does a blocking read do to
 *            the others?
 *
 * Expected.  select(2) and poll(2) pass all descriptors to the kernel each time, and the kernel asks each
 *            of them. So the cost of an event is in proportion to the number of descriptors. With epoll(7)
 *            each descriptor is passed once, and the kernel reports those that are ready, so idle
 *            descriptors cost nothing (Banga, Mogul and Druschel, "A scalable and explicit event delivery
 *            mechanism for UNIX", 1999; Kegel, "The C10K problem"). With few descriptors poll is no slower.
 *            Edge triggering needs one more read, which finds nothing. One-shot needs an epoll_ctl(2) for
 *            each event. io_uring arms again in the call that waits, and a multishot receive brings the
 *            data too: one call for each turn. A loop that blocks serves nobody meanwhile: the latency of
 *            all others becomes that of the slow read.
 *
 * Vary.      --set idle=10,100,1000   --set ways=poll,epoll   --set clients=1,100   --set stall_ms=10
 *
 * Needs.     Any Linux; uring_poll from 5.11, uring_recv from 6.0; select takes only descriptors below
 *            1024.
 *
 * Sweep `idle`: one thread writes a byte to a socket, waits among all descriptors, and reads it. The others
 * are sockets to which nobody can send. `none` reads without waiting: the difference to it is the price of
 * waiting among many.
 *
 * Sweep `clients`: an echo server in one thread and its clients in another one, each with one request of 64
 * bytes under way. CPU and calls are those of both.
 *
 * Sweep `slow`: one more client, whose requests make the server read something that is there only after 10
 * ms. The latencies are those of the other clients.
 */
#include "../text.h"
#include "multiplex_echo.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LIST = 16, SELECT_SPARE = 64 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: idle, clients or slow"},
    {"way", "text", "none, select, poll, epoll (level), edge, oneshot, uring_poll or uring_recv"},
    {"idle", "count", "further descriptors that are watched, and on which nothing happens"},
    {"clients", "count", "clients that ask and are measured"},
    {"slow", "text", "slow reads: none, inline (the loop blocks), thread, ring (both go on)"},
    {0}};

static const struct parameter parameters[] = {
    {"ways", "of: none select poll epoll edge oneshot uring_poll uring_recv",
     "none,select,poll,epoll,edge,oneshot,uring_poll,uring_recv",
     "none,select,poll,epoll,edge,oneshot,uring_poll,uring_recv",
     "none,select,poll,epoll,edge,oneshot,uring_poll,uring_recv"},
    {"idle", "descriptors on which nothing happens", "10,30,100,300,900,2000,5000,10000,20000",
     "10,100,900,5000,20000", "10,900"},
    {"clients", "clients at once", "1,10,100,400,1000,5000", "1,100,400,2000", "1,100"},
    {"stall_ms", "how long a slow read blocks", "10", "10", "5"},
    {0}};

static const struct plot plots[] = {
    {"event", "One event among idle descriptors", "idle", "median_us", "way", "sweep=idle", false,
     true, true},
    {"calls", "One event among idle descriptors: system calls", "way", "syscalls_per_op", NULL,
     "sweep=idle idle=10", true, false, false},
    {"rate", "Echo server: requests per second", "clients", "iops", "way", "sweep=clients", false,
     true, false},
    {"tail", "Echo server: p99 latency", "clients", "p99_us", "way", "sweep=clients", false, true,
     true},
    {"slow", "What a slow read does to the others: their median latency", "slow", "median_us",
     "way", "sweep=slow", true, false, false},
    {"slow_rate", "What a slow read does to the others: their requests per second", "slow", "iops",
     "way", "sweep=slow", true, false, false},
    {0}};

/* ---- the cases --------------------------------------------------------------------------------- */

/* Returns whether so many descriptors can be watched in this way; if not, says why. */
static bool is_possible(struct lab *lab, const char *way, uint64_t watched, uint64_t open)
{
    char what[64], why[128];
    snprintf(what, sizeof what, "%s with %" PRIu64 " descriptors", way, watched);
    if (!strcmp(way, "select") && open + SELECT_SPARE > FD_SETSIZE) {
        lab_skip(lab, what, "select(2) takes descriptors below 1024 only (FD_SETSIZE)");
        return false;
    }
    uint64_t allowed = descriptors_allowed();
    if (open + SELECT_SPARE <= allowed) return true;
    snprintf(why, sizeof why, "%" PRIu64 " descriptors may be open at once (ulimit -Hn)", allowed);
    lab_skip(lab, what, why);
    return false;
}

static void idle_measure(struct lab *lab, const char *way, uint64_t idle)
{
    static struct idle_watch x;
    if (!is_possible(lab, way, idle + 1, idle)) return;
    memset(&x, 0, sizeof x);
    x.way = way_named(way);
    x.idle = (unsigned)idle;
    struct work work = {.context = &x, .open = idle_open, .run = idle_run, .close = idle_close};
    lab_measure(lab, &work, "sweep=idle way=%s idle=%" PRIu64 " clients=1 slow=none", way, idle);
}

static void echo_measure(struct lab *lab, const char *sweep, const char *way, uint64_t clients,
                         enum slow slow)
{
    static const char *const word[] = {"none", "inline", "thread", "ring"};
    static struct echo x;
    uint64_t watched = clients + (slow != SLOW_NONE);
    if (!is_possible(lab, way, watched, 2 * watched)) return;
    memset(&x, 0, sizeof x);
    x.way = way_named(way);
    x.clients = (unsigned)clients;
    x.slow = slow;
    x.stall_ns = lab_number(lab, "stall_ms") * (NS_PER_S / 1000);
    if (x.stall_ns > NS_PER_S) x.stall_ns = NS_PER_S;
    struct work work = {.context = &x, .open = echo_open, .run = echo_run, .close = echo_close};
    lab_measure(lab, &work, "sweep=%s way=%s idle=0 clients=%" PRIu64 " slow=%s", sweep, way,
                clients, word[slow]);
}

/* Returns as many as were asked for, or as many as may be open; then it says so. */
static uint64_t idle_possible(struct lab *lab, uint64_t idle)
{
    char what[64], why[128];
    uint64_t allowed = descriptors_allowed();
    if (idle + SELECT_SPARE <= allowed) return idle;
    uint64_t instead = allowed > 2000 ? (allowed - SELECT_SPARE) / 1000 * 1000 : allowed / 2;
    snprintf(what, sizeof what, "%" PRIu64 " idle descriptors", idle);
    snprintf(why, sizeof why,
             "%" PRIu64 " may be open at once (ulimit -Hn); %" PRIu64 " are watched instead",
             allowed, instead);
    lab_skip(lab, what, why);
    return instead;
}

/* The ways that were asked for and are there; "none" is in no table. */
static unsigned ways_wanted(struct lab *lab, const char *way[LIST])
{
    unsigned asked = lab_words(lab, "ways", way, LIST), count = 0;
    for (unsigned i = 0; i < asked; i++)
        if (way_named(way[i]) || !strcmp(way[i], "none"))
            way[count++] = way[i];
        else
            lab_skip(lab, way[i], "there is no such way");
    return count;
}

static void run(struct lab *lab)
{
    const char *way[LIST];
    uint64_t idle[LIST], clients[LIST];
    unsigned count = ways_wanted(lab, way);
    unsigned idles = lab_numbers(lab, "idle", idle, LIST);
    unsigned crowds = lab_numbers(lab, "clients", clients, LIST);
    for (unsigned i = 0; i < idles; i++)
        for (unsigned w = 0; w < count; w++)
            idle_measure(lab, way[w], idle_possible(lab, idle[i]));
    for (unsigned c = 0; c < crowds; c++)
        for (unsigned w = 0; w < count; w++)
            if (way_named(way[w]) && clients[c] > 0 && clients[c] < DESCRIPTORS_MAX / 2)
                echo_measure(lab, "clients", way[w], clients[c], SLOW_NONE);
    for (int slow = SLOW_NONE; slow <= SLOW_RING; slow++) {
        if (slow != SLOW_RING) echo_measure(lab, "slow", "epoll", 10, (enum slow)slow);
        if (slow != SLOW_THREAD) echo_measure(lab, "slow", "uring_poll", 10, (enum slow)slow);
    }
}

/* ---- what the figures say ---------------------------------------------------------------------- */

enum { WHERE_MAX = 128 };

static struct sample event_sample(const struct table *t, const char *way, double idle)
{
    return table_sample(t, "median_us", "sweep=idle way=%s idle=%.0f", way, idle);
}

static struct curve event_curve(const struct table *t, const char *way)
{
    char where[WHERE_MAX];
    snprintf(where, sizeof where, "sweep=idle way=%s", way);
    return curve_of(t, "idle", "median_us", where);
}

/* Says what one idle descriptor adds to an event, computed from the fewest and the most. */
static void each_find(const struct table *t, struct findings *into, const char *way)
{
    struct curve curve = event_curve(t, way);
    if (curve.count < 2) return;
    unsigned last = curve.count - 1;
    struct comparison c = compare(&curve.y[last], &curve.y[0]);
    struct summary few = summarise(&curve.y[0]), many = summarise(&curve.y[last]);
    text each, a, b, n;
    if (c.verdict != MORE) return;
    finding_add(
        into, FINDING_FACT,
        "Each idle descriptor adds %s to an event by %s: %s beside %.0f of them, %s beside %s "
        "(repetitions differ by %.0f %% and %.0f %%).",
        text_figure(each, (many.median - few.median) / (curve.x[last] - curve.x[0]), "us"), way,
        text_figure(a, few.median, "us"), curve.x[0], text_figure(b, many.median, "us"),
        text_figure(n, curve.x[last], "count"), 100 * few.spread, 100 * many.spread);
}

static void grows_expect(const struct table *t, struct findings *into, const char *way)
{
    char expectation[WHERE_MAX];
    struct curve curve = event_curve(t, way);
    if (curve.count < 2) return;
    unsigned last = curve.count - 1;
    struct comparison c = compare(&curve.y[last], &curve.y[0]);
    snprintf(expectation, sizeof expectation,
             "an event by %s costs more beside %.0f idle descriptors than beside %.0f", way,
             curve.x[last], curve.x[0]);
    finding_expect(into, expectation, MORE, &c,
                   "So few descriptors cost nothing compared with the calls themselves, or the "
                   "figures were disturbed.");
}

/*
 * Expects that idle descriptors cost nothing. Up to one half more counts as nothing, because CPU caches are
 * limited.
 */
static void flat_expect(const struct table *t, struct findings *into, const char *way)
{
    struct curve curve = event_curve(t, way);
    if (curve.count < 2) return;
    unsigned last = curve.count - 1;
    struct comparison c = compare(&curve.y[last], &curve.y[0]);
    char what[2 * WHERE_MAX];
    snprintf(what, sizeof what,
             "Expected: an event by %s costs no more beside %.0f idle descriptors than beside "
             "%.0f, or at "
             "most half as much again.",
             way, curve.x[last], curve.x[0]);
    if (isnan(c.low))
        finding_add(into, FINDING_OPEN, "%s It was not measured often enough to tell.", what);
    else if (c.high <= 1.5)
        finding_add(into, FINDING_HELD, "%s It held (ratio %.2f, %.2f to %.2f).", what, c.ratio,
                    c.low, c.high);
    else if (c.low > 1.5)
        finding_add(into, FINDING_NOT_HELD,
                    "%s It did not hold: the ratio is %.2f (%.2f to %.2f). Opening so many sockets "
                    "may have pushed what the loop needs out of the CPU's caches.",
                    what, c.ratio, c.low, c.high);
    else
        finding_add(into, FINDING_OPEN, "%s It is too noisy to tell (ratio %.2f to %.2f).", what,
                    c.low, c.high);
}

/* Says from how many descriptors on epoll is cheaper than poll. */
static void crossover_find(const struct table *t, struct findings *into)
{
    struct curve curve = event_curve(t, "epoll");
    double from = 0, since = 0;
    unsigned compared = 0;
    for (unsigned i = 0; i < curve.count; i++) {
        struct sample poll = event_sample(t, "poll", curve.x[i]);
        struct comparison c = compare(&curve.y[i], &poll);
        compared += poll.count > 0;
        if (poll.count == 0) continue;
        if (c.verdict != LESS) from = 0;
        if (c.verdict == LESS && from == 0) from = curve.x[i];
        if (c.verdict != LESS) since = curve.x[i];
    }
    if (compared == 0) return;
    double first = curve.x[0], last = curve.x[curve.count - 1];
    if (from == 0)
        finding_add(
            into, FINDING_FACT,
            "Up to %.0f idle descriptors an event by epoll is not cheaper than by poll beyond "
            "the noise.",
            last);
    else if (since == 0)
        finding_add(into, FINDING_FACT,
                    "An event by epoll is cheaper than by poll with each number of idle "
                    "descriptors that was tried, %.0f to %.0f.",
                    first, last);
    else
        finding_add(
            into, FINDING_FACT,
            "An event by epoll is cheaper than by poll from %.0f idle descriptors on; with %.0f "
            "it is not, beyond the noise.",
            from, since);
}

/* Compares the other ways with epoll, with the fewest descriptors: the price of the calls. */
static void ways_find(const struct table *t, struct findings *into)
{
    static const char *const other[] = {"none", "edge", "oneshot", "uring_poll", "uring_recv"};
    struct curve curve = event_curve(t, "epoll");
    char words[WHERE_MAX], mine[WHERE_MAX], epoll[WHERE_MAX];
    if (curve.count == 0) return;
    snprintf(words, sizeof words, "epoll beside %.0f idle descriptors", curve.x[0]);
    snprintf(epoll, sizeof epoll, "sweep=idle way=epoll idle=%.0f", curve.x[0]);
    for (unsigned o = 0; o < 5; o++) {
        snprintf(mine, sizeof mine, "sweep=idle way=%s idle=%.0f", other[o], curve.x[0]);
        finding_ratio(into, t, "median_us", other[o], mine, words, epoll);
    }
}

static void crowd_find(const struct table *t, struct findings *into)
{
    static const char *const other[] = {"poll", "uring_poll", "uring_recv"};
    struct curve curve = curve_of(t, "clients", "iops", "sweep=clients way=epoll");
    char words[WHERE_MAX], mine[WHERE_MAX], epoll[WHERE_MAX];
    if (curve.count == 0) return;
    double most = curve.x[curve.count - 1];
    snprintf(words, sizeof words, "an echo server by epoll with %.0f clients", most);
    snprintf(epoll, sizeof epoll, "sweep=clients way=epoll clients=%.0f", most);
    for (unsigned o = 0; o < 3; o++) {
        snprintf(mine, sizeof mine, "sweep=clients way=%s clients=%.0f", other[o], most);
        finding_ratio(into, t, "iops", other[o], mine, words, epoll);
    }
}

static void slow_find(const struct table *t, struct findings *into)
{
    static const struct {
        const char *way, *help, *expectation;
    } rows[] = {
        {"epoll", "thread", "a slow read in another thread leaves the others' latency as it is"},
        {"uring_poll", "ring", "a slow read by the ring leaves the others' latency as it is"}};
    for (unsigned i = 0; i < 2; i++) {
        char where[3][WHERE_MAX], expectation[WHERE_MAX];
        const char *const slow[] = {"none", "inline", rows[i].help};
        struct sample y[3];
        for (unsigned s = 0; s < 3; s++) {
            snprintf(where[s], WHERE_MAX, "sweep=slow way=%s slow=%s", rows[i].way, slow[s]);
            y[s] = table_sample(t, "median_us", "%s", where[s]);
        }
        struct comparison blocks = compare(&y[1], &y[0]), helps = compare(&y[2], &y[1]);
        snprintf(expectation, sizeof expectation,
                 "a read that blocks the loop (%s) makes the others wait longer", rows[i].way);
        if (y[0].count > 0 && y[1].count > 0)
            finding_expect(into, expectation, MORE, &blocks, "The read did not block.");
        snprintf(expectation, sizeof expectation, "%s shorter than one in the loop",
                 rows[i].expectation);
        if (y[1].count > 0 && y[2].count > 0)
            finding_expect(into, expectation, LESS, &helps,
                           "The CPUs were too busy for the read beside the loop.");
        finding_ratio(into, t, "median_us",
                      i ? "the others beside slow reads by the ring"
                        : "the others beside slow reads in a thread",
                      where[2], "the same without slow reads", where[0]);
    }
}

static void find(const struct table *t, struct findings *into)
{
    static const char *const grows[] = {"select", "poll"}, *const flat[] = {"epoll", "uring_poll",
                                                                            "uring_recv"};
    for (unsigned i = 0; i < 2; i++) {
        grows_expect(t, into, grows[i]);
        each_find(t, into, grows[i]);
    }
    for (unsigned i = 0; i < 3; i++)
        flat_expect(t, into, flat[i]);
    finding_bend(into, t, "An event by poll over the idle descriptors", "idle", "median_us",
                 "sweep=idle way=poll");
    crossover_find(t, into);
    ways_find(t, into);
    crowd_find(t, into);
    slow_find(t, into);
}

static const struct experiment multiplex = {
    .number = 8,
    .name = "multiplex",
    .title = "Multiplexing",
    .question =
        "What does it cost one thread to wait for many descriptors, and what does a blocking "
        "read do to the others?",
    .expectation =
        "An event by select or poll costs in proportion to the descriptors watched; by epoll or "
        "io_uring idle ones cost nothing (Banga, Mogul and Druschel, 1999). With few descriptors "
        "poll is no slower. Edge triggering costs a read more, one-shot an epoll_ctl; a multishot "
        "receive takes one call for all that is ready. A loop that blocks serves nobody meanwhile.",
    .floor = "any Linux; uring_poll from 5.11, uring_recv from 6.0",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "median_us",
    .factors = factors,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(multiplex);
