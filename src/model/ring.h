/*
 * A ring of io_uring (io_uring_setup(2)) with one pool of buffers to receive into, and the few operations
 * that the io_uring model needs. Each function here prepares an operation; ring_turn() submits all that were
 * prepared. `tag` is the user_data that the completions of the operation carry.
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

#define RING_ENTRIES 1024      /* operations that can be prepared before they must be submitted */
#define RING_COMPLETIONS 16384 /* completions that can wait to be read                          */
#define RING_POOL 0            /* the number of the group of buffers                            */
#define RING_BUFFERS 512       /* to receive into; a power of two                               */
#define RING_BUFFER_BYTES 2048
#define RING_FAILURES_MAX 500 /* to submit, a millisecond apart; then the ring is given up */

struct ring {
    struct io_uring uring;
    struct slab gathers; /* sends of several vectors, while they are in flight */
    struct io_uring_buf_ring *pool;
    char *memory;             /* the buffers; each takes memory only once it is used        */
    char *scratch;            /* RING_FETCH_BYTES behind the buffers                        */
    uint32_t lent;            /* buffers held by connections                                */
    uint32_t prompt;          /* sends prepared: they complete as soon as they are submitted */
    uint32_t turns;           /* number of turns so far; wraps around                       */
    bool sqpoll;              /* a kernel thread takes submissions                          */
    uint64_t zero_copy_bytes; /* sends of so many bytes or more are not copied; 0: all are  */
    int broken; /* 0; or -errno: the kernel takes no submissions, or has lost completions */
    struct io_uring_sqe nowhere;   /* takes what is prepared for a broken ring                  */
    uint16_t next[RING_BUFFERS];   /* of each buffer: the next in the list of its connection    */
    uint16_t length[RING_BUFFERS]; /* of each buffer: bytes received into it                    */
};

/* The bytes that one connection has received and not yet taken, in buffers of the pool. All zero: none. */
struct held {
    uint16_t first, last, count;
    uint16_t offset; /* bytes of the first buffer that were taken */
};

/*
 * Opens a ring for the calling thread, which alone may use it, and for `sockets` sockets at most. Returns 0,
 * or -errno and one line in `problem` that says what the kernel lacks or forbids and what to change. An
 * option that does not work is an error too.
 */
int ring_open(struct ring *ring, uint32_t sockets, const struct uring_options *options,
              char *problem, size_t size);
void ring_close(struct ring *ring);

/*
 * Returns what to do about an error of any io_uring call. It first tries each call: when a rule of the system
 * forbids one of them, the text names that call, whatever the error was. Valid until the next call.
 */
const char *ring_remedy(int error);

/* The pool of buffers, for ring_open() and ring_close(). Returns 0 or -errno. */
int ring_buffers_open(struct ring *ring);
void ring_buffers_close(struct ring *ring);

/*
 * `socket` is a descriptor, or what ring_register() returned for it. With `again`, an operation completes
 * each time until it is cancelled, else once.
 */
void ring_accept(struct ring *ring, int listener, bool again, uint64_t tag);
void ring_receive(struct ring *ring, int socket, uint64_t tag);    /* each time, until cancelled */
void ring_await_readable(struct ring *ring, int fd, uint64_t tag); /* each time, until cancelled */
void ring_await_writable(struct ring *ring, int socket, bool again, uint64_t tag);
void ring_await_received(struct ring *ring, int socket,
                         uint64_t tag); /* once: bytes came, or the peer has finished */
void ring_cancel(struct ring *ring, uint64_t target, uint64_t tag);
void ring_pause(struct ring *ring, uint64_t tag); /* completes when RING_PAUSE_NS have passed */
#define RING_PAUSE_NS (10 * NS_PER_MS)

/*
 * Puts a descriptor into the ring's own table, at a `place` below `sockets`. The kernel finds it there
 * without a look into the table of the process. `*fd` must stay valid until ring_settle() or ring_turn().
 * The file stays open until it is closed in both tables. Returns the name of the socket for this ring.
 */
