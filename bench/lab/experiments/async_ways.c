/*
 * The ways in C to have several reads under way. The loop is the same for all. A way starts a read, and
 * waits for some.
 */
#include "async_work.h"
#include "../shuffle.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <liburing.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

/* One read, under way or idle. */
struct slot {
    struct doing *doing;
    unsigned index;
    int fd;
    char *buffer;
    uint64_t offset, begun_ns;
    ssize_t result;
    struct aiocb posix;
    struct iocb linux_aio;
    uv_fs_t uv;
    uv_buf_t uv_buffer;
    pthread_t thread;
    struct slot *next; /* the next one in a queue of the pool */
};

struct doing {
    const struct job *job;
    const struct way *way;
    struct measure m;
    int fd;
    char *memory;
    struct slot slot[DEPTH_MAX];
    unsigned idle[DEPTH_MAX], idles, under_way;
    uint64_t started;
    /* used by the ways */
    io_context_t linux_aio;
    struct iocb *queued[DEPTH_MAX];
    unsigned queued_count;
    struct io_uring ring;
    uv_loop_t loop;
    pthread_mutex_t lock;
    pthread_cond_t wanted, ended;
    struct slot *to_do, *done;
    bool over;
};

struct way {
    const char *name;
    bool fd_each;                    /* one descriptor for each read */
    int (*open)(struct doing *d);    /* may be NULL */
    int (*start)(struct slot *slot); /* returns -errno when the read was not started */
    int (*wait)(struct doing *d);    /* waits until at least one read has ended */
    void (*close)(struct doing *d);  /* may be NULL; no read is under way then */
};

/* A read has ended. */
static void slot_end(struct slot *slot, ssize_t result)
{
    slot->result = result;
    struct doing *d = slot->doing;
    d->under_way--;
    d->idle[d->idles++] = slot->index;
    if (result > 0) tally_latency(&d->m.tally, measure_now() - slot->begun_ns, (uint64_t)result);
}

/* ---- one at a time ----------------------------------------------------------------------------- */

static int pread_start(struct slot *slot)
{
    ssize_t moved = pread(slot->fd, slot->buffer, slot->doing->job->block, (off_t)slot->offset);
    slot_end(slot, moved < 0 ? -errno : moved);
    return 0;
}

static int pread_wait(struct doing *d)
{
    (void)d;
    return 0;
}

/* ---- a pool of threads, as many as reads are under way ----------------------------------------- */

