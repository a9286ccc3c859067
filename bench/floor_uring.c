/*
 * floor_uring: the same as floor, over io_uring. It measures what serving costs when there is nothing to
 * decide, and the only system call is the one that submits and waits.
 *
 *   floor_uring PORT FILE       answers each end of a head ("\r\n\r\n") with FILE from memory
 *
 * It has one thread and one ring: a multishot accept, a multishot receive for each connection, a ring of
 * buffers to receive into, and one send at a time for each connection, which gathers up to GATHER_MAX
 * responses. It does not parse, look up, log or time out: it is no server.
 * Needs Linux 6.1 or later.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ENTRIES = 4096,
    BUFFERS = 1024, /* a power of two */
    BUFFER_BYTES = 4096,
    GATHER_MAX = 64,
    BATCH = 256
};

enum what { ACCEPTED, RECEIVED, SENT, WHAT_MASK = 3 }; /* in the low bits of user_data */

static struct {
    char *bytes;
    size_t length;
} answer;

struct peer {
    struct msghdr message;
    uint64_t owed;   /* responses that are not completely sent     */
    uint64_t offset; /* of the next byte to send of the first of them */
    int fd;
    unsigned matched; /* bytes of "\r\n\r\n" with which the input so far ends */
    bool sending, receiving, gone;
};

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *buffer_bytes;
static struct iovec
    answers[GATHER_MAX]; /* whole responses; the first is replaced when a part was sent */

static void answer_prepare(const char *path)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n"
                               "Server: a floor\r\n"
                               "Date: Sat, 01 Aug 2026 12:00:00 GMT\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: %lld\r\n"
                               "Last-Modified: Sat, 01 Aug 2026 12:00:00 GMT\r\n"
                               "ETag: \"0123456789abcdef0123456789abcdef\"\r\n"
                               "Accept-Ranges: bytes\r\n"
                               "Vary: Accept-Encoding\r\n\r\n";
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) < 0) err(1, "%s", path);
    answer.bytes = malloc(sizeof head + 32 + (size_t)status.st_size);
    if (!answer.bytes) err(1, "%s", path);
    answer.length = (size_t)sprintf(answer.bytes, head, (long long)status.st_size);
    if (read(file, answer.bytes + answer.length, (size_t)status.st_size) != status.st_size)
        err(1, "%s", path);
    answer.length += (size_t)status.st_size;
    close(file);
    for (int i = 0; i < GATHER_MAX; i++)
        answers[i] = (struct iovec){answer.bytes, answer.length};
}

static struct io_uring_sqe *entry_take(void *of, enum what what)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    if (!entry && io_uring_submit(&ring) >= 0) entry = io_uring_get_sqe(&ring);
    if (!entry) errx(1, "the ring is full");
    io_uring_sqe_set_data64(entry, (uint64_t)(uintptr_t)of | what);
    return entry;
}

static void accept_start(int listener)
{
    io_uring_prep_multishot_accept(entry_take(NULL, ACCEPTED), listener, NULL, NULL, 0);
}

