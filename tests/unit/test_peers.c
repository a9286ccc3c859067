/*
 * Tests of src/status/peers.c: which peers are closed, when, and in which order.
 */
#include "status/peers.h"

#include "zcserve/now.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct peers peers;
static uint64_t clock_ns;

static void set_up(void)
{
    peers_open(&peers);
    clock_ns = 1000 * NS_PER_SECOND;
}

/* A peer of this address comes, a millisecond after the one before. */
static struct peer *come(const char *address)
{
    static int fd = 100;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const struct sockaddr *name = NULL;
    if (address && inet_pton(AF_INET, address, &in.sin_addr) == 1)
        name = (const struct sockaddr *)&in;
    else if (address && inet_pton(AF_INET6, address, &in6.sin6_addr) == 1)
        name = (const struct sockaddr *)&in6;
    clock_ns += NS_PER_MS;
    struct peer *peer = peers_add(&peers, fd++, name, clock_ns);
    ck_assert_ptr_nonnull(peer);
    return peer;
}

static struct peer *next(void)
{
    return peers_next_to_go(&peers, clock_ns);
}

START_TEST(each_stage_has_its_time)
{
    static const struct {
        enum peer_stage stage;
        uint64_t seconds;
    } cases[] = {{PEER_FRESH, 5}, {PEER_ANSWERED, 20}, {PEER_KEPT, 75}};
    for (size_t i = 0; i < 3; i++) {
        set_up();
        struct peer *peer = come("10.0.0.1");
        peer_enter(peer, cases[i].stage, clock_ns);
        uint64_t due_ns = clock_ns + cases[i].seconds * NS_PER_SECOND;
        ck_assert_uint_eq(peers_deadline_ns(&peers), due_ns);
        clock_ns = due_ns - 1;
        ck_assert_ptr_null(next());
        clock_ns = due_ns;
        ck_assert_ptr_eq(next(), peer);
        ck_assert_ptr_null(next()); /* each is returned once */
        ck_assert_uint_eq(peers_deadline_ns(&peers), UINT64_MAX);
        peers_remove(peer);
    }
}
END_TEST

START_TEST(of_one_address_the_oldest_goes)
{
    struct peer *first = come("10.0.0.1"), *second = come("10.0.0.1");
    for (int i = 2; i < PEERS_OF_ADDRESS_MAX; i++)
        come("10.0.0.1");
    come("10.0.0.2");
    ck_assert_ptr_null(next());
    come("10.0.0.1");
    ck_assert_ptr_eq(next(), first);
    ck_assert_ptr_null(next());
    come("10.0.0.1");
    ck_assert_ptr_eq(next(), second);
    peers_remove(first);
    ck_assert_ptr_null(next());
}
END_TEST

START_TEST(of_all_the_one_that_waited_longest_goes)
{
    char address[32];
    struct peer *first = NULL, *second = NULL;
    for (int i = 0; i < PEERS_MAX; i++) {
        snprintf(address, sizeof(address), "10.0.0.%d", i);
        struct peer *peer = come(address);
        if (i == 0) first = peer;
        if (i == 1) second = peer;
    }
    ck_assert_ptr_null(next());
    peer_enter(first, PEER_KEPT, ++clock_ns); /* this one has just asked */
    come("10.0.1.1");
    ck_assert_ptr_eq(next(), second);
}
END_TEST

/* However late the others are, a peer that has just come or has just asked gets its response. */
START_TEST(who_has_just_come_stays)
{
    struct peer *all[PEERS_OF_ADDRESS_MAX];
    for (int i = 0; i < PEERS_OF_ADDRESS_MAX; i++) {
        all[i] = come("10.0.0.1");
        peer_enter(all[i], PEER_ANSWERED, ++clock_ns);
    }
    struct peer *new = come("10.0.0.1");
    ck_assert_ptr_eq(next(), all[0]);
    peer_enter(new, PEER_ANSWERED, ++clock_ns);
    come("10.0.0.1");
    ck_assert_ptr_eq(next(), all[1]);
    ck_assert_ptr_null(next());
}
END_TEST

START_TEST(networks_of_ipv6_are_one_and_ipv4_is_itself)
{
    char address[64];
    struct peer *first = NULL;
    for (int i = 0; i <= PEERS_OF_ADDRESS_MAX; i++) {
        snprintf(address, sizeof(address), "2001:db8:0:1::%x", i + 1);
        struct peer *peer = come(address);
        if (i == 0) first = peer;
    }
    ck_assert_ptr_eq(next(), first);
    for (int i = 0; i <= PEERS_OF_ADDRESS_MAX; i++) {
        snprintf(address, sizeof(address), "2001:db8:0:%x::1", i + 2);
        come(address);
    }
    ck_assert_ptr_null(next());
    for (int i = 0; i < PEERS_OF_ADDRESS_MAX; i++) {
        struct peer *peer = come("10.1.1.1");
        if (i == 0) first = peer;
    }
    struct peer *mapped = come("::ffff:10.1.1.1");
    ck_assert_ptr_eq(next(), first);
    ck_assert_ptr_ne(first, mapped);
}
END_TEST

START_TEST(unix_sockets_share_all_places)
{
    struct peer *first = come(NULL);
    for (int i = 1; i < PEERS_MAX; i++)
        come(NULL);
    ck_assert_ptr_null(next());
    come(NULL);
    ck_assert_ptr_eq(next(), first);
}
END_TEST

START_TEST(a_full_table_takes_nobody)
{
    for (int i = 0; i < PEERS_ROOM; i++)
        come(NULL);
    ck_assert_ptr_null(peers_add(&peers, 7, NULL, clock_ns));
    peers_remove(&peers.peer[3]);
    ck_assert_ptr_eq(peers_add(&peers, 7, NULL, clock_ns), &peers.peer[3]);
    peers_remove(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peers");
    TCase *cases = tcase_create("peers");
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, each_stage_has_its_time);
    tcase_add_test(cases, of_one_address_the_oldest_goes);
    tcase_add_test(cases, of_all_the_one_that_waited_longest_goes);
    tcase_add_test(cases, who_has_just_come_stays);
    tcase_add_test(cases, networks_of_ipv6_are_one_and_ipv4_is_itself);
    tcase_add_test(cases, unix_sockets_share_all_places);
    tcase_add_test(cases, a_full_table_takes_nobody);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
