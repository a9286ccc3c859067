/*
 * Tests of what experiment 15 says about made-up figures, and of the requests that its minimal
 * servers accept.
 */
#include "lab.h"

#include "../../bench/lab/experiments/server_minimal.h"
#include "../../bench/lab/experiments/servers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const struct server *server_named(const char *name)
{
    const struct server *s = servers;
    while (s->name && strcmp(s->name, name) != 0)
        s++;
    ck_assert_ptr_nonnull(s->name);
    return s;
}

/* Sets three repetitions of a server under a load, with the prediction of the experiment. */
static void given(const char *server, const char *load, unsigned connections, const char *figure,
                  double value, double noise)
{
    char factors[200];
    snprintf(factors, sizeof factors, "server=%s load=%s connections=%u prediction=%s", server,
             load, connections, servers_prediction(server_named(server), load));
    lab_case(factors, figure, value, noise);
}

static void kept(const char *server, double few, double many, double noise)
{
    lab_given("servers");
    given(server, "kept", 32, "iops", few, noise);
    given(server, "kept", 1000, "iops", many, noise);
    lab_find("servers");
}

static const char flat[] = "Predicted: with the most kept connections there are at least 0.7";
static const char falls[] = "Predicted: with the most kept connections there are less than 0.7";

START_TEST(kept_connections_flat)
{
    kept("epoll", 50000, 49000, 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, flat), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for epoll (0.98)."), 1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

START_TEST(kept_connections_not_flat)
{
    kept("epoll", 50000, 20000, 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "It did not hold for epoll (0.4). What belongs"),
                      1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

START_TEST(kept_connections_of_processes_fall_or_not)
{
    kept("prefork", 50000, 20000, 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, falls), 1);
    ck_assert_uint_eq(lab_findings.count, 1);
    kept("prefork", 50000, 49000, 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, falls), 1);
    ck_assert_uint_eq(lab_said(-1, "Switches between address spaces are cheap"), 1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

START_TEST(noise_and_single_figures_are_left_open)
{
    kept("epoll", 50000, 36000, 20);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "It is too noisy to tell for epoll (0.72)."), 1);
    ck_assert_uint_eq(lab_findings.count, 1);
    lab_given("servers");
    table_add(&lab_table, "server=epoll load=kept prediction=flat connections=32 iops=10");
    table_add(&lab_table, "server=epoll load=kept prediction=flat connections=99 iops=10");
    lab_find("servers");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, flat), 1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

START_TEST(one_number_of_connections_says_nothing)
{
    lab_given("servers");
    given("epoll", "kept", 32, "iops", 50000, 1);
    lab_find("servers");
    ck_assert_uint_eq(lab_findings.count, 0);
}
END_TEST

START_TEST(new_connections)
{
    lab_given("servers");
    given("min-loop", "new", 32, "iops", 20000, 1);
    given("epoll", "new", 32, "iops", 15000, 1);
    given("min-thread", "new", 32, "iops", 8000, 1);
    given("min-fork", "new", 32, "iops", 4000, 1);
    lab_find("servers");
    ck_assert_uint_eq(
        lab_said(FINDING_NOT_HELD,
                 "It held for epoll (0.75), min-loop (1). It did not hold for min-thread (0.4)."),
        1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for min-fork (0.2)."), 1);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT,
                 "min-fork (new connections) has 0.5 times the operations/s of min-thread"),
        1);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT,
                 "epoll (new connections) has 0.75 times the operations/s of min-loop"),
        1);
    ck_assert_uint_eq(lab_findings.count, 4);
}
END_TEST

START_TEST(fork_that_is_not_costly)
{
    lab_given("servers");
    given("min-loop", "new", 32, "iops", 20000, 1);
    given("min-fork", "new", 32, "iops", 16000, 1);
    lab_find("servers");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "It did not hold for min-fork (0.8). Making the"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 1);
}
END_TEST

/* Sets p95 of one server alone and under a load. */
static void paced(const char *server, const char *load, double alone, double loaded)
{
    lab_given("servers");
    given(server, "alone", 16, "p95_us", alone, 1);
    given(server, load, 16, "p95_us", loaded, 1);
    lab_find("servers");
    ck_assert_uint_eq(lab_findings.count, 1);
}

START_TEST(slow_clients)
{
    paced("epoll", "slow", 100, 110);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for epoll (1.1)."), 1);
    paced("epoll", "slow", 100, 1000);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "It did not hold for epoll (10). The server has"),
                      1);
    paced("prefork", "slow", 100, 500000);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for prefork (5,000)."), 1);
    paced("prefork", "slow", 100, 100);
    ck_assert_uint_eq(
        lab_said(FINDING_NOT_HELD, "It did not hold for prefork (1). There were fewer"), 1);
}
END_TEST

START_TEST(slow_disk)
{
    paced("io_uring", "disk", 100, 90);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for io_uring (0.9)."), 1);
    paced("io_uring", "disk", 100, 900);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "It did not hold for io_uring (9). The CPU"), 1);
    paced("min-loop", "disk", 100, 900);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for min-loop (9)."), 1);
    paced("min-loop", "disk", 100, 150);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "It did not hold for min-loop (1.5). The device"),
                      1);
}
END_TEST

START_TEST(slow_readers)
{
    paced("threadpool", "readers", 100, 500000);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "slow readers, twice as many"), 1);
    paced("threadpool", "readers", 100, 100);
    ck_assert_uint_eq(
        lab_said(FINDING_NOT_HELD, "There were fewer slow readers than places in the pool"), 1);
    paced("min-loop", "readers", 100, 110);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "slow readers change p95 by less"), 1);
    paced("min-loop", "readers", 100, 900);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "something else that slow readers hold"), 1);
}
END_TEST

