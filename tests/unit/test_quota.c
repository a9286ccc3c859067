/*
 * The limits of addresses: connections and requests are counted for all workers together, IPv6 by /64; what a
 * dead worker held is given back; a full table forgets the oldest address and no other.
 */
#include "zcserve/now.h"
#include "zcserve/quota.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4
#define CONNECTIONS 64
#define START (1000 * NS_PER_SECOND)

static const uint64_t seed[2] = {UINT64_C(0x123456789abcdef1), UINT64_C(0xfedcba987654321f)};
static struct quota_rules rules;
static struct quotas *quotas;

static void open_with(struct quota_rules with)
{
    quotas_close(quotas);
    rules = with;
    quotas = quotas_open(&rules, WORKERS, CONNECTIONS, seed);
    ck_assert_ptr_nonnull(quotas);
}

static void set_up(void)
{
    quotas = NULL;
    open_with((struct quota_rules){.connections = 3, .burst = 1, .addresses = 64});
}

static void tear_down(void)
{
    quotas_close(quotas);
}

static struct ip ip_from(const char *text)
{
    struct ip ip;
    ck_assert(ip_read((struct text){text, strlen(text)}, &ip));
    return ip;
}

static struct ip ip_number(uint32_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255,
             number & 255);
    return ip_from(text);
}

/* Returns what becomes of a connection, and its hold. */
static enum quota_place begin_at(uint32_t worker, struct ip ip, uint64_t now_ns, uint32_t *hold)
{
    return quota_hold(quotas, worker, &ip, now_ns, hold);
}

static enum quota_place begin(uint32_t worker, const char *address, uint32_t *hold)
{
    return begin_at(worker, ip_from(address), START, hold);
}

/* ---- connections ------------------------------------------------------------------------------ */

START_TEST(counts_for_all_workers)
{
    uint32_t hold[4];
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(begin(i, "192.0.2.1", &hold[i]), QUOTA_ALLOWED);
    ck_assert_int_eq(begin(3, "192.0.2.1", &hold[3]), QUOTA_OVER);
    ck_assert_uint_eq(hold[3], HOLD_NONE);
    ck_assert_int_eq(begin(3, "192.0.2.2", &hold[3]), QUOTA_ALLOWED);
    quota_release(quotas, 1, hold[1]);
    ck_assert_int_eq(begin(2, "192.0.2.1", &hold[1]), QUOTA_ALLOWED);
    ck_assert_int_eq(begin(0, "192.0.2.1", &hold[1]), QUOTA_OVER);
}
END_TEST

START_TEST(ipv6_counts_by_its_first_64_bits)
{
    uint32_t hold;
    ck_assert_int_eq(begin(0, "2001:db8:0:1::1", &hold), QUOTA_ALLOWED);
    ck_assert_int_eq(begin(0, "2001:db8:0:1:ffff::2", &hold), QUOTA_ALLOWED);
    ck_assert_int_eq(begin(0, "2001:db8:0:1::3", &hold), QUOTA_ALLOWED);
    ck_assert_int_eq(begin(0, "2001:db8:0:1:8000::", &hold), QUOTA_OVER);
    ck_assert_int_eq(begin(0, "2001:db8:0:2::1", &hold), QUOTA_ALLOWED);
}
END_TEST

START_TEST(ipv4_and_its_form_in_ipv6_are_one_address)
{
    struct ip plain = ip_from("192.0.2.1"), mapped = ip_from("::ffff:192.0.2.1"),
              other = ip_from("192.0.2.2"), ipv6 = ip_from("2001:db8::1");
    ck_assert_uint_eq(quota_who(quotas, &plain), quota_who(quotas, &mapped));
    ck_assert_uint_ne(quota_who(quotas, &plain), quota_who(quotas, &other));
    ck_assert_uint_ne(quota_who(quotas, &plain), quota_who(quotas, &ipv6));
    ck_assert_uint_ne(quota_who(quotas, &plain), 0);
}
END_TEST

