/*
 * pace: sends requests at a constant rate, and measures each response from the time its request was due.
 *
 *   pace [-r REQUESTS_PER_SECOND] [-c CONNECTIONS] [-s SECONDS] PORT PATH
 *
 * Without -r it sends the next request as soon as it has the response. The kernel throws the content away
 * without copying it (MSG_TRUNC), so pace can take large files faster than any server can send them.
 *
 * Request number i is due at i / rate. It leaves on the connection that has been free for the longest time.
 * When no connection is free, the request waits, and the wait counts. So a server that stalls is charged for
 * every request that should have left meanwhile, not only for one on each connection (Gil Tene calls that
 * mistake coordinated omission). A request without a response at the end counts with its wait so far.
 *
 * pace is one thread that never sleeps and has a CPU of its own. It also reports how late it was itself when
 * a request was due and a connection was free: a large `late` says more about pace than about the server. It
 * does not look at content: a response is a 200 with a Content-Length, and anything else is an error.
 */
#include "source.h"
#include "tally.h"

#include <zcserve/histogram.h>

#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, HEAD_MAX = 4096, CONTENT_BYTES = 1 << 20, CONNECTIONS_MAX = 10000 };

struct asker {
    int fd;
    double due;       /* when its request was due, in ns since the start  */
    double unused_ns; /* since when the connection had been free          */
    uint64_t missing; /* bytes of content still to come                   */
    size_t head_length;
    bool in_content;
    char head[HEAD_MAX];
};

static struct {
    double rate, seconds;
    uint32_t connections;
    uint16_t port;
    char request[1024];
    size_t request_length;
} plan = {.connections = 64, .seconds = 2};

static struct {
    struct asker **ring; /* the free connections; the one free for the longest time is first */
    uint32_t first, count;
} unused;

static struct histogram latency, lateness;
static uint64_t due_count, sent_count, done_count, received_bytes;
static double latency_sum_ns, latency_max_ns;

static void unused_put(struct asker *a)
{
    unused.ring[(unused.first + unused.count++) % plan.connections] = a;
}

static struct asker *unused_take(void)
{
    struct asker *a = unused.ring[unused.first];
    unused.first = (unused.first + 1) % plan.connections;
    unused.count--;
    return a;
}

static void latency_count(double ns)
{
    histogram_count(&latency, (uint64_t)(ns / HISTOGRAM_UNIT_NS));
    latency_sum_ns += ns;
    if (ns > latency_max_ns) latency_max_ns = ns;
}

/* ---- one connection ------------------------------------------------------------------------- */

static void asker_ask(struct asker *a, double due, double now)
{
    a->due = due;
    a->head_length = 0;
    a->in_content = false;
    double possible = due > a->unused_ns ? due : a->unused_ns;
    histogram_count(&lateness, (uint64_t)((now - possible) / HISTOGRAM_UNIT_NS));
    ssize_t sent = send(a->fd, plan.request, plan.request_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)plan.request_length) errx(1, "a request could not be sent");
    sent_count++;
}

/* Returns the length of the content that this head announces. It is an error when there is none, or no 200. */
static uint64_t head_read(struct asker *a)
{
    static const char field[] = "\r\ncontent-length:";
    a->head[a->head_length] = '\0';
    const char *found = strcasestr(a->head, field);
    if (memcmp(a->head, "HTTP/1.1 200", 12) != 0 || !found) errx(1, "not a 200: %.64s", a->head);
    return strtoull(found + sizeof field - 1, NULL, 10);
}

/* Takes bytes of a head, and perhaps of content after it. Returns true when the response is complete. */
static bool head_take(struct asker *a, size_t length)
{
    a->head_length += length;
    const char *end = memmem(a->head, a->head_length, "\r\n\r\n", 4);
    if (!end && a->head_length == HEAD_MAX - 1) errx(1, "a head is too long");
    if (!end) return false;
    uint64_t content = a->head_length - (size_t)(end + 4 - a->head);
    a->missing = head_read(a);
    a->in_content = true;
    if (content > a->missing) errx(1, "more was answered than was asked");
    a->missing -= content;
    return a->missing == 0;
}

/* Receives what is there. Returns true when the response is complete. */
static bool asker_receive(struct asker *a)
{
    size_t most = a->missing < CONTENT_BYTES ? (size_t)a->missing : CONTENT_BYTES;
    ssize_t received = a->in_content ? recv(a->fd, NULL, most, MSG_DONTWAIT | MSG_TRUNC)
                                     : recv(a->fd, a->head + a->head_length,
                                            HEAD_MAX - 1 - a->head_length, MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN) return false;
    if (received <= 0) errx(1, "a connection was closed by the server");
    received_bytes += (uint64_t)received;
    if (!a->in_content) return head_take(a, (size_t)received);
    a->missing -= (uint64_t)received;
    return a->missing == 0;
}

/* ---- the run -------------------------------------------------------------------------------- */

static void answers_take(int epoll, uint64_t began_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(epoll, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        struct asker *a = events[i].data.ptr;
        if (!asker_receive(a)) continue;
        a->unused_ns = (double)(now_ns() - began_ns);
        latency_count(a->unused_ns - a->due);
        done_count++;
        unused_put(a);
    }
}

/* Returns when the next request is due, in ns since the start. Without a rate that is now. */
static double due_next(double now)
{
    return plan.rate > 0 ? (double)due_count * 1e9 / plan.rate : now;
}

