/* How threads share rings, in five ways: see rings.c. */
#include "rings_team.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_BYTES = 256 << 10 };

static void member_fails(struct member *t, int result)
{
    if (t->result == 0) t->result = result;
    t->team->over = true;
}

static bool is_layout(const struct team *team, const char *name)
{
    return !strcmp(team->layout, name);
}

/* ---- a lock that counts its system calls ------------------------------------------------------- */

static void futex_call(struct member *t, _Atomic uint32_t *word, int operation, uint32_t value)
{
    static const struct timespec limit = {.tv_nsec = 100000000};
    t->tally.calls++;
    syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, &limit, NULL, 0);
}

/* 0: free; 1: taken; 2: taken, and others may wait (Drepper, "Futexes are tricky", 2011). */
static void lock_take(struct member *t, _Atomic uint32_t *lock)
{
    uint32_t expected = 0;
    if (atomic_compare_exchange_strong(lock, &expected, 1)) return;
    while (atomic_exchange(lock, 2) != 0)
        futex_call(t, lock, FUTEX_WAIT, 2);
}

static void lock_give(struct member *t, _Atomic uint32_t *lock)
{
    if (atomic_exchange(lock, 0) == 2) futex_call(t, lock, FUTEX_WAKE, 1);
}

/* ---- batches ----------------------------------------------------------------------------------- */

static uint64_t place_next(struct member *t)
{
    t->random = t->random * 6364136223846793005U + 1442695040888963407U;
    return (t->random >> 33) % t->team->blocks * READ_BYTES;
}

/* Begins another batch, if one is wanted. The first one is always wanted. */
static bool batch_begin(struct member *t)
{
    const struct team *team = t->team;
    uint64_t now = measure_now();
    bool enough = t->batches >= team->batches || measure_time_over(team->measure, now);
    if (team->over || (t->batches > 0 && enough)) return false;
    t->batches++;
    t->begun_ns = now;
    t->ended = 0;
    return true;
}

static bool batch_is_under_way(const struct member *t)
{
    return t->ended < t->team->batch && t->result == 0;
}

static void read_prepare(struct member *t, struct io_uring_sqe *sqe, unsigned i)
{
    if (t->team->data)
        io_uring_prep_read(sqe, t->team->fd, t->memory + (size_t)i * READ_BYTES, READ_BYTES,
                           place_next(t));
    else
        io_uring_prep_nop(sqe);
    io_uring_sqe_set_data(sqe, t);
}

