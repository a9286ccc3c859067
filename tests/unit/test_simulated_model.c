/*
 * The io_uring model over a ring that gives every completion that the kernel may give. It runs in a
 * process of its own, with real sockets, real files, and clients that pipeline, finish sending, and
 * read at random times.
 */
#include "core_site.h"
#include "simulated_ring.h"
#include "model/models.h"
#include "model/uring.h"
#include "zcserve/listener.h"

#include <check.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SESSIONS 24 /* of one seed; SESSIONS_AT_ONCE of them are open at a time */
#define SESSIONS_AT_ONCE 6
#define PIPELINE_MAX 8
#define SEEDS 12

static const struct {
    const char *name;
    size_t length;
} files[] = {{"small", 100}, {"middle", 20000}, {"large", 300000}};

static struct core_site site;
static struct service service;
static pid_t child;

/* ---- the server ---------------------------------------------------------------------------- */

static void set_up(void)
{
    char problem[256];
    core_site_open(&site);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        core_site_file(&site, files[i].name, files[i].length);
    service = site.service;
    service.connections_max = 200; /* more than needed: otherwise listeners are polled */
    service.fetches_max = 64;
    service.processes = 1;
    service.backlog = 64;
    service.drain_ns = 20 * NS_PER_SECOND;
    service.addresses = 1;
    ck_assert_int_eq(listen_address_parse("127.0.0.1:0", &service.address[0], problem, 256), 0);
    ck_assert_msg(service_open(&service, NULL, problem, sizeof(problem)) == 0, "%s", problem);
}

static void tear_down(void)
{
    service_listeners_leave(&service);
    service_close(&service, NULL);
    core_site_close(&site);
}

/* Starts the server in a child, which gets all settings of the simulation made before. */
static void server_start(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    simulated.really_waits = true;
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0) return;
    sigprocmask(SIG_BLOCK, &signals, NULL);
    _exit(model_serve(&uring_model, &service, 0));
}

