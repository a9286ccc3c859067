/* The load client: one thread and an edge-triggered epoll(7), so that a connection is registered once. */
#include "servers_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRIP_NS (NS_PER_S / 10)
#define PATIENCE_NS (NS_PER_S / 10) /* how long it waits for responses at the end */
#define PRIME_NS (20 * NS_PER_S)    /* and at the beginning */
#define FILL_NS (NS_PER_S / 2)      /* meanwhile what slow readers requested fills the sockets */
enum { EVENTS = 64, HEAD_MAX = 512, PRIME_AT_ONCE = 64, A_SOURCE = 10000, DRIP_BYTES = 1024 };

enum kind { PEER_LOAD, PEER_BESIDE, PEER_SLOW };

struct peer {
    int fd; /* -1: not connected */
    enum kind kind;
    bool connected, asked, sent;
    uint64_t begun_ns; /* of the request: when it was due */
    size_t got, whole; /* bytes of the response; whole: 0 until its head was read */
    size_t head_bytes; /* kept in `head` */
    char head[HEAD_MAX];
};

struct load {
    struct load_plan plan;
    int epoll, failed; /* -errno of the first failure */
    unsigned peers;
    struct peer *peer; /* those of the load first, then those beside it, then the slow ones */
    uint32_t *unused;  /* free peers of the load, in a ring; the longest free is first */
    uint32_t first, free, under_way, beside_next, next_path;
    uint64_t drip_ns;
    bool ended;              /* those beside have requested everything */
    struct measure *measure; /* NULL: not measured */
    struct load_result result;
    char text[64 << 10];
};

static void fail(struct load *load, int result)
{
    if (load->failed == 0) load->failed = result;
}

/* ---- one connection ---------------------------------------------------------------------------- */

/*
 * Ends it with a reset: so no port stays in TIME_WAIT. A new connection for each request would need too
 * many ports.
 */
static void peer_close(struct load *load, struct peer *p)
{
    if (p->fd >= 0) close(p->fd);
    if (p->fd >= 0) load->result.calls++;
    p->fd = -1;
    p->connected = p->sent = false;
    p->got = p->whole = p->head_bytes = 0;
}

/*
 * Connects from 127.0.0.1, 127.0.0.2 …, because one address does not have enough ports for 20,000
 * connections everywhere.
 */
static void peer_connect(struct load *load, struct peer *p)
{
    unsigned number = (unsigned)(p - load->peer);
    struct linger reset = {1, 0};
    int on = 1, little = 4 * DRIP_BYTES;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(load->plan.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / A_SOURCE)};
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.ptr = p};
    load->result.calls += 7;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0) {
        fail(load, -errno);
        return;
    }
    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (p->kind == PEER_SLOW && load->plan.slow_path)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(p->fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        (connect(p->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, p->fd, &wanted) < 0)
        fail(load, -errno);
}

static void request_send(struct load *load, struct peer *p)
{
    char text[512], number[16] = "";
    const struct load_plan *plan = &load->plan;
    bool beside = p->kind == PEER_BESIDE;
    if (beside && plan->beside_paths)
        snprintf(number, sizeof number, "%u", load->beside_next++ % plan->beside_paths);
    const char *path = beside                 ? plan->beside_path
                       : p->kind == PEER_SLOW ? plan->slow_path
                       : plan->list           ? plan->list[load->next_path++ % plan->listed]
                                              : plan->path;
    int length =
        path ? snprintf(text, sizeof text, "GET %.300s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
                        path, number, !beside && plan->reconnects ? "Connection: close\r\n" : "")
             : snprintf(text, sizeof text, "GET / HTTP/1.1\r\nX: ");
    load->result.calls++;
    p->sent = send(p->fd, text, (size_t)length, MSG_NOSIGNAL) == length;
}

/* Sends the request that was due at `due_ns`. A connection that does not exist yet is made. */
static void peer_ask(struct load *load, struct peer *p, uint64_t due_ns)
{
    p->asked = true;
    p->begun_ns = due_ns;
    p->got = p->whole = p->head_bytes = 0;
    if (p->kind == PEER_LOAD) load->under_way++;
    if (p->fd < 0)
        peer_connect(load, p);
    else if (p->connected)
        request_send(load, p);
}

static void peer_free(struct load *load, struct peer *p)
{
    load->unused[(load->first + load->free++) % load->plan.connections] =
        (uint32_t)(p - load->peer);
}

static bool beside_has_more(const struct load *load)
{
    return load->plan.beside_paths == 0 || load->beside_next < load->plan.beside_paths;
}