/* Prepares the message that posts the end of the request before it to the reader's ring. */
static void message_prepare(struct member *t, struct io_uring_sqe *before, struct io_uring_sqe *sqe)
{
    before->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS; /* only a failure completes here */
    io_uring_prep_msg_ring(sqe, t->team->ring.ring_fd, t->team->data ? READ_BYTES : 0, (uintptr_t)t,
                           0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

/* The queue is as long as there can be requests, so there is always room. */
static void batch_prepare(struct member *t, struct io_uring *ring)
{
    bool mixed = is_layout(t->team, "mixed");
    for (unsigned i = 0; i < t->team->batch; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
        read_prepare(t, sqe, i);
        if (mixed) message_prepare(t, sqe, io_uring_get_sqe(ring));
    }
}

static void ring_enter(struct member *t, struct io_uring *ring, unsigned await)
{
    t->tally.calls++;
    int result = io_uring_submit_and_wait(ring, await);
    if (result < 0 && result != -EINTR) member_fails(t, result);
}

/*
 * Counts everything that has completed, and tells the thread that asked for it. Returns true when the
 * reader may end.
 */
static bool completions_reap(struct member *t, struct io_uring *ring)
{
    struct team *team = t->team;
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;
    bool mixed = is_layout(team, "mixed"), may_go = false;
    int wanted = team->data ? READ_BYTES : 0;
    uint64_t now = measure_now();
    io_uring_for_each_cqe(ring, head, cqe)
    {
        struct member *owner = io_uring_cqe_get_data(cqe);
        seen++;
        may_go |= !owner;
        if (!owner) continue;
        if (cqe->res != wanted) member_fails(t, cqe->res < 0 ? cqe->res : -EIO);
        tally_latency(&t->tally, now - owner->begun_ns, (uint64_t)wanted);
        if (atomic_fetch_add(&owner->ended, 1) + 1 == team->batch && mixed)
            futex_call(t, &owner->ended, FUTEX_WAKE, 1);
    }
    io_uring_cq_advance(ring, seen);
    return may_go;
}

/* ---- the layouts ------------------------------------------------------------------------------- */

static void sync_work(struct member *t)
{
    struct team *team = t->team;
    uint64_t now;
    if (!batch_begin(t)) return;
    now = t->begun_ns;
    do {
        ssize_t moved = pread(team->fd, t->memory, READ_BYTES, (off_t)place_next(t));
        if (moved != READ_BYTES) member_fails(t, moved < 0 ? -errno : -EIO);
        if (moved != READ_BYTES) return;
        t->tally.calls++;
        now = tally_add(&t->tally, now, READ_BYTES);
    } while (!team->over && t->batches++ < team->batches && !measure_time_over(team->measure, now));
}

/* Waiting for the lock is a part of the latency. `ended` counts what others have reaped for this thread. */
static void shared_work(struct member *t)
{
    struct team *team = t->team;
    while (t->result == 0 && batch_begin(t))
        for (bool submitted = false; batch_is_under_way(t); submitted = true) {
            lock_take(t, &team->lock[0]);
            if (!submitted) batch_prepare(t, &team->ring);
            if (batch_is_under_way(t)) ring_enter(t, &team->ring, team->batch - t->ended);
            completions_reap(t, &team->ring);
            lock_give(t, &team->lock[0]);
        }
}

/* While it waits, it holds only the lock of the completion queue; others may submit. */
static void completions_await(struct member *t)
{
    struct team *team = t->team;
    struct io_uring_cqe *cqe;
    lock_take(t, &team->lock[1]);
    if (batch_is_under_way(t)) {
        unsigned await = team->batch - t->ended;
        t->tally.calls += io_uring_cq_ready(&team->ring) < await;
        int result = io_uring_wait_cqe_nr(&team->ring, &cqe, await);
        if (result < 0 && result != -EINTR) member_fails(t, result);
        completions_reap(t, &team->ring);
    }
    lock_give(t, &team->lock[1]);
}

static void split_work(struct member *t)
{
    struct team *team = t->team;
    while (t->result == 0 && batch_begin(t)) {
        lock_take(t, &team->lock[0]);
        batch_prepare(t, &team->ring);
        ring_enter(t, &team->ring, 0);
        lock_give(t, &team->lock[0]);
        while (batch_is_under_way(t))
            completions_await(t);
    }
}

static void mixed_work(struct member *t)
{
    struct io_uring_cqe *cqe;
    while (t->result == 0 && batch_begin(t)) {
        batch_prepare(t, &t->ring);
        ring_enter(t, &t->ring, 0);
        while (batch_is_under_way(t)) {
            uint32_t ended = t->ended;
            if (ended < t->team->batch) futex_call(t, &t->ended, FUTEX_WAIT, ended);
            if (io_uring_peek_cqe(&t->ring, &cqe) == 0)
                member_fails(t, cqe->res < 0 ? cqe->res : -EIO);
        }
    }
}

/* Reads completions until team_run() sends it a completion that belongs to nobody. */
static void reader_work(struct member *t)
{
    struct __kernel_timespec limit = {.tv_nsec = 50000000};
    struct io_uring *ring = &t->team->ring;
    struct io_uring_cqe *cqe;
    bool may_go = false;
    while (!may_go && !t->team->leaving) {
        t->tally.calls += io_uring_cq_ready(ring) == 0; /* else it does not enter the kernel */
        io_uring_wait_cqes(ring, &cqe, 1, &limit, NULL);
        may_go = completions_reap(t, ring);
    }
}

static void private_work(struct member *t)
{
    while (t->result == 0 && batch_begin(t)) {
        batch_prepare(t, &t->ring);
        while (batch_is_under_way(t)) {
            ring_enter(t, &t->ring, t->team->batch - t->ended);
            completions_reap(t, &t->ring);
        }
    }
}

/* ---- coming and going -------------------------------------------------------------------------- */

/* Kernels before 6.1 do not know these flags. */
static int private_ring_open(struct member *t)
{
    unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int result = io_uring_queue_init(t->team->batch, &t->ring, flags);
    return result == -EINVAL ? io_uring_queue_init(t->team->batch, &t->ring, 0) : result;
}

/* Each thread does this itself, because a ring with a single issuer belongs to the thread that made it. */
static int member_ring_open(struct member *t)
{
    int result = t->work == private_work ? private_ring_open(t)
                 : t->work == mixed_work ? io_uring_queue_init(2 * t->team->batch, &t->ring, 0)
                                         : 0;
    t->has_ring = result == 0 && (t->work == private_work || t->work == mixed_work);
    return result;
}

static void semaphore_await(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0) {
    } /* EINTR */
}

static void *member_run(void *context)
{
    struct member *t = context;
    measure_thread_begin();
    t->result = member_ring_open(t);
    sem_post(&t->team->ready);
    semaphore_await(&t->team->go);
    if (!t->team->leaving) {
        t->work(t);
        sem_post(&t->team->done);
    }
    semaphore_await(&t->team->leave); /* not before everything is counted */
    if (t->has_ring) io_uring_queue_exit(&t->ring);
    return NULL;
}

static int member_start(struct team *team, void (*work)(struct member *))
{
    struct member *t = &team->member[team->started];
    pthread_attr_t small;
    t->team = team;
    t->work = work;
    t->random = team->started + 1;
    if (work != reader_work) {
        size_t bytes = (size_t)team->batch * READ_BYTES;
        t->memory = aligned_alloc(READ_BYTES, bytes);
        if (!t->memory) return -ENOMEM;
        memset(t->memory, 1, bytes); /* so that its pages exist before the clock runs */
    }
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    int result = -pthread_create(&t->id, &small, member_run, t);
    pthread_attr_destroy(&small);
    if (result == 0) team->started++;
    return result;
}

static int members_start(struct team *team)
{
    void (*work)(struct member *) = is_layout(team, "sync")     ? sync_work
                                    : is_layout(team, "shared") ? shared_work
                                    : is_layout(team, "split")  ? split_work
                                    : is_layout(team, "mixed")  ? mixed_work
                                                                : private_work;
    int result = 0;
    for (unsigned i = 0; i < team->threads && result == 0; i++)
        result = member_start(team, work);
    if (result == 0 && work == mixed_work) result = member_start(team, reader_work);
    for (unsigned i = 0; i < team->started; i++)
        semaphore_await(&team->ready);
    for (unsigned i = 0; i < team->started && result == 0; i++)
        result = team->member[i].result;
    return result;
}

int team_open(void *context)
{
    struct team *team = context;
    int result = 0;
    memset(&team->fd, 0, sizeof *team - offsetof(struct team, fd)); /* it may be opened again */
    team->fd = -1;
    sem_init(&team->ready, 0, 0);
    sem_init(&team->go, 0, 0);
    sem_init(&team->done, 0, 0);
    sem_init(&team->leave, 0, 0);
    team->has_semaphores = true;
    if (team->data) {
        team->fd = open(team->data->path, O_RDONLY | O_CLOEXEC | (team->direct ? O_DIRECT : 0));
        if (team->fd < 0) return -errno;
        team->blocks = team->data->bytes / READ_BYTES;
        if (team->blocks == 0) return -EINVAL;
    }
    if (!is_layout(team, "sync") && !is_layout(team, "private")) {
        result = io_uring_queue_init(team->threads * team->batch, &team->ring, 0);
        team->has_ring = result == 0;
    }
    return result == 0 ? members_start(team) : result;
}

/* In layout mixed, only the caller submits to the reader's ring. */
static void reader_end(struct team *team)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&team->ring);
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data(sqe, NULL);
    if (io_uring_submit(&team->ring) < 0) team->leaving = true; /* it looks after 50 ms */
    semaphore_await(&team->done);
}

int team_run(void *context, struct measure *m)
{
    struct team *team = context;
    int result = 0;
    team->measure = m;
    for (unsigned i = 0; i < team->started; i++)
        sem_post(&team->go);
    for (unsigned i = 0; i < team->threads; i++)
        semaphore_await(&team->done);
    if (team->started > team->threads) reader_end(team);
    for (unsigned i = 0; i < team->started; i++) {
        measure_join(m, &team->member[i].tally);
        if (result == 0) result = team->member[i].result;
    }
    return result;
}

void team_close(void *context)
{
    struct team *team = context;
    team->leaving = true;
    for (unsigned i = 0; i < team->started; i++) {
        sem_post(&team->go); /* for those that never began */
        sem_post(&team->leave);
    }
    for (unsigned i = 0; i < team->started; i++)
        pthread_join(team->member[i].id, NULL);
    if (team->has_ring) io_uring_queue_exit(&team->ring);
    for (unsigned i = 0; i <= TEAM_MAX; i++)
        free(team->member[i].memory);
    if (team->fd >= 0) close(team->fd);
    if (!team->has_semaphores) return;
    sem_destroy(&team->ready);
    sem_destroy(&team->go);
    sem_destroy(&team->done);
    sem_destroy(&team->leave);
}
