/*
 * One socket on a ring: bytes are received and held, receiving stops and starts again, sends go in
 * pieces, and the lane is closed with any operation in flight. No buffer is ever lost.
 */
#include "core_disk.h"
#include "core_ring.h"
#include "core_site.h"
#include "skip.h"
#include "core_story.h"
#include "zcserve/resident.h"

#include "zcserve/now.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGE ((size_t)1 << 20)
#define MANY 40

static struct uring_options options;
static struct ring ring;
static struct core_lane lanes[MANY];
static struct core_lane *const one = &lanes[0];
static bool works;
static char sent[LARGE], heard[LARGE];

static void set_up(void)
{
    works = core_ring_open(&ring, MANY, &options);
    for (size_t i = 0; i < LARGE; i++)
        sent[i] = core_site_byte(i);
}

/* Two more rings for the same tests: a lane works the same on each kind of socket. */
static void set_up_registered(void)
{
    options = (struct uring_options){.registered_files = true};
    set_up();
}

static void set_up_sqpoll(void)
{
    options = (struct uring_options){.sqpoll_ns = 2 * NS_PER_SECOND / 1000};
    set_up();
}

static void tear_down(void)
{
    if (works) core_ring_close(&ring);
}

static void begin(struct core_lane *lane, int send_bytes)
{
    core_lane_open(lane, send_bytes);
    if (options.registered_files) lane_register(&ring, &lane->lane, (uint32_t)(lane - lanes));
}

static void peer_say(struct core_lane *lane, size_t offset, size_t length)
{
    ck_assert_int_eq(send(lane->peer, sent + offset, length, 0), (ssize_t)length);
}

/* Takes all bytes that the lane holds. */
static size_t take_all(struct core_lane *lane, size_t at)
{
    size_t before = at;
    while (lane->lane.held.count > 0)
        at +=
            (size_t)lane_take(&ring, &lane->lane, heard + at, LARGE - at < 777 ? LARGE - at : 777);
    return at - before;
}

/* Turns until the lane has taken bytes up to `beyond`. Returns where they end. */
static size_t take_until(struct core_lane *lane, size_t at, size_t beyond)
{
    for (int i = 0; at < beyond && i < 1000; i++) {
        lane_receive(&ring, &lane->lane);
        core_ring_turn(&ring);
        at += take_all(lane, at);
    }
    ck_assert_uint_eq(at, beyond);
    return at;
}

/* ---- receiving ------------------------------------------------------------------------------- */

START_TEST(received_once_and_again)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    lane_receive(&ring, &one->lane);
    lane_receive(&ring, &one->lane); /* it receives already */
    ck_assert_uint_eq(one->lane.in_flight, 1);
    for (unsigned i = 0; i < 5; i++) {
        peer_say(one, i * 100, 100);
        core_ring_await(&ring, &one->completed[LANE_RECEIVE], i + 1);
        ck_assert(lane_has_received(&one->lane));
        ck_assert_uint_eq(ring.lent, 1);
        ck_assert_uint_eq(take_all(one, i * 100), 100);
        ck_assert(!lane_has_received(&one->lane));
        ck_assert_uint_eq(ring.lent, 0);
        ck_assert_int_eq(one->lane.receiving, RECEIVE_ARMED);
    }
    ck_assert_int_eq(memcmp(heard, sent, 500), 0);
    core_lane_close(&ring, one);
}
END_TEST

/* Takes a part of the bytes that are held, across buffers. */
START_TEST(taken_in_pieces)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    lane_receive(&ring, &one->lane);
    for (unsigned i = 0; i < 3; i++) {
        peer_say(one, i * 2000, 2000);
        core_ring_await(&ring, &one->completed[LANE_RECEIVE], i + 1);
    }
    ck_assert_int_eq(lane_take(&ring, &one->lane, heard, 1), 1);
    ck_assert_int_eq(lane_take(&ring, &one->lane, heard + 1, 3000), 3000);
    ck_assert_uint_eq(ring.lent, 2);
    ck_assert_int_eq(lane_take(&ring, &one->lane, heard + 3001, LARGE), 2999);
    ck_assert_uint_eq(ring.lent, 0);
    ck_assert_int_eq(memcmp(heard, sent, 6000), 0);
    core_lane_close(&ring, one);
}
END_TEST

