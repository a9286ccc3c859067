/*
 * Records that are gathered before they are written, by a program that is killed (SIGKILL).
 *
 * A child writes records of 128 bytes into a file, each with its number. In memory that it shares with us
 * it counts how many records it has accepted (its caller believes that these are written), and how many a
 * flush has covered. After a while it is killed. Then the file is read: the highest number in it says what
 * the kill took. What the kernel had, but no fdatasync(2) has covered, is not lost by a kill. It would be
 * lost by a power cut, so that is counted too.
 *
 * The child looks at the clock whenever a record comes. A program that waits for a long time would need a
 * timer for the same. The file does not grow without limit: at its end the child begins again at its
 * beginning.
 */
#include "durable_killed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUFFER_MAX = 1 << 20, MAGIC = 0x7a636c62 };

/* A record in the file. The bytes after its number are what the buffer held, and cannot be compressed. */
struct record {
    uint64_t number;
    uint32_t magic, check;
};

struct writer {
    struct tally tally;
    _Atomic uint64_t taken, covered; /* records: believed written; safe from a power cut */
    _Atomic uint64_t begun_ns;
    _Atomic int failure;
    uint64_t flushes;
    double
        wait_ns; /* sum over flushes: how long the oldest record had waited when it was written */
};

int gathering_open(void *context)
{
    struct gathering *g = context;
    g->writer =
        mmap(NULL, sizeof *g->writer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (g->writer == MAP_FAILED) g->writer = NULL;
    g->buffer = aligned_alloc(4096, BUFFER_MAX);
    if (!g->writer || !g->buffer) return -ENOMEM;
    uint64_t z = g->seed;
    for (size_t at = 0; at < BUFFER_MAX; at += sizeof z) {
        z = z * 6364136223846793005U + 1442695040888963407U;
        memcpy(g->buffer + at, &z, sizeof z);
    }
    g->fd = open(g->data->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return g->fd < 0 ? -errno : 0;
}

void gathering_close(void *context)
{
    struct gathering *g = context;
    if (g->fd >= 0) close(g->fd);
    unlink(g->data->path);
    if (g->writer) munmap(g->writer, sizeof *g->writer);
    free(g->buffer);
    g->fd = -1;
    g->writer = NULL;
    g->buffer = NULL;
}

/* ---- the child --------------------------------------------------------------------------------- */

struct pending {
    size_t bytes;
    uint64_t at; /* in the file */
    uint64_t oldest_ns;
};

static void flush(struct gathering *g, struct pending *p, uint64_t taken)
{
    struct writer *w = g->writer;
    for (size_t done = 0; done < p->bytes;) {
        ssize_t wrote = pwrite(g->fd, g->buffer + done, p->bytes - done, (off_t)(p->at + done));
        w->tally.calls++;
        if (wrote < 0) w->failure = -errno;
        if (wrote < 0) _exit(1);
        done += (size_t)wrote;
    }
    if (g->synced) {
        w->tally.calls++;
        if (fdatasync(g->fd) < 0) w->failure = -errno;
        if (w->failure) _exit(1);
        w->covered = taken;
    }
    w->flushes++;
    w->wait_ns += (double)(measure_now() - p->oldest_ns);
    p->at += p->bytes;
    p->bytes = 0;
    if (p->at + BUFFER_MAX > g->data->bytes) p->at = 0;
}

static bool is_due(const struct gathering *g, const struct pending *p, uint64_t now)
{
    uint64_t limit = g->gather_ns ? BUFFER_MAX : g->gather_bytes;
    return p->bytes + RECORD_BYTES > limit || p->bytes + RECORD_BYTES > BUFFER_MAX ||
           (g->gather_ns > 0 && now - p->oldest_ns >= g->gather_ns);
}

/*
 * Records come in bursts, once a ms. Sleeps when more have come than the pace says. Returns the time now.
 */
static uint64_t pace_keep(const struct gathering *g, uint64_t come, uint64_t now)
{
    uint64_t burst = g->pace / 1000 + 1, due = g->writer->begun_ns + come / burst * 1000000;
    if (g->pace == 0 || come % burst != 0 || due <= now) return now;
    struct timespec until = {(time_t)(due / NS_PER_S), (long)(due % NS_PER_S)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return measure_now();
}

/* Writes until it is killed. It continues the count of the child before it. */
static _Noreturn void records_write(struct gathering *g)
{
    struct writer *w = g->writer;
    struct pending p = {0};
    uint64_t now = measure_now(), before = w->taken, taken = before;
    w->begun_ns = now;
    for (;;) {
        now = pace_keep(g, taken - before, now);
        struct record *record = (struct record *)(void *)(g->buffer + p.bytes);
        if (p.bytes == 0) p.oldest_ns = now;
        taken++;
        record->number = taken;
        record->magic = MAGIC;
        record->check = (uint32_t)taken * 2654435761U;
        p.bytes += RECORD_BYTES;
        if (is_due(g, &p, now)) flush(g, &p, taken);
        w->taken = taken; /* from now on the caller believes that it is written */
        now = tally_add(&w->tally, now, RECORD_BYTES);
    }
}

/* ---- the parent -------------------------------------------------------------------------------- */

/* Finds the highest number of a complete record in the file; 0: none. */
static int number_find(const struct gathering *g, uint64_t *highest)
{
    char *piece = malloc(BUFFER_MAX);
    ssize_t got = piece ? 1 : -1;
    *highest = 0;
    for (uint64_t at = 0; got > 0; at += (uint64_t)got) {
        got = pread(g->fd, piece, BUFFER_MAX, (off_t)at);
        for (ssize_t i = 0; i + RECORD_BYTES <= got; i += RECORD_BYTES) {
            struct record record;
            memcpy(&record, piece + i, sizeof record);
            if (record.magic == MAGIC && record.check == (uint32_t)record.number * 2654435761U &&
                record.number > *highest)
                *highest = record.number;
        }
    }
    free(piece);
    return got < 0 ? -EIO : 0;
}

static void sleep_ns(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
    if (!measure_stopped) nanosleep(&time, NULL); /* INT ends it */
}

/* Waits until the child has written its first record or has failed: 5 s at most. */
static void first_await(const struct gathering *g, uint64_t before)
{
    uint64_t limit = measure_now() + 5 * NS_PER_S;
    while (g->writer->taken <= before && !g->writer->failure && measure_now() < limit &&
           !measure_stopped)
        sleep_ns(200000);
}

/* Lets the child write for a while and kills it. *wrote_ns gets the time for which it wrote. */
static int child_kill_after(struct gathering *g, uint64_t ns, double *wrote_ns)
{
    pid_t parent = getpid();
    uint64_t before = g->writer->taken;
    g->writer->begun_ns = 0;
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        signal(SIGINT, SIG_IGN); /* the parent ends it, on INT too */
        signal(SIGTERM, SIG_IGN);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) records_write(g);
        _exit(1);
    }
    first_await(g, before);
    sleep_ns(ns);
    uint64_t ended = measure_now();
    kill(child, SIGKILL);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (g->writer->begun_ns > 0 && ended > g->writer->begun_ns)
        *wrote_ns += (double)(ended - g->writer->begun_ns);
    if (g->writer->failure) return g->writer->failure;
    return WIFSIGNALED(status) ? 0 : -ECHILD;
}

/* What the kills took, in bytes. */
struct losses {
    double sum, most, risk;
    unsigned kills;
};

static int loss_count(const struct gathering *g, uint64_t before, struct losses *losses)
{
    uint64_t highest;
    int result = number_find(g, &highest);
    uint64_t covered = g->writer->covered > before ? g->writer->covered : before;
    if (highest < before) highest = before; /* nothing of this child has reached the file */
    double lost = highest < g->writer->taken
                      ? (double)(g->writer->taken - highest) * RECORD_BYTES
                      : 0; /* the last record may be written before it counts as accepted */
    losses->sum += lost;
    losses->most = lost > losses->most ? lost : losses->most;
    losses->risk +=
        covered < g->writer->taken ? (double)(g->writer->taken - covered) * RECORD_BYTES : 0;
    losses->kills++;
    return result;
}

int gathering_run(void *context, struct measure *m)
{
    struct gathering *g = context;
    struct writer *w = g->writer;
    struct losses losses = {0};
    double wrote_ns = 0;
    uint64_t begun = measure_now(), all = m->deadline_ns > begun ? m->deadline_ns - begun : 0;
    uint64_t each = all / g->kills;
    int result = 0;
    if (each < 2 * g->gather_ns) each = 2 * g->gather_ns; /* so that some are written in time */
    for (unsigned k = 0; k < g->kills && result == 0 && !measure_stopped; k++) {
        uint64_t before = w->taken;
        uint64_t more = each / 2 * ((k * 37 + g->seed * 11) % 100) / 100; /* other moments */
        result = child_kill_after(g, each / 2 + more, &wrote_ns);
        if (result == 0) result = loss_count(g, before, &losses);
    }
    if (result < 0 || losses.kills == 0 || w->tally.operations == 0 || wrote_ns <= 0) return result;
    measure_join(m, &w->tally);
    double operations = (double)m->tally.operations, kills = losses.kills;
    measure_figure(m, "seconds", wrote_ns / 1e9); /* the time in which the child wrote */
    measure_figure(m, "iops", operations / wrote_ns * 1e9);
    measure_figure(m, "mb_per_s", operations * RECORD_BYTES / wrote_ns * 1e3);
    measure_figure(m, "lost_bytes", losses.sum / kills);
    measure_figure(m, "lost_most_bytes", losses.most);
    measure_figure(m, "at_risk_bytes", losses.risk / kills);
    if (w->flushes > 0) measure_figure(m, "held_us", w->wait_ns / (double)w->flushes / 1e3);
    return 0;
}