START_TEST(exempt_addresses_hold_nothing)
{
    struct quota_rules with = {.connections = 1, .requests = 1, .burst = 1, .addresses = 64};
    uint32_t hold;
    ck_assert(networks_add(&with.exempt, TEXT("127.0.0.0/8")));
    ck_assert(networks_add(&with.exempt, TEXT("2001:db8::/32")));
    open_with(with);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(begin(0, "127.0.0.1", &hold), QUOTA_ALLOWED);
        ck_assert_uint_eq(hold, HOLD_NONE);
        ck_assert_int_eq(begin(0, "2001:db8:7::1", &hold), QUOTA_ALLOWED);
        ck_assert_uint_eq(hold, HOLD_NONE);
        ck_assert(quota_request(quotas, 0, hold, START, false));
    }
    ck_assert_int_eq(begin(0, "128.0.0.1", &hold), QUOTA_ALLOWED);
    ck_assert_uint_ne(hold, HOLD_NONE);
    ck_assert_int_eq(begin(0, "128.0.0.1", &hold), QUOTA_OVER);
}
END_TEST

START_TEST(without_a_limit_nothing_is_held)
{
    uint32_t hold;
    open_with((struct quota_rules){.burst = 1, .addresses = 64});
    for (int i = 0; i < 2 * CONNECTIONS; i++) {
        ck_assert_int_eq(begin(0, "192.0.2.1", &hold), QUOTA_ALLOWED);
        ck_assert_uint_eq(hold, HOLD_NONE);
    }
}
END_TEST

START_TEST(holds_are_used_again)
{
    uint32_t hold[CONNECTIONS];
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < CONNECTIONS; i++) {
            ck_assert_int_eq(begin_at(0, ip_number(i / 3), START, &hold[i]), QUOTA_ALLOWED);
            ck_assert_uint_lt(hold[i], CONNECTIONS);
        }
        for (uint32_t i = 0; i < CONNECTIONS; i++)
            quota_release(quotas, 0, hold[i]);
    }
}
END_TEST

/* The process ends without giving anything back, as one that was killed. */
START_TEST(what_a_dead_worker_held_is_given_back)
{
    uint32_t hold, mine;
    ck_assert_int_eq(begin(1, "192.0.2.1", &mine), QUOTA_ALLOWED);
    pid_t child = fork();
    if (child == 0) {
        bool right = begin(0, "192.0.2.1", &hold) == QUOTA_ALLOWED &&
                     begin(0, "192.0.2.1", &hold) == QUOTA_ALLOWED;
        _exit(right ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(begin(2, "192.0.2.1", &hold), QUOTA_OVER);
    quotas_worker_ended(quotas, 0);
    quotas_worker_ended(quotas, 0); /* once more changes nothing */
    ck_assert_int_eq(begin(2, "192.0.2.1", &hold), QUOTA_ALLOWED);
    ck_assert_int_eq(begin(2, "192.0.2.1", &hold), QUOTA_ALLOWED);
    ck_assert_int_eq(begin(2, "192.0.2.1", &hold), QUOTA_OVER);
    quota_release(quotas, 1, mine);
}
END_TEST

/* ---- the table -------------------------------------------------------------------------------- */

START_TEST(a_full_table_forgets_the_oldest_without_connections)
{
    uint32_t hold, kept;
    open_with((struct quota_rules){.connections = 9, .requests = 1, .burst = 1, .addresses = 8});
    ck_assert_int_eq(begin_at(0, ip_number(0), START, &kept), QUOTA_ALLOWED);
    ck_assert(quota_request(quotas, 0, kept, START, false));
    for (uint32_t i = 1; i < 8; i++) {
        ck_assert_int_eq(begin_at(0, ip_number(i), START + i, &hold), QUOTA_ALLOWED);
        ck_assert(quota_request(quotas, 0, hold, START, false));
        quota_release(quotas, 0, hold);
    }
    ck_assert_int_eq(begin_at(0, ip_number(9), START + 9, &hold), QUOTA_ALLOWED); /* for number 1 */
    quota_release(quotas, 0, hold);
    ck_assert(!quota_request(quotas, 0, kept, START, false)); /* number 0 has a connection */
    begin_at(0, ip_number(2), START + 10, &hold);
    ck_assert_msg(!quota_request(quotas, 0, hold, START, false), "number 2 was forgotten");
    quota_release(quotas, 0, hold);
    begin_at(0, ip_number(1), START + 11, &hold);
    ck_assert_msg(quota_request(quotas, 0, hold, START, false), "number 1 was not forgotten");
}
END_TEST

START_TEST(a_table_full_of_connections_limits_no_new_address)
{
    uint32_t hold[10];
    open_with((struct quota_rules){.connections = 1, .requests = 1, .burst = 1, .addresses = 8});
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_int_eq(begin_at(0, ip_number(i), START, &hold[i]), QUOTA_ALLOWED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(begin_at(0, ip_number(8), START, &hold[8]), QUOTA_UNCOUNTED);
        ck_assert(quota_request(quotas, 0, hold[8], START, false));
        ck_assert(quota_request(quotas, 0, hold[8], START, false));
        quota_release(quotas, 0, hold[8]);
    }
    quota_release(quotas, 0, hold[3]);
    ck_assert_int_eq(begin_at(0, ip_number(8), START, &hold[8]), QUOTA_ALLOWED);
    ck_assert_int_eq(begin_at(0, ip_number(8), START, &hold[9]), QUOTA_OVER);
}
END_TEST

#define ROUNDS 20000
#define ADDRESSES 24 /* more than the table of this test has places */

/* Connects and disconnects. Returns whether no limit was wrong: one connection at a time is always allowed. */
static void *connects(void *of)
{
    uint32_t worker = (uint32_t)(uintptr_t)of;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t hold;
        if (begin_at(worker, ip_number(i * (worker + 7) % ADDRESSES), START + i, &hold) ==
            QUOTA_OVER)
            return NULL;
        quota_release(quotas, worker, hold);
    }
    return of;
}

START_TEST(threads_lose_no_count)
{
    pthread_t thread[WORKERS];
    uint32_t hold[WORKERS];
    open_with((struct quota_rules){.connections = WORKERS, .burst = 1, .addresses = 16});
    for (uintptr_t i = 1; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, connects, (void *)i), 0);
    for (uintptr_t i = 1; i < WORKERS; i++) {
        void *result = NULL;
        pthread_join(thread[i], &result);
        ck_assert_msg(result != NULL, "a connection was over the limit");
    }
    for (uint32_t address = 0; address < ADDRESSES; address++) {
        for (uint32_t i = 0; i < WORKERS; i++)
            ck_assert_int_eq(begin_at(0, ip_number(address), 2 * START, &hold[i]), QUOTA_ALLOWED);
        uint32_t over;
        ck_assert_int_eq(begin_at(0, ip_number(address), 2 * START, &over), QUOTA_OVER);
        for (uint32_t i = 0; i < WORKERS; i++)
            quota_release(quotas, 0, hold[i]);
    }
}
END_TEST

