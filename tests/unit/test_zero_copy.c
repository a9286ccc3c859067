/*
 * Sends without a copy: memory that is lent stays lent until the kernel gives it back, even when
 * the peer never takes the bytes. Where zero copy does not work, sends copy.
 */
#include "core_ring.h"
#include "core_site.h"
#include "skip.h"
#include "zcserve/now.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGE ((size_t)1 << 20)

static struct uring_options options = {.zero_copy_bytes = 1000};
static struct ring ring;
static struct core_lane lane;
static bool works;
static char sent[LARGE], heard[LARGE];

static void set_up(void)
{
    works = core_ring_open(&ring, 4, &options);
    for (size_t i = 0; i < LARGE; i++)
        sent[i] = core_site_byte(i);
}

static void tear_down(void)
{
    if (works) core_ring_close(&ring);
}

static void send_from(size_t offset, size_t length, int parts)
{
    struct outgoing out = {.count = parts, .fd = -1, .length = length};
    size_t each = length / (size_t)parts;
    for (int i = 0; i < parts; i++)
        out.vector[i] = (struct iovec){sent + offset + each * (size_t)i,
                                       i < parts - 1 ? each : length - each * (size_t)i};
    lane_send(&ring, &lane.lane, &out);
}

static size_t peer_take(size_t at)
{
    ssize_t n = recv(lane.peer, heard + at, LARGE - at, 0);
    return n > 0 ? (size_t)n : 0;
}

static void returned_await(void)
{
    for (int i = 0; lane.lane.zero_copy.lent > 0 && i < 1000; i++)
        core_ring_turn(&ring);
    ck_assert_uint_eq(lane.lane.zero_copy.lent, 0);
}

/* The peer takes nothing, so the kernel keeps what does not fit the small buffer of the peer. */
static void fill(int parts)
{
    core_lane_open_tcp(&lane, LARGE, 65536);
    send_from(0, LARGE / 2, parts);
    core_ring_await(&ring, &lane.completed[LANE_SEND], 1);
    ck_assert_int_gt(lane.result[LANE_SEND], 100000);
    ck_assert(!lane.lane.sending);
    for (int i = 0; i < 20; i++)
        core_ring_turn(&ring);
    ck_assert_uint_eq(lane.lane.zero_copy.lent, 1);
    ck_assert_uint_eq(lane.lane.in_flight, 1);
}

static const int part_counts[] = {1, 5};

/* The kernel really sends from our memory, so that memory must be lent. */
START_TEST(lent_until_it_was_taken)
{
    SKIP_IF(!works, ring_problem());
    fill(part_counts[_i]);
    size_t at = 0, length = (size_t)lane.result[LANE_SEND];
    sent[length - 1] ^= 1;
    while (at < length) {
        at += peer_take(at);
        core_ring_turn(&ring);
    }
    ck_assert_int_eq(memcmp(heard, sent, length), 0);
    returned_await();
    ck_assert_uint_eq(lane.lane.in_flight, 0);
    core_lane_close(&ring, &lane);
}
END_TEST

/*
 * The kernel reports that it had to copy, as it must for a peer on this machine: the next sends are
 * ordinary ones.
 */
START_TEST(copied_all_the_same)
{
    SKIP_IF(!works, ring_problem());
    core_lane_open_tcp(&lane, LARGE, 0);
    send_from(0, 5000, part_counts[_i]);
    ck_assert(lane.lane.zero_copy.used);
    core_ring_await(&ring, &lane.completed[LANE_SEND], 1);
    ck_assert_int_eq(lane.result[LANE_SEND], 5000);
    ck_assert_uint_eq(peer_take(0), 5000);
    returned_await();
    ck_assert(lane.lane.zero_copy.fails);
    send_from(5000, 5000, part_counts[_i]);
    ck_assert(!lane.lane.zero_copy.used);
    core_ring_await(&ring, &lane.completed[LANE_SEND], 2);
    ck_assert_uint_eq(lane.lane.zero_copy.lent, 0);
    ck_assert_uint_eq(peer_take(5000), 5000);
    ck_assert_int_eq(memcmp(heard, sent, 10000), 0);
    core_lane_close(&ring, &lane);
}
END_TEST

