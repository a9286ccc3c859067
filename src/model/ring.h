/*
 * A ring of the kernel's (io_uring_setup(2)) with a common pool of buffers to receive into, and
 * the few things that the io_uring model asks of it. Each is prepared here and submitted with
 * the others by ring_turn(). `tag` is the user_data that its completions carry.
 */
#ifndef ZCSERVE_MODEL_RING_H
#define ZCSERVE_MODEL_RING_H

#include "zcserve/segment.h"
#include "zcserve/service.h"
#include "zcserve/slab.h"

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_ENTRIES 1024      /* submissions prepared before the kernel has to be told */
#define RING_COMPLETIONS 16384 /* completions that wait to be read                      */
#define RING_POOL 0            /* the number of the group of buffers                    */
#define RING_BUFFERS 512       /* to receive into; a power of two                       */
#define RING_BUFFER_BYTES 2048
#define RING_FAILURES_MAX 500 /* to submit, a millisecond apart, then it is given up   */

struct ring {
    struct io_uring uring;
    struct slab gathers; /* sends of several vectors, while they are in flight */
    struct io_uring_buf_ring *pool;
    char *memory;             /* the buffers, which become real as they are used */
    char *scratch;            /* behind them: RING_FETCH_BYTES                   */
    uint32_t lent;            /* buffers held by connections                     */
    uint32_t prompt;          /* sends prepared, which complete as they are submitted */
    uint32_t turns;           /* counted, going round                                         */
    bool sqpoll;              /* a thread of the kernel's takes submissions                   */
    uint64_t zero_copy_bytes; /* from so many on, sends are not copied; 0: all are            */
    int broken; /* 0; or -errno: the kernel does not take what is prepared, or has lost completions     */
    struct io_uring_sqe nowhere;   /* what is prepared then                           */
    uint16_t next[RING_BUFFERS];   /* in the list of who holds it                     */
    uint16_t length[RING_BUFFERS]; /* bytes received into it                          */
};

/* Bytes received and not yet consumed, in the pool's buffers. All zero: none. */
struct held {
    uint16_t first, last, count;
    uint16_t offset; /* consumed of the first */
};

/*
 * Opens a ring for the calling thread, the only one that may use it, with `sockets` of them at
 * most. 0, or -errno and one line in `problem` that says what the kernel lacks or forbids and
 * what to change; an option that does not work is an error too.
 */
int ring_open(struct ring *ring, uint32_t sockets, const struct uring_options *options,
              char *problem, size_t size);
void ring_close(struct ring *ring);

/*
 * What to do about an error of any call of io_uring. When a rule forbids one of them, it is named, whatever the error
 * was: it is found out by calling each. Valid until the next call.
 */
const char *ring_remedy(int error);

/* ring_open()'s and ring_close()'s part in ring_buffers.c. 0 or -errno. */
int ring_buffers_open(struct ring *ring);
void ring_buffers_close(struct ring *ring);

/* `socket` is a descriptor, or what ring_register() gave for it. */
void ring_accept(struct ring *ring, int listener, bool again,
                 uint64_t tag);                                    /* once, or until cancelled */
void ring_receive(struct ring *ring, int socket, uint64_t tag);    /* until cancelled  */
void ring_await_readable(struct ring *ring, int fd, uint64_t tag); /* again and again  */
void ring_await_writable(struct ring *ring, int socket, bool again,
                         uint64_t tag); /* once, or each time until cancelled */
void ring_await_received(struct ring *ring, int socket, uint64_t tag); /* once: bytes, or the end */
void ring_cancel(struct ring *ring, uint64_t target, uint64_t tag);
void ring_pause(struct ring *ring, uint64_t tag); /* completes when RING_PAUSE_NS have passed */
#define RING_PAUSE_NS (10 * NS_PER_MS)

/*
 * Puts a descriptor into the ring's own table, at a `place` below `sockets`, where the kernel finds it
 * without looking into that of the process. `*fd` must stay until ring_settle() or ring_turn(). The
 * file stays open until it is closed in both.
 */
int ring_register(struct ring *ring, uint32_t place, int *fd);
void ring_unregister(struct ring *ring, int socket, uint64_t tag);
#define RING_REGISTERED (1 << 30)

/*
 * The kernel has taken all that was prepared: descriptors named there may be closed, so that their
 * numbers may mean something else.
 */
void ring_settle(struct ring *ring);

/* Reads up to RING_FETCH_BYTES of a file into memory that nobody looks at: for the page cache's sake. */
#define RING_FETCH_BYTES (512U * 1024)
#define RING_UNTOLD UINT64_MAX /* tag of a completion that says nothing */
void ring_fetch(struct ring *ring, int fd, uint64_t offset, uint64_t length, uint64_t tag);

/*
 * Sends memory, as much as the socket has room for now: -EAGAIN when it has none. (A send that may wait
 * inside the ring waits by a poll, with POLLRDHUP; for a peer that finished sending it then ends up in a
 * kernel thread, which waits in it or completes it with -EAGAIN.) What this gives is to be given to ring_sent() when it has completed. A zero-copy send
 * that completes with IORING_CQE_F_MORE completes once more, with IORING_CQE_F_NOTIF, when the
 * kernel does not need the memory any longer: on a network, when the peer has acknowledged it.
 */
struct gather *ring_send(struct ring *ring, int socket, const struct outgoing *out, bool zero_copy,
                         uint64_t tag);
void ring_sent(struct ring *ring, struct gather *gather);

/*
 * Submits what was prepared and waits for a completion; UINT64_MAX: for ever. One system call. It may return
 * early without one. What the kernel had no memory for stays prepared for the next turn. Of an
 * error that does not pass (-EBADR: completions were lost; io_uring_enter(2)) `broken` tells: then operations may
 * never end, so that only giving up all of the process's connections is left.
 */
void ring_turn(struct ring *ring, uint64_t wait_ns);

/*
 * The same, but first waits up to `gather_ns` for so many completions besides those of the sends
 * that were prepared. ring_gathers() tells whether this kernel can; else it waits for one.
 */
void ring_turn_gathering(struct ring *ring, uint64_t wait_ns, uint32_t completions,
                         uint64_t gather_ns);
bool ring_gathers(const struct ring *ring);

/* Holds the bytes of a receive's completion, which has IORING_CQE_F_BUFFER. */
void ring_hold(struct ring *ring, struct held *held, const struct io_uring_cqe *cqe);

/* Copies up to `size` of the bytes held and lets go of them; how many. */
size_t ring_take(struct ring *ring, struct held *held, char *space, size_t size);
void ring_drop(struct ring *ring, struct held *held); /* all */

/* ---- before anything is served ------------------------------------------------------------ */

/* Whether io_uring works here: NULL, or what the kernel lacks or forbids and what to change. */
const char *ring_problem(void);

/* The same for so many rings; to be asked when one works. */
const char *rings_problem(uint32_t count);

/* Takes back those options that do not work here, with a line in the log for each. */
void ring_options_try(struct uring_options *options);

#endif