/* ---- requests --------------------------------------------------------------------------------- */

START_TEST(requests_have_a_burst_and_a_rate)
{
    uint32_t hold;
    open_with((struct quota_rules){.requests = 10, .burst = 5, .addresses = 64});
    begin(0, "192.0.2.1", &hold);
    for (int i = 0; i < 5; i++)
        ck_assert(quota_request(quotas, 0, hold, START, false));
    ck_assert(!quota_request(quotas, 0, hold, START, false));
    ck_assert(!quota_request(quotas, 0, hold, START + 99 * NS_PER_MS, false));
    ck_assert(quota_request(quotas, 0, hold, START + 100 * NS_PER_MS, false));
    ck_assert(!quota_request(quotas, 0, hold, START + 100 * NS_PER_MS, false));
    for (int i = 0; i < 5; i++)
        ck_assert(quota_request(quotas, 0, hold, START + NS_PER_SECOND, false));
    ck_assert(!quota_request(quotas, 0, hold, START + NS_PER_SECOND, false));
}
END_TEST

START_TEST(another_connection_of_the_address_gets_no_other_requests)
{
    uint32_t hold, again;
    open_with((struct quota_rules){.requests = 1, .burst = 2, .addresses = 64});
    begin(0, "192.0.2.1", &hold);
    ck_assert(quota_request(quotas, 0, hold, START, false));
    ck_assert(quota_request(quotas, 0, hold, START, false));
    quota_release(quotas, 0, hold);
    begin(1, "192.0.2.1", &again);
    ck_assert(!quota_request(quotas, 1, again, START, false));
    ck_assert(quota_request(quotas, 1, again, START + NS_PER_SECOND, false));
}
END_TEST

START_TEST(a_forced_request_is_paid_later)
{
    uint32_t hold;
    open_with((struct quota_rules){.requests = 1, .burst = 2, .addresses = 64});
    begin(0, "192.0.2.1", &hold);
    for (int i = 0; i < 100; i++) /* the debt is bounded */
        quota_request(quotas, 0, hold, START, true);
    ck_assert(!quota_request(quotas, 0, hold, START + NS_PER_SECOND, false));
    ck_assert(quota_request(quotas, 0, hold, START + 3 * NS_PER_SECOND, false));
}
END_TEST

