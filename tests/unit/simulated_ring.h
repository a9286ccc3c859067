/*
 * A ring without the kernel: the functions of liburing, defined by the one test program that includes this
 * file (a program's own functions come before those of its shared libraries). Entries become operations,
 * which hold their file as the kernel does. simulated_results.h performs them on real sockets, or gives
 * them another result that the kernel may give: at random, from a seed and in any order; or "directed": in
 * order, at once, and as the test says. It locks no memory.
 */
#ifndef SIMULATED_RING_H
#define SIMULATED_RING_H

#include "model/ring.h"
#include "zcserve/now.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SIMULATED_OPERATIONS 8192
#define SIMULATED_PLACES 256
#define SIMULATED_SCRIPT 64

enum {
    SIMULATED_ANSWER = 200,
    SIMULATED_NOTICE
}; /* besides IORING_OP_…: a completion that is due */

struct simulated_operation {
    uint8_t kind;           /* IORING_OP_…, or one of the above              */
    bool again;             /* multishot                                     */
    bool cancelled, ending; /* it is over soon: as cancelled, or with any result */
    bool woken;             /* for a multishot poll: something changed */
    short events;           /* events of poll(2), at the beginning of the turn */
    int fd;                 /* its own descriptor */
    uint32_t age;           /* in turns */
    uint64_t tag;
    struct io_uring_sqe sqe;
    int result;           /* for SIMULATED_ANSWER and _NOTICE */
    struct outgoing lent; /* what a notice gives back; it must not have changed */
    uint64_t sum;
};

/* The next operation of this kind gets this result; it goes on when `flags` has IORING_CQE_F_MORE. */
struct prescribed {
    uint8_t kind;
    int result; /* INT_MAX: it is performed */
    uint32_t flags;
};

static struct simulated {
    bool by_chance;
    unsigned faults;                     /* at random: of 256 operations that are looked at */
    uint64_t state;                      /* of the random generator */
    uint32_t (*chooses)(uint32_t below); /* instead of the generator; or NULL          */
    void (*turns)(void);                 /* called when the server waits; or NULL      */
    bool held[256];                      /* directed: kinds that are not looked at */
    struct prescribed script[SIMULATED_SCRIPT];
    unsigned scripted;
    int refusal; /* directed: the result of the next `refusals` enters */
    unsigned refusals, enters;
    bool really_waits;    /* a turn in which nothing came takes time */
    unsigned completions; /* completions given so far, without those that nobody looks at */
    unsigned *results;    /* how many of each kind; or NULL */
    int wakes;            /* an epoll that wakes multishot polls */
    struct simulated_operation *operation[SIMULATED_OPERATIONS];
    unsigned operations;
    int place[SIMULATED_PLACES];
    struct io_uring *uring;
    struct io_uring_buf_ring *pool;
    uint16_t pool_head, pool_seen;
    bool buffer_lent[RING_BUFFERS];
    unsigned sq_head, sq_tail, cq_head, cq_tail, flags;
    struct io_uring_sqe sqes[RING_ENTRIES];
    struct io_uring_cqe cqes[RING_COMPLETIONS];
} simulated;