/* When the peer keeps sending, a lane holds some of the bytes and receives the rest later. */
START_TEST(stopped_and_started_again)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    lane_receive(&ring, &one->lane);
    size_t said = 0;
    for (int i = 0; i < 20 && one->lane.receiving; i++, said += 1000) {
        peer_say(one, said, 1000);
        core_ring_turn(&ring);
    }
    ck_assert_int_eq(one->lane.receiving, RECEIVE_STOPPED);
    ck_assert_uint_le(one->lane.held.count, 6);
    ck_assert_uint_eq(one->lane.in_flight, 0);
    unsigned held = one->lane.held.count;
    peer_say(one, said, 10000);
    core_ring_turn(&ring);
    ck_assert_uint_eq(one->lane.held.count, held);
    take_until(one, 0, said + 10000);
    ck_assert_int_eq(memcmp(heard, sent, said + 10000), 0);
    core_lane_close(&ring, one);
}
END_TEST

/* All bytes may be taken before the lane knows that receiving was stopped: it receives at last. */
START_TEST(stopped_while_it_is_taken)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    lane_receive(&ring, &one->lane);
    size_t at = 0;
    for (unsigned i = 0; i < 50; i++) {
        for (unsigned part = 0; part < 1 + i % 6; part++)
            peer_say(one, at + part * 100, 100);
        core_ring_turn(&ring);
        at = take_until(one, at + take_all(one, at), at + (1 + i % 6) * 100);
    }
    ck_assert_int_eq(memcmp(heard, sent, at), 0);
    core_lane_close(&ring, one);
}
END_TEST

START_TEST(end_comes_after_what_is_held)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    peer_say(one, 0, 5000);
    shutdown(one->peer, SHUT_WR);
    size_t at = 0;
    lane_receive(&ring, &one->lane);
    for (int i = 0; i < 100 && !one->lane.finished; i++) {
        core_ring_turn(&ring);
        lane_receive(&ring, &one->lane);
    }
    ck_assert(lane_has_received(&one->lane));
    while (at < 5000) {
        ssize_t n = lane_take(&ring, &one->lane, heard + at, 700);
        ck_assert_int_gt(n, 0);
        at += (size_t)n;
    }
    ck_assert(lane_has_received(&one->lane));
    ck_assert_int_eq(lane_take(&ring, &one->lane, heard, 700), 0);
    core_lane_close(&ring, one);
}
END_TEST

START_TEST(reset_is_told)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    ck_assert_int_eq(send(one->fd, "x", 1, 0), 1);
    lane_receive(&ring, &one->lane);
    core_ring_turn(&ring);
    close(one->peer); /* while bytes are unread */
    one->peer = -1;
    core_ring_await(&ring, &one->completed[LANE_RECEIVE], 1);
    ck_assert_int_eq(one->result[LANE_RECEIVE], -ECONNRESET);
    ck_assert_uint_eq(one->lane.in_flight, 0);
    core_lane_close(&ring, one);
}
END_TEST

/* ---- when the pool is empty ------------------------------------------------------------------ */

/* Other lanes hold all buffers, until `lane` finds none. */
static void pool_empty(struct core_lane *lane)
{
    for (int i = 1; i < MANY && lane->lane.receiving != RECEIVE_STARVED; i++) {
        begin(&lanes[i], 0);
        lane_receive(&ring, &lanes[i].lane);
        for (int j = 0; j < 40; j++)
            if (send(lanes[i].peer, sent, RING_BUFFER_BYTES, 0) < 0) break;
        core_ring_turn(&ring);
        lanes[i].closed = false;
    }
    for (int turn = 0; turn < 3; turn++)
        for (int i = 1; i < MANY; i++) {
            if (lanes[i].fd < 0) continue;
            lane_receive(&ring, &lanes[i].lane);
            core_ring_turn(&ring);
        }
}

