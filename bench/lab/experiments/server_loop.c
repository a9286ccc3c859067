/*
 * The third of the minimal servers: one thread and one loop over epoll(7) for all connections.
 *
 * What is good: a connection is 2 KiB of memory and an entry in the kernel's list. One call of
 * epoll_wait(2) brings many requests, and there is no switch between them. 20,000 idle connections cost no
 * time (D. Kegel, "The C10K problem", 1999).
 *
 * What it costs: the straight code of the other servers is cut into pieces that never wait. struct
 * connection keeps what was received so far and what is still to be sent. And nothing may wait at all.
 * Sockets can be told so (O_NONBLOCK), but files cannot: sendfile(2) from a file that is not in memory
 * waits for the disk, and all clients wait with it. They also wait while /compute computes. Real servers of
 * this kind read files in other threads or through io_uring, as zcserve does.
 */
#include "server_minimal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64 };

struct connection {
    int fd;
    bool answering; /* the rest of `answer` waits for room in the socket */
    size_t have;
    char text[MINIMAL_REQUEST_MAX]; /* received, and not yet a complete request */
    struct minimal_answer answer;
};

static struct loop {
    int epoll, listener, root;
    unsigned open, at_most;
    bool accepting; /* the listener is watched, because there is room for one more */
} loop;

static void watch(int change, int fd, unsigned events, struct connection *connection)
{
    struct epoll_event wanted = {.events = events, .data.ptr = connection};
    epoll_ctl(loop.epoll, change, fd, &wanted);
}

static void accepting_set(bool wanted)
{
    if (wanted == loop.accepting) return;
    loop.accepting = wanted;
    watch(wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, loop.listener, EPOLLIN, NULL);
}

static void connection_end(struct connection *c)
{
    minimal_answer_drop(&c->answer);
    close(c->fd);
    free(c);
    loop.open--;
    accepting_set(true);
}

/* Sends what it can. Returns false when the connection has ended. */
static bool answer_go_on(struct connection *c)
{
    int sent = minimal_answer_send(&c->answer, c->fd);
    if (sent < 0 || (sent == 1 && c->answer.last)) {
        connection_end(c);
        return false;
    }
    bool answering = sent == 0;
    if (answering != c->answering) watch(EPOLL_CTL_MOD, c->fd, answering ? EPOLLOUT : EPOLLIN, c);
    c->answering = answering;
    return true;
}

/* Answers every complete request, until a response has to wait. */
static void requests_answer(struct connection *c)
{
    size_t request = 0;
    while (!c->answering && (request = minimal_request(c->text, c->have)) > 0) {
        minimal_answer(&c->answer, loop.root, c->text, request);
        c->have -= request;
        memmove(c->text, c->text + request, c->have);
        if (!answer_go_on(c)) return;
    }
}

static void on_readable(struct connection *c)
{
    ssize_t received = recv(c->fd, c->text + c->have, sizeof c->text - c->have, 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received <= 0) { /* the connection ended, or a request is too long */
        connection_end(c);
        return;
    }
    c->have += (size_t)received;
    requests_answer(c);
}

static void on_listener(void)
{
    while (loop.open < loop.at_most) {
        int fd = accept4(loop.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct connection *c = fd >= 0 ? calloc(1, sizeof *c) : NULL;
        if (!c) {
            if (fd >= 0) close(fd);
            if (fd < 0 && errno != EAGAIN) poll(NULL, 0, 10); /* no descriptors */
            return;
        }
        c->fd = fd;
        c->answer.file = -1;
        loop.open++;
        watch(EPOLL_CTL_ADD, fd, EPOLLIN, c);
    }
    accepting_set(false);
}

void minimal_loop_serve(int listener, int root, unsigned at_most)
{
    struct epoll_event event[EVENTS];
    loop = (struct loop){epoll_create1(EPOLL_CLOEXEC), listener, root, 0, at_most, false};
    fcntl(listener, F_SETFL, O_NONBLOCK);
    accepting_set(true);
    for (;;) {
        int count = epoll_wait(loop.epoll, event, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = event[i].data.ptr;
            if (!c)
                on_listener();
            else if (!c->answering)
                on_readable(c);
            else if (answer_go_on(c))
                requests_answer(c);
        }
    }
}
