/* Ways to move bytes from one descriptor to another. */
#include "copies_ways.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NOTICE_MS = 5000 };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- pieces ------------------------------------------------------------------------------------ */

/* The kernel does not restart a call on a socket with a time limit: after EINTR it must be called again. */
static bool is_again(ssize_t result)
{
    return result < 0 && errno == EINTR;
}

/* Reads a piece at offset `at`, if the source has offsets. Returns how much, or -errno. */
static ssize_t piece_read(struct copy *c, uint64_t at, uint64_t bytes)
{
    ssize_t got;
    do {
        c->calls++;
        got = c->route->from == END_FILE ? pread(c->from, c->buffer, bytes, (off_t)at)
                                         : read(c->from, c->buffer, bytes);
    } while (is_again(got));
    return got > 0 ? got : got == 0 ? -EPIPE : -errno;
}

static int piece_write(struct copy *c, const char *piece, uint64_t at, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        c->calls++;
        ssize_t put =
            c->route->to == END_FILE ? pwrite(c->to, piece + done, bytes - done, (off_t)(at + done))
            : c->route->to == END_SOCKET ? send(c->to, piece + done, bytes - done, MSG_NOSIGNAL)
                                         : write(c->to, piece + done, bytes - done);
        if (is_again(put)) continue;
        if (put <= 0) return put < 0 ? -errno : -EIO;
        done += (uint64_t)put;
    }
    return 0;
}

/* ---- read and write, mmap and write ------------------------------------------------------------ */

static int readwrite_move(struct copy *c)
{
    int result = 0;
    for (uint64_t done = 0; done < c->bytes && result == 0;) {
        ssize_t got = piece_read(c, c->at + done, least(c->bytes - done, c->buffer_bytes));
        result = got < 0 ? (int)got : piece_write(c, c->buffer, c->at + done, (uint64_t)got);
        done += got > 0 ? (uint64_t)got : 0;
    }
    return result;
}

/* Maps the file for this one operation, as a server does with a file that it sends. */
static int mmap_move(struct copy *c)
{
    uint64_t begin = c->at & ~UINT64_C(4095), length = c->at + c->bytes - begin;
    char *map = mmap(NULL, length, PROT_READ, MAP_SHARED, c->from, (off_t)begin);
    if (map == MAP_FAILED) return -errno;
    int result = piece_write(c, map + (c->at - begin), c->at, c->bytes);
    munmap(map, length);
    c->calls += 2;
    return result;
}

/* ---- in the kernel ----------------------------------------------------------------------------- */

static int sendfile_move(struct copy *c)
{
    off_t at = (off_t)c->at, end = at + (off_t)c->bytes;
    if (c->route->to == END_FILE) {
        c->calls++;
        if (lseek(c->to, at, SEEK_SET) < 0) return -errno;
    }
    while (at < end) {
        c->calls++;
        ssize_t moved = sendfile(c->to, c->from, &at, (size_t)(end - at));
        if (is_again(moved)) continue;
        if (moved <= 0) return moved < 0 ? -errno : -EIO;
    }
    return 0;
}

/* One of the two ends is a pipe. The other has an offset when it is a file. */
static ssize_t piece_splice(struct copy *c, int from, off_t *from_at, int to, off_t *to_at,
                            uint64_t bytes)
{
    ssize_t moved;
    do {
        c->calls++;
        moved = splice(from, from_at, to, to_at, bytes, SPLICE_F_MOVE);
    } while (is_again(moved));
    return moved > 0 ? moved : moved == 0 ? -EPIPE : -errno;
}

/* From pipe to pipe it needs no other pipe; else a pipe holds the pages between the two calls. */
static int splice_move(struct copy *c)
{
    off_t read_at = (off_t)c->at, write_at = read_at;
    off_t *in = c->route->from == END_FILE ? &read_at : NULL,
          *out = c->route->to == END_FILE ? &write_at : NULL;
    bool at_once = c->route->from == END_PIPE;
    for (uint64_t done = 0; done < c->bytes;) {
        uint64_t left = least(c->bytes - done, c->pipe_bytes);
        ssize_t got = piece_splice(c, c->from, in, at_once ? c->to : c->pipe[1], NULL, left);
        if (got < 0) return (int)got;
        for (ssize_t put = 0, moved = 0; !at_once && put < got; put += moved) {
            moved = piece_splice(c, c->pipe[0], NULL, c->to, out, (uint64_t)(got - put));
            if (moved < 0) return (int)moved;
        }
        done += (uint64_t)got;
    }
    return 0;
}

static int copy_range_move(struct copy *c)
{
    off_t read_at = (off_t)c->at, write_at = read_at, end = read_at + (off_t)c->bytes;
    while (read_at < end) {
        c->calls++;
        ssize_t moved =
            copy_file_range(c->from, &read_at, c->to, &write_at, (size_t)(end - read_at), 0);
        if (is_again(moved)) continue;
        if (moved <= 0) return moved < 0 ? -errno : -EIO;
    }
    return 0;
}

