/*
 * Tests of src/net/transmit.c over real sockets: short writes, files that shrank, peers that left.
 */
#define _GNU_SOURCE
#include "zcserve/transmit.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LARGE (4 * 1024 * 1024)
#define NO_BUDGET UINT64_MAX

static int sender = -1, receiver = -1;
static char large[LARGE], received[LARGE];

/* Opens a TCP connection with small buffers. Both ends are non-blocking. */
static void set_up(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(in);
    int size = 16384;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    signal(SIGPIPE, SIG_IGN); /* sendfile requires this of its caller */
    setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&in, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&in, &length), 0);
    receiver = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    ck_assert_int_eq(connect(receiver, (struct sockaddr *)&in, length), 0);
    sender = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(sender, 0);
    ck_assert_int_eq(fcntl(receiver, F_SETFL, O_NONBLOCK), 0);
    close(listener);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 2654435761u >> 13);
}

static void tear_down(void)
{
    close(sender);
    close(receiver);
}

static struct outgoing memory(const char *base, size_t length)
{
    struct outgoing out = {.count = 1, .fd = -1, .length = length};
    out.vector[0] = (struct iovec){.iov_base = (char *)(uintptr_t)base, .iov_len = length};
    return out;
}

/* Returns a file without a name that has the first `length` bytes of `large`. */
static int file_of(size_t length)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, large, length), (ssize_t)length);
    return fd;
}

/* Receives until nothing comes for `wait_ms`. Returns how many bytes `received` then has. */
static size_t receive_some(size_t already, int wait_ms)
{
    struct pollfd input = {.fd = receiver, .events = POLLIN};

    while (already < LARGE && poll(&input, 1, wait_ms) > 0) {
        ssize_t result = transmit_receive(receiver, received + already, LARGE - already);
        if (result <= 0) break;
        already += (size_t)result;
    }
    return already;
}

START_TEST(sends_one_vector)
{
    struct outgoing out = memory("hello", 5);

    ck_assert_int_eq(transmit(sender, &out, NO_BUDGET), 5);
    ck_assert_uint_eq(receive_some(0, 50), 5);
    ck_assert_int_eq(memcmp(received, "hello", 5), 0);
}
END_TEST

START_TEST(sends_several_vectors_in_order)
{
    struct outgoing out = {.count = OUTGOING_VECTORS_MAX, .fd = -1};

    for (int i = 0; i < OUTGOING_VECTORS_MAX; i++) {
        out.vector[i] = (struct iovec){.iov_base = large + 10 * i, .iov_len = 10};
        out.length += 10;
    }
    ck_assert_int_eq(transmit(sender, &out, NO_BUDGET), 10 * OUTGOING_VECTORS_MAX);
    ck_assert_uint_eq(receive_some(0, 50), 10 * OUTGOING_VECTORS_MAX);
    ck_assert_int_eq(memcmp(received, large, 10 * OUTGOING_VECTORS_MAX), 0);
}
END_TEST

/* Sends `large` in the pieces that the socket takes. The same bytes must arrive. */
static void send_large(bool from_file)
{
    int fd = from_file ? file_of(LARGE) : -1;
    size_t sent = 0, got = 0;
    int short_ones = 0, full = 0;

    while (sent < LARGE) {
        struct outgoing out = memory(large + sent, LARGE - sent);
        if (from_file) out = (struct outgoing){.fd = fd, .offset = sent, .length = LARGE - sent};
        ssize_t result = transmit(sender, &out, NO_BUDGET);
        if (result == -EAGAIN) {
            full++;
            got = receive_some(got, 1);
            continue;
        }
        ck_assert_int_gt(result, 0);
        short_ones += (size_t)result < LARGE - sent;
        sent += (size_t)result;
    }
    while (got < LARGE) {
        size_t more = receive_some(got, 500);
        ck_assert_uint_gt(more, got);
        got = more;
    }
    ck_assert_int_gt(short_ones, 0);
    ck_assert_int_gt(full, 0);
    ck_assert_int_eq(memcmp(received, large, LARGE), 0);
    if (from_file) close(fd);
}

START_TEST(sends_memory_in_pieces)
{
    send_large(false);
}
END_TEST

START_TEST(sends_a_file_in_pieces)
{
    send_large(true);
}
END_TEST

START_TEST(keeps_to_the_budget)
{
    int fd = file_of(10000);
    struct outgoing out = {.fd = fd, .offset = 100, .length = 9900};

    ck_assert_int_eq(transmit(sender, &out, 1000), 1000);
    ck_assert_uint_eq(receive_some(0, 50), 1000);
    ck_assert_int_eq(memcmp(received, large + 100, 1000), 0);
    out.length = 10; /* not more than the range is sent, although the file goes on */
    ck_assert_int_eq(transmit(sender, &out, 1000), 10);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 10000); /* the offset of the file has not changed */
    close(fd);
}
END_TEST

START_TEST(tells_that_a_file_shrank)
{
    int fd = file_of(1000);
    struct outgoing out = {.fd = fd, .offset = 0, .length = 5000};

    ck_assert_int_eq(transmit(sender, &out, NO_BUDGET), 1000);
    out.offset = 1000;
    out.length = 4000;
    ck_assert_int_eq(transmit(sender, &out, NO_BUDGET), -ENODATA);
    ck_assert_int_eq(ftruncate(fd, 10), 0);
    out.offset = 500;
    ck_assert_int_eq(transmit(sender, &out, NO_BUDGET), -ENODATA);
    close(fd);
}
END_TEST