/* The peer takes nothing: lent memory comes back when the connection is given up. */
START_TEST(given_up)
{
    SKIP_IF(!works, ring_problem());
    fill(part_counts[_i % 2]);
    if (_i & 2) lane_receive(&ring, &lane.lane);
    if (_i & 4) { /* and more is being sent */
        while (!lane.lane.sending && lane.lane.zero_copy.lent < 50) {
            send_from(0, LARGE, part_counts[_i % 2]);
            core_ring_turn(&ring);
        }
        ck_assert(lane.lane.sending);
    }
    if (_i & 8) {
        close(lane.peer);
        lane.peer = -1;
    }
    lane_abort(&lane.lane);
    for (int i = 0; (lane.lane.zero_copy.lent > 0 || lane.lane.sending) && i < 1000; i++)
        core_ring_turn(&ring);
    ck_assert(lane.lane.zero_copy.lent == 0 && !lane.lane.sending);
    core_lane_close(&ring, &lane);
}
END_TEST

/* Unix sockets do not support zero copy: nothing is sent, and the next send copies. */
START_TEST(not_supported)
{
    SKIP_IF(!works, ring_problem());
    core_lane_open(&lane, 0);
    send_from(0, 5000, part_counts[_i]);
    core_ring_await(&ring, &lane.completed[LANE_SEND], 1);
    ck_assert_int_eq(lane.result[LANE_SEND], 0);
    ck_assert_int_eq(recv(lane.peer, heard, LARGE, 0), -1);
    returned_await();
    send_from(0, 5000, part_counts[_i]);
    core_ring_await(&ring, &lane.completed[LANE_SEND], 2);
    ck_assert_int_eq(lane.result[LANE_SEND], 5000);
    ck_assert_uint_eq(peer_take(0), 5000);
    ck_assert_int_eq(memcmp(heard, sent, 5000), 0);
    core_lane_close(&ring, &lane);
}
END_TEST

START_TEST(too_small)
{
    SKIP_IF(!works, ring_problem());
    core_lane_open_tcp(&lane, 0, 0);
    send_from(0, 999, 1);
    ck_assert(!lane.lane.zero_copy.used);
    core_ring_await(&ring, &lane.completed[LANE_SEND], 1);
    ck_assert_uint_eq(lane.lane.zero_copy.lent, 0);
    core_lane_close(&ring, &lane);
}
END_TEST

/* Short sends and a slow reader, again and again without copies: the bytes stay right. */
START_TEST(by_chance)
{
    SKIP_IF(!works, ring_problem());
    size_t done = 0, at = 0;
    unsigned seen = 0;
    srand((unsigned)_i + 1);
    core_lane_open_tcp(&lane, 100000, 65536);
    for (int i = 0; i < 200000 && at < LARGE; i++) {
        lane.lane.zero_copy.fails = false;
        if (!lane.lane.sending && done < LARGE && rand() % 2)
            send_from(done, 1 + (size_t)rand() % (LARGE - done), 1 + rand() % 8);
        core_ring_turn(&ring);
        if (lane.completed[LANE_SEND] > seen) {
            seen = lane.completed[LANE_SEND];
            ck_assert_int_ge(lane.result[LANE_SEND], 0);
            done += (size_t)lane.result[LANE_SEND];
        }
        if (rand() % 2) at += peer_take(at);
    }
    ck_assert_uint_eq(at, LARGE);
    ck_assert_int_eq(memcmp(heard, sent, LARGE), 0);
    returned_await();
    core_lane_close(&ring, &lane);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zero_copy");
    TCase *tcase = tcase_create("zero_copy");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, lent_until_it_was_taken, 0, 2);
    tcase_add_loop_test(tcase, copied_all_the_same, 0, 2);
    tcase_add_loop_test(tcase, given_up, 0, 16);
    tcase_add_loop_test(tcase, not_supported, 0, 2);
    tcase_add_test(tcase, too_small);
    tcase_add_loop_test(tcase, by_chance, 0, 5);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