static void peer_answered(struct load *load, struct peer *p, uint64_t now)
{
    p->asked = p->sent = false;
    if (p->kind == PEER_BESIDE) {
        load->result.beside++;
        load->ended |= !beside_has_more(load);
        if (!load->ended) peer_ask(load, p, now);
        return;
    }
    load->under_way--;
    if (load->measure) tally_latency(&load->measure->tally, now - p->begun_ns, p->got);
    load->result.answered++;
    if (load->plan.reconnects) peer_close(load, p);
    peer_free(load, p);
}

/*
 * The server closed or reset it. A peer with a request under way sends it again; its wait counts from the
 * first time.
 */
static void peer_lost(struct load *load, struct peer *p)
{
    bool asked = p->asked;
    peer_close(load, p);
    load->result.reconnected++;
    if (asked && p->kind != PEER_SLOW) peer_connect(load, p);
}

/* Reads the head, once it is complete: how long the response is. */
static void head_read(struct load *load, struct peer *p)
{
    static const char field[] = "\r\ncontent-length:";
    p->head[p->head_bytes] = '\0';
    const char *end = strstr(p->head, "\r\n\r\n"), *at = end ? strcasestr(p->head, field) : NULL;
    if (!end && p->head_bytes < HEAD_MAX - 1) return;
    if (!at || memcmp(p->head, "HTTP/1.1 200", 12) != 0) {
        fail(load, -EPROTO);
        return;
    }
    p->whole = (size_t)(end + 4 - p->head) + strtoul(at + sizeof field - 1, NULL, 10);
}

static void peer_receive(struct load *load, struct peer *p)
{
    while (p->asked && p->sent && load->failed == 0) {
        ssize_t got = recv(p->fd, load->text, sizeof load->text, 0);
        load->result.calls++;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            peer_lost(load, p);
            return;
        }
        if (p->whole == 0) {
            size_t room = HEAD_MAX - 1 - p->head_bytes,
                   take = (size_t)got < room ? (size_t)got : room;
            memcpy(p->head + p->head_bytes, load->text, take);
            p->head_bytes += take;
            head_read(load, p);
        }
        p->got += (size_t)got;
        if (p->whole > 0 && p->got >= p->whole) peer_answered(load, p, measure_now());
    }
}

static void peer_event(struct load *load, struct peer *p, unsigned events)
{
    /* A client that has not finished its head was refused, whatever it was told. */
    bool sends_slowly = p->kind == PEER_SLOW && !load->plan.slow_path;
    unsigned ends = EPOLLERR | EPOLLHUP | EPOLLRDHUP | (sends_slowly ? EPOLLIN : 0);
    if (!p->connected && (events & EPOLLOUT) && !(events & (EPOLLERR | EPOLLHUP))) {
        p->connected = true;
        if (p->asked) request_send(load, p);
    }
    if (p->kind != PEER_SLOW && p->asked && p->sent && (events & EPOLLIN))
        peer_receive(load, p);
    else if (p->fd >= 0 && (events & ends))
        peer_lost(load, p);
}

/* ---- all of them ------------------------------------------------------------------------------- */

/*
 * Sends a byte of its head, or reads 1 KiB of the response. Returns false when the connection was closed.
 */
static bool drip(const struct load *load, const struct peer *p)
{
    char text[DRIP_BYTES];
    ssize_t moved = load->plan.slow_path ? recv(p->fd, text, sizeof text, MSG_DONTWAIT)
                                         : send(p->fd, "a", 1, MSG_NOSIGNAL);
    return moved > 0 || (moved < 0 && errno == EAGAIN);
}

/* Does what each slow client does. Clients that were closed connect again. */
static void slow_drip(struct load *load, uint64_t now)
{
    if (load->plan.slow == 0 || now < load->drip_ns) return;
    load->drip_ns = now + DRIP_NS;
    for (unsigned i = load->peers - load->plan.slow; i < load->peers; i++) {
        struct peer *p = &load->peer[i];
        if (p->fd < 0)
            peer_ask(load, p, now);
        else if (p->sent && !drip(load, p))
            peer_lost(load, p);
        load->result.calls++;
    }
}

static void turn(struct load *load, int wait_ms)
{
    struct epoll_event event[EVENTS];
    int count = epoll_wait(load->epoll, event, EVENTS, wait_ms);
    load->result.calls++;
    for (int i = 0; i < count && load->failed == 0; i++) {
        struct peer *p = event[i].data.ptr;
        if (p->fd >= 0) peer_event(load, p, event[i].events);
    }
    slow_drip(load, measure_now());
}

static struct peer *unused_take(struct load *load)
{
    struct peer *p = &load->peer[load->unused[load->first]];
    load->first = (load->first + 1) % load->plan.connections;
    load->free--;
    return p;
}

