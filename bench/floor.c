/*
 * floor: a program that only answers. It measures what serving costs when there is nothing to decide.
 *
 *   floor PORT memory FILE      the content follows the head out of one piece of memory
 *   floor PORT sendfile FILE    the head, then the file by sendfile
 *   floor PORT close FILE       from memory, and the connection is closed after one answer
 *
 * It has one thread and one level-triggered epoll. To each end of a request head ("\r\n\r\n") that arrives, it
 * sends the same response, whatever was requested. Responses to requests received together leave together.
 * It does not parse, look up, log or time out: it is no server.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, RECEIVE_BYTES = 16384, GATHER_MAX = 64, TURN_BYTES = 1 << 20 };

/* bytes holds the head and, in memory mode, the content after it: then memory_length is length. */
static struct {
    char *bytes;
    size_t memory_length;
    size_t length;
    int file;
    bool close; /* the connection is closed after one response */
} answer;

struct peer {
    int fd;
    unsigned matched; /* bytes of "\r\n\r\n" with which the input so far ends */
    uint64_t owed;    /* responses that are not completely sent */
    uint64_t offset;  /* of the next byte to send of the first of them */
    bool full;        /* the socket took less than it was given: waits for EPOLLOUT */
};

static void answer_prepare(const char *path, bool in_memory)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n"
                               "Server: a floor\r\n"
                               "Date: Sat, 01 Aug 2026 12:00:00 GMT\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: %lld\r\n"
                               "Last-Modified: Sat, 01 Aug 2026 12:00:00 GMT\r\n"
                               "ETag: \"0123456789abcdef0123456789abcdef\"\r\n"
                               "Accept-Ranges: bytes\r\n"
                               "Vary: Accept-Encoding\r\n%s\r\n";
    struct stat status;
    answer.file = open(path, O_RDONLY | O_CLOEXEC);
    bool readable = answer.file >= 0 && fstat(answer.file, &status) == 0 && status.st_size > 0;
    size_t content = readable ? (size_t)status.st_size : 0;
    answer.bytes = malloc(sizeof head + 32 + content);
    if (!readable || !answer.bytes) err(1, "%s", path);
    answer.memory_length = (size_t)sprintf(answer.bytes, head, (long long)content,
                                           answer.close ? "Connection: close\r\n" : "");
    answer.length = answer.memory_length + content;
    if (in_memory) {
        if (read(answer.file, answer.bytes + answer.memory_length, content) != (ssize_t)content)
            err(1, "%s", path);
        answer.memory_length = answer.length;
    }
}

static unsigned ends_count(struct peer *p, const char *received, size_t length)
{
    static const char end[4] = "\r\n\r\n";
    unsigned count = 0;
    for (size_t i = 0; i < length; i++) {
        p->matched = received[i] == end[p->matched] ? p->matched + 1 : received[i] == '\r';
        count += p->matched == sizeof end;
        p->matched %= sizeof end;
    }
    return count;
}

/* Memory mode: sends as many of the responses owed as one call can take. */
static ssize_t memory_send(const struct peer *p, size_t *asked)
{
    struct iovec pieces[GATHER_MAX];
    size_t count = p->owed < GATHER_MAX ? (size_t)p->owed : GATHER_MAX;
    *asked = count * answer.length - p->offset;
    if (count == 1) return send(p->fd, answer.bytes + p->offset, *asked, 0);
    for (size_t i = 0; i < count; i++)
        pieces[i] = (struct iovec){answer.bytes, answer.length};
    pieces[0] = (struct iovec){answer.bytes + p->offset, answer.length - p->offset};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    return sendmsg(p->fd, &message, 0);
}

/* Sendfile mode: sends the rest of the head; when the head is sent, at most `budget` bytes of the file. */
static ssize_t file_send(const struct peer *p, size_t budget, size_t *asked)
{
    if (p->offset < answer.memory_length) {
        *asked = answer.memory_length - p->offset;
        return send(p->fd, answer.bytes + p->offset, *asked, MSG_MORE);
    }
    off_t offset = (off_t)(p->offset - answer.memory_length);
    *asked = answer.length - p->offset < budget ? answer.length - p->offset : budget;
    return sendfile(p->fd, answer.file, &offset, *asked);
}

/*
 * Sends until nothing is owed, the socket is full, or the turn is over. Returns false when the peer is gone
 * or the connection is to be closed.
 */
static bool peer_send(struct peer *p)
{
    size_t budget = TURN_BYTES + answer.memory_length, asked = 0;
    bool in_memory = answer.memory_length == answer.length, owing = p->owed > 0;
    p->full = false;
    while (p->owed > 0 && !p->full) {
        ssize_t sent = in_memory ? memory_send(p, &asked) : file_send(p, budget, &asked);
        if (sent < 0 && errno != EAGAIN) return false;
        size_t taken = sent > 0 ? (size_t)sent : 0;
        budget = taken < budget ? budget - taken : 0;
        p->full = taken < asked || (!in_memory && budget == 0);
        p->owed -= (p->offset + taken) / answer.length;
        p->offset = (p->offset + taken) % answer.length;
    }
    p->full = p->full && p->owed > 0;
    return !answer.close || !owing || p->owed > 0;
}

static bool peer_receive(struct peer *p)
{
    char bytes[RECEIVE_BYTES];
    ssize_t received = recv(p->fd, bytes, sizeof bytes, 0);
    if (received <= 0) return received < 0 && errno == EAGAIN;
    p->owed += ends_count(p, bytes, (size_t)received);
    return true;
}

/* While the socket is full, nothing more is received. So the number of responses owed stays bounded. */
static void peer_turn(int epoll, struct peer *p)
{
    bool was_full = p->full;
    if ((was_full || peer_receive(p)) && peer_send(p)) {
        struct epoll_event want = {p->full ? EPOLLOUT : EPOLLIN, {.ptr = p}};
        if (p->full == was_full || epoll_ctl(epoll, EPOLL_CTL_MOD, p->fd, &want) == 0) return;
    }
    close(p->fd);
    free(p);
}

static void peer_accept(int epoll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct peer *p = fd < 0 ? NULL : calloc(1, sizeof *p);
    if (!p) return;
    p->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event want = {EPOLLIN, {.ptr = p}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want) < 0) err(1, "epoll_ctl");
}

/* Returns a listening socket on the loopback interface, and prints the port that it got. */
static int listener_open(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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
    bool in_memory = argc == 4 && strcmp(argv[2], "memory") == 0;
    answer.close = argc == 4 && strcmp(argv[2], "close") == 0;
    if (argc != 4 || (!in_memory && !answer.close && strcmp(argv[2], "sendfile") != 0))
        errx(2, "usage: floor PORT memory|sendfile|close FILE");
    signal(SIGPIPE, SIG_IGN);
    answer_prepare(argv[3], in_memory || answer.close);
    int listener = listener_open(argv[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event want = {EPOLLIN, {.ptr = NULL}}, events[EVENTS_MAX];
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &want) < 0) err(1, "epoll");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct peer *p = events[i].data.ptr;
            p ? peer_turn(epoll, p) : peer_accept(epoll, listener);
        }
    }
}