/* Not ck_assert(), because the model runs in a process of its own. */
#define simulated_holds(condition) \
    ((condition) ? (void)0         \
                 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

static uint32_t simulated_random(uint32_t below)
{
    if (simulated.chooses) return simulated.chooses(below);
    simulated.state =
        simulated.state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((simulated.state >> 33) % below);
}

static bool simulated_by_chance(unsigned of_256)
{
    return simulated.by_chance && simulated_random(256) < of_256;
}

/* ---- completions --------------------------------------------------------------------------- */

static unsigned completions_room(void)
{
    return RING_COMPLETIONS - (simulated.cq_tail - simulated.cq_head);
}

static void complete(const struct simulated_operation *o, int result, uint32_t flags)
{
    simulated_holds(completions_room() > 0);
    simulated.cqes[simulated.cq_tail++ % RING_COMPLETIONS] =
        (struct io_uring_cqe){.user_data = o->tag, .res = result, .flags = flags};
    simulated.completions += o->tag != RING_UNTOLD;
    if (simulated.results) simulated.results[o->kind]++;
}

static struct simulated_operation *operation_add(uint8_t kind, uint64_t tag)
{
    simulated_holds(simulated.operations < SIMULATED_OPERATIONS);
    struct simulated_operation *o = calloc(1, sizeof(*o));
    simulated_holds(o != NULL);
    o->kind = kind;
    o->tag = tag;
    o->fd = -1;
    simulated.operation[simulated.operations++] = o;
    return o;
}

static void answer_later(uint8_t kind, uint64_t tag, int result)
{
    operation_add(kind, tag)->result = result;
}

static void operation_remove(unsigned index)
{
    struct simulated_operation *o = simulated.operation[index];
    simulated.operations--;
    for (unsigned i = index; i < simulated.operations; i++)
        simulated.operation[i] = simulated.operation[i + 1];
    if (o->fd >= 0) {
        epoll_ctl(simulated.wakes, EPOLL_CTL_DEL, o->fd, NULL); /* others use the file too */
        close(o->fd);
    }
    free(o);
}

/* ---- submissions --------------------------------------------------------------------------- */

/*
 * Returns a reference to the file, as the kernel takes one: its number may mean something else later. -1:
 * there is none.
 */
static int file_of(const struct io_uring_sqe *sqe)
{
    if (!(sqe->flags & IOSQE_FIXED_FILE)) return dup(sqe->fd);
    simulated_holds((unsigned)sqe->fd < SIMULATED_PLACES);
    return dup(simulated.place[sqe->fd]);
}

/* When the target is found, it ends soon: either as cancelled, or as it would have ended anyway. */
static int cancelled_result(uint64_t target)
{
    for (unsigned i = 0; i < simulated.operations; i++) {
        struct simulated_operation *o = simulated.operation[i];
        if (o->tag != target || o->cancelled || o->ending || o->kind >= SIMULATED_ANSWER) continue;
        bool runs = simulated_by_chance(simulated.faults);
        o->cancelled = !runs;
        o->ending = runs;
        return runs ? -EALREADY : 0;
    }
    return -ENOENT;
}

static void place_set(unsigned place, int fd)
{
    simulated_holds(place < SIMULATED_PLACES);
    if (simulated.place[place] >= 0) close(simulated.place[place]);
    simulated.place[place] = fd < 0 ? -1 : dup(fd);
}

static void wakes_begin(struct simulated_operation *o)
{
    struct epoll_event event = {.events = o->sqe.poll32_events | EPOLLRDHUP | EPOLLET};
    event.data.ptr = o;
    simulated_holds(epoll_ctl(simulated.wakes, EPOLL_CTL_ADD, o->fd, &event) == 0);
    o->woken = true; /* it looks once, as the kernel does when it is armed */
}

static void operation_begin(const struct io_uring_sqe *sqe)
{
    struct simulated_operation *o = operation_add(sqe->opcode, sqe->user_data);
    o->sqe = *sqe;
    o->again = (sqe->opcode == IORING_OP_RECV && (sqe->ioprio & IORING_RECV_MULTISHOT)) ||
               (sqe->opcode == IORING_OP_ACCEPT && (sqe->ioprio & IORING_ACCEPT_MULTISHOT)) ||
               (sqe->opcode == IORING_OP_POLL_ADD && (sqe->len & IORING_POLL_ADD_MULTI));
    if (sqe->opcode == IORING_OP_TIMEOUT) return;
    o->fd = file_of(sqe);
    if (sqe->opcode == IORING_OP_POLL_ADD && o->again && o->fd >= 0) wakes_begin(o);
}

static void entry_take(const struct io_uring_sqe *sqe)
{
    switch (sqe->opcode) {
    case IORING_OP_ASYNC_CANCEL:
        answer_later(SIMULATED_ANSWER, sqe->user_data, cancelled_result(sqe->addr));
        break;
    case IORING_OP_FILES_UPDATE:
        place_set((unsigned)sqe->off, *(const int *)(uintptr_t)sqe->addr);
        break;
    case IORING_OP_CLOSE:
        place_set(sqe->file_index - 1, -1);
        answer_later(SIMULATED_ANSWER, sqe->user_data, 0);
        break;
    case IORING_OP_FADVISE: break;
    default: operation_begin(sqe);
    }
}

/*
 * Returns how many entries were taken: at random not all of them, or none, as when the kernel is short of
 * memory.
 */
static int entries_take(void)
{
    unsigned count = simulated.uring->sq.sqe_tail - simulated.sq_head;
    simulated.enters++;
    if (simulated.refusals > 0) {
        simulated.refusals--;
        return simulated.refusal;
    }
    if (count > 0 && simulated_by_chance(simulated.faults)) count = simulated_random(count + 1);
    if (count == 0 && simulated.uring->sq.sqe_tail != simulated.sq_head) return -EAGAIN;
    for (unsigned i = 0; i < count; i++)
        entry_take(&simulated.sqes[simulated.sq_head++ % RING_ENTRIES]);
    return (int)count;
}

#include "simulated_results.h"

/* ---- what liburing has --------------------------------------------------------------------- */

static void simulated_settings(uint64_t seed, unsigned faults)
{
    simulated.by_chance = faults > 0;
    simulated.faults = faults;
    simulated.state = seed;
    simulated.scripted = simulated.refusals = simulated.enters = 0;
    memset(simulated.held, 0, sizeof(simulated.held));
}

static inline void simulated_prescribe(uint8_t kind, int result, uint32_t flags)
{
    simulated_holds(simulated.scripted < SIMULATED_SCRIPT);
    simulated.script[simulated.scripted++] = (struct prescribed){kind, result, flags};
}

int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p)
{
    if (p->flags & IORING_SETUP_SQPOLL) return -EPERM;
    simulated_holds(entries == RING_ENTRIES && p->cq_entries == RING_COMPLETIONS);
    simulated_holds(simulated.operations == 0);
    simulated.sq_head = simulated.sq_tail = simulated.cq_head = simulated.cq_tail = 0;
    simulated.wakes = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < SIMULATED_PLACES; i++)
        simulated.place[i] = -1;
    *ring = (struct io_uring){.features = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP, .ring_fd = -1};
    ring->sq = (struct io_uring_sq){.khead = &simulated.sq_head,
                                    .ktail = &simulated.sq_tail,
                                    .kflags = &simulated.flags,
                                    .sqes = simulated.sqes,
                                    .ring_mask = RING_ENTRIES - 1,
                                    .ring_entries = RING_ENTRIES};
    ring->cq = (struct io_uring_cq){.khead = &simulated.cq_head,
                                    .ktail = &simulated.cq_tail,
                                    .kflags = &simulated.flags,
                                    .cqes = simulated.cqes,
                                    .ring_mask = RING_COMPLETIONS - 1,
                                    .ring_entries = RING_COMPLETIONS};
    simulated.uring = ring;
    return 0;
}

