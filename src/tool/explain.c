/*
 * The server measures a request from when the worker learned of its bytes until the kernel took the
 * last byte of the response. A client measures from its own write to its own read. This file
 * explains the difference: the time before the server's measurement (a handshake, the turn of the
 * loop that must end first), the time after it (the kernel, the client's own turns), and the time
 * that a client with a fixed number of connections causes itself. It explains only what the figures
 * show.
 */
#include "tool/explain.h"

#include <math.h>
#include <string.h>

#include "tool/format.h"

#define NEW_CONNECTIONS 0.05 /* connections per request: from here on handshakes matter     */
#define BUSY 0.85            /* share of a CPU: from here on responses wait for the client  */
#define RAN 0.5              /* share of the time: below it, waking up the server matters   */
#define CLOSED_LOOP 0.2      /* how far the mean may be from connections / rate to be equal */

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* ---- turns ----------------------------------------------------------------------------------- */

/*
 * Returns the sum of the squares of the turns, each taken as the middle of its bucket, in units².
 */
static double squares_sum(const struct distribution *turns)
{
    double sum = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        double middle = (double)histogram_least(i) + ((double)histogram_width(i) - 1) / 2;
        sum += (double)turns->bucket[i] * middle * middle;
    }
    return sum;
}

double turn_share(const struct interval *interval)
{
    const struct distribution *turns = interval->total.measure[MEASURE_TURN];
    if (!turns || interval->workers == 0) return 0;
    double seconds = (double)turns->sum * HISTOGRAM_UNIT_NS / 1e9;
    return fmin(1, ratio(seconds, interval->seconds * interval->workers));
}

double turn_wait_ns(const struct interval *interval)
{
    const struct distribution *turns = interval->total.measure[MEASURE_TURN];
    if (!turns || turns->sum == 0) return 0;
    double residual = squares_sum(turns) / (2 * (double)turns->sum) * HISTOGRAM_UNIT_NS;
    return residual * turn_share(interval);
}

/* ---- sentences ------------------------------------------------------------------------------- */

static void requests_explain(const struct interval *f, const struct load_client *client, FILE *out)
{
    format_space a, b;
    double theirs = client->figure[CLIENT_REQUESTS], ours = (double)f->total.requests;
    if (isnan(theirs)) return;
    double more = ours - theirs, open = fmax((double)f->total.accepted, 1);
    if (more == 0)
        fprintf(out, "Both counted %s requests.\n", format_count(a, ours));
    else if (more > 0)
        fprintf(out,
                "The server counted %s requests more than %s: %s connections were opened, and "
                "requests that were under way when the client stopped, or before it began to "
                "count, are only in the server's figure%s.\n",
                format_count(a, more), client->name, format_count(b, open),
                more > 2 * open ? "; some may come from another client" : "");
    else
        fprintf(out,
                "%s counted %s requests more than were answered: they failed, or went to another "
                "server.\n",
                client->name, format_count(a, -more));
}

static void gap_explain(const struct interval *f, const struct load_client *client,
                        enum client_figure figure, double server, const char *what, FILE *out)
{
    format_space a, b, c;
    double theirs = client->figure[figure];
    if (isnan(theirs) || f->total.requests == 0) return;
    if (theirs < client->resolution_ns) {
        fprintf(out, "At %s %s printed less than its resolution of %s; the server measured %s.\n",
                what, client->name, format_ns(a, client->resolution_ns), format_ns(b, server));
        return;
    }
    fprintf(out,
            "At %s %s waited %s. The server needed %s from when the worker learned of the "
            "request until the kernel had taken the last byte; the other %s passed outside of "
            "this time.\n",
            what, client->name, format_ns(a, theirs), format_ns(b, server),
            format_ns(c, fmax(0, theirs - server)));
}

static void latency_explain(const struct interval *f, const struct load_client *client, FILE *out)
{
    const struct slot_snapshot *total = &f->total;
    if (isnan(client->figure[CLIENT_P50_NS]))
        gap_explain(f, client, CLIENT_MEAN_NS, slot_mean_ns(total, PHASE_TOTAL), "the mean", out);
    gap_explain(f, client, CLIENT_P50_NS, slot_percentile_ns(total, PHASE_TOTAL, SOURCE_COUNT, 0.5),
                "p50", out);
    gap_explain(f, client, CLIENT_P99_NS,
                slot_percentile_ns(total, PHASE_TOTAL, SOURCE_COUNT, 0.99), "p99", out);
}

