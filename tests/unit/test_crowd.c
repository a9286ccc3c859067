/*
 * Which connection is closed when others wait: never one with a request under way; of the others,
 * the one that its peer needs least.
 */
#include "core_site.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLACES 200
#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct core_site site;
static struct slab clients;
static int peer[PLACES];
static uint32_t hand;
static uint64_t clock_ns; /* the clock of the test; a worker that sends reads the real clock */
static const struct client *kept_out;

static void set_up(void)
{
    core_site_open(&site);
    ck_assert_int_eq(slab_open(&clients, sizeof(struct client), PLACES), 0);
    hand = 0;
    clock_ns = 1000 * NS_PER_SECOND;
    kept_out = NULL;
}

static void client_end(struct client *client)
{
    uint32_t place = slab_index(&clients, client);
    ck_assert_int_eq(worker_advance(&site.worker, client), CONN_CLOSE);
    client_close(client, &site.worker);
    close(peer[place]);
    slab_put(&clients, client);
}

static void tear_down(void)
{
    for (uint32_t i = 0; i < clients.touched; i++) {
        struct client *client = slab_taken_at(&clients, i);
        if (!client) continue;
        conn_failed(&client->conn, CLOSE_DRAINED);
        client_end(client);
    }
    slab_close(&clients);
    core_site_close(&site);
}

static void time_pass(uint64_t ns)
{
    site.worker.now.monotonic_ns = clock_ns += ns;
}

/* Makes a connection whose deadline is this time from now. */
static struct client *waits_from_now(struct client *client, uint64_t patience_ns)
{
    client->conn.deadline_ns = clock_ns + patience_ns;
    time_pass(0);
    return client;
}

/* Returns a connection that was accepted now. */
static struct client *client_new(void)
{
    int pair[2];
    struct client *client = slab_take(&clients);
    ck_assert_ptr_nonnull(client);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    client_open(client, &site.worker, pair[0], NULL);
    peer[slab_index(&clients, client)] = pair[1];
    return waits_from_now(client, site.worker.rules->head_ns);
}

/* Bytes come and are received, but no clock is read. */
static void bytes_come(struct client *client, const char *text)
{
    client_lend_work(client, &site.worker);
    struct iovec space = conn_receive_space(&client->conn);
    memcpy(space.iov_base, text, strlen(text));
    drive_received(&site.worker, client, strlen(text));
}

/* Returns a connection that had a response now. It is kept, or with `last` it lingers. */
static struct client *client_used(bool last)
{
    struct client *client = client_new();
    struct outgoing out;
    conn_last(&client->conn, last);
    bytes_come(client, GET);
    ck_assert_int_eq(worker_advance(&site.worker, client), CONN_SEND);
    conn_outgoing(&client->conn, &out);
    conn_sent(&client->conn, out.length, &site.worker.now);
    if (worker_advance(&site.worker, client) == CONN_HALF_CLOSE)
        conn_half_closed(&client->conn, &site.worker.now);
    client_rest(client, &site.worker);
    conn_last(&client->conn, false);
    ck_assert_int_eq(conn_next(&client->conn), CONN_RECEIVE);
    return waits_from_now(client, last ? site.worker.rules->linger_ns : site.worker.rules->idle_ns);
}

static bool may_go(const struct client *client)
{
    return client != kept_out;
}

static struct client *choose(void)
{
    return crowd_choose(&clients, &hand, &site.worker, may_go);
}

START_TEST(nobody_is_there)
{
    ck_assert_ptr_null(choose());
}
END_TEST

START_TEST(the_longest_idle_goes)
{
    struct client *first = client_used(false);
    time_pass(1);
    struct client *second = client_used(false);
    time_pass(1);
    client_used(false);
    time_pass(TICK_NS - 3);
    ck_assert_ptr_null(choose()); /* none of them has been quiet for a tick */
    time_pass(1);
    ck_assert_ptr_eq(choose(), first);
    time_pass(NS_PER_SECOND);
    for (int i = 0; i < 5; i++)
        ck_assert_ptr_eq(choose(), first);
    kept_out = first;
    ck_assert_ptr_eq(choose(), second);
}
END_TEST

START_TEST(one_that_never_asked_goes_first)
{
    client_used(false);
    time_pass(NS_PER_SECOND);
    struct client *silent = client_new();
    time_pass(SERVE_TURN_NS - 1);
    ck_assert_ptr_ne(choose(), silent);
    time_pass(1);
    ck_assert_ptr_eq(choose(), silent);
}
END_TEST

START_TEST(one_that_waits_for_the_end_goes_last)
{
    struct client *lingering = client_used(true);
    ck_assert(lingering->conn.half_closed);
    time_pass(NS_PER_SECOND);
    ck_assert_ptr_eq(choose(), lingering);
    struct client *kept = client_used(false);
    time_pass(TICK_NS);
    ck_assert_ptr_eq(choose(), kept);
}
END_TEST

START_TEST(nothing_is_cut)
{
    bytes_come(client_new(), "G");
    bytes_come(client_new(), "GET / HTTP/1.1\r\nHost: a\r\n");
    struct client *answered = client_new();
    bytes_come(answered, GET);
    ck_assert_int_eq(worker_advance(&site.worker, answered), CONN_SEND);
    struct client *in_the_kernel = client_used(false);
    ck_assert_int_eq(write(peer[slab_index(&clients, in_the_kernel)], "G", 1), 1);
    time_pass(5 * NS_PER_SECOND);
    ck_assert_ptr_null(choose());
}
END_TEST

/* However many connections there are, a few calls find one that may go. */
START_TEST(looks_go_round)
{
    for (int i = 0; i < PLACES - 1; i++)
        bytes_come(client_new(), "G");
    struct client *idle = client_new(), *found = NULL;
    time_pass(NS_PER_SECOND);
    for (int looks = 0; looks < 4 && !found; looks++)
        found = choose();
    ck_assert_ptr_eq(found, idle);
}
END_TEST

START_TEST(counted)
{
    struct client *kept = client_used(false), *lingering = client_used(true);
    time_pass(NS_PER_SECOND);
    crowd_leave(kept, &site.worker);
    crowd_leave(lingering, &site.worker);
    client_end(kept);
    client_end(lingering);
    ck_assert_uint_eq(stats_read(&site.worker.stats->crowded), 2);
    ck_assert_uint_eq(stats_read(&site.worker.stats->closed[CLOSE_CROWDED]), 1);
    ck_assert_uint_eq(clients.used, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crowd");
    TCase *tcase = tcase_create("crowd");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nobody_is_there);
    tcase_add_test(tcase, the_longest_idle_goes);
    tcase_add_test(tcase, one_that_never_asked_goes_first);
    tcase_add_test(tcase, one_that_waits_for_the_end_goes_last);
    tcase_add_test(tcase, nothing_is_cut);
    tcase_add_test(tcase, looks_go_round);
    tcase_add_test(tcase, counted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
