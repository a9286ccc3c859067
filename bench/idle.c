/*
 * idle: opens many keep-alive connections, sends one request on each, and holds them while other programs
 * measure.
 *
 *   idle [-n CONNECTIONS] [-p PROCESSES] [-s SECONDS] [-w SECONDS] PORT PATH
 *
 * One address has about 28,000 ports to connect from, and a process has a limited number of descriptors. So
 * it uses several addresses (127.0.0.2, 127.0.0.3, …) and several processes. It holds the connections until
 * standard input ends (or for -s seconds). Then it sends one more request on each, and prints how many
 * were still alive. It makes no load: at most WINDOW requests are under way in each process. A response
 * counts when its first piece says 200.
 */
#include "source.h"
#include "tally.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WINDOW = 64,
    EVENTS_MAX = 256,
    PROCESSES_MAX = 64,
    DESCRIPTORS_SPARE = 32, /* needed by a process besides its connections          */
    CONNECTIONS_MAX = 4000000,
    SCAN_MS = 100
};
#define NS UINT64_C(1000000000) /* nanoseconds of a second */

/* Each is written by one process, and read by the first process. */
struct counts {
    uint32_t opened, refused, answered, unanswered, closed, alive;
    bool holding; /* every connection was tried */
};

enum state { NONE, ASKED, IDLE };

struct connection {
    int fd;
    uint8_t state; /* enum state                   */
    uint64_t asked_ns;
};

static struct {
    uint32_t connections, processes;
    uint32_t hold_seconds, wait_seconds; /* hold_seconds 0: until standard input ends */
    uint16_t port;
    char request[1024];
    size_t request_length;
} plan = {.connections = 1000, .wait_seconds = 10};

static struct counts *all;

static const char usage[] =
    "usage: idle [-n CONNECTIONS] [-p PROCESSES] [-s SECONDS] [-w SECONDS] PORT PATH\n"
    "  -n  connections to open to 127.0.0.1:PORT (1000)\n"
    "  -p  processes to spread them over (as many as the limit on descriptors asks for)\n"
    "  -s  hold them for so long (until standard input ends)\n"
    "  -w  wait so long for an answer (10)\n"
    "Prints `held` when all were tried, and `ended` after asking on each once more.\n";

/* ---- one process ---------------------------------------------------------------------------- */

struct holder {
    struct counts *counts;
    struct connection *connection;
    uint32_t first, count; /* which of all connections belong to this process */
    uint32_t under_way[WINDOW], asked;
    int epoll;
    bool again; /* the last round: a connection that gets a response was alive */
};

static void connection_drop(struct connection *c)
{
    close(c->fd); /* this takes it out of the epoll too */
    c->state = NONE;
}

/* Each process prints each cause once; the number of refusals says how often it happened. */
static void refusal_tell(struct holder *h, uint32_t number)
{
    static int told;
    h->counts->refused++;
    if (errno == told) return;
    told = errno;
    warn("connection %u", number);
}

static bool connection_open(struct holder *h, uint32_t index)
{
    struct connection *c = &h->connection[index];
    struct epoll_event want = {EPOLLIN | EPOLLRDHUP, {.u32 = index}};
    c->fd = source_connect(h->first + index, plan.port, plan.wait_seconds);
    if (c->fd < 0 || epoll_ctl(h->epoll, EPOLL_CTL_ADD, c->fd, &want) < 0) {
        refusal_tell(h, h->first + index);
        return false;
    }
    h->counts->opened++;
    return true;
}

static void connection_ask(struct holder *h, uint32_t index)
{
    struct connection *c = &h->connection[index];
    ssize_t sent = send(c->fd, plan.request, plan.request_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)plan.request_length) {
        connection_drop(c);
        h->counts->unanswered++;
        return;
    }
    c->state = ASKED;
    c->asked_ns = now_ns();
    h->under_way[h->asked++] = index;
}

/* The request of this connection is over: it was answered or given up. */
static void asked_end(struct holder *h, uint32_t index, bool answered)
{
    uint32_t place = 0;
    while (h->under_way[place] != index)
        place++;
    h->under_way[place] = h->under_way[--h->asked];
    h->connection[index].state = IDLE;
    if (!answered) {
        connection_drop(&h->connection[index]);
        h->counts->unanswered++;
    } else if (h->again) {
        h->counts->alive++;
    } else {
        h->counts->answered++;
    }
}

static void connection_receive(struct holder *h, uint32_t index)
{
    struct connection *c = &h->connection[index];
    char bytes[65536];
    if (c->state == NONE) return;
    ssize_t received = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0 && c->state == ASKED) {
        asked_end(h, index, false);
    } else if (received <= 0) {
        connection_drop(c);
        h->counts->closed++;
    } else if (c->state == ASKED) {
        asked_end(h, index, memcmp(bytes, "HTTP/1.1 200", 12) == 0);
    }
}

static void late_give_up(struct holder *h)
{
    uint64_t before = now_ns() - plan.wait_seconds * NS;
    for (uint32_t i = h->asked; i-- > 0;)
        if (h->connection[h->under_way[i]].asked_ns < before) asked_end(h, h->under_way[i], false);
}

static void events_take(struct holder *h, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(h->epoll, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < count; i++)
        connection_receive(h, events[i].data.u32);
    if (count == 0) late_give_up(h);
}

/* Opens each connection of this process and sends a request on it; in the last round, only sends a request. */
static void round_run(struct holder *h)
{
    for (uint32_t i = 0; i < h->count; i++) {
        bool is_open = h->again ? h->connection[i].state == IDLE : connection_open(h, i);
        if (is_open) connection_ask(h, i);
        events_take(h, 0);
        while (h->asked == WINDOW)
            events_take(h, SCAN_MS);
    }
    while (h->asked > 0)
        events_take(h, SCAN_MS);
}

