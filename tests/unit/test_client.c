/*
 * A connection with its socket: it is opened, closed and counted, and a late peer is distinguished
 * from a slow one.
 */
#include "core_site.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct core_site site;
static char heard[2000000];

static void set_up(void)
{
    core_site_open(&site);
    core_site_file(&site, "large", 1000000);
}

static void tear_down(void)
{
    core_site_close(&site);
}

static uint64_t connections(void)
{
    return stats_read(&site.worker.stats->connections);
}

START_TEST(opened_and_closed)
{
    core_site_connect(&site, 0);
    int fd = site.client.fd;
    ck_assert_uint_eq(connections(), 1);
    ck_assert_uint_eq(stats_read(&site.worker.stats->accepted), 1);
    ck_assert_uint_gt(conn_deadline_ns(&site.client.conn), site.worker.now.monotonic_ns);
    client_lend_work(&site.client, &site.worker);
    client_lend_work(&site.client, &site.worker); /* it has a work area already: nothing happens */
    ck_assert_uint_eq(site.worker.works.used, 1);
    conn_failed(&site.client.conn, CLOSE_IDLE_TIMEOUT);
    client_close(&site.client, &site.worker);
    site.open = false;
    ck_assert_uint_eq(site.worker.works.used, 0);
    ck_assert_uint_eq(connections(), 0);
    ck_assert_uint_eq(stats_read(&site.worker.stats->closed[CLOSE_IDLE_TIMEOUT]), 1);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(rests_when_idle)
{
    core_site_connect(&site, 0);
    client_rest(&site.client, &site.worker); /* it has no work area: nothing happens */
    core_site_say(&site, "GET / H");
    ck_assert_int_eq(core_site_turn(&site, UINT64_MAX), DRIVE_WANT_READ);
    client_rest(&site.client, &site.worker);
    /* With half a request, a connection is not idle. */
    ck_assert_uint_eq(site.worker.works.used, 1);
    core_site_say(&site, "TTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_int_eq(core_site_turn(&site, UINT64_MAX), DRIVE_WANT_READ);
    ck_assert_uint_eq(site.worker.works.used, 0);
}
END_TEST

static void open_with(const struct sockaddr_storage *peer)
{
    core_site_connect(&site, 0);
    stats_set(&site.worker.stats->connections, 0);
    client_open(&site.client, &site.worker, site.client.fd, peer);
}

START_TEST(peer_of_ipv4)
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&peer;
    *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(4711)};
    in->sin_addr.s_addr = htonl(0xc0000201);
    open_with(&peer);
    ck_assert_int_eq(memcmp(&site.client.peer, in, sizeof(*in)), 0);
}
END_TEST

START_TEST(peer_of_ipv6)
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)&peer;
    *in = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(4711)};
    in->sin6_addr = in6addr_loopback;
    open_with(&peer);
    ck_assert_int_eq(memcmp(&site.client.peer, in, sizeof(*in)), 0);
}
END_TEST

START_TEST(peer_of_no_name)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNIX};
    open_with(&peer);
    ck_assert_int_ne(site.client.peer.sin6_family, AF_INET);
    ck_assert_int_ne(site.client.peer.sin6_family, AF_INET6);
}
END_TEST

static void time_set(uint64_t ns)
{
    site.worker.now.monotonic_ns = ns;
}

START_TEST(idle_is_late_at_its_deadline)
{
    core_site_connect(&site, 0);
    uint64_t deadline = conn_deadline_ns(&site.client.conn);
    time_set(deadline - 1);
    ck_assert(!client_is_late(&site.client, &site.worker));
    time_set(deadline);
    ck_assert(client_is_late(&site.client, &site.worker));
}
END_TEST

static void sending_begin(void)
{
    core_site_connect(&site, 8192);
    core_site_say(&site, GET("/large"));
    ck_assert_int_eq(core_site_turn(&site, UINT64_MAX), DRIVE_WANT_WRITE);
    /* This call looks how many bytes are on their way. */
    ck_assert(!client_is_late(&site.client, &site.worker));
}