static void *pool_main(void *context)
{
    struct doing *d = context;
    pthread_mutex_lock(&d->lock);
    for (;;) {
        while (!d->to_do && !d->over)
            pthread_cond_wait(&d->wanted, &d->lock);
        struct slot *slot = d->to_do;
        if (!slot) break;
        d->to_do = slot->next;
        pthread_mutex_unlock(&d->lock);
        ssize_t moved = pread(slot->fd, slot->buffer, d->job->block, (off_t)slot->offset);
        slot->result = moved < 0 ? -errno : moved;
        pthread_mutex_lock(&d->lock);
        slot->next = d->done;
        d->done = slot;
        pthread_cond_signal(&d->ended);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static int pool_open(struct doing *d)
{
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->wanted, NULL);
    pthread_cond_init(&d->ended, NULL);
    for (unsigned i = 0; i < d->job->depth; i++) {
        int failure = pthread_create(&d->slot[i].thread, NULL, pool_main, d);
        if (failure) return -failure; /* the process ends, and its threads with it */
    }
    return 0;
}

static int pool_start(struct slot *slot)
{
    struct doing *d = slot->doing;
    pthread_mutex_lock(&d->lock);
    slot->next = d->to_do;
    d->to_do = slot;
    pthread_cond_signal(&d->wanted);
    pthread_mutex_unlock(&d->lock);
    return 0;
}

static int pool_wait(struct doing *d)
{
    pthread_mutex_lock(&d->lock);
    while (!d->done)
        pthread_cond_wait(&d->ended, &d->lock);
    struct slot *slot = d->done;
    d->done = NULL;
    pthread_mutex_unlock(&d->lock);
    for (struct slot *next; slot; slot = next) {
        next = slot->next;
        slot_end(slot, slot->result);
    }
    return 0;
}

static void pool_close(struct doing *d)
{
    pthread_mutex_lock(&d->lock);
    d->over = true;
    pthread_cond_broadcast(&d->wanted);
    pthread_mutex_unlock(&d->lock);
    for (unsigned i = 0; i < d->job->depth; i++)
        pthread_join(d->slot[i].thread, NULL);
}

/* ---- POSIX: aio_read(3), by threads of glibc --------------------------------------------------- */

static int posix_start(struct slot *slot)
{
    slot->posix = (struct aiocb){.aio_fildes = slot->fd,
                                 .aio_buf = slot->buffer,
                                 .aio_nbytes = slot->doing->job->block,
                                 .aio_offset = (off_t)slot->offset,
                                 .aio_sigevent.sigev_notify = SIGEV_NONE};
    return aio_read(&slot->posix) < 0 ? -errno : 0;
}

static int posix_wait(struct doing *d)
{
    const struct aiocb *list[DEPTH_MAX] = {NULL};
    struct slot *of[DEPTH_MAX];
    int count = 0;
    bool idle[DEPTH_MAX] = {false};
    for (unsigned i = 0; i < d->idles; i++)
        idle[d->idle[i]] = true;
    for (unsigned i = 0; i < d->job->depth; i++)
        if (!idle[i]) {
            of[count] = &d->slot[i];
            list[count++] = &d->slot[i].posix;
        }
    if (aio_suspend(list, count, NULL) < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        int error = aio_error(&of[i]->posix);
        if (error == EINPROGRESS) continue;
        ssize_t moved = aio_return(&of[i]->posix);
        slot_end(of[i], error ? -error : moved);
    }
    return 0;
}

/* ---- Linux: io_submit(2), all that are queued with one call ------------------------------------ */

static int linux_open(struct doing *d)
{
    return io_setup((int)d->job->depth, &d->linux_aio);
}

static int linux_start(struct slot *slot)
{
    struct doing *d = slot->doing;
    io_prep_pread(&slot->linux_aio, slot->fd, slot->buffer, d->job->block, (long long)slot->offset);
    slot->linux_aio.data = slot;
    d->queued[d->queued_count++] = &slot->linux_aio;
    return 0;
}

static int linux_wait(struct doing *d)
{
    struct io_event event[DEPTH_MAX];
    for (unsigned at = 0; at < d->queued_count;) {
        int submitted = io_submit(d->linux_aio, (long)(d->queued_count - at), d->queued + at);
        d->m.tally.calls++;
        if (submitted == -EINTR) continue;
        if (submitted <= 0) return submitted < 0 ? submitted : -EAGAIN;
        at += (unsigned)submitted;
    }
    d->queued_count = 0;
    int count = io_getevents(d->linux_aio, 1, DEPTH_MAX, event, NULL);
    d->m.tally.calls++;
    if (count < 0) return count == -EINTR ? 0 : count;
    for (int i = 0; i < count; i++)
        slot_end(event[i].data, (ssize_t)(long)event[i].res);
    return 0;
}

static void linux_close(struct doing *d)
{
    io_destroy(d->linux_aio);
}

/* ---- libuv: uv_fs_read(), by its pool of four threads ------------------------------------------ */

static int libuv_open(struct doing *d)
{
    return uv_loop_init(&d->loop);
}

static void libuv_ended(uv_fs_t *request)
{
    ssize_t result = request->result;
    uv_fs_req_cleanup(request);
    slot_end(request->data, result);
}

static int libuv_start(struct slot *slot)
{
    struct doing *d = slot->doing;
    slot->uv.data = slot;
    slot->uv_buffer = uv_buf_init(slot->buffer, (unsigned)d->job->block);
    return uv_fs_read(&d->loop, &slot->uv, slot->fd, &slot->uv_buffer, 1, (int64_t)slot->offset,
                      libuv_ended);
}

static int libuv_wait(struct doing *d)
{
    uv_run(&d->loop, UV_RUN_ONCE);
    return 0;
}

static void libuv_close(struct doing *d)
{
    uv_loop_close(&d->loop);
}

/* ---- io_uring: all that are queued with one call that waits, too ------------------------------- */

static int uring_open(struct doing *d)
{
    return io_uring_queue_init(d->job->depth, &d->ring, 0);
}

static int uring_start(struct slot *slot)
{
    struct doing *d = slot->doing;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&d->ring);
    if (!sqe) return -EAGAIN;
    io_uring_prep_read(sqe, slot->fd, slot->buffer, (unsigned)d->job->block, slot->offset);
    io_uring_sqe_set_data(sqe, slot);
    return 0;
}

static int uring_wait(struct doing *d)
{
    struct io_uring_cqe *cqe;
    d->m.tally.calls++;
    int result = io_uring_submit_and_wait(&d->ring, 1);
    if (result < 0) return result == -EINTR ? 0 : result;
    while (io_uring_peek_cqe(&d->ring, &cqe) == 0) {
        slot_end(io_uring_cqe_get_data(cqe), cqe->res);
        io_uring_cqe_seen(&d->ring, cqe);
    }
    return 0;
}

