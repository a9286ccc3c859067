/*
 * Lanes over a ring that gives every completion that the kernel may give: first each of them once,
 * with what must follow from it, and then all of them at random.
 */
#include "core_ring.h"
#include "core_site.h"
#include "core_story.h"
#include "simulated_ring.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEEDS 2000
#define SEEDS_AT_ONCE 250
#define STEPS 300

static struct uring_options options;
static struct ring ring;
static struct core_lane lane;
#define SENT 10000
static char sent[SENT], heard[SENT];

static void set_up(void)
{
    char problem[256];
    simulated_settings(1, 0);
    ring = (struct ring){.lent = 0};
    ck_assert_int_eq(ring_open(&ring, CORE_STORY_PLAYERS, &options, problem, sizeof(problem)), 0);
}

static void set_up_zero_copy(void)
{
    options = (struct uring_options){.zero_copy_bytes = 500};
    set_up();
}

static void tear_down(void)
{
    core_ring_close(&ring);
}

static void begin(void)
{
    core_lane_open(&lane, 8192);
    for (size_t i = 0; i < SENT; i++)
        sent[i] = core_site_byte(i);
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        core_ring_turn(&ring);
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

/* Checks that the peer has received just these bytes of `sent`. */
static void peer_expect(size_t offset, size_t length)
{
    ck_assert_int_eq(recv(lane.peer, heard, SENT, 0), (ssize_t)length);
    ck_assert_int_eq(memcmp(heard, sent + offset, length), 0);
}

static void say_and_take(void)
{
    ck_assert_int_eq(send(lane.peer, "word", 4, 0), 4);
    lane_receive(&ring, &lane.lane);
    turns(3);
    ck_assert(lane_has_received(&lane.lane));
    ck_assert_int_eq(lane_take(&ring, &lane.lane, heard, SENT), 4);
    ck_assert_int_eq(memcmp(heard, "word", 4), 0);
}

/* ---- receives ------------------------------------------------------------------------------ */

static const int passing[] = {-EAGAIN, -EINTR, -ECANCELED, -ENOBUFS};

/* Such an end says nothing about the peer: nothing was received, and nothing is lost. */
START_TEST(receive_ended_by_the_kernel)
{
    begin();
    lane_receive(&ring, &lane.lane);
    simulated_prescribe(IORING_OP_RECV, passing[_i], 0);
    turns(1);
    ck_assert_uint_eq(lane.completed[LANE_RECEIVE], 1);
    ck_assert_int_eq(lane.result[LANE_RECEIVE], 0);
    ck_assert(!lane_has_received(&lane.lane) && lane.lane.receiving != RECEIVE_ARMED &&
              lane.lane.in_flight == 0);
    say_and_take();
    say_and_take();
    core_lane_close(&ring, &lane);
}
END_TEST

START_TEST(receive_failed)
{
    begin();
    lane_receive(&ring, &lane.lane);
    simulated_prescribe(IORING_OP_RECV, -ECONNRESET, 0);
    turns(1);
    ck_assert_int_eq(lane.result[LANE_RECEIVE], -ECONNRESET);
    core_lane_close(&ring, &lane);
}
END_TEST

/* Without a buffer a poll reports bytes that are not there, or ends. The peer has not finished. */
START_TEST(told_of_bytes_that_are_not_there)
{
    static const int results[] = {POLLIN, POLLRDHUP, POLLERR, -EAGAIN, -EINTR, -ECANCELED, -ENOMEM};
    begin();
    lane.lane.receiving = RECEIVE_STARVED;
    lane_receive(&ring, &lane.lane);
    simulated_prescribe(IORING_OP_POLL_ADD, results[_i], 0);
    turns(1);
    if (lane_has_received(&lane.lane))
        ck_assert_int_eq(lane_take(&ring, &lane.lane, heard, SENT), -EAGAIN);
    ck_assert(!lane_has_received(&lane.lane) && !lane.lane.finished);
    say_and_take();
    core_lane_close(&ring, &lane);
}
END_TEST

/* ---- sends --------------------------------------------------------------------------------- */

static const int part_counts[] = {1, 3};

static int send_kind(int parts)
{
    if (options.zero_copy_bytes > 0) return parts > 1 ? IORING_OP_SENDMSG_ZC : IORING_OP_SEND_ZC;
    return parts > 1 ? IORING_OP_SENDMSG : IORING_OP_SEND;
}

/* After each of these results the same bytes are sent again, when there is room and memory. */
static void send_ended(int result, int parts)
{
    begin();
    send_from(0, 3000, parts);
    simulated_prescribe((uint8_t)send_kind(parts), result, 0);
    turns(1);
    ck_assert_int_eq(lane.result[LANE_SEND], 0);
    ck_assert_uint_eq(ring.gathers.used, 0);
    for (int i = 0; i < 10 && lane.lane.sending; i++)
        core_ring_turn(&ring);
    ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    send_from(0, 3000, parts);
    turns(3);
    ck_assert_int_eq(lane.result[LANE_SEND], 3000);
    peer_expect(0, 3000);
    ck_assert(lane.lane.zero_copy.lent == 0 && lane.lane.in_flight == 0);
    core_lane_close(&ring, &lane);
}

START_TEST(send_ended_by_the_kernel)
{
    static const int results[] = {-EAGAIN, -EINTR, -ECANCELED, -ENOBUFS, -ENOMEM};
    send_ended(results[_i / 2], part_counts[_i % 2]);
}
END_TEST

/* Without memory a send is not repeated at once, but after a moment. */
START_TEST(send_pauses_without_memory)
{
    begin();
    for (unsigned i = 1; i <= 3; i++) {
        send_from(0, 3000, 1);
        simulated_prescribe(IORING_OP_SEND, _i ? -ENOMEM : -ENOBUFS, 0);
        turns(1);
        ck_assert_int_eq(lane.lane.sending, LANE_PAUSED);
        ck_assert_uint_eq(lane.completed[LANE_PAUSE], i - 1);
        turns(4);
        ck_assert_uint_eq(lane.completed[LANE_PAUSE], i);
        ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    }
    send_from(0, 3000, 1);
    simulated_prescribe(IORING_OP_SEND, -ENOBUFS, 0);
    turns(1);
    core_lane_close(&ring, &lane); /* while the send pauses */
}
END_TEST

START_TEST(send_failed)
{
    static const int results[] = {-EPIPE, -ECONNRESET, -ETIMEDOUT, -EBADF};
    begin();
    send_from(0, 3000, part_counts[_i % 2]);
    simulated_prescribe((uint8_t)send_kind(part_counts[_i % 2]), results[_i / 2], 0);
    turns(1);
    ck_assert_int_eq(lane.result[LANE_SEND], results[_i / 2]);
    ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    core_lane_close(&ring, &lane);
}
END_TEST

/* A zero-copy send that failed may still lend memory and give it back, or not. */
START_TEST(zero_copy_ended_by_the_kernel)
{
    static const int results[] = {-EAGAIN, -EINTR,      -ECANCELED, -ENOBUFS,
                                  -ENOMEM, -EOPNOTSUPP, -EINVAL};
    int result = results[_i / 2], parts = part_counts[_i % 2];
    send_ended(result, parts);
    begin();
    send_from(0, 3000, parts);
    simulated_prescribe((uint8_t)send_kind(parts), result, IORING_CQE_F_MORE);
    turns(1);
    ck_assert_int_eq(lane.result[LANE_SEND], 0);
    ck_assert_uint_eq(lane.lane.zero_copy.lent, 1);
    simulated_prescribe((uint8_t)send_kind(parts), 0, IORING_CQE_F_NOTIF);
    turns(6);
    ck_assert_uint_eq(lane.lane.zero_copy.lent, 0);
    ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    core_lane_close(&ring, &lane);
}
END_TEST

/* More is sent while memory of an earlier send is lent; the memory comes back late, or at once. */
START_TEST(zero_copy_given_back_late)
{
    begin();
    simulated.held[SIMULATED_NOTICE] = true;
    for (unsigned i = 0; i < 3; i++) {
        send_from(i * 1000, 1000, part_counts[i % 2]);
        turns(2);
        ck_assert_int_eq(lane.result[LANE_SEND], 1000);
        ck_assert_uint_eq(lane.lane.zero_copy.lent, i + 1);
        ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    }
    ck_assert_uint_eq(lane.lane.in_flight, 3);
    ck_assert_uint_eq(ring.gathers.used, 0);
    simulated.held[SIMULATED_NOTICE] = false;
    turns(1);
    ck_assert(lane.lane.zero_copy.lent == 0 && lane.lane.in_flight == 0);
    peer_expect(0, 3000);
    core_lane_close(&ring, &lane);
}
END_TEST

/* ---- polls --------------------------------------------------------------------------------- */

static void fill(void)
{
    while (send(lane.fd, sent, 1000, MSG_NOSIGNAL) > 0)
        continue;
    lane_await_writable(&ring, &lane.lane);
}

static void empty_and_expect_room(void)
{
    while (recv(lane.peer, heard, SENT, 0) > 0)
        continue;
    turns(4);
    ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    ck_assert_int_ge(lane.result[LANE_WRITABLE], 0);
    turns(4);
    ck_assert(lane.lane.stopped == 0 && !lane.lane.watching && lane.lane.in_flight == 0);
    core_lane_close(&ring, &lane);
}

static const int poll_ends[] = {-EAGAIN, -EINTR, -ECANCELED, POLLRDHUP, POLLIN | POLLRDHUP};

/* A poll that ended without room, of one shot or many, is armed again and reports room later. */
START_TEST(poll_ended_by_the_kernel)
{
    begin();
    lane.lane.half_open = _i % 2;
    fill();
    for (int i = 0; i < 3; i++) {
        simulated_prescribe(IORING_OP_POLL_ADD, poll_ends[_i / 2], 0);
        turns(1);
        ck_assert_int_eq(lane.lane.sending, LANE_FULL);
    }
    ck_assert_uint_eq(lane.completed[LANE_WRITABLE], 3);
    turns(5);
    ck_assert_uint_eq(lane.completed[LANE_WRITABLE], 3);
    empty_and_expect_room();
}
END_TEST

/* A poll that goes on may report the end of the peer any number of times. */
START_TEST(poll_reports_something_else)
{
    begin();
    lane.lane.half_open = true;
    fill();
    for (unsigned i = 1; i <= 3; i++) {
        simulated_prescribe(IORING_OP_POLL_ADD, POLLRDHUP, IORING_CQE_F_MORE);
        turns(1);
        ck_assert_int_eq(lane.lane.sending, LANE_FULL);
        ck_assert_uint_eq(lane.completed[LANE_WRITABLE], i);
        ck_assert_uint_eq(lane.lane.in_flight, 1);
    }
    empty_and_expect_room();
}
END_TEST

/*
 * A poll that was stopped may report once more. It may end by itself, before or after the report
 * that it was cancelled, or have ended before. Meanwhile another poll waits.
 */
START_TEST(poll_stopped_and_another_armed)
{
    begin();
    lane.lane.half_open = true;
    fill();
    simulated_prescribe(IORING_OP_POLL_ADD, POLLOUT, _i & 1 ? IORING_CQE_F_MORE : 0);
    turns(1);
    ck_assert_int_eq(lane.lane.sending, LANE_FREE); /* the poll has reported room */
    lane_await_writable(&ring, &lane.lane);
    simulated.held[_i & 2 ? IORING_OP_POLL_ADD : SIMULATED_ANSWER] = true;
    turns(1);
    memset(simulated.held, 0, sizeof(simulated.held));
    if ((_i & 1) && (_i & 4)) simulated_prescribe(IORING_OP_POLL_ADD, POLLRDHUP, IORING_CQE_F_MORE);
    turns(3);
    ck_assert_int_eq(lane.lane.sending, LANE_FULL);
    ck_assert_uint_eq(lane.lane.in_flight, 1);
    empty_and_expect_room();
}
END_TEST

START_TEST(poll_failed)
{
    begin();
    lane.lane.half_open = _i;
    fill();
    simulated_prescribe(IORING_OP_POLL_ADD, -ENOMEM, 0);
    turns(1);
    ck_assert_int_eq(lane.result[LANE_WRITABLE], -ENOMEM);
    ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    core_lane_close(&ring, &lane);
}
END_TEST

/* ---- cancels and reads --------------------------------------------------------------------- */

/* Whatever the cancel returns, its receive ends by itself; only then nothing is in flight. */
START_TEST(receive_cancelled)
{
    static const int answers[] = {0, -ENOENT, -EALREADY};
    static const int ends[] = {-ECANCELED, -EINTR, 0, -ENOBUFS, -EAGAIN};
    begin();
    lane_receive(&ring, &lane.lane);
    turns(1);
    simulated_prescribe(SIMULATED_ANSWER, answers[_i % 3], 0);
    simulated_prescribe(IORING_OP_RECV, ends[_i / 3], 0);
    if (_i & 1) simulated.held[IORING_OP_RECV] = true;
    lane.closed = true;
    lane_close(&ring, &lane.lane);
    close(lane.fd);
    turns(2);
    ck_assert_uint_eq(lane.lane.in_flight, _i & 1);
    memset(simulated.held, 0, sizeof(simulated.held));
    turns(2);
    ck_assert_uint_eq(lane.lane.in_flight, 0);
    close(lane.peer);
}
END_TEST

/* A fetch may be short or fail: the file is sent then, and sending finds the error. */
START_TEST(fetch_ended)
{
    static const int results[] = {4096, 1, 0, -EIO, -EAGAIN, -EINTR, -ECANCELED, -EBADF};
    struct outgoing range = {.fd = 0, .length = 4096};
    begin();
    lane_fetch(&ring, &lane.lane, &range);
    simulated_prescribe(IORING_OP_READ, results[_i], 0);
    turns(1);
    ck_assert_int_eq(lane.result[LANE_FETCH], 0);
    ck_assert_int_eq(lane.lane.sending, LANE_FREE);
    core_lane_close(&ring, &lane);
}
END_TEST

/* ---- the ring itself ----------------------------------------------------------------------- */

/*
 * Operations that the kernel had no memory for stay prepared. Their sockets are not closed before
 * the kernel took them.
 */
START_TEST(closed_while_the_kernel_takes_nothing)
{
    struct core_lane other;
    begin();
    lane_receive(&ring, &lane.lane);
    simulated.refusal = -EAGAIN;
    simulated.refusals = 2;
    turns(2);
    ck_assert_uint_eq(lane.completed[LANE_RECEIVE], 0);
    lane.closed = true;
    lane_close(&ring, &lane.lane);
    ck_assert_uint_eq(io_uring_sq_ready(&ring.uring), 0);
    close(lane.fd);
    core_lane_open(&other, 0);
    ck_assert_int_eq(other.fd, lane.fd);
    ck_assert_int_eq(send(other.peer, "word", 4, 0), 4);
    turns(3);
    ck_assert_uint_eq(lane.lane.in_flight, 0);
    ck_assert_int_eq(recv(other.fd, heard, SENT, 0), 4); /* nobody else has taken the bytes */
    close(lane.peer);
    core_lane_close(&ring, &other);
}
END_TEST

/*
 * When a call is refused now and then, the ring goes on. When it is refused for ever or for good,
 * the ring is given up: it does not turn, and does not hang.
 */
START_TEST(enter_is_refused)
{
    static const struct {
        int error;
        bool passes;
    } cases[] = {{-EAGAIN, true}, {-EINTR, true},   {-EBUSY, true},       {-ETIME, true},
                 {-EBADR, false}, {-EINVAL, false}, {-EOWNERDEAD, false}, {-EBADFD, false}};
    simulated.refusal = cases[_i].error;
    simulated.refusals = 3;
    turns(4);
    ck_assert_int_eq(ring.broken, cases[_i].passes ? 0 : cases[_i].error);
}
END_TEST

START_TEST(room_is_never_made)
{
    static const int errors[] = {-EAGAIN, -EBUSY, -EINTR, -EBADFD, 0};
    simulated.refusal = errors[_i];
    simulated.refusals = UINT32_MAX;
    for (int i = 0; i < 3 * RING_ENTRIES; i++)
        ring_cancel(&ring, 12345, RING_UNTOLD);
    ck_assert_int_eq(ring.broken, errors[_i] ? errors[_i] : -EIO);
    ck_assert_uint_le(simulated.enters, RING_FAILURES_MAX);
    ring_settle(&ring);
    ring_turn(&ring, 0);
}
END_TEST

START_TEST(room_is_made_at_last)
{
    simulated.refusal = -EAGAIN;
    simulated.refusals = 5;
    for (int i = 0; i < 2 * RING_ENTRIES; i++)
        ring_cancel(&ring, 12345, RING_UNTOLD);
    ck_assert_int_eq(ring.broken, 0);
    ck_assert_uint_eq(simulated.refusals, 0);
    ring_settle(&ring);
    turns(2);
}
END_TEST

/* ---- by chance ----------------------------------------------------------------------------- */

static void faults_end(void)
{
    simulated.by_chance = false;
}

/* With few faults and with many; some seeds with sockets in a table, some with zero copy. */
START_TEST(by_chance)
{
    static const unsigned faults[] = {4, 16, 64, 128};
    for (int i = 0; i < SEEDS_AT_ONCE; i++) {
        uint64_t seed = (uint64_t)(_i * SEEDS_AT_ONCE + i) + 1;
        options = (struct uring_options){.registered_files = seed % 3 == 0,
                                         .zero_copy_bytes = seed % 2 ? 500 : 0};
        set_up();
        simulated_settings(seed, faults[seed / 2 % 4]);
        core_story_tell(&ring, options.registered_files, seed, STEPS);
        tear_down();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simulated_ring");
    TCase *each = tcase_create("each");
    tcase_add_checked_fixture(each, set_up, tear_down);
    tcase_add_loop_test(each, receive_ended_by_the_kernel, 0, 4);
    tcase_add_test(each, receive_failed);
    tcase_add_loop_test(each, told_of_bytes_that_are_not_there, 0, 7);
    tcase_add_loop_test(each, send_ended_by_the_kernel, 0, 10);
    tcase_add_loop_test(each, send_pauses_without_memory, 0, 2);
    tcase_add_loop_test(each, send_failed, 0, 8);
    tcase_add_loop_test(each, poll_ended_by_the_kernel, 0, 10);
    tcase_add_test(each, poll_reports_something_else);
    tcase_add_loop_test(each, poll_stopped_and_another_armed, 0, 8);
    tcase_add_loop_test(each, poll_failed, 0, 2);
    tcase_add_loop_test(each, receive_cancelled, 0, 15);
    tcase_add_loop_test(each, fetch_ended, 0, 8);
    tcase_add_test(each, closed_while_the_kernel_takes_nothing);
    tcase_add_loop_test(each, enter_is_refused, 0, 8);
    tcase_add_loop_test(each, room_is_never_made, 0, 5);
    tcase_add_test(each, room_is_made_at_last);
    suite_add_tcase(suite, each);
    TCase *lent = tcase_create("zero copy");
    tcase_add_checked_fixture(lent, set_up_zero_copy, tear_down);
    tcase_add_loop_test(lent, zero_copy_ended_by_the_kernel, 0, 14);
    tcase_add_test(lent, zero_copy_given_back_late);
    suite_add_tcase(suite, lent);
    TCase *chance = tcase_create("by chance");
    core_story_on_quiet = faults_end;
    tcase_set_timeout(chance, 120);
    tcase_add_loop_test(chance, by_chance, 0, SEEDS / SEEDS_AT_ONCE);
    suite_add_tcase(suite, chance);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