static void receive_start(struct peer *p)
{
    struct io_uring_sqe *entry = entry_take(p, RECEIVED);
    io_uring_prep_recv_multishot(entry, p->fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = 0;
    p->receiving = true;
}

/* Sends as many of the responses owed as one send can take. One send at a time keeps them in order. */
static void send_start(struct peer *p)
{
    size_t count = p->owed < GATHER_MAX ? (size_t)p->owed : GATHER_MAX;
    if (p->owed == 0 || p->sending || p->gone) return;
    struct io_uring_sqe *entry = entry_take(p, SENT);
    if (count == 1 || p->offset > 0) {
        io_uring_prep_send(entry, p->fd, answer.bytes + p->offset, answer.length - p->offset, 0);
    } else {
        p->message = (struct msghdr){.msg_iov = answers, .msg_iovlen = count};
        io_uring_prep_sendmsg(entry, p->fd, &p->message, 0);
    }
    p->sending = true;
}

/* Frees the peer when both its operations have ended, so that the kernel uses nothing of it any more. */
static void peer_end(struct peer *p)
{
    if (!p->gone) shutdown(p->fd, SHUT_RDWR);
    p->gone = true;
    if (p->sending || p->receiving) return;
    close(p->fd);
    free(p);
}

static void accepted(int listener, const struct io_uring_cqe *completion)
{
    if (!(completion->flags & IORING_CQE_F_MORE)) accept_start(listener);
    struct peer *p = completion->res < 0 ? NULL : calloc(1, sizeof *p);
    if (!p) return;
    p->fd = completion->res;
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    receive_start(p);
}

static unsigned ends_count(struct peer *p, const char *bytes, size_t length)
{
    static const char end[4] = "\r\n\r\n";
    unsigned count = 0;
    for (size_t i = 0; i < length; i++) {
        p->matched = bytes[i] == end[p->matched] ? p->matched + 1 : bytes[i] == '\r';
        count += p->matched == sizeof end;
        p->matched %= sizeof end;
    }
    return count;
}

static void received(struct peer *p, const struct io_uring_cqe *completion)
{
    if (completion->flags & IORING_CQE_F_BUFFER) {
        unsigned short number = (unsigned short)(completion->flags >> IORING_CQE_BUFFER_SHIFT);
        char *bytes = buffer_bytes + (size_t)number * BUFFER_BYTES;
        p->owed += ends_count(p, bytes, completion->res > 0 ? (size_t)completion->res : 0);
        io_uring_buf_ring_add(buffers, bytes, BUFFER_BYTES, number, BUFFERS - 1, 0);
        io_uring_buf_ring_advance(buffers, 1);
    }
    if (!(completion->flags & IORING_CQE_F_MORE)) p->receiving = false;
    if (p->gone || (completion->res <= 0 && completion->res != -ENOBUFS)) {
        peer_end(p);
        return;
    }
    if (!p->receiving) receive_start(p);
    send_start(p);
}

static void sent(struct peer *p, const struct io_uring_cqe *completion)
{
    p->sending = false;
    if (p->gone || completion->res < 0) {
        peer_end(p);
        return;
    }
    p->owed -= (p->offset + (uint64_t)completion->res) / answer.length;
    p->offset = (p->offset + (uint64_t)completion->res) % answer.length;
    send_start(p);
}

static void completion_take(int listener, const struct io_uring_cqe *completion)
{
    uint64_t of = io_uring_cqe_get_data64(completion);
    struct peer *p = (struct peer *)(uintptr_t)(of & ~(uint64_t)WHAT_MASK);
    switch ((enum what)(of & WHAT_MASK)) {
    case ACCEPTED: accepted(listener, completion); break;
    case RECEIVED: received(p, completion); break;
    case SENT: sent(p, completion); break;
    case WHAT_MASK: break;
    }
}

static void ring_open(void)
{
    struct io_uring_params wish = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                            IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                   .cq_entries = 4 * ENTRIES};
    int failed = io_uring_queue_init_params(ENTRIES, &ring, &wish);
    if (failed < 0) errx(1, "io_uring: %s", strerror(-failed));
    buffers = io_uring_setup_buf_ring(&ring, BUFFERS, 0, 0, &failed);
    buffer_bytes = malloc((size_t)BUFFERS * BUFFER_BYTES);
    if (!buffers || !buffer_bytes) errx(1, "buffers: %s", strerror(-failed));
    for (int i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, buffer_bytes + (size_t)i * BUFFER_BYTES, BUFFER_BYTES,
                              (unsigned short)i, BUFFERS - 1, i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
}

static int listener_open(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4096) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        err(1, "port %s", port);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv)
{
    if (argc != 3) errx(2, "usage: floor_uring PORT FILE");
    answer_prepare(argv[2]);
    int listener = listener_open(argv[1]);
    ring_open();
    accept_start(listener);
    for (;;) {
        struct io_uring_cqe *completions[BATCH];
        int waited = io_uring_submit_and_wait(&ring, 1);
        if (waited < 0 && waited != -EINTR) errx(1, "io_uring: %s", strerror(-waited));
        unsigned count = io_uring_peek_batch_cqe(&ring, completions, BATCH);
        for (unsigned i = 0; i < count; i++)
            completion_take(listener, completions[i]);
        io_uring_cq_advance(&ring, count);
    }
}