static int server_exit(void)
{
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

static int server_stop(void)
{
    kill(child, SIGTERM);
    return server_exit();
}

/* ---- a client ------------------------------------------------------------------------------ */

static struct session {
    int fd; /* -1: there is none */
    char request[PIPELINE_MAX * 64];
    size_t length, said;
    unsigned file[PIPELINE_MAX], files, answered;
    /* Shuts down its sending side when all is sent; else the last request says that it closes. */
    bool finishes;
    char head[1024];
    size_t head_length, body_length, body;
} sessions[SESSIONS_AT_ONCE];

static void session_begin(struct session *s, uint32_t chance)
{
    const struct listen_address *to = &service.address[0];
    *s = (struct session){.files = 1 + chance % PIPELINE_MAX, .finishes = chance & 32};
    for (unsigned i = 0; i < s->files; i++) {
        bool last = i + 1 == s->files && !s->finishes;
        s->file[i] = (chance >> (8 + 2 * i)) % 3;
        s->length += (size_t)snprintf(s->request + s->length, sizeof(s->request) - s->length,
                                      "GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n",
                                      files[s->file[i]].name, last ? "Connection: close\r\n" : "");
    }
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int receive_bytes = 4096;
    if (chance & 64)
        setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    ck_assert_int_eq(connect(s->fd, (const struct sockaddr *)&to->address, to->length), 0);
}

static void session_say(struct session *s, size_t most)
{
    size_t left = s->length - s->said;
    if (left == 0) return;
    ssize_t n = send(s->fd, s->request + s->said, most < left ? most : left, MSG_NOSIGNAL);
    if (n > 0) s->said += (size_t)n;
    if (s->said == s->length && s->finishes) shutdown(s->fd, SHUT_WR);
}

static void head_take(struct session *s)
{
    const char *length = strstr(s->head, "Content-Length: ");
    ck_assert_msg(strncmp(s->head, "HTTP/1.1 200 ", 13) == 0 && length, "%s", s->head);
    s->body_length = strtoul(length + 16, NULL, 10);
    s->body = s->head_length = 0;
    ck_assert_uint_lt(s->answered, s->files);
    ck_assert_uint_eq(s->body_length, files[s->file[s->answered]].length);
}

static void byte_take(struct session *s, char byte)
{
    if (s->body < s->body_length) {
        if (byte != core_site_byte(s->body)) ck_abort_msg("byte %zu is wrong", s->body);
        s->answered += ++s->body == s->body_length;
        return;
    }
    s->head[s->head_length++] = byte;
    s->head[s->head_length] = '\0';
    ck_assert_uint_lt(s->head_length, sizeof(s->head) - 1);
    if (s->head_length >= 4 && memcmp(s->head + s->head_length - 4, "\r\n\r\n", 4) == 0)
        head_take(s);
}

/* Reads as a client. Returns whether the session has ended, with all responses complete. */
static bool session_hear(struct session *s, size_t most)
{
    static char bytes[65536];
    ssize_t n = recv(s->fd, bytes, most, MSG_DONTWAIT);
    ck_assert(n >= 0 || errno == EAGAIN);
    for (ssize_t i = 0; i < n; i++)
        byte_take(s, bytes[i]);
    if (n != 0) return false;
    ck_assert_uint_eq(s->answered, s->files);
    close(s->fd);
    s->fd = -1;
    return true;
}

/* ---- by chance ----------------------------------------------------------------------------- */

/* Reads and writes random sizes. Sometimes it rests, so that sockets become full. */
static void sessions_run(uint64_t seed)
{
    unsigned begun = 0, ended = 0;
    struct timespec moment = {.tv_nsec = 100000};
    simulated_settings(seed, 1);
    for (int i = 0; i < SESSIONS_AT_ONCE; i++)
        sessions[i].fd = -1;
    while (ended < SESSIONS) {
        struct session *s = &sessions[simulated_random(SESSIONS_AT_ONCE)];
        if (s->fd < 0 && begun == SESSIONS) continue;
        if (s->fd < 0) {
            session_begin(s, simulated_random(1U << 30));
            begun++;
        }
        if (simulated_random(2)) session_say(s, 1 + simulated_random(200));
        if (simulated_random(4) == 0) ended += session_hear(s, 1 + simulated_random(65536));
        if (simulated_random(8) == 0) nanosleep(&moment, NULL);
    }
}

/* Every client gets each response completely, and at last the server ends as asked. */
START_TEST(every_answer_is_whole)
{
    static const unsigned faults[] = {2, 8, 32};
    service.uring.registered_files = _i % 2;
    service.uring.zero_copy_bytes = _i % 4 == 3 ? 1000 : 0;
    service.uring.gather_ns = _i % 3 == 0 ? NS_PER_MS : 0;
    simulated_settings((uint64_t)_i + 1, faults[_i % 3]);
    server_start();
    sessions_run((uint64_t)_i + 1);
    ck_assert_int_eq(server_stop(), 0);
}
END_TEST

/* ---- bytes that are taken directly --------------------------------------------------------- */

#define LATE "GET /small?late HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

static bool late_is_unseen; /* the server will soon receive LATE for the first time */

/* recv(2), but a file is replaced just before LATE is received, as if LATE was sent just then. */
ssize_t recv(int fd, void *space, size_t size, int flags)
{
    static const char late[] = LATE;
    char begin[sizeof(late)], from[80], to[80];
    long n =
        syscall(SYS_recvfrom, fd, begin, sizeof(late) - 1, MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
    if (late_is_unseen && n == (long)sizeof(late) - 1 && memcmp(begin, late, (size_t)n) == 0) {
        late_is_unseen = false;
        snprintf(from, sizeof(from), "%s/longer", site.root);
        snprintf(to, sizeof(to), "%s/small", site.root);
        simulated_holds(rename(from, to) == 0);
    }
    return syscall(SYS_recvfrom, fd, space, size, flags, NULL, NULL);
}

static int client_say(const char *request)
{
    const struct listen_address *to = &service.address[0];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to->address, to->length), 0);
    ck_assert_int_eq(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
    return fd;
}

/* Reads a response up to its end, after which the server closes. */
static void client_expect(int fd, const char *field)
{
    char answer[4096];
    size_t length = 0;
    ssize_t n;
    while ((n = recv(fd, answer + length, sizeof(answer) - 1 - length, 0)) > 0)
        length += (size_t)n;
    answer[length] = '\0';
    ck_assert_msg(strstr(answer, field) != NULL, "%s", answer);
    close(fd);
}

/*
 * The first client found no buffer, so its bytes are taken from the socket itself, later in the
 * turn. The request of the second client has already made the store look for changes. The store
 * must look once more.
 */
START_TEST(bytes_taken_directly_may_be_new)
{
    core_site_file(&site, "longer", 200);
    simulated_settings(1, 0);
    simulated_prescribe(IORING_OP_RECV, -ENOBUFS, 0);
    late_is_unseen = true;
    int first = client_say(LATE);
    int second = client_say("GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    server_start();
    late_is_unseen = false; /* in this process */
    client_expect(second, "\r\nContent-Length: 100\r\n");
    client_expect(first, "\r\nContent-Length: 200\r\n");
    ck_assert_int_eq(server_stop(), 0);
}
END_TEST

/* ---- the ring and its watches -------------------------------------------------------------- */

static void request_expect_answer(void)
{
    struct session *s = &sessions[0];
    session_begin(s, 0);
    session_say(s, sizeof(s->request));
    struct pollfd fd = {.fd = s->fd, .events = POLLIN};
    do {
        ck_assert_int_eq(poll(&fd, 1, 20000), 1);
    } while (!session_hear(s, 65536));
}

/*
 * A descriptor that cannot be watched is tried again once a tick. There are three, and that of
 * signals matters most.
 */
START_TEST(watches_fail)
{
    struct now before, after;
    simulated_settings(1, 0);
    for (int i = 0; i < SIMULATED_SCRIPT; i++)
        simulated_prescribe(IORING_OP_POLL_ADD, -ENOMEM, 0);
    simulated.results = mmap(NULL, 256 * sizeof(unsigned), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(simulated.results != MAP_FAILED);
    now_read(&before);
    server_start();
    request_expect_answer();
    ck_assert_int_eq(server_stop(), 0);
    now_read(&after);
    uint64_t ticks = (after.monotonic_ns - before.monotonic_ns) / TICK_NS;
    ck_assert_uint_ge(simulated.results[IORING_OP_POLL_ADD], 3);
    ck_assert_uint_le(simulated.results[IORING_OP_POLL_ADD], 3 * (ticks + 3));
}
END_TEST

START_TEST(watches_are_cancelled_at_first)
{
    simulated_settings(1, 0);
    for (int i = 0; i < 15; i++)
        simulated_prescribe(IORING_OP_POLL_ADD, -ECANCELED, 0);
    server_start();
    request_expect_answer();
    ck_assert_int_eq(server_stop(), 0);
}
END_TEST

/* The ring is broken for ever: this process ends with a failure, and another must be started. */
START_TEST(broken_ring_ends_the_worker)
{
    static const int errors[] = {-EBADR, -EBADFD, -EINVAL};
    simulated_settings(1, 0);
    simulated.refusal = errors[_i];
    simulated.refusals = UINT32_MAX;
    server_start();
    ck_assert_int_eq(server_exit(), 1);
}
END_TEST

/* ---- accepting ----------------------------------------------------------------------------- */

static struct uring_loop loop;

static void loop_make(void)
{
    char problem[256];
    simulated_settings(1, 0);
    loop = (struct uring_loop){.service = &service};
    loop.last = &loop.first;
    loop.worker.stats = &service.board[0];
    loop.worker.rules = &service.rules;
    ck_assert_int_eq(slab_open(&loop.clients, sizeof(struct uring_client), 100), 0);
    ck_assert_int_eq(ring_open(&loop.ring, 100, &service.uring, problem, sizeof(problem)), 0);
    ck_assert(uring_listeners_open(&loop));
    uring_listeners_look(&loop); /* this begins to accept */
    ck_assert(loop.listener[0].accepts);
}

static void loop_end(void)
{
    free(loop.listener);
    ring_close(&loop.ring);
    slab_close(&loop.clients);
}

static void accepted(int result)
{
    struct io_uring_cqe cqe = {.res = result};
    uring_accepted(&loop, 0, &cqe);
}

/* An error of one connection, or of none, does not make the next connection wait until a tick. */
START_TEST(accept_goes_on_at_once)
{
    static const int errors[] = {-EAGAIN, -EINTR, -ECONNABORTED, -ECANCELED, -EPROTO, -ENETDOWN};
    loop_make();
    for (int i = 0; i < 10; i++) {
        accepted(errors[_i]);
        ck_assert(loop.listener[0].accepts && !loop.paused);
    }
    loop_end();
}
END_TEST

/* But the loop does not turn for ever when accepting never succeeds: it then polls the listener. */
START_TEST(accept_in_vain_has_an_end)
{
    static const int errors[] = {-EAGAIN, -EINTR, -ECONNABORTED};
    int i = 0;
    loop_make();
    for (; i < 1000 && !loop.listener[0].polls; i++)
        accepted(errors[_i]);
    ck_assert_int_lt(i, 100);
    loop_end();
}
END_TEST

/*
 * When several workers wait for a listener, the kernel wakes only one. A worker that stops to stand
 * in for another may be the one that was woken, so it takes what is there. The owner of the
 * listener begins to wait again.
 */
START_TEST(given_up_listener_is_looked_at_once_more)
{
    int clients[16], taken;
    char problem[256];
    service_listeners_leave(&service);
    service_close(&service, NULL);
    service.processes = service.workers = 2;
    ck_assert_msg(service_open(&service, NULL, problem, sizeof(problem)) == 0, "%s", problem);
    loop_make();
    ck_assert(loop.listener[0].accepts && !loop.listener[1].accepts);
    atomic_store(&service.roster[1].stand_in, 0);
    uring_listeners_look(&loop);
    ck_assert(loop.listener[1].accepts);
    for (int i = 0; i < 16; i++)
        clients[i] = client_say("GET /small HTTP/1.1\r\n");
    atomic_store(&service.roster[1].stand_in, SERVICE_NO_WORKER);
    uring_listeners_look(&loop);
    struct io_uring_cqe cancelled = {.res = -ECANCELED};
    uring_accepted(&loop, 1, &cancelled);
    taken = (int)loop.clients.used;
    ck_assert_int_gt(taken, 0); /* in one of 65536 runs all 16 are the other's */
    ck_assert(!loop.listener[1].accepts && !listener_is_awaited(loop.listener[1].fd));
    uring_accepted(&loop, 0, &cancelled);
    ck_assert(loop.listener[0].accepts); /* the kernel looks at the queue when it begins */
    for (int i = 0; i < 16; i++)
        close(clients[i]);
    loop_end();
}
END_TEST

/*
 * When the error does not concern one connection, the listener is polled, so that the next try
 * shows the error.
 */
START_TEST(accept_polls_when_something_is_short)
{
    static const int errors[] = {-EMFILE, -ENFILE, -ENOMEM, -ENOBUFS};
    loop_make();
    accepted(errors[_i]);
    ck_assert(loop.listener[0].accepts && loop.listener[0].polls);
    loop_end();
}
END_TEST

/*
 * The place that was last made room by belongs to another connection now, whose peer is gone while the disk is
 * still read for it. That may take long: so it is not the one that makes room, and another one goes.
 */
START_TEST(one_that_failed_is_not_one_that_leaves)
{
    loop_make();
    loop.worker.now.monotonic_ns = 1000 * NS_PER_SECOND;
    struct now long_ago = {.monotonic_ns = NS_PER_SECOND};
    while (loop.clients.used < loop.clients.count) {
        struct uring_client *k = slab_take(&loop.clients);
        *k = (struct uring_client){.client.fd = -1};
        conn_open(&k->client.conn, loop.worker.rules, &long_ago);
    }
    struct uring_client *gone = slab_taken_at(&loop.clients, loop.leaving);
    gone->lane.sending = LANE_IN_FETCH;
    conn_failed(&gone->client.conn, CLOSE_PEER_RESET);
    int waits = client_say("GET /small HTTP/1.1\r\n");
    loop.listener[0].polls = true;
    accepted(POLLIN);
    ck_assert_ptr_nonnull(loop.first);
    ck_assert_ptr_ne(loop.first, gone);
    ck_assert_int_eq(conn_close_reason(&loop.first->client.conn), CLOSE_CROWDED);
    close(waits);
    loop_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simulated_model");
    TCase *tcase = tcase_create("simulated_model");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_answer_is_whole, 0, SEEDS);
    tcase_add_test(tcase, bytes_taken_directly_may_be_new);
    tcase_add_test(tcase, watches_fail);
    tcase_add_test(tcase, watches_are_cancelled_at_first);
    tcase_add_loop_test(tcase, broken_ring_ends_the_worker, 0, 3);
    tcase_add_loop_test(tcase, accept_goes_on_at_once, 0, 6);
    tcase_add_loop_test(tcase, accept_in_vain_has_an_end, 0, 3);
    tcase_add_test(tcase, given_up_listener_is_looked_at_once_more);
    tcase_add_loop_test(tcase, accept_polls_when_something_is_short, 0, 4);
    tcase_add_test(tcase, one_that_failed_is_not_one_that_leaves);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