START_TEST(starved_and_fed_again)
{
    SKIP_IF(!works, ring_problem());
    for (int i = 0; i < MANY; i++)
        lanes[i].fd = -1;
    begin(one, 0);
    pool_empty(one);
    ck_assert_uint_eq(ring.lent, RING_BUFFERS);
    lane_receive(&ring, &one->lane);
    peer_say(one, 0, 1000);
    core_ring_await(&ring, &one->completed[LANE_RECEIVE], 1);
    ck_assert_int_eq(one->lane.receiving, RECEIVE_STARVED);
    ck_assert_int_eq(one->result[LANE_RECEIVE], 0); /* this is not an error of the peer */
    ck_assert(!lane_has_received(&one->lane));
    lane_receive(&ring, &one->lane); /* this time without a buffer */
    core_ring_await(&ring, &one->completed[LANE_RECEIVE], 2);
    ck_assert(lane_has_received(&one->lane));
    ck_assert_int_eq(lane_take(&ring, &one->lane, heard, 600), 600);
    ck_assert(!lane_has_received(&one->lane));
    lane_receive(&ring, &one->lane); /* again with a buffer, but there is none */
    core_ring_await(&ring, &one->completed[LANE_RECEIVE], 3);
    ck_assert_int_eq(one->lane.receiving, RECEIVE_STARVED);
    for (int i = 1; i < MANY; i++)
        if (lanes[i].fd >= 0) core_lane_close(&ring, &lanes[i]);
    ck_assert_uint_eq(ring.lent, 0);
    lane_receive(&ring, &one->lane);
    core_ring_await(&ring, &one->completed[LANE_RECEIVE], 4);
    ck_assert_int_eq(lane_take(&ring, &one->lane, heard + 600, 600), 400);
    take_until(one, 0, 0);
    ck_assert_int_eq(memcmp(heard, sent, 1000), 0);
    lane_receive(&ring, &one->lane);
    peer_say(one, 0, 1000);
    core_ring_await(&ring, &one->completed[LANE_RECEIVE], 5);
    ck_assert_uint_eq(ring.lent, 1); /* with a buffer again */
    ck_assert_int_eq(lane_take(&ring, &one->lane, heard, 1000), 1000);
    core_lane_close(&ring, one);
}
END_TEST

/* The peer ends, or the lane is closed, while it receives without a buffer. */
START_TEST(starved_until_the_end)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    one->lane.receiving = RECEIVE_STARVED;
    lane_receive(&ring, &one->lane);
    core_ring_turn(&ring);
    ck_assert(one->lane.receiving == RECEIVE_POLLED && !lane_has_received(&one->lane));
    if (_i == 0) shutdown(one->peer, SHUT_WR);
    if (_i == 1) peer_say(one, 0, 10);
    if (_i < 2) {
        core_ring_await(&ring, &one->completed[LANE_RECEIVE], 1);
        ck_assert(lane_has_received(&one->lane));
        ck_assert_int_eq(lane_take(&ring, &one->lane, heard, 100), _i == 0 ? 0 : 10);
    }
    core_lane_close(&ring, one);
}
END_TEST

/* ---- sending --------------------------------------------------------------------------------- */

static struct outgoing memory_cut(size_t offset, size_t length, int parts)
{
    struct outgoing out = {.count = parts, .fd = -1, .length = length};
    size_t each = length / (size_t)parts;
    for (int i = 0; i < parts; i++, offset += each)
        out.vector[i] =
            (struct iovec){sent + offset, i < parts - 1 ? each : length - each * (size_t)i};
    return out;
}

static const int part_counts[] = {1, 2, 32};

/* The bytes are sent in pieces, because the socket takes less than is offered. */
START_TEST(sent_in_pieces)
{
    SKIP_IF(!works, ring_problem());
    size_t done = 0, at = 0;
    begin(one, 8192);
    for (int i = 0; i < 10000 && at < LARGE; i++) {
        if (!one->lane.sending && done < LARGE) {
            struct outgoing out = memory_cut(done, LARGE - done, part_counts[_i]);
            lane_send(&ring, &one->lane, &out);
            memset(&out, 'x', sizeof(out)); /* only the bytes themselves must stay */
        }
        unsigned before = one->completed[LANE_SEND];
        core_ring_turn(&ring);
        if (one->completed[LANE_SEND] > before) {
            ck_assert_int_ge(one->result[LANE_SEND], 0);
            done += (size_t)one->result[LANE_SEND];
        }
        ssize_t n;
        while ((n = recv(one->peer, heard + at, LARGE - at, 0)) > 0)
            at += (size_t)n;
    }
    ck_assert_uint_eq(at, LARGE);
    ck_assert_int_eq(memcmp(heard, sent, LARGE), 0);
    ck_assert_uint_gt(one->completed[LANE_SEND], 10);
    ck_assert_uint_eq(ring.gathers.used, 0);
    core_lane_close(&ring, one);
}
END_TEST

