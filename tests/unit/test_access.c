/*
 * Tests of src/access/access.c: gathering, the interval, and a count of exactly what was dropped.
 */
#define _GNU_SOURCE
#include "zcserve/access.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define INTERVAL_NS (100 * NS_PER_MS)

static int sender = -1, receiver = -1;
static _Atomic uint64_t dropped;
static struct now now = {.monotonic_ns = NS_PER_SECOND, .wall_seconds = 784111777};

static void set_up(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    sender = pair[0];
    receiver = pair[1];
}

static void tear_down(void)
{
    close(sender);
    close(receiver);
}

/* Writes one line, whose status is this number. */
static void write_line(struct access_log *log, uint16_t number)
{
    struct exchange record = {.method_name = TEXT("GET"), .target = TEXT("/"), .status = number};

    access_log_write(log, &record, NULL, &now);
}

/* Receives one message of whole lines. Returns their number, or -1 when there is no message. */
static int lines_received(char *message, size_t size)
{
    ssize_t length = recv(receiver, message, size, MSG_DONTWAIT);
    int lines = 0;

    if (length <= 0) return -1;
    ck_assert_int_eq(message[length - 1], '\n');
    ck_assert_int_eq(memcmp(message, "- - - [06/Nov/1994", 18), 0);
    for (ssize_t i = 0; i < length; i++)
        lines += message[i] == '\n';
    return lines;
}

static int all_lines_received(void)
{
    static char message[ACCESS_MESSAGE_BYTES_MAX];
    int lines = 0, more = 0;

    while ((more = lines_received(message, sizeof(message))) > 0)
        lines += more;
    return lines;
}

START_TEST(sends_when_there_is_enough)
{
    char message[ACCESS_MESSAGE_BYTES_MAX];
    struct access_log *log =
        access_log_open(sender, ACCESS_COMBINED, 0, 1024, INTERVAL_NS, &dropped);
    int written = 0;

    ck_assert_ptr_nonnull(log);
    do {
        ck_assert_int_lt(written, 100);
        write_line(log, 200);
        written++;
    } while (recv(receiver, message, 1, MSG_DONTWAIT | MSG_PEEK) < 0);
    ck_assert_int_gt(written, 5);
    ck_assert_int_eq(lines_received(message, sizeof(message)), written);
    access_log_close(log);
    ck_assert_uint_eq(dropped, 0);
}
END_TEST

START_TEST(sends_after_the_interval)
{
    struct access_log *log =
        access_log_open(sender, ACCESS_COMBINED, 0, 65536, INTERVAL_NS, &dropped);
    uint64_t first_ns = now.monotonic_ns;

    ck_assert_uint_eq(access_log_flush(log, &now), UINT64_MAX);
    write_line(log, 200);
    now.monotonic_ns += INTERVAL_NS / 2;
    write_line(log, 200);
    ck_assert_uint_eq(access_log_flush(log, &now), first_ns + INTERVAL_NS);
    ck_assert_int_eq(all_lines_received(), 0);
    now.monotonic_ns = first_ns + INTERVAL_NS;
    ck_assert_uint_eq(access_log_flush(log, &now), UINT64_MAX);
    ck_assert_int_eq(all_lines_received(), 2);

    now.monotonic_ns += NS_PER_SECOND;
    write_line(log, 200);
    ck_assert_uint_eq(access_log_flush(log, &now), now.monotonic_ns + INTERVAL_NS);
    access_log_close(log);
    ck_assert_int_eq(all_lines_received(), 1); /* closing sends what is left */
}
END_TEST