/* Sends the requests that are due, as long as a connection is free. */
static void requests_send(uint64_t began_ns)
{
    double now = (double)(now_ns() - began_ns);
    while (unused.count > 0 && due_next(now) <= now && now < plan.seconds * 1e9) {
        asker_ask(unused_take(), due_next(now), now);
        due_count++;
        now = (double)(now_ns() - began_ns);
    }
}

/* Counts requests that were due but have not left, and those under way, each with its wait so far. */
static void rest_count(struct asker *all, double now)
{
    for (uint32_t i = 0; i < plan.connections; i++)
        if (all[i].due >= 0) latency_count(now - all[i].due);
    for (; due_next(now) < plan.seconds * 1e9; due_count++)
        latency_count(now - due_next(now));
}

static void run(struct asker *all, int epoll)
{
    uint64_t began_ns = now_ns(), end_ns = began_ns + (uint64_t)(plan.seconds * 1e9);
    while (now_ns() < end_ns) {
        requests_send(began_ns);
        answers_take(epoll, began_ns);
    }
    if (plan.rate <= 0) return;
    /* Requests that left in time get a moment more for their responses. */
    for (uint64_t grace_ns = end_ns + 100000000; done_count < sent_count && now_ns() < grace_ns;)
        answers_take(epoll, began_ns);
    for (uint32_t i = 0; i < unused.count; i++)
        unused.ring[(unused.first + i) % plan.connections]->due = -1;
    rest_count(all, (double)(now_ns() - began_ns));
}

static void askers_open(struct asker *all, int epoll)
{
    unused.ring = calloc(plan.connections, sizeof(struct asker *));
    if (!unused.ring) err(1, "connections");
    for (uint32_t i = 0; i < plan.connections; i++) {
        all[i].fd = source_connect(i, plan.port, 10);
        struct epoll_event want = {EPOLLIN, {.ptr = &all[i]}};
        if (all[i].fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &want) < 0)
            err(1, "connection %u", i);
        setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        unused_put(&all[i]);
    }
}

/* Gets one response on each connection before anything counts, so that all have been accepted. */
static void askers_warm(struct asker *all)
{
    for (uint32_t i = 0; i < plan.connections; i++) {
        asker_ask(&all[i], 0, 0);
        for (uint64_t began_ns = now_ns(); !asker_receive(&all[i]);)
            if (now_ns() - began_ns > 10000000000) errx(1, "no answer in 10 s");
    }
    memset(&lateness, 0, sizeof lateness);
    sent_count = received_bytes = 0;
}

/* ---- words ---------------------------------------------------------------------------------- */

static double percentile_us(const struct histogram *histogram, double share)
{
    static struct distribution copy;
    memset(&copy, 0, sizeof copy);
    distribution_add(&copy, histogram, 0);
    return distribution_percentile(&copy, share) * HISTOGRAM_UNIT_NS / 1000;
}

static void figures_print(void)
{
    static const struct {
        const char *name;
        double share;
    } marks[] = {{"p50_us", 0.5},
                 {"p90_us", 0.9},
                 {"p99_us", 0.99},
                 {"p999_us", 0.999},
                 {"p9999_us", 0.9999}};
    printf("{\"offered_per_second\": %.0f, \"due\": %llu, \"done\": %llu, \"seconds\": %.3f, "
           "\"bytes\": %llu",
           plan.rate, (unsigned long long)due_count, (unsigned long long)done_count, plan.seconds,
           (unsigned long long)received_bytes);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        printf(", \"%s\": %.2f", marks[i].name, percentile_us(&latency, marks[i].share));
    printf(", \"max_us\": %.2f, \"mean_us\": %.2f, \"late_p99_us\": %.2f", latency_max_ns / 1000,
           latency_sum_ns / 1000 / (double)(due_count ? due_count : 1),
           percentile_us(&lateness, 0.99));
    printf("}\n");
}

static const char usage[] =
    "usage: pace [-r REQUESTS_PER_SECOND] [-c CONNECTIONS] [-s SECONDS] PORT PATH\n"
    "  -r  requests due each second      -c  connections (64)\n"
    "  -s  seconds (2)\n";

static void arguments_read(int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "r:c:s:")) != -1;) {
        switch (option) {
        case 'r': plan.rate = strtod(optarg, NULL); break;
        case 'c': plan.connections = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 's': plan.seconds = strtod(optarg, NULL); break;
        default: errx(2, "%s", usage);
        }
    }
    bool sane = plan.rate >= 0 && plan.rate <= 1e7 && plan.seconds > 0 && plan.seconds <= 3600 &&
                plan.connections > 0 && plan.connections <= CONNECTIONS_MAX;
    if (argc - optind != 2 || !sane) errx(2, "%s", usage);
    plan.port = (uint16_t)strtoul(argv[optind], NULL, 10);
    int length = snprintf(plan.request, sizeof plan.request,
                          "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", argv[optind + 1]);
    if (length >= (int)sizeof plan.request) errx(2, "PATH is too long");
    plan.request_length = (size_t)length;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv);
    source_plan(plan.connections);
    struct asker *all = calloc(plan.connections, sizeof *all);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!all || epoll < 0) err(1, "start");
    askers_open(all, epoll);
    askers_warm(all);
    run(all, epoll);
    figures_print();
    return 0;
}