/* Fills the socket: the send must be repeated when there is room, and the ring rests until then. */
static void full_await(struct core_lane *lane, int parts)
{
    while (send(lane->fd, sent, 1000, 0) > 0)
        continue;
    struct outgoing out = memory_cut(0, 1000, parts);
    lane_send(&ring, &lane->lane, &out);
    core_ring_await(&ring, &lane->completed[LANE_SEND], 1);
    ck_assert_int_eq(lane->result[LANE_SEND], 0);
    ck_assert_int_eq(lane->lane.sending, LANE_FULL);
    for (int i = 0; i < 5; i++)
        core_ring_turn(&ring);
    ck_assert_uint_le(lane->completed[LANE_WRITABLE],
                      2); /* one that reported the end of the peer, and one more */
    ck_assert_int_eq(lane->lane.sending, LANE_FULL);
    unsigned before = lane->completed[LANE_WRITABLE];
    while (recv(lane->peer, heard, LARGE, 0) > 0)
        continue;
    core_ring_await(&ring, &lane->completed[LANE_WRITABLE], before + 1);
    ck_assert_int_eq(lane->lane.sending, LANE_FREE);
    lane_send(&ring, &lane->lane, &out);
    core_ring_await(&ring, &lane->completed[LANE_SEND], 2);
    ck_assert_int_eq(lane->result[LANE_SEND], 1000);
}

START_TEST(sent_when_there_is_room)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 8192);
    full_await(one, part_counts[_i]);
    core_lane_close(&ring, one);
}
END_TEST

/*
 * The kernel reports the end of the peer in every poll of a ring. It must not be taken for room,
 * again and again.
 */
START_TEST(sent_when_there_is_room_after_the_peers_end)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 8192);
    shutdown(one->peer, SHUT_WR);
    full_await(one, part_counts[_i]);
    ck_assert(one->lane.half_open);
    for (int i = 0; i < 3; i++) { /* the same happens again */
        one->completed[LANE_SEND] = one->completed[LANE_WRITABLE] = 0;
        full_await(one, part_counts[_i]);
    }
    for (int i = 0; one->lane.in_flight > 0 && i < 100; i++)
        core_ring_turn(&ring);
    ck_assert_uint_eq(one->lane.in_flight, 0); /* no poll is left under way */
    core_lane_close(&ring, one);
}
END_TEST

START_TEST(sent_to_nobody)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 0);
    close(one->peer);
    one->peer = -1;
    struct outgoing out = memory_cut(0, 1000, part_counts[_i]);
    lane_send(&ring, &one->lane, &out);
    core_ring_await(&ring, &one->completed[LANE_SEND], 1);
    ck_assert_int_eq(one->result[LANE_SEND], -EPIPE);
    core_lane_close(&ring, one);
}
END_TEST

START_TEST(writable)
{
    SKIP_IF(!works, ring_problem());
    begin(one, 8192);
    lane_await_writable(&ring, &one->lane);
    core_ring_await(&ring, &one->completed[LANE_WRITABLE], 1);
    ck_assert(!one->lane.sending);
    while (send(one->fd, sent, 1000, 0) > 0)
        continue;
    lane_await_writable(&ring, &one->lane);
    core_ring_turn(&ring);
    ck_assert_uint_eq(one->completed[LANE_WRITABLE], 1);
    ck_assert(one->lane.sending);
    shutdown(one->fd, SHUT_RDWR); /* as when its deadline has passed */
    core_ring_await(&ring, &one->completed[LANE_WRITABLE], 2);
    ck_assert_int_ge(one->result[LANE_WRITABLE], 0);
    core_lane_close(&ring, one);
}
END_TEST

START_TEST(file_is_fetched)
{
    SKIP_IF(!works, ring_problem());
    int file = core_disk_file(LARGE);
    bool cold = core_disk_drop(file);
    struct outgoing out = {.fd = file, .offset = 4096, .length = 300000};
    ck_assert(!cold || !resident(file, 4096, 300000));
    begin(one, 0);
    lane_fetch(&ring, &one->lane, &out);
    ck_assert_int_eq(one->lane.sending, LANE_IN_FETCH);
    core_ring_await(&ring, &one->completed[LANE_FETCH], 1);
    ck_assert_int_eq(one->lane.sending, LANE_FREE);
    ck_assert_int_eq(one->result[LANE_FETCH], 0);
    ck_assert(resident(file, 4096, 300000));
    core_lane_close(&ring, one);
    close(file);
}
END_TEST

/* A fetch beyond the end, or of what is no file, is over at once; sending finds the error. */
START_TEST(nothing_to_fetch)
{
    SKIP_IF(!works, ring_problem());
    int file = core_disk_file(100);
    struct outgoing beyond = {.fd = file, .offset = LARGE, .length = LARGE};
    begin(one, 0);
    lane_fetch(&ring, &one->lane, &beyond);
    core_ring_await(&ring, &one->completed[LANE_FETCH], 1);
    struct outgoing no_file = {.fd = -1, .offset = 0, .length = LARGE};
    lane_fetch(&ring, &one->lane, &no_file);
    core_ring_await(&ring, &one->completed[LANE_FETCH], 2);
    ck_assert_int_eq(one->result[LANE_FETCH], 0);
    core_lane_close(&ring, one);
    close(file);
}
END_TEST