/* ---- zero copy: the buffer is lent until the kernel gives it back ------------------------------ */

/*
 * Waits for the notices of `wanted` sends. Each notice is about a range of them (MSG_ZEROCOPY in the
 * kernel's documentation).
 */
static int notices_take(struct copy *c, unsigned wanted)
{
    while (wanted > 0) {
        char control[128];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        struct pollfd error = {.fd = c->to};
        c->calls += 2;
        int found = poll(&error, 1, NOTICE_MS);
        if (is_again(found)) continue;
        if (found <= 0) return -ETIMEDOUT;
        if (recvmsg(c->to, &message, MSG_ERRQUEUE) < 0) {
            if (errno == EAGAIN) continue;
            return -errno;
        }
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        struct sock_extended_err said;
        if (!head) return -EIO;
        memcpy(&said, CMSG_DATA(head), sizeof said);
        if (said.ee_origin != SO_EE_ORIGIN_ZEROCOPY) return -EIO;
        c->was_copied |= said.ee_code & SO_EE_CODE_ZEROCOPY_COPIED;
        unsigned told = said.ee_data - said.ee_info + 1;
        wanted -= told < wanted ? told : wanted;
    }
    return 0;
}

static int lent_send(struct copy *c, uint64_t bytes)
{
    unsigned sends = 0;
    for (uint64_t done = 0; done < bytes; sends++) {
        c->calls++;
        ssize_t put = send(c->to, c->buffer + done, bytes - done, MSG_NOSIGNAL | MSG_ZEROCOPY);
        if (is_again(put)) {
            sends--;
            continue;
        }
        if (put <= 0) return put < 0 ? -errno : -EIO;
        done += (uint64_t)put;
    }
    return notices_take(c, sends);
}

/* A send has two completions: the bytes were taken, and the buffer may be used again. */
static int ring_send(struct copy *c, uint64_t bytes)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
    struct io_uring_cqe *cqe;
    int sent = -EIO;
    io_uring_prep_send_zc(sqe, c->to, c->buffer, bytes, MSG_NOSIGNAL | MSG_WAITALL,
                          IORING_SEND_ZC_REPORT_USAGE);
    for (bool more = true; more;) {
        struct __kernel_timespec limit = {.tv_sec = NOTICE_MS / 1000};
        c->calls++;
        int result = io_uring_submit_and_wait_timeout(&c->ring, &cqe, 2, &limit, NULL);
        if (result < 0 && result != -EINTR) return result == -ETIME ? -ETIMEDOUT : result;
        while (io_uring_peek_cqe(&c->ring, &cqe) == 0) {
            bool notice = cqe->flags & IORING_CQE_F_NOTIF;
            if (notice) c->was_copied |= (uint32_t)cqe->res & IORING_NOTIF_USAGE_ZC_COPIED;
            if (!notice) sent = cqe->res;
            more = !notice && cqe->flags & IORING_CQE_F_MORE;
            io_uring_cqe_seen(&c->ring, cqe);
        }
    }
    return sent < 0 ? sent : (uint64_t)sent == bytes ? 0 : -EIO;
}

static int lent_move(struct copy *c, int (*send_lent)(struct copy *, uint64_t))
{
    int result = 0;
    for (uint64_t done = 0; done < c->bytes && result == 0;) {
        ssize_t got = piece_read(c, c->at + done, least(c->bytes - done, c->buffer_bytes));
        result = got < 0 ? (int)got : send_lent(c, (uint64_t)got);
        done += got > 0 ? (uint64_t)got : 0;
    }
    return result;
}

static int zerocopy_move(struct copy *c)
{
    return lent_move(c, lent_send);
}

static int send_zc_move(struct copy *c)
{
    return lent_move(c, ring_send);
}

/*
 * How often the CPU copies a byte: read(2) copies out of the page cache, the socket or the pipe, and
 * write(2) copies into another one. A socket and a pipe can take pages without copying them. The page cache
 * of another file cannot, unless the file system lets files share blocks. For zero copy, the kernel says
 * whether it copied after all.
 */
const struct copy_route copy_routes[] = {{"file-socket", END_FILE, END_SOCKET},
                                         {"socket-socket", END_SOCKET, END_SOCKET},
                                         {"pipe-pipe", END_PIPE, END_PIPE},
                                         {"file-file", END_FILE, END_FILE}};
const struct copy_way copy_ways[] = {
    {"readwrite", readwrite_move, {2, 2, 2, 2}},      {"mmap", mmap_move, {1, -1, -1, 1}},
    {"sendfile", sendfile_move, {0, -1, -1, 1}},      {"splice", splice_move, {0, 0, 0, 1}},
    {"copy_range", copy_range_move, {-1, -1, -1, 1}}, {"zerocopy", zerocopy_move, {1, 1, -1, -1}},
    {"send_zc", send_zc_move, {1, 1, -1, -1}},        {NULL, NULL, {0}}};