START_TEST(disk_that_is_made_slow)
{
    paced("epoll", "limited", 100, 110);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "cold files on a slow disk"), 1);
    paced("epoll", "limited", 100, 900);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "waits for the disk where it should not"), 1);
    paced("min-loop", "limited", 100, 90000);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "a loop that waits for a slow disk"), 1);
    paced("min-loop", "limited", 100, 100);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "in memory after all"), 1);
}
END_TEST

START_TEST(computing)
{
    paced("min-thread", "compute", 100, 8000);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for min-thread (0.4)."), 1);
    paced("min-thread", "compute", 100, 30000);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "It did not hold for min-thread (1.5). The sche"),
                      1);
    paced("min-loop", "compute", 100, 30000);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "It held for min-loop (1.5)."), 1);
    paced("min-loop", "compute", 100, 200);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "It did not hold for min-loop (0.01). There were"),
                      1);
    ck_assert_ptr_null(servers_prediction(server_named("epoll"), "compute"));
}
END_TEST

/* Sets the memory of a server with 32 and with 1,032 connections. */
static void memory(const char *server, double few, double many)
{
    given(server, "kept", 32, "memory_bytes", few, 0);
    given(server, "kept", 1032, "memory_bytes", many, 0);
}

START_TEST(memory_of_a_connection)
{
    lab_given("servers");
    memory("min-loop", 1e6, 1e6 + 2560e3);
    memory("min-fork", 4e6, 4e6 + 1000 * 1024.0);
    lab_find("servers");
    ck_assert_uint_eq(lab_said(FINDING_HELD, "min-loop 2.5 KiB (predicted 2.5 KiB)."), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "min-fork 1 KiB (predicted 32 KiB)."), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
    given("min-loop", "kept", 32, "kernel_bytes", 32 * 8192, 0);
    given("min-loop", "kept", 1032, "kernel_bytes", 1032 * 8192, 0);
    lab_find("servers");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "min-loop 8 KiB."), 1);
    ck_assert_uint_eq(lab_findings.count, 3);
}
END_TEST

START_TEST(memory_of_too_few_connections_says_nothing)
{
    lab_given("servers");
    memory("epoll", 3e6, 3e6); /* 1,000 more connections of 1 KiB: less than 1 MiB */
    lab_find("servers");
    ck_assert_uint_eq(lab_findings.count, 0);
}
END_TEST

START_TEST(busy_client_is_told)
{
    lab_given("servers");
    table_add(&lab_table, "server=epoll load=kept client_cpu=0.99");
    table_add(&lab_table, "server=epoll load=kept client_cpu=0.5");
    table_add(&lab_table, "server=epoll load=slow client_cpu=1");
    lab_find("servers");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "1 of 2 measurements of kept and new connections"), 1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

/* ---- the minimal servers --------------------------------------------------------------------- */

START_TEST(a_request_ends_with_an_empty_line)
{
    static const char two[] = "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
    ck_assert_uint_eq(minimal_request(two, 18), 0);
    ck_assert_uint_eq(minimal_request(two, 19), 19);
    ck_assert_uint_eq(minimal_request(two, sizeof two - 1), 19);
    ck_assert_uint_eq(minimal_request("", 0), 0);
}
END_TEST

static struct minimal_answer answer_to(const char *request)
{
    struct minimal_answer answer;
    int root = open("/proc/self", O_PATH | O_DIRECTORY);
    minimal_answer(&answer, root, request, strlen(request));
    close(root);
    return answer;
}

START_TEST(only_files_below_the_root_are_answered)
{
    static const char *const refused[] = {"GET /nothing HTTP/1.1\r\n\r\n",
                                          "GET /../../etc/passwd HTTP/1.1\r\n\r\n",
                                          "GET //etc/passwd HTTP/1.1\r\n\r\n",
                                          "GET /fd HTTP/1.1\r\n\r\n",
                                          "POST /stat HTTP/1.1\r\n\r\n",
                                          "GET / HTTP/1.1\r\n\r\n",
                                          "\r\n\r\n",
                                          "GET /exe HTTP/1.1\r\n\r\n"};
    for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct minimal_answer a = answer_to(refused[i]);
        ck_assert_msg(!strncmp(a.head, "HTTP/1.1 404 ", 13), "%s", refused[i]);
        ck_assert_int_eq(a.file, -1);
        ck_assert_uint_eq(a.left, 0);
    }
    struct minimal_answer a = answer_to("GET /stat HTTP/1.1\r\nConnection: close\r\n\r\n");
    ck_assert(!strncmp(a.head, "HTTP/1.1 200 OK\r\n", 17));
    ck_assert_int_ge(a.file, 0);
    ck_assert(a.last);
    minimal_answer_drop(&a);
    ck_assert_int_eq(a.file, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_servers");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, kept_connections_flat);
    tcase_add_test(cases, kept_connections_not_flat);
    tcase_add_test(cases, kept_connections_of_processes_fall_or_not);
    tcase_add_test(cases, noise_and_single_figures_are_left_open);
    tcase_add_test(cases, one_number_of_connections_says_nothing);
    tcase_add_test(cases, new_connections);
    tcase_add_test(cases, fork_that_is_not_costly);
    tcase_add_test(cases, slow_clients);
    tcase_add_test(cases, slow_disk);
    tcase_add_test(cases, slow_readers);
    tcase_add_test(cases, disk_that_is_made_slow);
    tcase_add_test(cases, computing);
    tcase_add_test(cases, memory_of_a_connection);
    tcase_add_test(cases, memory_of_too_few_connections_says_nothing);
    tcase_add_test(cases, busy_client_is_told);
    tcase_add_test(cases, a_request_ends_with_an_empty_line);
    tcase_add_test(cases, only_files_below_the_root_are_answered);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
