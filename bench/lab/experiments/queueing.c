/*
 * Experiment 14: queueing.
 *
 * Question.  How long does a request take when the resource that serves it is busy for 10 to 120 % of its
 *            time?
 *
 * Expected.  Response time = waiting + service. When requests come independently (an open loop: Poisson
 *            arrivals), a request finds others before it. With one server that is busy for a share U of the
 *            time, it waits S U (1 + C²) / (2 (1 - U)) on average. This is the formula of Pollaczek and
 *            Khinchine, where S is the mean service time and C its coefficient of variation (Kleinrock,
 *            "Queueing Systems" I, 1975, section 5.6). So the curve is flat at first, and grows without
 *            limit towards 100 %. With varying service times (C = 1) requests wait twice as long as with
 *            equal ones (C = 0). Beyond 100 % there is no such value: the wait depends on how long it is
 *            measured. Little's law needs no assumption: requests in the system = arrivals per second ×
 *            response time (Little, Operations Research 9, 1961).
 *            A closed loop (one client, which sends again when it has its response) never has more than one request
 *            in the system. It cannot see the queue, and a server that stands still keeps it from sending. So it
 *            leaves out exactly the requests that would have been slow: "coordinated omission" (Tene, "How not to
 *            measure latency", 2013).
 *
 * Vary.      --set loads=10,50,90 (% of the capacity)   --set services=fixed,varying,disk   --set
 *            service_us=50
 *            --set seconds=5: long runs have less noise near 100 %, and a longer queue beyond.
 *
 * Needs.     Any Linux.
 *
 * Each time, the capacity is measured first, by requests without pauses. Arrivals follow a timetable that
 * is made before. A request that is due while another one is served waits, and its response time counts
 * from when it was due. In a closed loop it counts from when the request was sent. The program waits by
 * looking at the clock, so that no wake-up is part of the figures. Therefore the CPU time of this
 * experiment means nothing.
 */
#include "queueing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST = 24, ARRIVALS_MAX = 1 << 18, BLOCK = 4096, STALLS = 2, STALL_PART = 20 };

#define PREDICTED_MOST 0.98 /* when the server is busier, a short run does not come near its mean */

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: load or stall"},
    {"service", "text",
     "fixed or varying (exponential) work on the CPU, disk (a direct read of 4 KiB), or stalling "
     "(fixed, but it stands still twice)"},
    {"loop", "text", "open (Poisson arrivals) or closed (one client that waits for its response)"},
    {"load_of_capacity", "ratio", "requests that come per second / requests that can be served"},
    {0}};

static const struct column figures[] = {
    {"capacity_per_s", "1/s", "requests per second back to back, measured just before"},
    {"busy", "share", "share of the time that the server was at work"},
    {"service_us", "us", "service time: mean"},
    {"service_p99_us", "us",
     "service time: 99 % took no longer; what a client would tell that counts from its own "
     "sending"},
    {"waiting_us", "us", "time between when a request was due and when its service began: mean"},
    {"predicted_us", "us",
     "waiting time after Pollaczek and Khinchine; empty from a load of 98 % on"},
    {"requests_in_system", "count", "requests waiting or served: mean, seen at regular moments"},
    {"little", "count", "requests per second × mean response time: what Little's law says"},
    {"unserved", "count",
     "requests that were given up, since it took three times as long as asked"},
    {0}};

static const struct parameter parameters[] = {
    {"loads", "requests that come, in % of the capacity", "10,30,50,60,70,80,90,95,100,110,120",
     "10,50,80,95,120", "50,120"},
    {"services", "of: fixed varying disk", "fixed,varying,disk", "fixed,varying,disk",
     "fixed,varying,disk"},
    {"service_us", "mean service time on the CPU", "100", "100", "50"},
    {0}};