START_TEST(sends_more_than_one_message_holds)
{
    size_t size = 2 * ACCESS_MESSAGE_BYTES_MAX;
    int large = 1 << 20;
    struct access_log *log = access_log_open(sender, ACCESS_JSON, 0, size, INTERVAL_NS, &dropped);
    setsockopt(sender, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
    static char message[2 * ACCESS_MESSAGE_BYTES_MAX];
    int written = 0, lines = 0;

    for (; written < 700; written++)
        write_line(log, 200);
    access_log_close(log);
    for (;;) {
        ssize_t length = recv(receiver, message, sizeof(message), MSG_DONTWAIT);
        if (length <= 0) break;
        ck_assert_int_le(length, ACCESS_MESSAGE_BYTES_MAX);
        ck_assert_int_eq(message[0], '{');
        ck_assert_int_eq(message[length - 1], '\n');
        for (ssize_t i = 0; i < length; i++)
            lines += message[i] == '\n';
    }
    ck_assert_int_eq(lines, written);
    ck_assert_uint_eq(dropped, 0);
}
END_TEST

START_TEST(counts_exactly_what_it_drops)
{
    struct access_log *log =
        access_log_open(sender, ACCESS_COMBINED, 0, 4096, INTERVAL_NS, &dropped);
    int received = 0;

    for (int i = 0; i < 20000; i++) {
        now.monotonic_ns += NS_PER_MS;
        write_line(log, 200);
    }
    ck_assert_uint_gt(dropped, 1000);
    ck_assert_uint_lt(dropped, 20000);

    /* Lines that were gathered are not dropped later: now there is room, and all of them come. */
    uint64_t before = dropped;
    ck_assert_uint_gt(access_log_flush(log, &now), now.monotonic_ns);
    received += all_lines_received();
    now.monotonic_ns += NS_PER_SECOND;
    ck_assert_uint_eq(access_log_flush(log, &now), UINT64_MAX);
    received += all_lines_received();
    ck_assert_uint_eq(dropped, before);
    for (int i = 0; i < 1000; i++) {
        now.monotonic_ns += NS_PER_MS;
        write_line(log, 200);
        received += all_lines_received();
    }
    access_log_close(log);
    received += all_lines_received();
    ck_assert_uint_eq(dropped, before);
    ck_assert_uint_eq(dropped + (unsigned)received, 21000);
}
END_TEST

START_TEST(counts_what_is_left_at_the_end)
{
    struct access_log *log =
        access_log_open(sender, ACCESS_COMBINED, 0, 4096, INTERVAL_NS, &dropped);

    for (int i = 0; i < 20000; i++) {
        now.monotonic_ns += NS_PER_MS;
        write_line(log, 200);
    }
    access_log_close(log);
    ck_assert_uint_eq(dropped + (unsigned)all_lines_received(), 20000);
}
END_TEST

START_TEST(drops_when_there_can_be_no_recorder)
{
    struct access_log *log =
        access_log_open(sender, ACCESS_COMBINED, 0, 1024, INTERVAL_NS, &dropped);

    close(receiver);
    for (int i = 0; i < 1000; i++)
        write_line(log, 200);
    access_log_close(log);
    access_log_close(NULL);
    ck_assert_uint_eq(dropped, 1000);
    receiver = -1;
}
END_TEST

/* Two workers use one socket: every line arrives once, and none is mixed with another line. */
START_TEST(keeps_lines_of_two_senders_whole)
{
    enum { COUNT = 3000 };
    static char message[ACCESS_MESSAGE_BYTES_MAX];
    static char text[700];
    pid_t child[2];
    int lines[2] = {0, 0}, status = 0;

    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        if (child[i] > 0) continue;
        close(receiver);
        struct access_log *log =
            access_log_open(sender, ACCESS_COMBINED, 0, 2048, INTERVAL_NS, &dropped);
        memset(text, 'a' + i, sizeof(text));
        struct exchange record = {
            .method_name = TEXT("GET"), .target = {text, sizeof(text)}, .status = 200};
        for (int k = 0; k < COUNT; k++) {
            now.monotonic_ns += NS_PER_MS;
            while (k % 4 == 0 && access_log_flush(log, &now) != UINT64_MAX) {
                /* Wait for room, so that no line is dropped here. */
                now.monotonic_ns += INTERVAL_NS;
                usleep(100);
            }
            access_log_write(log, &record, NULL, &now);
        }
        while (access_log_flush(log, &now) != UINT64_MAX) {
            now.monotonic_ns += INTERVAL_NS;
            usleep(100);
        }
        access_log_close(log);
        _exit((int)(dropped > 255 ? 255 : dropped));
    }
    close(sender);
    sender = -1;
    for (ssize_t length = 0; (length = recv(receiver, message, sizeof(message) - 1, 0)) > 0;) {
        message[length] = '\0';
        char *rest = NULL;
        for (char *line = strtok_r(message, "\n", &rest); line;
             line = strtok_r(NULL, "\n", &rest)) {
            char *target = strstr(line, "\"GET ") + 5;
            ck_assert_uint_eq(strspn(target, (char[]){target[0], '\0'}), sizeof(text));
            ck_assert_str_eq(target + sizeof(text), "\" 200 0 \"-\" \"-\" 0.000000 0 -");
            lines[target[0] - 'a']++;
        }
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
        ck_assert_msg(WIFEXITED(status), "status %d", status);
        ck_assert_int_eq(lines[i] + WEXITSTATUS(status), COUNT);
        ck_assert_int_eq(lines[i], COUNT);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access");
    TCase *cases = tcase_create("access");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, sends_when_there_is_enough);
    tcase_add_test(cases, sends_after_the_interval);
    tcase_add_test(cases, sends_more_than_one_message_holds);
    tcase_add_test(cases, counts_exactly_what_it_drops);
    tcase_add_test(cases, counts_what_is_left_at_the_end);
    tcase_add_test(cases, drops_when_there_can_be_no_recorder);
    tcase_add_test(cases, keeps_lines_of_two_senders_whole);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
