/* One event among idle descriptors, and an echo server with many clients. */
#include "multiplex_echo.h"

#include "../guards.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { SPARE = 256, STACK_BYTES = 512 << 10 };

/* ---- how many descriptors there may be --------------------------------------------------------- */

/* Root may have more than the limit says, unless it is confined: it is tried once. */
uint64_t descriptors_allowed(void)
{
    static uint64_t allowed;
    struct rlimit limit, more = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
    if (allowed > 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0) return allowed ? allowed : 1024;
    allowed = limit.rlim_max < DESCRIPTORS_MAX ? (uint64_t)limit.rlim_max : DESCRIPTORS_MAX;
    if (allowed == DESCRIPTORS_MAX || !lab_is_root()) return allowed;
    if (setrlimit(RLIMIT_NOFILE, &more) == 0) {
        allowed = DESCRIPTORS_MAX;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return allowed;
}

static void limit_raise(uint64_t wanted, struct rlimit *before, bool *raised)
{
    if (getrlimit(RLIMIT_NOFILE, before) < 0 || before->rlim_cur >= wanted) return;
    struct rlimit more = *before;
    more.rlim_cur = wanted;
    if (more.rlim_max < wanted) more.rlim_max = wanted; /* root may */
    *raised = setrlimit(RLIMIT_NOFILE, &more) == 0;
}

static void descriptors_close(int *fd, unsigned count)
{
    for (unsigned i = 0; fd && i < count; i++)
        if (fd[i] >= 0) close(fd[i]);
    free(fd);
}

static int *descriptors_new(unsigned count)
{
    int *fd = malloc(count * sizeof *fd);
    for (unsigned i = 0; fd && i < count; i++)
        fd[i] = -1;
    return fd;
}

/* ---- one event --------------------------------------------------------------------------------- */

/* Opens sockets to which nobody can send, because they have no name. */
static int idle_sockets_open(struct idle_watch *x)
{
    for (unsigned i = 0; i < x->idle; i++) {
        x->fd[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (x->fd[i] < 0) return -errno;
    }
    return 0;
}

int idle_open(void *context)
{
    struct idle_watch *x = context;
    memset(&x->fd, 0, sizeof *x - offsetof(struct idle_watch, fd));
    x->pair[0] = x->pair[1] = -1;
    x->count = x->idle + 1;
    limit_raise(x->count + SPARE, &x->limit_before, &x->limit_raised);
    x->fd = descriptors_new(x->count);
    if (!x->fd) return -ENOMEM;
    int result = idle_sockets_open(x);
    if (result < 0) return result;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, x->pair) < 0) return -errno;
    x->fd[x->idle] = x->pair[0]; /* it is closed with the others */
    return x->way ? watch_open(&x->watch, x->way, x->fd, x->count) : 0;
}

void idle_close(void *context)
{
    struct idle_watch *x = context;
    watch_close(&x->watch);
    descriptors_close(x->fd, x->count);
    if (x->pair[1] >= 0) close(x->pair[1]);
    if (x->limit_raised) setrlimit(RLIMIT_NOFILE, &x->limit_before);
}

/* Waits until the busy socket has been read. */
static int event_take(struct idle_watch *x)
{
    char message[MESSAGE_BYTES];
    if (!x->way) return read(x->pair[0], message, sizeof message) == 1 ? 0 : -EIO;
    for (ssize_t got = 0; got <= 0;) {
        int found = x->way->wait(&x->watch);
        if (found <= 0) return found < 0 ? found : -ETIMEDOUT;
        for (int i = 0; i < found; i++) {
            got = x->way->receive(&x->watch, &x->watch.ready[i], message);
            if (got <= 0 && got != -EAGAIN) return got < 0 ? (int)got : -EPIPE;
        }
    }
    return 0;
}

int idle_run(void *context, struct measure *m)
{
    struct idle_watch *x = context;
    uint64_t now = measure_now(), calls = x->watch.calls;
    do {
        if (write(x->pair[1], "x", 1) != 1) return -errno;
        int result = event_take(x);
        if (result < 0) return result;
        now = tally_add(&m->tally, now, 1);
    } while (!measure_over(m, now));
    m->tally.calls = x->watch.calls - calls + m->tally.operations * (x->way ? 1 : 2);
    return 0;
}

