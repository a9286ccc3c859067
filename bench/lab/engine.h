/*
 * Ways to read and write a file, behind one small table of functions, so that experiments differ in what they
 * do and not in how they call the kernel. One operation at a time.
 */
#ifndef LAB_ENGINE_H
#define LAB_ENGINE_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * One open file, and what an engine needs beside it. Zeroed by its owner; `lender` may be set before
 * channel_open(): another channel, open for longer, whose ring is used (an ordinary user may have few).
 */
struct channel {
    const struct engine *engine;
    int fd;
    char *buffer; /* aligned to pages; of buffer_bytes */
    size_t buffer_bytes;
    uint64_t calls; /* system calls so far, as the engine counts them; faults of mmap are none */
    uint64_t bytes; /* of the file */
    uint64_t place; /* where the file's own position is, for those that use it */
    FILE *stream;
    char *map;
    struct channel *lender;
    struct io_uring *ring; /* own_ring, or the lender's */
    struct io_uring own_ring;
};

struct engine {
    const char *name;
    const char *what;                     /* in words of a legend */
    int open_flags;                       /* beside O_RDONLY or O_RDWR: O_DIRECT */
    int (*open)(struct channel *channel); /* after the file is open; may be NULL */
    /* Moves `bytes` (at most buffer_bytes) at `offset`; returns how many, 0 at the end, or -errno. */
    ssize_t (*read)(struct channel *channel, uint64_t offset, size_t bytes);
    ssize_t (*write)(struct channel *channel, uint64_t offset, size_t bytes);
};

/* read, pread, readv, mmap, direct, uring, stdio; ends with a NULL name. */
extern const struct engine engines[];
const struct engine *engine_named(const char *name);

/*
 * Opens `path` for an engine: to read; or to write (the file is made, emptied, and given `bytes` for mmap).
 * 0 or -errno (-EINVAL: no O_DIRECT here; -EPERM, -ENOSYS: no io_uring). Whatever happens, channel_close() may follow.
 */
int channel_open(struct channel *channel, const struct engine *engine, const char *path,
                 bool to_write, uint64_t bytes, size_t buffer_bytes);
void channel_close(struct channel *channel);

/* Has what was written go to the device: fflush(3) where there is a stream, then fdatasync(2). 0 or -errno. */
int channel_sync(struct channel *channel);

/* Fills the buffer with what nothing compresses. */
void channel_fill(struct channel *channel, uint64_t seed);

#endif