/* Returns how many CPUs the worker processes could use. */
static double workers_at_once(const struct interval *f)
{
    double processes = 0;
    for (uint32_t i = 0; i < f->processes; i++)
        processes += strcmp(f->process[i].name, "worker") == 0;
    return fmax(processes, 1);
}

/* Explains the time before the worker learns of a request. */
static void before_explain(const struct interval *f, FILE *out)
{
    format_space a, b, c;
    double wait = turn_wait_ns(f);
    double opened = ratio((double)f->total.accepted, (double)f->total.requests);
    if (wait > 0)
        fprintf(out,
                "Before: event loops were in a turn %s of the time, and a request that comes at "
                "any moment waits %s on average for its end (longest turn %s).\n",
                format_percent(a, turn_share(f)), format_ns(b, wait),
                format_ns(c, slot_stall_ns(&f->total)));
    double ran = (f->user_seconds + f->system_seconds) / f->seconds / workers_at_once(f);
    if (ran < RAN && f->total.requests > 0)
        fprintf(out,
                "Before: the worker processes ran %s of the time. A request that comes while none "
                "runs waits until the kernel runs one (it sleeps, or another program has the CPU): "
                "only the client's figure includes that.\n",
                format_percent(a, ran));
    if (opened >= NEW_CONNECTIONS)
        fprintf(out,
                "Before: %s of the requests came on a new connection. Its handshake, and a wait "
                "for a free worker, process or thread, are only in the client's figure.\n",
                format_percent(a, fmin(1, opened)));
    if (f->total.crowded > 0)
        fprintf(out,
                "Before: %s connections were closed early because others waited for a process or "
                "a thread; only the client's figure includes that wait.\n",
                format_count(a, (double)f->total.crowded));
}

/*
 * By Little's law, each connection sends a request every (connections / rate). A client that sends
 * the next request at once must have this as its mean, however fast the server is. If its mean is
 * less, the rest passes in the client itself.
 */
static void loop_explain(const struct load_client *client, FILE *out)
{
    format_space a, b, c, d;
    double connections = client->figure[CLIENT_CONNECTIONS], mean = client->figure[CLIENT_MEAN_NS];
    double law =
        ratio(connections * client->figure[CLIENT_SECONDS] * 1e9, client->figure[CLIENT_REQUESTS]);
    if (isnan(law) || isnan(mean) || mean > law * (1 + CLOSED_LOOP)) return;
    if (mean >= law * (1 - CLOSED_LOOP))
        fprintf(out,
                "The client keeps %s connections busy, so its mean must be near %s connections "
                "/ %s a second = %s, wherever the time passes. With fewer connections it is "
                "less.\n",
                format_count(a, connections), a, format_count(b, round(connections / law * 1e9)),
                format_ns(c, law));
    else
        fprintf(out,
                "Each of the %s connections sent a request every %s, of which %s is in %s's mean: "
                "the other %s passed in %s itself, between a response and the next request.\n",
                format_count(a, connections), format_ns(b, law), format_ns(c, mean), client->name,
                format_ns(d, law - mean), client->name);
}

/* Explains the time after the kernel has taken the bytes. */
static void after_explain(const struct interval *f, const struct load_client *client,
                          const struct child *child, FILE *out)
{
    format_space a, b;
    double busy = ratio(child->user_seconds + child->system_seconds, child->seconds);
    double bytes = ratio((double)f->total.sent_bytes, (double)f->total.requests);
    if (isnan(bytes)) return;
    fprintf(out,
            "After: the kernel delivers the %s of a response, and %s reads them when it has time; "
            "it used %s of a CPU%s.\n",
            format_bytes(a, bytes), client->name, format_percent(b, busy),
            busy >= BUSY && busy <= 1.05 ? ", so responses waited for the client, too" : "");
}

void explain(const struct interval *interval, const struct load_client *client,
             const struct child *child, FILE *out)
{
    if (!client->name) {
        fputs("Nothing to compare with: the command printed no results of wrk, ab or h2load.\n",
              out);
        return;
    }
    requests_explain(interval, client, out);
    latency_explain(interval, client, out);
    before_explain(interval, out);
    after_explain(interval, client, child, out);
    loop_explain(client, out);
}