START_TEST(peer_that_takes_nothing_is_late)
{
    sending_begin();
    time_set(conn_deadline_ns(&site.client.conn));
    ck_assert(client_is_late(&site.client, &site.worker));
    conn_expired(&site.client.conn, &site.worker.now);
    ck_assert_int_eq(drive(&site.worker, &site.client, UINT64_MAX), DRIVE_DONE);
    ck_assert_int_eq(conn_close_reason(&site.client.conn), CLOSE_SEND_TIMEOUT);
}
END_TEST

/* The peer takes at most 20,000 bytes until its deadline, and a moment passes. Returns whether it is late. */
static bool is_late_at(uint64_t send_byte_ns)
{
    site.service.rules.send_byte_ns = send_byte_ns;
    sending_begin();
    ck_assert_int_gt(core_site_hear(&site, heard, 20000), 0);
    time_set(conn_deadline_ns(&site.client.conn) + NS_PER_MS);
    return client_is_late(&site.client, &site.worker);
}

START_TEST(peer_that_takes_less_than_it_must_is_late)
{
    ck_assert(is_late_at(1)); /* 10^9 bytes a second */
    conn_expired(&site.client.conn, &site.worker.now);
    ck_assert_int_eq(drive(&site.worker, &site.client, UINT64_MAX), DRIVE_DONE);
    ck_assert_int_eq(conn_close_reason(&site.client.conn), CLOSE_SEND_SLOW);
}
END_TEST

START_TEST(peer_that_takes_what_it_must_is_not_late)
{
    ck_assert(!is_late_at(NS_PER_SECOND / 500));
    uint64_t now_ns = site.worker.now.monotonic_ns;
    ck_assert_uint_gt(conn_deadline_ns(&site.client.conn), now_ns);
    ck_assert_uint_le(conn_deadline_ns(&site.client.conn), now_ns + site.service.rules.send_ns);
}
END_TEST

START_TEST(peer_that_takes_a_little_is_slow)
{
    sending_begin();
    ck_assert_int_gt(core_site_hear(&site, heard, 20000), 0);
    uint64_t deadline = conn_deadline_ns(&site.client.conn);
    time_set(deadline);
    ck_assert(!client_is_late(&site.client, &site.worker));
    ck_assert_uint_eq(conn_deadline_ns(&site.client.conn), deadline + site.service.rules.send_ns);
    time_set(conn_deadline_ns(&site.client.conn)); /* the peer has taken nothing since then */
    ck_assert(client_is_late(&site.client, &site.worker));
}
END_TEST

START_TEST(all_are_drained)
{
    struct slab clients;
    ck_assert_int_eq(slab_open(&clients, sizeof(struct client), 4), 0);
    core_site_connect(&site, 0);
    struct client *first = slab_take(&clients), *second = slab_take(&clients);
    *first = *second = site.client;
    struct client *gone = slab_take(&clients);
    *gone = site.client;
    slab_put(&clients, gone);
    clients_drain(&clients, &site.worker);
    ck_assert(site.worker.draining && first->conn.last && second->conn.last);
    uint64_t latest = site.worker.now.monotonic_ns + site.service.rules.linger_ns;
    ck_assert_uint_le(conn_deadline_ns(&first->conn), latest);
    ck_assert_uint_le(conn_deadline_ns(&second->conn), latest);
    slab_close(&clients);
}
END_TEST

/* ---- waiting for the disk -------------------------------------------------------------------- */

/* Makes an event loop, which has received a request and fetches its path from the disk. */
static void path_await(void)
{
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
    core_site_connect(&site, 8192);
    core_site_say(&site, GET("/large"));
    ck_assert(drive_receive(&site.worker, &site.client));
    struct stream *asking = conn_asking(&site.client.conn);
    struct errand *errand = store_errand(site.worker.store, conn_lookup(asking));
    ck_assert(fetcher_run(site.worker.fetcher, &site.client.wait, errand));
    site.client.parked = asking;
    conn_parked(&site.client.conn, asking);
}

static void fetched_await(void)
{
    struct pollfd poll_fd = {.fd = fetcher_fd(site.worker.fetcher), .events = POLLIN};
    ck_assert_int_eq(poll(&poll_fd, 1, 10000), 1);
    ck_assert_ptr_eq(fetcher_next(site.worker.fetcher), &site.client.wait);
}

