/* Ways to read and write a file. */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECES = 16 };

static ssize_t result_of(ssize_t moved)
{
    return moved < 0 ? -errno : moved;
}

/* ---- read(2), write(2): at the file's own position --------------------------------------------- */

static int place_seek(struct channel *c, uint64_t offset)
{
    if (c->place == offset) return 0;
    c->calls++;
    c->place = offset;
    return lseek(c->fd, (off_t)offset, SEEK_SET) < 0 ? -errno : 0;
}

static ssize_t plain_read(struct channel *c, uint64_t offset, size_t bytes)
{
    int failure = place_seek(c, offset);
    if (failure) return failure;
    c->calls++;
    ssize_t moved = read(c->fd, c->buffer, bytes);
    if (moved > 0) c->place += (uint64_t)moved;
    return result_of(moved);
}

static ssize_t plain_write(struct channel *c, uint64_t offset, size_t bytes)
{
    int failure = place_seek(c, offset);
    if (failure) return failure;
    c->calls++;
    ssize_t moved = write(c->fd, c->buffer, bytes);
    if (moved > 0) c->place += (uint64_t)moved;
    return result_of(moved);
}

/* ---- pread(2), pwrite(2): also with O_DIRECT --------------------------------------------------- */

static ssize_t placed_read(struct channel *c, uint64_t offset, size_t bytes)
{
    c->calls++;
    return result_of(pread(c->fd, c->buffer, bytes, (off_t)offset));
}

static ssize_t placed_write(struct channel *c, uint64_t offset, size_t bytes)
{
    c->calls++;
    return result_of(pwrite(c->fd, c->buffer, bytes, (off_t)offset));
}

/* ---- preadv(2), pwritev(2): up to 16 pieces of at least a page --------------------------------- */

static int pieces_cut(const struct channel *c, size_t bytes, struct iovec piece[PIECES])
{
    size_t each = (bytes / PIECES + 4095) & ~(size_t)4095;
    int count = 0;
    if (each == 0) each = 4096;
    for (size_t at = 0; at < bytes; at += each)
        piece[count++] = (struct iovec){c->buffer + at, bytes - at < each ? bytes - at : each};
    return count;
}

static ssize_t vector_read(struct channel *c, uint64_t offset, size_t bytes)
{
    struct iovec piece[PIECES];
    c->calls++;
    return result_of(preadv(c->fd, piece, pieces_cut(c, bytes, piece), (off_t)offset));
}

static ssize_t vector_write(struct channel *c, uint64_t offset, size_t bytes)
{
    struct iovec piece[PIECES];
    c->calls++;
    return result_of(pwritev(c->fd, piece, pieces_cut(c, bytes, piece), (off_t)offset));
}

/* ---- mmap(2): copied, as all others copy into the caller's memory ------------------------------ */

static int map_open(struct channel *c)
{
    int protection = fcntl(c->fd, F_GETFL) & O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;
    c->calls++;
    c->map = mmap(NULL, c->bytes, protection, MAP_SHARED, c->fd, 0);
    if (c->map != MAP_FAILED) return 0;
    c->map = NULL;
    return -errno;
}

static size_t map_limit(const struct channel *c, uint64_t offset, size_t bytes)
{
    if (offset >= c->bytes) return 0;
    return bytes < c->bytes - offset ? bytes : (size_t)(c->bytes - offset);
}

static ssize_t map_read(struct channel *c, uint64_t offset, size_t bytes)
{
    size_t n = map_limit(c, offset, bytes);
    memcpy(c->buffer, c->map + offset, n);
    return (ssize_t)n;
}

static ssize_t map_write(struct channel *c, uint64_t offset, size_t bytes)
{
    size_t n = map_limit(c, offset, bytes);
    memcpy(c->map + offset, c->buffer, n);
    return (ssize_t)n;
}

/* ---- io_uring: one request, submitted and awaited with one call -------------------------------- */

static int uring_open(struct channel *c)
{
    c->ring = c->lender ? c->lender->ring : &c->own_ring;
    if (c->lender) return c->ring ? 0 : -EINVAL;
    c->calls++;
    int result = io_uring_queue_init(4, c->ring, 0);
    if (result < 0) c->ring = NULL;
    return result;
}

static ssize_t uring_wait(struct channel *c)
{
    struct io_uring_cqe *cqe;
    c->calls++;
    int result = io_uring_submit_and_wait(c->ring, 1);
    if (result < 0) return result;
    result = io_uring_peek_cqe(c->ring, &cqe);
    if (result < 0) return result;
    ssize_t moved = cqe->res;
    io_uring_cqe_seen(c->ring, cqe);
    return moved;
}