int ring_register(struct ring *ring, uint32_t place, int *fd);
void ring_unregister(struct ring *ring, int socket, uint64_t tag);
#define RING_REGISTERED (1 << 30)

/*
 * Submits all that was prepared. After that, descriptors that were named in it may be closed, and their
 * numbers may be used for other files.
 */
void ring_settle(struct ring *ring);

/* Reads up to RING_FETCH_BYTES of a file, so that they are in the page cache; what was read is not used. */
#define RING_FETCH_BYTES (512U * 1024)
#define RING_MEMORY_BYTES ((size_t)RING_BUFFERS * RING_BUFFER_BYTES + RING_FETCH_BYTES)
#define RING_UNTOLD UINT64_MAX /* tag of completions that nobody looks at */
void ring_fetch(struct ring *ring, int fd, uint64_t offset, uint64_t length, uint64_t tag);

/*
 * Sends memory, as much as the socket has room for now; it completes with -EAGAIN when there is no room. The
 * result must be passed to ring_sent() when the send has completed.
 *
 * (The send does not wait inside the ring. There it would wait by a poll with POLLRDHUP. When the peer has
 * finished sending, that poll ends at once, and a kernel thread then waits in the send or completes it
 * with -EAGAIN.)
 *
 * A zero-copy send that completes with IORING_CQE_F_MORE completes once more, with IORING_CQE_F_NOTIF, when
 * the kernel does not need the memory any longer: on a network, when the peer has acknowledged it.
 */
struct gather *ring_send(struct ring *ring, int socket, const struct outgoing *out, bool zero_copy,
                         uint64_t tag);
void ring_sent(struct ring *ring, struct gather *gather);

/*
 * Submits what was prepared and waits for a completion, for `wait_ns` at most (UINT64_MAX: for ever). One
 * system call. It may return early without a completion. What the kernel had no memory for stays prepared
 * for the next turn. After an error that does not pass, `broken` is set (-EBADR: completions were lost;
 * io_uring_enter(2)): then operations may never end, so the process must give up all its connections.
 */
void ring_turn(struct ring *ring, uint64_t wait_ns);

/*
 * The same, but waits up to `gather_ns` for `completions` completions besides those of the sends that were
 * prepared. Where the kernel cannot do that (see ring_gathers()), it waits for one completion.
 */
void ring_turn_gathering(struct ring *ring, uint64_t wait_ns, uint32_t completions,
                         uint64_t gather_ns);
bool ring_gathers(const struct ring *ring);

/* Adds the bytes of a receive's completion, which has IORING_CQE_F_BUFFER, to those that are held. */
void ring_hold(struct ring *ring, struct held *held, const struct io_uring_cqe *cqe);

/*
 * Takes away all operations but those that are submitted here, and enables the ring, which was set up
 * disabled. Returns 0 or -errno. ring_open() does it last when options->restricted.
 */
int ring_restrict(struct ring *ring);

/* Copies up to `size` of the bytes held and gives their buffers back. Returns how many bytes. */
size_t ring_take(struct ring *ring, struct held *held, char *space, size_t size);
void ring_drop(struct ring *ring, struct held *held); /* drops all bytes held */

/* ---- before anything is served ------------------------------------------------------------ */

/* Returns NULL when io_uring works here; else what the kernel lacks or forbids, and what to change. */
const char *ring_problem(void);

/* The same for `count` rings; to be called when one ring works. */
const char *rings_problem(uint32_t count);

/* Returns how many bytes of memory `count` rings take at most, as the limit on locked memory counts. */
uint64_t rings_bytes(uint32_t count);

/*
 * Returns whether the memory of rings counts against RLIMIT_MEMLOCK for this user on this kernel. Opens a
 * ring under a limit of 0, which it sets for a moment; false when rings cannot be opened for another
 * reason. No other thread may lock memory meanwhile.
 */
bool ring_memory_counts(void);

/* Switches off the options that do not work here, and logs a line for each of them. */
void ring_options_try(struct uring_options *options);

#endif
