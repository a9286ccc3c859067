/*
 * Lanes driven by a test; see core_ring.h.
 */
#include "core_ring.h"
#include "zcserve/model.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 10000
#define TURN_NS (NS_PER_SECOND / 1000)

bool core_ring_open(struct ring *ring, uint32_t sockets, const struct uring_options *options)
{
    char problem[256];
    const char *why = ring_problem();
    if (why) {
        ck_assert_uint_gt(strlen(why), strlen("io_uring: "));
        return false;
    }
    *ring = (struct ring){.lent = 0};
    ck_assert_int_eq(ring_open(ring, sockets, options, problem, sizeof(problem)), 0);
    return true;
}

void core_ring_close(struct ring *ring)
{
    ck_assert_uint_eq(ring->lent, 0);
    ck_assert_uint_eq(ring->gathers.used, 0);
    ring_close(ring);
}

static void completion_take(struct ring *ring, const struct io_uring_cqe *cqe)
{
    if (cqe->user_data == RING_UNTOLD) return;
    unsigned operation = (unsigned)(cqe->user_data % TAG_UNIT);
    struct core_lane *lane = (struct core_lane *)(uintptr_t)(cqe->user_data - operation);
    ck_assert_uint_lt(operation, LANE_OPERATIONS);
    ck_assert_uint_gt(lane->lane.in_flight, 0);
    ssize_t result = lane_completed(ring, &lane->lane, (enum lane_operation)operation, cqe);
    if (!zero_copy_is_notice(cqe)) {
        lane->result[operation] = result;
        lane->completed[operation]++;
    }
    if (lane->closed) ring_drop(ring, &lane->lane.held);
}

unsigned core_ring_turn(struct ring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned head, taken = 0;
    ring_turn(ring, TURN_NS);
    io_uring_for_each_cqe(&ring->uring, head, cqe)
    {
        completion_take(ring, cqe);
        taken++;
    }
    io_uring_cq_advance(&ring->uring, taken);
    return taken;
}

void core_ring_await(struct ring *ring, const unsigned *value, unsigned least)
{
    for (int i = 0; *value < least && i < TURNS_MAX; i++)
        core_ring_turn(ring);
    ck_assert_uint_ge(*value, least);
}

static void lane_begin(struct core_lane *lane, const int pair[2], int send_bytes)
{
    if (send_bytes > 0) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
    *lane = (struct core_lane){.fd = pair[0], .peer = pair[1]};
    lane_open(&lane->lane, lane, pair[0]);
}

void core_lane_open(struct core_lane *lane, int send_bytes)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    lane_begin(lane, pair, send_bytes);
}

void core_lane_open_tcp(struct core_lane *lane, int send_bytes, int receive_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct sockaddr *any = (struct sockaddr *)&address;
    socklen_t length = sizeof(address);
    int pair[2], listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(listener, any, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, any, &length), 0);
    pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes > 0)
        setsockopt(pair[1], SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    ck_assert_int_eq(connect(pair[1], any, sizeof(address)), 0);
    pair[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(pair[0], 0);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    close(listener);
    lane_begin(lane, pair, send_bytes);
}

void core_lane_close(struct ring *ring, struct core_lane *lane)
{
    if (lane->lane.sending || lane->lane.zero_copy.lent > 0) lane_abort(&lane->lane);
    for (int i = 0; (lane->lane.sending || lane->lane.zero_copy.lent > 0) && i < TURNS_MAX; i++)
        core_ring_turn(ring);
    ck_assert(!lane->lane.sending && lane->lane.zero_copy.lent == 0);
    lane->closed = true;
    lane_close(ring, &lane->lane);
    close(lane->fd);
    for (int i = 0; lane->lane.in_flight > 0 && i < TURNS_MAX; i++)
        core_ring_turn(ring);
    ck_assert_uint_eq(lane->lane.in_flight, 0);
    if (lane->peer >= 0) close(lane->peer);
    lane->fd = lane->peer = -1;
}