/* Gets one response on every connection. The slow ones have sent their first bytes before. */
static int prime(struct load *load)
{
    uint64_t begun = measure_now(), until = begun + PRIME_NS;
    uint64_t filled = load->plan.slow_path ? begun + FILL_NS : begun;
    unsigned left = load->plan.primed ? load->plan.connections : 0;
    while (load->failed == 0) {
        bool slow_wait = false;
        for (unsigned i = load->peers - load->plan.slow; i < load->peers; i++)
            slow_wait |= !load->peer[i].connected;
        while (left > 0 && load->under_way < PRIME_AT_ONCE && load->free > 0 && !slow_wait) {
            peer_ask(load, unused_take(load), measure_now());
            left--;
        }
        if (left == 0 && load->under_way == 0 && !slow_wait && measure_now() >= filled) return 0;
        turn(load, 10);
        if (measure_stopped) return -EINTR;
        if (measure_now() > until) return -ETIMEDOUT;
    }
    return load->failed;
}

int load_open(struct load **into, const struct load_plan *plan)
{
    struct load *load = *into = calloc(1, sizeof *load);
    if (!load) return -ENOMEM;
    load->plan = *plan;
    load->peers = plan->connections + plan->beside + plan->slow;
    load->peer = calloc(load->peers, sizeof *load->peer);
    load->unused = calloc(plan->connections, sizeof *load->unused);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load->peer || !load->unused) return -ENOMEM;
    if (load->epoll < 0) return -errno;
    for (unsigned i = 0; i < load->peers; i++) {
        bool is_load = i < plan->connections, beside = i < plan->connections + plan->beside;
        load->peer[i].fd = -1;
        load->peer[i].kind = is_load ? PEER_LOAD : beside ? PEER_BESIDE : PEER_SLOW;
        if (is_load) peer_free(load, &load->peer[i]);
    }
    return prime(load);
}

void load_close(struct load *load)
{
    if (!load) return;
    for (unsigned i = 0; load->peer && i < load->peers; i++)
        if (load->peer[i].fd >= 0) close(load->peer[i].fd);
    if (load->epoll >= 0) close(load->epoll);
    free(load->unused);
    free(load->peer);
    free(load);
}

/* ---- the run ----------------------------------------------------------------------------------- */

/*
 * Sends requests: as many as are to be under way, or those that are due. Returns when the next one is due.
 */
static uint64_t requests_leave(struct load *load, uint64_t now, uint64_t due)
{
    const struct load_plan *plan = &load->plan;
    while (plan->rate > 0 ? due <= now : load->under_way < plan->under_way) {
        if (load->free == 0 || load->failed) break;
        peer_ask(load, unused_take(load), plan->rate > 0 ? due : now);
        if (plan->rate > 0) due += (uint64_t)(1e9 / plan->rate);
    }
    return due;
}

/*
 * Counts requests without a response, and those that were due and could not be sent, each with its wait so
 * far.
 */
static void unanswered_count(struct load *load, struct measure *m, uint64_t due, uint64_t ended)
{
    uint64_t now = measure_now();
    for (unsigned i = 0; i < load->plan.connections; i++) {
        const struct peer *p = &load->peer[i];
        if (!p->asked || now - p->begun_ns < PATIENCE_NS) continue;
        tally_latency(&m->tally, now - p->begun_ns, 0);
        load->result.unanswered++;
    }
    for (; load->plan.rate > 0 && due < ended; due += (uint64_t)(1e9 / load->plan.rate)) {
        tally_latency(&m->tally, now - due, 0);
        load->result.unanswered++;
    }
}

static double own_cpu(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int load_run(struct load *load, struct measure *m, struct load_result *result)
{
    uint64_t begun = measure_now(), now = begun, due = begun;
    double cpu = own_cpu();
    load->measure = m;
    load->result = (struct load_result){0};
    for (unsigned i = 0; i < load->plan.beside; i++)
        peer_ask(load, &load->peer[load->plan.connections + i], now);
    do {
        due = requests_leave(load, now, due);
        turn(load, load->plan.rate <= 0 ? 20 : due > now + 2000000 ? 1 : 0);
        now = measure_now();
    } while (load->failed == 0 && !load->ended && !measure_over(m, now));
    uint64_t ended = now, answered = load->result.answered;
    while (load->plan.rate > 0 && load->under_way > 0 && now < ended + PATIENCE_NS &&
           load->failed == 0) {
        turn(load, 1);
        now = measure_now();
    }
    unanswered_count(load, m, due, ended);
    load->measure = NULL;
    *result = load->result;
    result->answered = answered;
    result->seconds = (double)(ended - begun) / 1e9;
    result->client_cpu = (own_cpu() - cpu) / ((double)(now - begun) / 1e9);
    return load->failed;
}