/* A wait for the disk is never the fault of the peer, however long it takes. */
START_TEST(parked_is_never_late)
{
    path_await();
    time_set(conn_deadline_ns(&site.client.conn) + 1000 * NS_PER_SECOND);
    ck_assert(!client_is_late(&site.client, &site.worker));
    ck_assert(client_fetch(&site.client, &site.worker)); /* a fetch is under way already */
    fetched_await();
    client_fetched(&site.client, &site.worker);
    ck_assert_int_eq(site.client.wait.disk, DISK_FETCHED);
    ck_assert_int_eq(conn_next(&site.client.conn), CONN_RESOLVE);
    ck_assert_int_eq(worker_advance(&site.worker, &site.client), CONN_SEND);
    /* One lookup might wait for the disk, but not the next. */
    ck_assert_int_eq(site.client.wait.disk, DISK_IDLE);
}
END_TEST

START_TEST(closed_while_parked)
{
    path_await();
    conn_failed(&site.client.conn, CLOSE_PEER_RESET);
    client_close(&site.client, &site.worker);
    site.open = false;
    ck_assert(!wait_goes_on(&site.client.wait));
    ck_assert_ptr_null(fetcher_next(site.worker.fetcher));
}
END_TEST

/* The connection failed before the fetch was over: nothing happens to it. */
START_TEST(fetched_for_nobody)
{
    path_await();
    fetched_await();
    conn_failed(&site.client.conn, CLOSE_PEER_RESET);
    client_fetched(&site.client, &site.worker);
    ck_assert_int_eq(conn_next(&site.client.conn), CONN_CLOSE);
}
END_TEST

static void file_next(void)
{
    struct outgoing out;
    core_site_connect(&site, 8192);
    core_site_say(&site, GET("/large"));
    ck_assert(drive_receive(&site.worker, &site.client));
    ck_assert_int_eq(worker_advance(&site.worker, &site.client), CONN_SEND);
    conn_outgoing(&site.client.conn, &out);
    conn_sent(&site.client.conn, out.length, &site.worker.now);
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
}

START_TEST(range_is_fetched)
{
    file_next();
    ck_assert(client_fetch(&site.client, &site.worker));
    ck_assert_int_eq(site.client.wait.disk, DISK_AWAITED);
    time_set(conn_deadline_ns(&site.client.conn));
    ck_assert(!client_is_late(&site.client, &site.worker));
    fetched_await();
    client_fetched(&site.client, &site.worker);
    ck_assert_int_eq(site.client.wait.disk, DISK_FETCHED);
    ck_assert_uint_eq(conn_deadline_ns(&site.client.conn),
                      site.worker.now.monotonic_ns + site.service.rules.send_ns);
}
END_TEST

START_TEST(range_cannot_be_fetched)
{
    struct rlimit before, limit;
    file_next();
    getrlimit(RLIMIT_NOFILE, &before);
    limit = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert(!client_fetch(&site.client, &site.worker));
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert(!wait_goes_on(&site.client.wait));
    ck_assert_int_eq(drive(&site.worker, &site.client, UINT64_MAX), DRIVE_WANT_READ); /* lingers */
    ck_assert_int_eq(conn_close_reason(&site.client.conn), CLOSE_NO_MEMORY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client");
    TCase *tcase = tcase_create("client");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, opened_and_closed);
    tcase_add_test(tcase, rests_when_idle);
    tcase_add_test(tcase, peer_of_ipv4);
    tcase_add_test(tcase, peer_of_ipv6);
    tcase_add_test(tcase, peer_of_no_name);
    tcase_add_test(tcase, idle_is_late_at_its_deadline);
    tcase_add_test(tcase, peer_that_takes_nothing_is_late);
    tcase_add_test(tcase, peer_that_takes_a_little_is_slow);
    tcase_add_test(tcase, peer_that_takes_less_than_it_must_is_late);
    tcase_add_test(tcase, peer_that_takes_what_it_must_is_not_late);
    tcase_add_test(tcase, all_are_drained);
    tcase_add_test(tcase, parked_is_never_late);
    tcase_add_test(tcase, closed_while_parked);
    tcase_add_test(tcase, fetched_for_nobody);
    tcase_add_test(tcase, range_is_fetched);
    tcase_add_test(tcase, range_cannot_be_fetched);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