void io_uring_queue_exit(struct io_uring *ring)
{
    simulated_holds(ring == simulated.uring);
    while (simulated.operations > 0)
        operation_remove(simulated.operations - 1);
    for (unsigned i = 0; i < SIMULATED_PLACES; i++)
        place_set(i, -1);
    close(simulated.wakes);
}

struct io_uring_buf_ring *io_uring_setup_buf_ring(struct io_uring *ring, unsigned count, int group,
                                                  unsigned flags, int *error)
{
    simulated_holds(ring == simulated.uring && count == RING_BUFFERS && group == RING_POOL &&
                    flags == 0);
    *error = 0;
    simulated.pool = calloc(count, sizeof(struct io_uring_buf));
    simulated.pool_head = simulated.pool_seen = 0;
    for (unsigned i = 0; i < RING_BUFFERS; i++)
        simulated.buffer_lent[i] = true; /* until it is put into the pool */
    return simulated.pool;
}

int io_uring_free_buf_ring(struct io_uring *ring, struct io_uring_buf_ring *pool, unsigned count,
                           int group)
{
    simulated_holds(ring == simulated.uring && count == RING_BUFFERS && group == RING_POOL);
    free(pool);
    return 0;
}

int io_uring_register_files_sparse(struct io_uring *ring, unsigned count)
{
    simulated_holds(ring == simulated.uring);
    return count <= SIMULATED_PLACES ? 0 : -EMFILE;
}

int io_uring_register_napi(struct io_uring *ring, struct io_uring_napi *napi)
{
    (void)ring, (void)napi;
    return -EINVAL;
}

struct io_uring_probe *io_uring_get_probe_ring(struct io_uring *ring)
{
    simulated_holds(ring == simulated.uring);
    struct io_uring_probe *probe =
        calloc(1, sizeof(*probe) + (IORING_OP_SENDMSG_ZC + 1) * sizeof(struct io_uring_probe_op));
    probe->last_op = IORING_OP_SENDMSG_ZC;
    probe->ops[IORING_OP_SEND_ZC].flags = IO_URING_OP_SUPPORTED;
    probe->ops[IORING_OP_SENDMSG_ZC].flags = IO_URING_OP_SUPPORTED;
    return probe;
}

void io_uring_free_probe(struct io_uring_probe *probe)
{
    free(probe);
}

int io_uring_submit(struct io_uring *ring)
{
    simulated_holds(ring == simulated.uring);
    return entries_take();
}

int __io_uring_sqring_wait(struct io_uring *ring)
{
    (void)ring;
    return -EINVAL;
}

int __io_uring_get_cqe(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned submit,
                       unsigned count, sigset_t *signals)
{
    (void)ring, (void)submit, (void)count, (void)signals;
    *cqe = NULL;
    return -EAGAIN;
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
                                     unsigned count, struct __kernel_timespec *wait,
                                     sigset_t *signals)
{
    static const struct timespec moment = {.tv_nsec = 200000};
    (void)count, (void)signals;
    simulated_holds(ring == simulated.uring);
    *cqe = NULL;
    if (simulated.turns) simulated.turns();
    int taken = entries_take();
    if (taken < 0 && taken != -EAGAIN) return taken;
    operations_look();
    if (simulated.cq_tail != simulated.cq_head || (taken < 0)) return taken;
    if (simulated.really_waits) nanosleep(&moment, NULL);
    return wait && !simulated.really_waits ? -ETIME : -EINTR;
}

int io_uring_submit_and_wait_min_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
                                         unsigned count, struct __kernel_timespec *wait,
                                         unsigned least_us, sigset_t *signals)
{
    (void)least_us;
    return io_uring_submit_and_wait_timeout(ring, cqe, count, wait, signals);
}

#endif