/* ---- closing --------------------------------------------------------------------------------- */

/* The bits of `state` say what is in flight, held, or over when the lane is closed. */
static void close_in_state(int state)
{
    struct outgoing out = memory_cut(0, LARGE, state & 32 ? 3 : 1);
    begin(one, 8192);
    if (state & 1) lane_receive(&ring, &one->lane);
    if (state & 2) core_ring_turn(&ring);
    if (state & 4)
        for (int i = 0; i < 6; i++)
            peer_say(one, 0, 3000);
    if (state & 8) core_ring_turn(&ring);
    if (state & 16) lane_send(&ring, &one->lane, &out);
    if (state & 64) core_ring_turn(&ring);
    if (state & 128) shutdown(one->peer, SHUT_WR);
    core_lane_close(&ring, one);
    ck_assert_uint_eq(ring.lent, 0);
}

/* A ring is expensive to make, so several lanes use one, one after another. */
START_TEST(closed_in_any_state)
{
    SKIP_IF(!works, ring_problem());
    for (int state = 32 * _i; state < 32 * (_i + 1); state++)
        close_in_state(state);
}
END_TEST

/* An operation prepared for one socket never gets another socket that has the same number. */
START_TEST(closed_before_the_kernel_knew_it)
{
    SKIP_IF(!works, ring_problem());
    struct core_lane *other = &lanes[1];
    begin(one, 0);
    lane_receive(&ring, &one->lane);
    one->closed = true;
    lane_close(&ring, &one->lane);
    close(one->fd);
    begin(other, 0);
    ck_assert_int_eq(other->fd, one->fd);
    peer_say(other, 0, 1000);
    ck_assert_uint_eq(take_until(other, 0, 0), 0);
    lane_receive(&ring, &other->lane);
    core_ring_await(&ring, &other->completed[LANE_RECEIVE], 1);
    ck_assert_uint_eq(take_all(other, 0), 1000);
    for (int i = 0; one->lane.in_flight > 0 && i < 1000; i++)
        core_ring_turn(&ring);
    ck_assert_uint_eq(one->lane.in_flight, 0);
    close(one->peer);
    core_lane_close(&ring, other);
}
END_TEST

/* ---- by chance ------------------------------------------------------------------------------- */

START_TEST(by_chance)
{
    SKIP_IF(!works, ring_problem());
    core_story_tell(&ring, options.registered_files, (uint64_t)_i + 1, 10000);
}
END_TEST

/* Adds the tests whose result does not depend on when the kernel's thread wakes. */
static void tests_add_patient(TCase *tcase)
{
    tcase_add_test(tcase, received_once_and_again);
    tcase_add_test(tcase, taken_in_pieces);
    tcase_add_test(tcase, end_comes_after_what_is_held);
    tcase_add_loop_test(tcase, sent_in_pieces, 0, 3);
    tcase_add_loop_test(tcase, sent_to_nobody, 0, 3);
    tcase_add_test(tcase, file_is_fetched);
    tcase_add_test(tcase, nothing_to_fetch);
    tcase_add_loop_test(tcase, closed_in_any_state, 0, 256 / 32);
    tcase_add_test(tcase, closed_before_the_kernel_knew_it);
    tcase_add_loop_test(tcase, by_chance, 0, 3);
}

static void tests_add(TCase *tcase)
{
    tests_add_patient(tcase);
    tcase_add_test(tcase, stopped_and_started_again);
    tcase_add_test(tcase, stopped_while_it_is_taken);
    tcase_add_test(tcase, reset_is_told);
    tcase_add_test(tcase, starved_and_fed_again);
    tcase_add_loop_test(tcase, starved_until_the_end, 0, 3);
    tcase_add_loop_test(tcase, sent_when_there_is_room, 0, 3);
    tcase_add_loop_test(tcase, sent_when_there_is_room_after_the_peers_end, 0, 3);
    tcase_add_test(tcase, writable);
}

static void tcase_add(Suite *suite, const char *name, void (*set_up_for)(void),
                      void (*tests)(TCase *))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up_for, tear_down);
    tcase_set_timeout(tcase, 120);
    tests(tcase);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("lane");
    tcase_add(suite, "lane", set_up, tests_add);
    tcase_add(suite, "registered", set_up_registered, tests_add);
    tcase_add(suite, "sqpoll", set_up_sqpoll, tests_add_patient);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