static const struct plot plots[] = {
    {"response", "Open loop: response time over the load", "load_of_capacity", "mean_us", "service",
     "sweep=load loop=open", false, false, true},
    {"waiting", "Open loop: waiting alone", "load_of_capacity", "waiting_us", "service",
     "sweep=load loop=open", false, false, true},
    {"p99", "Varying service: what an open and a closed loop tell", "load_of_capacity", "p99_us",
     "loop", "sweep=load service=varying", false, false, true},
    {"in-system", "Open loop: requests in the system", "load_of_capacity", "requests_in_system",
     "service", "sweep=load loop=open", false, false, true},
    {"throughput", "Varying service: requests served", "load_of_capacity", "iops", "loop",
     "sweep=load service=varying", false, false, false},
    {"stall", "A server that stands still twice: p99", "loop", "p99_us", NULL, "sweep=stall", true,
     false, false},
    {0}};

/* ---- the server -------------------------------------------------------------------------------- */

struct queue {
    const char *service;
    const struct data *data;
    bool is_open;
    double load, service_us;
    uint64_t random; /* the state of a generator */
    uint64_t work;   /* turns of the loop below that take service_us */
    uint64_t stall_at[STALLS], stall_ns;
    unsigned stalls;
    int fd;
    char *block;
    uint64_t *due; /* when each request comes, in ns from the beginning */
    unsigned arrivals;
    /* the results */
    struct tally services;
    uint64_t waiting_ns, seen, seen_moments;
};

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* Returns an exponential value with mean 1: the time between two arrivals of a Poisson process. */
static double random_exponential(uint64_t *state)
{
    return -log(1 - (double)(random_next(state) >> 11) / 9007199254740992.0);
}

static void compute(uint64_t turns)
{
    uint64_t state = turns;
    for (uint64_t i = 0; i < turns; i++) {
        uint64_t result = random_next(&state);
        __asm__ volatile("" : : "r"(result)); /* a use, so that the loop is not removed */
    }
}

/*
 * Returns how many turns take `us`: the fastest of several tries, because others may use the CPU meanwhile.
 */
static uint64_t turns_of(double us)
{
    enum { TURNS = 20000 };
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 10; i++) {
        uint64_t begun = measure_now();
        compute(TURNS);
        uint64_t took = measure_now() - begun;
        if (took < least) least = took;
    }
    return (uint64_t)(us * 1000 * TURNS / (double)(least ? least : 1));
}

/* Serves one request. Returns 0 or -errno. */
static int serve(struct queue *q)
{
    if (!strcmp(q->service, "disk")) {
        uint64_t place = random_next(&q->random) % (q->data->bytes / BLOCK) * BLOCK;
        ssize_t got = pread(q->fd, q->block, BLOCK, (off_t)place);
        return got == BLOCK ? 0 : got < 0 ? -errno : -EIO;
    }
    double part = !strcmp(q->service, "varying") ? random_exponential(&q->random) : 1;
    compute((uint64_t)((double)q->work * part));
    return 0;
}