static ssize_t uring_read(struct channel *c, uint64_t offset, size_t bytes)
{
    io_uring_prep_read(io_uring_get_sqe(c->ring), c->fd, c->buffer, (unsigned)bytes, offset);
    return uring_wait(c);
}

static ssize_t uring_write(struct channel *c, uint64_t offset, size_t bytes)
{
    io_uring_prep_write(io_uring_get_sqe(c->ring), c->fd, c->buffer, (unsigned)bytes, offset);
    return uring_wait(c);
}

/* ---- stdio: fread(3), fwrite(3) with the buffer that the library chooses ----------------------- */

static int stream_open(struct channel *c)
{
    int copy = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
    c->stream = copy < 0 ? NULL : fdopen(copy, fcntl(c->fd, F_GETFL) & O_RDWR ? "r+" : "r");
    if (!c->stream && copy >= 0) close(copy);
    return c->stream ? 0 : -errno;
}

/*
 * Its system calls cannot be counted here: about one for each buffer of 4 KiB, or one for each large read.
 */
static ssize_t stream_read(struct channel *c, uint64_t offset, size_t bytes)
{
    if (c->place != offset && fseeko(c->stream, (off_t)offset, SEEK_SET) < 0) return -errno;
    size_t moved = fread(c->buffer, 1, bytes, c->stream);
    c->place = offset + moved;
    return moved == 0 && ferror(c->stream) ? -errno : (ssize_t)moved;
}

static ssize_t stream_write(struct channel *c, uint64_t offset, size_t bytes)
{
    if (c->place != offset && fseeko(c->stream, (off_t)offset, SEEK_SET) < 0) return -errno;
    size_t moved = fwrite(c->buffer, 1, bytes, c->stream);
    c->place = offset + moved;
    return moved < bytes ? -errno : (ssize_t)moved;
}

/* ---- the table --------------------------------------------------------------------------------- */

const struct engine engines[] = {
    {"read", "read, write", 0, NULL, plain_read, plain_write},
    {"pread", "pread, pwrite", 0, NULL, placed_read, placed_write},
    {"readv", "preadv, pwritev", 0, NULL, vector_read, vector_write},
    {"mmap", "mmap and a copy", 0, map_open, map_read, map_write},
    {"direct", "pread, pwrite with O_DIRECT", O_DIRECT, NULL, placed_read, placed_write},
    {"uring", "io_uring, one at a time", 0, uring_open, uring_read, uring_write},
    {"stdio", "fread, fwrite", 0, stream_open, stream_read, stream_write},
    {NULL, NULL, 0, NULL, NULL, NULL}};

const struct engine *engine_named(const char *name)
{
    for (const struct engine *e = engines; e->name; e++)
        if (!strcmp(e->name, name)) return e;
    return NULL;
}

int channel_open(struct channel *c, const struct engine *engine, const char *path, bool to_write,
                 uint64_t bytes, size_t buffer_bytes)
{
    struct stat status;
    *c = (struct channel){.engine = engine, .lender = c->lender};
    c->fd = open(
        path, (to_write ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY) | O_CLOEXEC | engine->open_flags,
        0644);
    if (c->fd < 0) return -errno;
    /* Only a mapping needs a file that has its size already; for the others it would be a hole. */
    if (to_write && engine->read == map_read && posix_fallocate(c->fd, 0, (off_t)bytes) != 0)
        return -ENOSPC;
    if (fstat(c->fd, &status) < 0) return -errno;
    c->bytes = to_write ? bytes : (uint64_t)status.st_size;
    c->buffer_bytes = buffer_bytes;
    c->buffer = aligned_alloc(4096, (buffer_bytes + 4095) & ~(size_t)4095);
    if (!c->buffer) return -ENOMEM;
    memset(c->buffer, 1, buffer_bytes); /* so that its pages exist before the clock runs */
    return engine->open ? engine->open(c) : 0;
}

int channel_sync(struct channel *c)
{
    c->calls++;
    if (c->stream && fflush(c->stream) != 0) return -errno;
    return fdatasync(c->fd) < 0 ? -errno : 0;
}

void channel_close(struct channel *c)
{
    if (c->map) munmap(c->map, c->bytes);
    if (c->ring == &c->own_ring) io_uring_queue_exit(c->ring);
    if (c->stream) fclose(c->stream);
    free(c->buffer);
    if (c->fd > 0) close(c->fd);
    memset(c, 0, sizeof *c);
    c->fd = -1;
}

void channel_fill(struct channel *c, uint64_t seed)
{
    for (size_t at = 0; at + 8 <= c->buffer_bytes; at += 8) {
        uint64_t z = seed += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        z ^= z >> 31;
        memcpy(c->buffer + at, &z, 8);
    }
}
