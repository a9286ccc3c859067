/*
 * rings: T threads, each with several requests under way, over io_uring laid out in three ways.
 *
 *   shared    one ring; whoever submits or reaps holds its lock, and hands out what is others'
 *   mixed     a submission queue a thread, one completion queue that one more thread reaps. Linux
 *             makes queues in pairs; the closest to it is a ring a thread, whose every request is
 *             linked to an IORING_OP_MSG_RING that posts its end to the reaper's (Linux 5.19)
 *   private   a ring a thread and nothing shared: the kernel may assume a single issuer and finish
 *             requests when it is asked to (DEFER_TASKRUN, Linux 6.1)
 *
 * Latency is from preparing a submission to reading its completion. It refuses to look at what it
 * reads. Try it: make site build/release/bench/rings; build/release/bench/rings www/files/10m.txt
 */
#include "futex.h"
#include "tally.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS_MAX = 4, DEPTH_MAX = 256, READ_BYTES = 4096 };

enum layout { SHARED, MIXED, PRIVATE, LAYOUTS };
static const char *const layout_name[LAYOUTS] = {"shared", "mixed", "private"};

struct request {
    struct thread *owner;
    uint64_t begun_ns;
};

struct thread {
    pthread_t id;
    struct io_uring ring; /* not in layout shared */
    struct request request[DEPTH_MAX];
    struct request *idle[DEPTH_MAX]; /* those not under way */
    unsigned idle_count;
    uint64_t random;
    char memory[DEPTH_MAX][READ_BYTES] __attribute__((aligned(READ_BYTES))); /* of each request */
    struct tally tally;
    struct request *back[DEPTH_MAX]; /* mixed: a queue from the reaper, which writes… */
    _Atomic uint32_t back_written;   /* …and counts here (a futex) */
    _Atomic uint32_t back_taken;
};

static struct {
    unsigned depth;
    double seconds; /* for each line of the table */
    bool direct, reads;
    int file;
    uint64_t blocks;
    enum layout layout;
    struct io_uring ring; /* shared: of all threads; mixed: the reaper's */
    _Atomic uint32_t lock;
    atomic_bool over, reaped;
    struct thread thread[THREADS_MAX];
    struct tally reaper;
} all = {.depth = 32, .seconds = 1};

/* ---- requests ------------------------------------------------------------------------------- */