static int queue_open(void *context)
{
    struct queue *q = context;
    q->due = malloc(ARRIVALS_MAX * sizeof *q->due);
    q->block = aligned_alloc(BLOCK, BLOCK);
    if (!q->due || !q->block) return -ENOMEM;
    q->work = turns_of(q->service_us);
    if (!q->data) return 0;
    q->fd = open(q->data->path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    return q->fd < 0 ? -errno : 0;
}

static void queue_close(void *context)
{
    struct queue *q = context;
    if (q->fd >= 0) close(q->fd);
    free(q->due);
    free(q->block);
    q->fd = -1;
    q->due = NULL;
    q->block = NULL;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

/*
 * Serves requests without pauses for this long. Returns requests per second, or -errno. Varying ones have
 * the mean of equal ones.
 */
static double capacity_measure(struct queue *q, uint64_t ns)
{
    const char *service = q->service;
    uint64_t begun = measure_now(), now = begun, count = 0;
    int result = 0;
    if (!strcmp(service, "varying")) q->service = "fixed";
    for (; result == 0 && (count < 10 || now < begun + ns) && !measure_stopped; count++) {
        result = serve(q);
        now = measure_now();
    }
    q->service = service;
    return result < 0 ? result : (double)count * 1e9 / (double)(now - begun);
}

/* Makes a timetable of `ns`, such that all requests can be served in about this time. */
static void arrivals_draw(struct queue *q, double per_s, uint64_t ns)
{
    double at = 0, most = (double)ns / fmax(1, q->load);
    for (q->arrivals = 0; q->arrivals < ARRIVALS_MAX; q->arrivals++) {
        at += random_exponential(&q->random) * 1e9 / per_s;
        if (at > most && q->arrivals > 0) break;
        q->due[q->arrivals] = (uint64_t)at;
    }
}

static void stalls_plan(struct queue *q, uint64_t ns)
{
    for (unsigned i = 0; i < STALLS; i++)
        q->stall_at[i] = ns * (i + 1) / (STALLS + 1);
    q->stall_ns = ns / STALL_PART;
    q->stalls = strcmp(q->service, "stalling") != 0 ? STALLS : 0;
}

/* Stands still when it is time for it. `now` counts from the beginning. */
static void stall(struct queue *q, uint64_t begun, uint64_t now)
{
    if (q->stalls == STALLS || now < q->stall_at[q->stalls]) return;
    q->stalls++;
    while (measure_now() - begun < now + q->stall_ns && !measure_stopped)
        continue;
}

/*
 * Counts how many requests are in the system at regular moments up to `now`, while `ended` have left it.
 * These moments are independent of those that Little's law is computed from.
 */
struct look {
    uint64_t at, step;
    unsigned arrived;
};

static void look_in(struct queue *q, struct look *look, unsigned ended, uint64_t due, uint64_t now)
{
    for (; look->at < now; look->at += look->step) {
        while (look->arrived < q->arrivals && q->due[look->arrived] <= look->at)
            look->arrived++;
        q->seen += q->is_open ? look->arrived - ended : look->at >= due;
        q->seen_moments++;
    }
}

/* Serves all requests that come, until `most`. Returns how many it has served, or -errno. */
static int64_t all_serve(struct queue *q, struct measure *m, uint64_t most)
{
    uint64_t begun = measure_now(), ended = 0;
    struct look look = {.step = (uint64_t)(q->service_us * 250)};
    unsigned i = 0;
    double slept = 0; /* by how much a closed loop is behind the timetable */
    for (; i < q->arrivals && ended < most && !measure_stopped; i++) {
        uint64_t due = q->due[i] + (uint64_t)slept, now;
        if (!q->is_open && due < ended) {
            slept += (double)(ended - due);
            due = ended;
        }
        do
            now = measure_now() - begun;
        while (now < due && !measure_stopped);
        stall(q, begun, now);
        int result = serve(q);
        if (result < 0) return result;
        ended = measure_now() - begun;
        tally_latency(&m->tally, ended - due, q->data ? BLOCK : 0);
        tally_latency(&q->services, ended - now, 0);
        q->waiting_ns += now - due;
        look_in(q, &look, i, due, ended);
    }
    return i;
}

/* ---- one measurement --------------------------------------------------------------------------- */

static void figures_set(const struct queue *q, struct measure *m, double per_s, uint64_t ns)
{
    static struct distribution services;
    double n = (double)m->tally.operations, seconds = (double)ns / 1e9;
    double service = (double)q->services.sum_ns / n;
    double squares = q->services.sum_of_squares / n;
    double busy = per_s * service / 1e9, varies = squares / (service * service) - 1;
    memset(&services, 0, sizeof services);
    distribution_add(&services, &q->services.histogram, 0);
    measure_figure(m, "busy", fmin(1, (double)q->services.sum_ns / (double)ns));
    measure_figure(m, "service_us", service / 1e3);
    measure_figure(m, "service_p99_us",
                   distribution_percentile(&services, 0.99) * HISTOGRAM_UNIT_NS / 1e3);
    measure_figure(m, "waiting_us", (double)q->waiting_ns / n / 1e3);
    if (q->is_open && busy < PREDICTED_MOST)
        measure_figure(m, "predicted_us",
                       service * busy * (1 + fmax(0, varies)) / (2 * (1 - busy)) / 1e3);
    if (q->seen_moments > 0)
        measure_figure(m, "requests_in_system", (double)q->seen / (double)q->seen_moments);
    measure_figure(m, "little", n / seconds * (double)m->tally.sum_ns / n / 1e9);
    measure_figure(m, "unserved", q->arrivals - n);
}

static int queue_run(void *context, struct measure *m)
{
    static uint64_t
        drawn; /* so that each measurement has its own arrivals; else all would have the same luck */
    struct queue *q = context;
    uint64_t now = measure_now(), ns = m->deadline_ns > now ? m->deadline_ns - now : 1;
    q->random += ++drawn * 0x632be59bd9b4e019U;
    double capacity = capacity_measure(q, ns / 5);
    if (capacity < 0) return (int)capacity;
    if (m->warming) { /* the work itself is warm now, and a queue needs no warming */
        m->tally.operations = 1;
        return 0;
    }
    arrivals_draw(q, capacity * q->load, ns);
    stalls_plan(q, ns);
    memset(&q->services, 0, sizeof q->services);
    q->waiting_ns = q->seen = q->seen_moments = 0;
    measure_restart(m);
    uint64_t begun = measure_now();
    int64_t served = all_serve(q, m, 3 * ns);
    if (served <= 0) return served < 0 ? (int)served : -EINTR;
    m->tally.calls = q->data ? (uint64_t)served : 0;
    measure_figure(m, "capacity_per_s", capacity);
    figures_set(q, m, (double)q->arrivals * 1e9 / (double)q->due[q->arrivals - 1],
                measure_now() - begun);
    return 0;
}

/* ---- the cases --------------------------------------------------------------------------------- */

static void queue_measure(struct lab *lab, const char *sweep, const char *service, bool is_open,
                          double load)
{
    static struct queue q;
    bool disk = !strcmp(service, "disk");
    q = (struct queue){.service = service,
                       .data = disk ? lab_file(lab, lab_largest(lab)) : NULL,
                       .is_open = is_open,
                       .load = load,
                       .service_us = (double)lab_number(lab, "service_us"),
                       .random = lab_seed(lab),
                       .fd = -1};
    struct work work = {.context = &q,
                        .open = queue_open,
                        .run = queue_run,
                        .close = queue_close,
                        .data = q.data,
                        .cache = disk ? CACHE_COLD : CACHE_AS_IT_IS};
    lab_measure(lab, &work, "sweep=%s service=%s loop=%s load_of_capacity=%.2f", sweep, service,
                is_open ? "open" : "closed", load);
}

static void run(struct lab *lab)
{
    const char *service[LIST];
    uint64_t load[LIST];
    unsigned services = lab_words(lab, "services", service, LIST);
    unsigned loads = lab_numbers(lab, "loads", load, LIST);
    for (unsigned s = 0; s < services; s++)
        for (unsigned l = 0; l < loads; l++) {
            double of_capacity = (double)load[l] / 100;
            if (load[l] == 0) continue;
            queue_measure(lab, "load", service[s], true, of_capacity);
            if (!strcmp(service[s], "varying"))
                queue_measure(lab, "load", service[s], false, of_capacity);
        }
    for (int open = 0; open < 2; open++)
        queue_measure(lab, "stall", "stalling", open, 0.5);
}

static const struct experiment queueing = {
    .number = 14,
    .name = "queueing",
    .title = "Queueing",
    .question = "How long does a request take when its server is busy for 10 to 120 % of the time?",
    .expectation =
        "Response time = waiting + service; waiting grows without limit towards 100 % (Pollaczek "
        "and Khinchine; Kleinrock, Queueing Systems I, 1975). Requests in the system = arrivals "
        "per "
        "second × response time (Little, 1961). A closed loop sees no queue and leaves out what "
        "would have been slow (coordinated omission; Tene, 2013).",
    .floor = "any Linux",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "iops",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = queueing_find,
};
EXPERIMENT(queueing);