/* Holds the connections until the first process closes its end of the pipe, or is gone. */
static void hold(struct holder *h, int pipe_end)
{
    struct pollfd wait[2] = {{.fd = pipe_end}, {.fd = h->epoll, .events = POLLIN}};
    while (poll(wait, 2, -1) >= 0 && wait[0].revents == 0)
        events_take(h, 0);
}

static _Noreturn void holder_run(uint32_t index, int pipe_end)
{
    uint32_t share = plan.connections / plan.processes, rest = plan.connections % plan.processes;
    struct holder h = {.counts = &all[index], .epoll = epoll_create1(EPOLL_CLOEXEC)};
    h.first = index * share + (index < rest ? index : rest);
    h.count = share + (index < rest);
    h.connection = calloc(h.count + 1, sizeof *h.connection);
    if (!h.connection || h.epoll < 0) err(1, "process %u", index);
    round_run(&h);
    h.counts->holding = true;
    hold(&h, pipe_end);
    h.again = true;
    round_run(&h);
    exit(0);
}

/* ---- the first process ---------------------------------------------------------------------- */

static struct counts total(bool *all_hold)
{
    struct counts sum = {.opened = 0};
    *all_hold = true;
    for (uint32_t i = 0; i < plan.processes; i++) {
        const volatile struct counts *t = &all[i];
        sum.opened += t->opened, sum.refused += t->refused, sum.answered += t->answered;
        sum.unanswered += t->unanswered, sum.closed += t->closed, sum.alive += t->alive;
        *all_hold = *all_hold && t->holding;
    }
    return sum;
}

static void held_print(void)
{
    bool all_hold;
    struct counts t = total(&all_hold);
    printf("held opened %u refused %u answered %u unanswered %u closed %u\n", t.opened, t.refused,
           t.answered, t.unanswered, t.closed);
    fflush(stdout);
}

static void descriptors_plan(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max <= DESCRIPTORS_SPARE)
        errx(1, "ulimit -Hn %llu is too low", (unsigned long long)limit.rlim_max);
    rlim_t most = limit.rlim_max - DESCRIPTORS_SPARE;
    rlim_t needed = (plan.connections + most - 1) / most;
    if (plan.processes == 0 && needed <= PROCESSES_MAX) plan.processes = (uint32_t)needed;
    if (plan.processes < needed)
        errx(1,
             "%u connections need %llu processes of %llu descriptors (at most -p %d); raise "
             "ulimit -Hn",
             plan.connections, (unsigned long long)needed, (unsigned long long)limit.rlim_max,
             PROCESSES_MAX);
}

static uint32_t number_read(const char *text, uint32_t least, uint32_t most, const char *what)
{
    char *rest;
    unsigned long value = strtoul(text, &rest, 10);
    if (*text < '0' || *text > '9' || *rest || value < least || value > most)
        errx(2, "%s is a number from %u to %u, not '%s'", what, least, most, text);
    return (uint32_t)value;
}

static void arguments_read(int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "n:p:s:w:h")) != -1;) {
        switch (option) {
        case 'n': plan.connections = number_read(optarg, 1, CONNECTIONS_MAX, "-n"); break;
        case 'p': plan.processes = number_read(optarg, 1, PROCESSES_MAX, "-p"); break;
        case 's': plan.hold_seconds = number_read(optarg, 1, 86400, "-s"); break;
        case 'w': plan.wait_seconds = number_read(optarg, 1, 3600, "-w"); break;
        default: fputs(usage, option == 'h' ? stdout : stderr); exit(option == 'h' ? 0 : 2);
        }
    }
    if (argc - optind != 2) {
        fputs(usage, stderr);
        exit(2);
    }
    plan.port = (uint16_t)number_read(argv[optind], 1, 65535, "PORT");
    int length = snprintf(plan.request, sizeof plan.request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", argv[optind + 1]);
    if (length >= (int)sizeof plan.request) errx(2, "PATH is too long");
    plan.request_length = (size_t)length;
}

/* Starts the processes. Returns an end of the pipe: they hold their connections until it is closed. */
static int holders_start(void)
{
    int ends[2];
    size_t bytes = plan.processes * sizeof *all;
    all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || pipe(ends) < 0) err(1, "start");
    for (uint32_t i = 0; i < plan.processes; i++) {
        pid_t pid = fork();
        if (pid < 0) err(1, "fork");
        if (pid > 0) continue;
        close(ends[1]);
        holder_run(i, ends[0]);
    }
    close(ends[0]);
    return ends[1];
}

static void opening_await(void)
{
    bool all_hold = false;
    for (uint64_t told_ns = now_ns(); !all_hold; usleep(10000)) {
        struct counts t = total(&all_hold);
        if (waitpid(-1, NULL, WNOHANG) > 0) errx(1, "a process ended early");
        if (now_ns() - told_ns < NS) continue;
        told_ns = now_ns();
        fprintf(stderr, "%u of %u opened, %u answered, %u refused\n", t.opened, plan.connections,
                t.answered, t.refused);
    }
}

static void input_await(void)
{
    char bytes[256];
    if (plan.hold_seconds > 0)
        sleep(plan.hold_seconds);
    else
        while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
            continue;
}

int main(int argc, char **argv)
{
    bool all_hold;
    arguments_read(argc, argv);
    source_plan(plan.connections);
    descriptors_plan();
    int keep = holders_start();
    opening_await();
    held_print();
    input_await();
    held_print();
    close(keep);
    while (wait(NULL) > 0)
        continue;
    struct counts t = total(&all_hold);
    printf("ended alive %u lost %u\n", t.alive, t.answered - t.alive);
    return t.alive == plan.connections ? 0 : 1;
}
