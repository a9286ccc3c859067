/*
 * Ways to read and write a file, behind one small table of functions. So experiments differ in what they
 * do, not in how they call the kernel. One operation at a time.
 */
#ifndef LAB_ENGINE_H
#define LAB_ENGINE_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * One open file, and what an engine needs beside it. The owner sets it to zero. `lender` may be set before
 * channel_open(): another channel, open for longer, whose ring is used, because an ordinary user may have
 * only few rings.
 */
struct channel {
    const struct engine *engine;
    int fd;
    char *buffer; /* aligned to pages; of buffer_bytes */
    size_t buffer_bytes;
    uint64_t calls; /* system calls so far, counted by the engine; without faults of mmap */
    uint64_t bytes; /* of the file */
    uint64_t place; /* the position of the file itself, for engines that use it */
    FILE *stream;
    char *map;
    struct channel *lender;
    struct io_uring *ring; /* own_ring, or the lender's */
    struct io_uring own_ring;
};

struct engine {
    const char *name;
    const char *what;                     /* the engine in words, for a legend */
    int open_flags;                       /* besides O_RDONLY or O_RDWR: O_DIRECT */
    int (*open)(struct channel *channel); /* called after the file is open; may be NULL */
    /* Move `bytes` (at most buffer_bytes) at `offset`. Return how many, 0 at the end, or -errno. */
    ssize_t (*read)(struct channel *channel, uint64_t offset, size_t bytes);
    ssize_t (*write)(struct channel *channel, uint64_t offset, size_t bytes);
};

/* The engines read, pread, readv, mmap, direct, uring, stdio; a NULL name ends the list. */
extern const struct engine engines[];
const struct engine *engine_named(const char *name);

/*
 * Opens `path` for an engine, to read or to write. To write, the file is made or emptied, and gets `bytes`
 * for mmap. Returns 0 or -errno (-EINVAL: no O_DIRECT here; -EPERM, -ENOSYS: no io_uring). channel_close()
 * may be called in every case.
 */
int channel_open(struct channel *channel, const struct engine *engine, const char *path,
                 bool to_write, uint64_t bytes, size_t buffer_bytes);
void channel_close(struct channel *channel);

/*
 * Writes to the device what was written: fflush(3) where there is a stream, then fdatasync(2). Returns 0 or
 * -errno.
 */
int channel_sync(struct channel *channel);

/* Fills the buffer with bytes that cannot be compressed. */
void channel_fill(struct channel *channel, uint64_t seed);

#endif