START_TEST(tells_that_a_file_cannot_be_read)
{
    int directory = open("/tmp", O_RDONLY | O_DIRECTORY);
    struct outgoing out = {.fd = directory, .offset = 0, .length = 10};

    ck_assert_int_eq(transmit(sender, &out, NO_BUDGET), -EINVAL);
    close(directory);
}
END_TEST

/* With MSG_MORE nothing is sent for 200 ms, unless the rest comes; without it, at once. */
START_TEST(holds_a_head_back_for_its_file)
{
    int fd = file_of(100);
    struct outgoing head = memory("head", 4);
    struct outgoing body = {.fd = fd, .offset = 0, .length = 100};

    head.more = true;
    ck_assert_int_eq(transmit(sender, &head, NO_BUDGET), 4);
    ck_assert_uint_eq(receive_some(0, 20), 0);
    ck_assert_int_eq(transmit(sender, &body, NO_BUDGET), 100);
    struct pollfd input = {.fd = receiver, .events = POLLIN};
    ck_assert_int_eq(poll(&input, 1, 100), 1);
    ck_assert_int_eq(recv(receiver, received, LARGE, 0), 104);
    close(fd);
}
END_TEST

/* No send, sendmsg or sendfile may end the process: the error is returned. */
START_TEST(survives_a_peer_that_left)
{
    int fd = file_of(100);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct outgoing one = memory("x", 1);
    struct outgoing two = memory("x", 1);
    struct outgoing file = {.fd = fd, .offset = 0, .length = 100};
    const struct outgoing *outs[] = {&one, &two, &file};
    char byte = 0;

    two.vector[1] = two.vector[0];
    two.count = 2;
    two.length = 2;
    setsockopt(receiver, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(receiver);
    usleep(20000);
    ck_assert_int_eq(transmit_receive(sender, &byte, 1), -ECONNRESET);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(transmit(sender, outs[i], NO_BUDGET), -EPIPE);
    signal(SIGPIPE, SIG_DFL); /* for memory the signal need not be ignored */
    ck_assert_int_eq(transmit(sender, &one, NO_BUDGET), -EPIPE);
    ck_assert_int_eq(transmit(sender, &two, NO_BUDGET), -EPIPE);
    receiver = -1;
    close(fd);
}
END_TEST

START_TEST(receives_what_there_is)
{
    char space[4];

    ck_assert_int_eq(transmit_receive(receiver, space, sizeof(space)), -EAGAIN);
    struct outgoing out = memory("abcdef", 6);
    ck_assert_int_eq(transmit(sender, &out, NO_BUDGET), 6);
    struct pollfd input = {.fd = receiver, .events = POLLIN};
    ck_assert_int_eq(poll(&input, 1, 500), 1);
    ck_assert_int_eq(transmit_receive(receiver, space, sizeof(space)), 4);
    ck_assert_int_eq(memcmp(space, "abcd", 4), 0);
    ck_assert_int_eq(transmit_receive(receiver, space, sizeof(space)), 2);
    ck_assert_int_eq(shutdown(sender, SHUT_WR), 0);
    ck_assert_int_eq(poll(&input, 1, 500), 1);
    ck_assert_int_eq(transmit_receive(receiver, space, sizeof(space)), 0);
}
END_TEST

static volatile sig_atomic_t interrupted;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    interrupted++;
    if (interrupted == 3) send(sender, "x", 1, MSG_NOSIGNAL);
}

START_TEST(goes_on_after_a_signal)
{
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
    struct itimerval every = {.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000};
    struct itimerval never = {.it_value.tv_usec = 0};
    char byte = 0;

    ck_assert_int_eq(fcntl(receiver, F_SETFL, 0), 0);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    ck_assert_int_eq(transmit_receive(receiver, &byte, 1), 1);
    setitimer(ITIMER_REAL, &never, NULL);
    ck_assert_int_ge(interrupted, 3);
}
END_TEST

START_TEST(a_blocking_socket_s_time_runs_out)
{
    struct timeval wait = {.tv_usec = 30000};
    struct outgoing out = memory(large, LARGE);
    ssize_t result = 0;
    char byte = 0;

    ck_assert_int_eq(fcntl(sender, F_SETFL, 0), 0);
    setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    setsockopt(sender, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    ck_assert_int_eq(transmit_receive(sender, &byte, 1), -EAGAIN);
    for (int i = 0; i < 100 && result >= 0; i++)
        result = transmit(sender, &out, NO_BUDGET);
    ck_assert_int_eq(result, -EAGAIN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transmit");
    TCase *cases = tcase_create("transmit");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, sends_one_vector);
    tcase_add_test(cases, sends_several_vectors_in_order);
    tcase_add_test(cases, sends_memory_in_pieces);
    tcase_add_test(cases, sends_a_file_in_pieces);
    tcase_add_test(cases, keeps_to_the_budget);
    tcase_add_test(cases, tells_that_a_file_shrank);
    tcase_add_test(cases, tells_that_a_file_cannot_be_read);
    tcase_add_test(cases, holds_a_head_back_for_its_file);
    tcase_add_test(cases, survives_a_peer_that_left);
    tcase_add_test(cases, receives_what_there_is);
    tcase_add_test(cases, goes_on_after_a_signal);
    tcase_add_test(cases, a_blocking_socket_s_time_runs_out);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