/* ---- the server -------------------------------------------------------------------------------- */

static void cpu_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (cpu >= 0) pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void echo_fails(struct echo *x, int result)
{
    int none = 0;
    if (!x->over) atomic_compare_exchange_strong(&x->result, &none, result);
    x->over = true;
}

static void reply(struct echo *x, unsigned client)
{
    static const char message[MESSAGE_BYTES] = "reply";
    watch_count_call(&x->watch);
    if (send(x->server[client], message, sizeof message, MSG_NOSIGNAL) < 0) echo_fails(x, -errno);
}

static void timer_start(const struct echo *x)
{
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(x->stall_ns / NS_PER_S),
                                           .tv_nsec = (long)(x->stall_ns % NS_PER_S)}};
    timerfd_settime(x->timer, 0, &when, NULL);
}

/* A read that blocks, like that of a file on a slow disk. */
static void timer_read(struct echo *x)
{
    uint64_t expired;
    timer_start(x);
    if (read(x->timer, &expired, sizeof expired) < 0) echo_fails(x, -errno);
}

static void *helper_main(void *context)
{
    struct echo *x = context;
    unsigned client;
    measure_thread_begin();
    while (read(x->to_helper[0], &client, sizeof client) == sizeof client) {
        timer_read(x);
        reply(x, client);
    }
    return NULL;
}

static void slow_serve(struct echo *x, unsigned client)
{
    if (x->slow == SLOW_INLINE) {
        timer_read(x);
        reply(x, client);
    } else if (x->slow == SLOW_THREAD) {
        if (write(x->to_helper[1], &client, sizeof client) < 0) echo_fails(x, -errno);
    } else {
        timer_start(x);
        int result = watch_read_later(&x->watch, x->timer);
        if (result < 0) echo_fails(x, result);
    }
}

static void ready_serve(struct echo *x, const struct ready *ready)
{
    char message[MESSAGE_BYTES];
    if (ready->index == READ_LATER) {
        reply(x, x->count - 1);
        return;
    }
    ssize_t got = x->way->receive(&x->watch, ready, message);
    if (got == -EAGAIN) return;
    if (got <= 0)
        echo_fails(x, got < 0 ? (int)got : -EPIPE);
    else if (x->slow != SLOW_NONE && ready->index == (int)x->count - 1)
        slow_serve(x, (unsigned)ready->index);
    else
        reply(x, (unsigned)ready->index);
}

static void *server_main(void *context)
{
    struct echo *x = context;
    measure_thread_begin();
    cpu_pin(x->cpu[1]);
    int found = watch_open(&x->watch, x->way, x->server, x->count);
    if (found < 0) echo_fails(x, found);
    sem_post(&x->ready);
    while (!x->over) {
        found = x->way->wait(&x->watch);
        if (found < 0) echo_fails(x, found);
        for (int i = 0; i < found && !x->over; i++)
            ready_serve(x, &x->watch.ready[i]);
        x->server_cpu = sched_getcpu();
    }
    watch_close(&x->watch);
    return NULL;
}

/* ---- opening and closing ----------------------------------------------------------------------- */

static int echo_sockets_open(struct echo *x)
{
    for (unsigned i = 0; i < x->count; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
        x->server[i] = pair[0];
        x->client[i] = pair[1];
    }
    x->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    return x->timer < 0 || pipe2(x->to_helper, O_CLOEXEC) < 0 ? -errno : 0;
}

/* Gives client and server a CPU each, where there are two. */
static void cpus_choose(struct echo *x)
{
    x->cpu[0] = x->cpu[1] = -1;
    if (lab_cpus(x->cpu, 2) < 2) return;
    x->pinned = pthread_getaffinity_np(pthread_self(), sizeof x->cpus_before, &x->cpus_before) == 0;
    if (x->pinned) cpu_pin(x->cpu[0]);
}

static int thread_start(pthread_t *id, bool *started, void *(*body)(void *), struct echo *x)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    int result = -pthread_create(id, &small, body, x);
    pthread_attr_destroy(&small);
    *started = result == 0;
    return result;
}