static void uring_close(struct doing *d)
{
    io_uring_queue_exit(&d->ring);
}

static const struct way ways[] = {
    {"pread", false, NULL, pread_start, pread_wait, NULL},
    {"pool", false, pool_open, pool_start, pool_wait, pool_close},
    {"posix-aio", false, NULL, posix_start, posix_wait, NULL},
    {"posix-aio-fds", true, NULL, posix_start, posix_wait, NULL},
    {"linux-aio", false, linux_open, linux_start, linux_wait, linux_close},
    {"libuv", false, libuv_open, libuv_start, libuv_wait, libuv_close},
    {"uring", false, uring_open, uring_start, uring_wait, uring_close}};

const struct way *async_way_named(const char *name)
{
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(ways[i].name, name)) return &ways[i];
    return NULL;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static int doing_open(struct doing *d)
{
    const struct job *job = d->job;
    size_t each = (job->block + 4095) & ~(size_t)4095;
    d->memory = aligned_alloc(4096, each * job->depth);
    if (!d->memory) return -ENOMEM;
    memset(d->memory, 1, each * job->depth);
    for (unsigned i = 0; i < job->depth; i++) {
        struct slot *slot = &d->slot[i];
        *slot = (struct slot){.doing = d, .index = i, .buffer = d->memory + i * each};
        slot->fd = i > 0 && !d->way->fd_each
                       ? d->slot[0].fd
                       : open(job->path, O_RDONLY | O_CLOEXEC | (job->direct ? O_DIRECT : 0));
        if (slot->fd < 0) return -errno;
        d->idle[d->idles++] = i;
    }
    return d->way->open ? d->way->open(d) : 0;
}

static bool is_enough(const struct doing *d, uint64_t now)
{
    return d->started > 0 &&
           (measure_over(&d->m, now) || (d->job->limit > 0 && d->started >= d->job->limit));
}

/* Starts reads until as many are under way as wanted. Returns -errno when one could not be started. */
static int reads_start(struct doing *d)
{
    uint64_t now = measure_now();
    int result = 0;
    while (d->idles > 0 && result == 0 && !is_enough(d, now)) {
        struct slot *slot = &d->slot[d->idle[--d->idles]];
        const struct job *job = d->job;
        slot->offset = shuffled(d->started++ % job->blocks, job->blocks, job->seed) * job->block;
        slot->begun_ns = now;
        d->under_way++;
        result = d->way->start(slot);
        if (result < 0) {
            d->under_way--;
            d->idle[d->idles++] = slot->index;
        } else if (d->idles == job->depth && slot->result < 0) {
            result = (int)slot->result; /* it ended at once with an error */
        }
        now = measure_now();
    }
    return result;
}

static int reads_do(struct doing *d)
{
    int result = 0;
    do {
        if (result == 0) result = reads_start(d);
        int waited = d->under_way > 0 ? d->way->wait(d) : 0;
        if (waited < 0) return waited; /* what is under way ends with the process */
        for (unsigned i = 0; i < d->idles && result == 0; i++)
            if (d->slot[d->idle[i]].result < 0) result = (int)d->slot[d->idle[i]].result;
    } while (d->under_way > 0 || (result == 0 && !is_enough(d, measure_now())));
    return result;
}

static double threads_now(void)
{
    char line[128];
    unsigned threads = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && threads == 0 && fgets(line, sizeof line, file))
        sscanf(line, "Threads: %u", &threads);
    if (file) fclose(file);
    return threads;
}

static double us_of(const struct timeval *time)
{
    return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

void way_run(const struct way *way, const struct job *job, struct outcome *outcome)
{
    static struct doing d;
    struct rusage before, after;
    d = (struct doing){.job = job, .way = way};
    outcome->failure = doing_open(&d);
    if (outcome->failure < 0) return;
    getrusage(RUSAGE_SELF, &before);
    uint64_t begun = measure_now();
    d.m.deadline_ns = begun + job->ns;
    outcome->failure = reads_do(&d);
    outcome->ns = measure_now() - begun;
    getrusage(RUSAGE_SELF, &after);
    outcome->threads = threads_now();
    outcome->tally = d.m.tally;
    outcome->user_us = us_of(&after.ru_utime) - us_of(&before.ru_utime);
    outcome->system_us = us_of(&after.ru_stime) - us_of(&before.ru_stime);
    outcome->faults =
        (double)(after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt);
    outcome->switches =
        (double)(after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw);
    if (outcome->failure == 0 && way->close) way->close(&d);
}