static void *asks(void *of)
{
    uintptr_t allowed = 0;
    uint32_t hold, worker = (uint32_t)(uintptr_t)of;
    begin(worker, "192.0.2.1", &hold);
    for (int i = 0; i < 2000; i++)
        allowed += quota_request(quotas, worker, hold, START, false);
    return (void *)allowed;
}

START_TEST(threads_share_the_burst)
{
    pthread_t thread[WORKERS];
    uintptr_t allowed = 0;
    open_with((struct quota_rules){.requests = 1, .burst = 1000, .addresses = 64});
    for (uintptr_t i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, asks, (void *)i), 0);
    for (uintptr_t i = 0; i < WORKERS; i++) {
        void *result = NULL;
        pthread_join(thread[i], &result);
        allowed += (uintptr_t)result;
    }
    ck_assert_uint_ge(allowed, 1000);
    ck_assert_uint_lt(allowed, 1100); /* one that fails BUCKET_TRIES times is given for nothing */
}
END_TEST

/* ---- bandwidth -------------------------------------------------------------------------------- */

/* Sends as much as it may for ten seconds, with a look every `step_ns`. Returns the bytes. */
static uint64_t sent_in_ten_seconds(uint64_t step_ns)
{
    uint32_t hold;
    uint64_t sent = 0;
    begin(0, "192.0.2.1", &hold);
    for (uint64_t now = START; now < START + 10 * NS_PER_SECOND; now += step_ns) {
        uint64_t may;
        while ((may = quota_may_send(quotas, 0, hold, now)) > 0) {
            quota_sent(quotas, 0, hold, may, now);
            sent += may;
        }
        ck_assert_uint_gt(quota_pause_end(quotas, 0, hold), now);
        ck_assert_uint_le(quota_pause_end(quotas, 0, hold), now + NS_PER_SECOND);
    }
    quota_release(quotas, 0, hold);
    return sent;
}

START_TEST(a_connection_keeps_its_bandwidth)
{
    static const uint64_t bandwidths[] = {1024, 100000, 1000000000, UINT64_C(10000000000)};
    open_with((struct quota_rules){.bandwidth = bandwidths[_i], .burst = 1, .addresses = 64});
    for (uint64_t step_ns = NS_PER_MS; step_ns <= 200 * NS_PER_MS; step_ns *= 10) {
        uint64_t sent = sent_in_ten_seconds(step_ns);
        ck_assert_uint_le(sent, bandwidths[_i] * 21 / 2); /* 10 s and a burst */
        ck_assert_uint_ge(sent, bandwidths[_i] * 97 / 10);
    }
}
END_TEST

START_TEST(without_bandwidth_no_connection_pauses)
{
    uint32_t hold;
    begin(0, "192.0.2.1", &hold);
    quota_sent(quotas, 0, hold, UINT32_MAX, START);
    ck_assert_uint_eq(quota_may_send(quotas, 0, hold, START), UINT64_MAX);
    ck_assert_uint_eq(quota_may_send(quotas, 0, HOLD_NONE, START), UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quota");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, counts_for_all_workers);
    tcase_add_test(all, ipv6_counts_by_its_first_64_bits);
    tcase_add_test(all, ipv4_and_its_form_in_ipv6_are_one_address);
    tcase_add_test(all, exempt_addresses_hold_nothing);
    tcase_add_test(all, without_a_limit_nothing_is_held);
    tcase_add_test(all, holds_are_used_again);
    tcase_add_test(all, what_a_dead_worker_held_is_given_back);
    tcase_add_test(all, a_full_table_forgets_the_oldest_without_connections);
    tcase_add_test(all, a_table_full_of_connections_limits_no_new_address);
    tcase_add_test(all, threads_lose_no_count);
    tcase_add_test(all, requests_have_a_burst_and_a_rate);
    tcase_add_test(all, another_connection_of_the_address_gets_no_other_requests);
    tcase_add_test(all, a_forced_request_is_paid_later);
    tcase_add_test(all, threads_share_the_burst);
    tcase_add_loop_test(all, a_connection_keeps_its_bandwidth, 0, 4);
    tcase_add_test(all, without_bandwidth_no_connection_pauses);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