/* There is always room: the queue is as long as all requests there can be. */
static void request_prepare(struct thread *t, struct io_uring *ring, uint64_t now)
{
    struct request *r = t->idle[--t->idle_count];
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    t->random = t->random * 6364136223846793005U + 1442695040888963407U;
    if (all.reads)
        io_uring_prep_read(sqe, all.file, t->memory[r - t->request], READ_BYTES,
                           (t->random >> 33) % all.blocks * READ_BYTES);
    else
        io_uring_prep_nop(sqe);
    io_uring_sqe_set_data(sqe, r);
    r->begun_ns = now;
    if (all.layout != MIXED) return;
    sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS; /* only a failure is told here */
    sqe = io_uring_get_sqe(ring);
    io_uring_prep_msg_ring(sqe, all.ring.ring_fd, READ_BYTES, (uintptr_t)r, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void requests_prepare(struct thread *t, struct io_uring *ring)
{
    uint64_t now = now_ns();
    while (t->idle_count > 0 && !all.over)
        request_prepare(t, ring, now);
}

static void back_put(struct tally *t, struct request *r)
{
    struct thread *owner = r->owner;
    uint32_t written = owner->back_written;
    owner->back[written % all.depth] = r;
    owner->back_written = written + 1;
    if (written == owner->back_taken) futex_call(t, &owner->back_written, FUTEX_WAKE, 1);
}

static _Noreturn void failure_tell(int result)
{
    errx(1, "%s: a request failed: %s", layout_name[all.layout],
         result < 0 ? strerror(-result) : "short read");
}

/* Everything that has completed: counted, and its owner may use it again. */
static void completions_reap(struct tally *t, struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned left = io_uring_cq_ready(ring);
    for (uint64_t now = now_ns(); left > 0; left--, io_uring_cqe_seen(ring, cqe)) {
        io_uring_peek_cqe(ring, &cqe);
        struct request *r = io_uring_cqe_get_data(cqe);
        if (cqe->res != (all.reads || all.layout == MIXED ? READ_BYTES : 0)) failure_tell(cqe->res);
        tally_add(t, now - r->begun_ns);
        if (all.layout == MIXED)
            back_put(t, r);
        else
            r->owner->idle[r->owner->idle_count++] = r;
    }
}

static void submit(struct tally *t, struct io_uring *ring, unsigned await)
{
    t->calls++;
    int result = io_uring_submit_and_wait(ring, await);
    if (result < 0 && result != -EINTR) errx(1, "io_uring_enter: %s", strerror(-result));
}

static void ring_open(struct io_uring *ring, unsigned flags)
{
    int result = io_uring_queue_init(THREADS_MAX * DEPTH_MAX, ring, flags); /* completions: twice */
    if (result < 0) errx(1, "io_uring_setup: %s", strerror(-result));
}

/* ---- the three layouts ---------------------------------------------------------------------- */

/* What others reaped for this thread is in its `idle` when it gets the lock. */
static void shared_run(struct thread *t)
{
    for (bool done = false; !done;) {
        lock_take(&all.lock, &t->tally);
        requests_prepare(t, &all.ring);
        done = t->idle_count == all.depth;
        if (!done) submit(&t->tally, &all.ring, 1);
        completions_reap(&t->tally, &all.ring);
        lock_give(&all.lock, &t->tally);
    }
}

static void back_take(struct thread *t)
{
    uint32_t written;
    while ((written = t->back_written) == t->back_taken)
        futex_call(&t->tally, &t->back_written, FUTEX_WAIT, written);
    while (t->back_taken != written)
        t->idle[t->idle_count++] = t->back[t->back_taken++ % all.depth];
}

static void mixed_run(struct thread *t)
{
    struct io_uring_cqe *cqe;
    ring_open(&t->ring, 0);
    for (;;) {
        requests_prepare(t, &t->ring);
        if (t->idle_count == all.depth) break;
        if (io_uring_sq_ready(&t->ring) > 0) submit(&t->tally, &t->ring, 0);
        if (io_uring_peek_cqe(&t->ring, &cqe) == 0) failure_tell(cqe->res);
        back_take(t);
    }
    io_uring_queue_exit(&t->ring);
}

static void *reaper_run(void *unused)
{
    struct __kernel_timespec wait = {.tv_nsec = 50000000};
    struct io_uring_cqe *cqe;
    while (!all.reaped) {
        all.reaper.calls += io_uring_cq_ready(&all.ring) == 0; /* else it does not enter */
        io_uring_wait_cqes(&all.ring, &cqe, 1, &wait, NULL);
        completions_reap(&all.reaper, &all.ring);
    }
    return unused;
}

static void private_run(struct thread *t)
{
    ring_open(&t->ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    for (;;) {
        requests_prepare(t, &t->ring);
        if (t->idle_count == all.depth) break;
        submit(&t->tally, &t->ring, 1);
        completions_reap(&t->tally, &t->ring);
    }
    io_uring_queue_exit(&t->ring);
}

static void *thread_run(void *of)
{
    static void (*const run[LAYOUTS])(struct thread *) = {shared_run, mixed_run, private_run};
    run[all.layout](of);
    return NULL;
}

/* ---- measuring ------------------------------------------------------------------------------ */

static void thread_prepare(struct thread *t, unsigned number)
{
    memset(t, 0, sizeof *t);
    t->random = number;
    for (unsigned i = 0; i < all.depth; i++) {
        t->request[i].owner = t;
        t->idle[t->idle_count++] = &t->request[i];
    }
}

static void line_print(unsigned threads, double seconds)
{
    static struct tally sum;
    sum = all.reaper;
    for (unsigned i = 0; i < threads; i++)
        tally_join(&sum, &all.thread[i].tally);
    double n = (double)sum.completed;
    printf("%-6s %-8s %7u %12.0f %9.1f %9.1f %9.1f %9.1f %10.3f\n", all.reads ? "read" : "nop",
           layout_name[all.layout], threads, n / seconds, (double)sum.sum_ns / n / 1000,
           tally_percentile_us(&sum, 0.5), tally_percentile_us(&sum, 0.99),
           tally_percentile_us(&sum, 0.999), (double)sum.calls / n);
    fflush(stdout);
}

static void measure(unsigned threads)
{
    pthread_t reaper;
    uint64_t begun = now_ns();
    all.over = all.reaped = false;
    all.reaper = (struct tally){.calls = 0};
    if (all.layout != PRIVATE) ring_open(&all.ring, 0);
    if (all.layout == MIXED) pthread_create(&reaper, NULL, reaper_run, NULL);
    for (unsigned i = 0; i < threads; i++) {
        thread_prepare(&all.thread[i], i);
        pthread_create(&all.thread[i].id, NULL, thread_run, &all.thread[i]);
    }
    usleep((useconds_t)(all.seconds * 1e6));
    all.over = true;
    for (unsigned i = 0; i < threads; i++)
        pthread_join(all.thread[i].id, NULL);
    line_print(threads, (double)(now_ns() - begun) / 1e9);
    all.reaped = true;
    if (all.layout == MIXED) pthread_join(reaper, NULL);
    if (all.layout != PRIVATE) io_uring_queue_exit(&all.ring);
}

static void file_open(const char *path)
{
    struct stat status;
    all.file = open(path, O_RDONLY | O_CLOEXEC | (all.direct ? O_DIRECT : 0));
    if (all.file < 0 || fstat(all.file, &status) < 0)
        err(1, "%s%s", path, all.direct ? " (with O_DIRECT)" : "");
    all.blocks = (uint64_t)status.st_size / READ_BYTES;
    if (all.blocks == 0) errx(1, "%s: shorter than %d bytes", path, READ_BYTES);
    if (!all.direct) readahead(all.file, 0, (size_t)status.st_size);
}

static void arguments_read(int argc, char **argv)
{
    static const struct option options[] = {{"direct", no_argument, NULL, 'D'}, {0}};
    int o;
    while ((o = getopt_long(argc, argv, "d:s:", options, NULL)) != -1 && o != '?') {
        if (o == 'd') all.depth = (unsigned)strtoul(optarg, NULL, 10);
        if (o == 's') all.seconds = strtod(optarg, NULL);
        all.direct |= o == 'D';
    }
    if (o != -1 || argc - optind != 1 || all.depth < 1 || all.depth > DEPTH_MAX ||
        !(all.seconds >= 0.01 && all.seconds <= 1000))
        errx(2, "usage: rings [-d DEPTH, 1 to %d] [-s SECONDS a line] [--direct] FILE", DEPTH_MAX);
    file_open(argv[optind]);
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv);
    printf(
        "                 threads   requests/s   mean µs    p50 µs    p99 µs  p99.9 µs  calls/req"
        "   (%u under way a thread)\n",
        all.depth);
    for (int line = 0; line < 2 * 3 * LAYOUTS; line++) {
        all.reads = line >= 3 * LAYOUTS;
        all.layout = (enum layout)(line % LAYOUTS);
        measure(1U << line / LAYOUTS % 3);
    }
    return 0;
}