int echo_open(void *context)
{
    struct echo *x = context;
    memset(&x->server, 0, sizeof *x - offsetof(struct echo, server));
    x->timer = x->to_helper[0] = x->to_helper[1] = -1;
    x->count = x->clients + (x->slow != SLOW_NONE);
    limit_raise(2 * (uint64_t)x->count + SPARE, &x->limit_before, &x->limit_raised);
    x->server = descriptors_new(x->count);
    x->client = descriptors_new(x->count);
    x->begun_ns = calloc(x->count, sizeof *x->begun_ns);
    if (!x->server || !x->client || !x->begun_ns) return -ENOMEM;
    x->has_ready = sem_init(&x->ready, 0, 0) == 0;
    int result = echo_sockets_open(x);
    if (result < 0) return result;
    cpus_choose(x);
    if (x->slow == SLOW_THREAD)
        result = thread_start(&x->helper, &x->helper_started, helper_main, x);
    if (result == 0) result = thread_start(&x->thread, &x->thread_started, server_main, x);
    if (result < 0) return result;
    while (sem_wait(&x->ready) < 0) {
    }
    return x->result;
}

void echo_close(void *context)
{
    struct echo *x = context;
    x->over = true;
    if (x->thread_started) {
        send(x->client[0], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* so that it wakes up and looks */
        pthread_join(x->thread, NULL);
    }
    if (x->to_helper[1] >= 0) close(x->to_helper[1]); /* the helper then reads the end */
    if (x->helper_started) pthread_join(x->helper, NULL);
    if (x->to_helper[0] >= 0) close(x->to_helper[0]);
    if (x->timer >= 0) close(x->timer);
    descriptors_close(x->server, x->count);
    descriptors_close(x->client, x->count);
    free(x->begun_ns);
    if (x->has_ready) sem_destroy(&x->ready);
    if (x->pinned) pthread_setaffinity_np(pthread_self(), sizeof x->cpus_before, &x->cpus_before);
    if (x->limit_raised) setrlimit(RLIMIT_NOFILE, &x->limit_before);
}

/* ---- the clients ------------------------------------------------------------------------------- */

static int request_send(struct echo *x, unsigned client, uint64_t now, struct measure *m)
{
    static const char message[MESSAGE_BYTES] = "request";
    x->begun_ns[client] = now;
    m->tally.calls++;
    ssize_t sent = send(x->client[client], message, sizeof message, MSG_NOSIGNAL);
    return sent < 0 ? -errno : 0;
}

/* Takes a response and sends the next request. The slow client itself is not counted. */
static int reply_take(struct echo *x, unsigned client, struct measure *m)
{
    char message[MESSAGE_BYTES];
    bool counted = client < x->clients;
    m->tally.calls++;
    ssize_t got = recv(x->client[client], message, sizeof message, MSG_DONTWAIT);
    if (got <= 0) return got == 0 ? -EPIPE : errno == EAGAIN ? 0 : -errno;
    uint64_t now = measure_now();
    if (counted) tally_latency(&m->tally, now - x->begun_ns[client], (uint64_t)got);
    return request_send(x, client, now, m);
}

static int clients_watch(struct echo *x, int epoll)
{
    for (unsigned i = 0; i < x->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, x->client[i], &event) < 0) return -errno;
    }
    return 0;
}

static int replies_await(struct echo *x, int epoll, struct measure *m)
{
    struct epoll_event event[READY_MAX];
    m->tally.calls++;
    int found = epoll_wait(epoll, event, READY_MAX, 2000);
    if (found < 0) return errno == EINTR ? 0 : -errno;
    int result = found == 0 ? -ETIMEDOUT : 0;
    for (int i = 0; i < found && result == 0; i++)
        result = reply_take(x, event[i].data.u32, m);
    return x->result < 0 ? x->result : result;
}

int echo_run(void *context, struct measure *m)
{
    struct echo *x = context;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return -errno;
    int result = clients_watch(x, epoll);
    measure_restart(m); /* opening is not measured */
    uint64_t calls = x->watch.calls;
    for (unsigned i = 0; i < x->count && result == 0; i++)
        result = request_send(x, i, measure_now(), m);
    do {
        if (result == 0) result = replies_await(x, epoll, m);
    } while (result == 0 && (m->tally.operations == 0 || !measure_over(m, measure_now())));
    m->tally.calls += x->watch.calls - calls;
    guard_same_cpu(m, sched_getcpu(), x->server_cpu);
    close(epoll);
    return result;
}
