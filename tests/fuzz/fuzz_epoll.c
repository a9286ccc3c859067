/*
 * A whole connection of the epoll model (src/model/epoll.c) in its own loop of libev: see
 * whole_connection.c for the input. epoll_wait(2) is simulated too: it reports what the socket is
 * waited for, reports nothing, reports more than there is, or lets a tick come.
 */
#include "simulated_socket.c"

#include "model/epoll.h"
#include "model/models.h"

#include <sys/epoll.h>

static struct epoll_loop *loop;
static bool begun;                 /* the connection */
static struct epoll_event watched; /* of the socket; no events: it is not watched */

static void on_end(struct ev_loop *of, ev_watcher *end, int events)
{
    (void)end, (void)events;
    ev_break(of, EVBREAK_ALL);
}

/* The loop ends after this turn. libev does not let a poll end it at once. */
static int loop_end(void)
{
    static ev_watcher end;
    ev_init(&end, on_end);
    ev_feed_event(loop->loop, &end, EV_CUSTOM);
    return 0;
}

/* Only the socket is watched: files do not change, and no signal comes. */
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    (void)epoll;
    if (fd != sock.fd) return 0;
    watched = operation == EPOLL_CTL_DEL ? (struct epoll_event){.events = 0} : *event;
    return 0;
}

/* The loop waits for this, or the connection would be forgotten. */
static bool something_is_awaited(void)
{
    struct epoll_client *k = slab_taken_at(&loop->clients, 0);
    return k && (ev_is_active(&k->watcher) || k->client.state == STATE_PACED);
}

/* In the first turn, as a connection that is accepted. */
static int connection_begin(void)
{
    struct epoll_client *k = slab_take(&loop->clients);
    now_read(&loop->worker.now);
    client_open(&k->client, &loop->worker, sock.fd, NULL);
    epoll_connection_begin(loop, k);
    begun = true;
    return 0;
}

static int socket_report(struct epoll_event *event, uint32_t events)
{
    if (watched.events == 0) return 0;
    *event = watched;
    event->events = events ? events : watched.events;
    return 1;
}

int epoll_wait(int epoll, struct epoll_event *events, int size, int timeout)
{
    (void)epoll, (void)timeout;
    holds(size > 0 && ++sock.calls < CALLS_MAX);
    if (!begun) return connection_begin();
    if (loop->clients.used == 0) return loop_end();
    holds(something_is_awaited());
    switch (choose(32)) {
    case 1: return (int)failed(EINTR);
    case 2: return 0;
    case 3: return socket_report(events, EPOLLHUP | EPOLLERR);
    case 4: return socket_report(events, EPOLLIN | EPOLLOUT);
    case 5: return loop_end();
    case 6:
    case 7:
    case 8:
        time_passes();
        ev_feed_event(loop->loop, &loop->tick, EV_TIMER);
        return 0;
    default: return socket_report(events, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!input_begin(data, size)) return 0;
    watched = (struct epoll_event){.events = 0};
    loop = epoll_model.open(&site.service, DRIVEN);
    holds(loop != NULL);
    socket_begin(false);
    begun = false;
    holds(epoll_model.run(loop) == 0);
    holds(sock.fd < 0 && loop->clients.used == 0 && loop->worker.works.used == 0);
    epoll_model.close(loop);
    outcome_compare(true);
    return 0;
}
