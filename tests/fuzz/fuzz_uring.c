/*
 * A whole connection of the io_uring model (src/model/uring.c) over the ring of simulated_ring.h:
 * see whole_connection.c for the input. The choices say in which order operations complete, and
 * with what: short sends, passing errors, no buffer, multishot operations that end, memory that is
 * given back late. The socket is one end of a real pair; the peer, at the other end, speaks,
 * listens, finishes and leaves once a turn.
 */
#include "whole_connection.c"

#include "../unit/simulated_ring.h"
#include "model/models.h"
#include "model/uring.h"

#include <sys/sendfile.h>

#define TURNS_MAX 100000

static struct uring_loop *loop;
static int peer; /* -1: it has left */
static unsigned turns;
static bool stopped; /* the server was told to */

/* ---- choices --------------------------------------------------------------------------------- */

/* The kind choice is the highest: no fault, and all operations are looked at. */
static uint32_t ring_choose(uint32_t below)
{
    return below - 1 - choose(below);
}

/* A file may end early, or be sent in small parts; so may all of it. */
ssize_t sendfile(int fd, int file, off_t *offset, size_t length)
{
    uint32_t choice = choose(32);
    broken |= choice == 1;
    if (choice == 1) return 0;
    if (choice > 1 && choice < 12 && length > choice) length = choice;
    return syscall(SYS_sendfile, fd, file, offset, length);
}

/* ---- the peer -------------------------------------------------------------------------------- */

static void peer_say(size_t most)
{
    size_t left = seen.length - seen.taken;
    if (left < most) most = left;
    ssize_t n = send(peer, seen.bytes + seen.taken, most, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) seen.taken += (size_t)n;
}

/* Returns whether there may be more. */
static bool peer_hear(size_t most)
{
    ssize_t n = recv(peer, traffic_room(&seen, most), most, MSG_DONTWAIT);
    if (n > 0) seen.sent_length += (size_t)n;
    return n > 0;
}

static void peer_finish(void)
{
    if (!seen.finished) shutdown(peer, SHUT_WR);
    seen.finished = true;
}

static void peer_leave(void)
{
    close(peer);
    peer = -1;
}

static void peer_does_all(void)
{
    if (!seen.finished) peer_say(SIZE_MAX);
    while (peer_hear(4096))
        continue;
    if (seen.taken == seen.length) peer_finish();
}

static void peer_move(void)
{
    switch (choose(16)) {
    case 0: peer_does_all(); break;
    case 1: peer_finish(); break;
    case 2:
        broken = true;
        peer_leave();
        break;
    case 3:
    case 4: time_passes(); break;
    case 5: loop->stopping = stopped = choose(4) == 1; break;
    case 6:
    case 7: peer_hear(1 + choose(200)); break;
    case 8: peer_hear(4096); break;
    case 9: break;
    default:
        if (!seen.finished) peer_say(1 + choose(64));
    }
}

static void turn(void)
{
    holds(++turns < TURNS_MAX);
    if (choices_left == 0) simulated.by_chance = false;
    if (loop->clients.used == 0) loop->stopping = true;
    if (peer >= 0 && !stopped) peer_move();
}

/* ---- the server ------------------------------------------------------------------------------ */

static struct service_listener silent = {.fd = -1, .owner = SERVICE_NO_WORKER};
static struct roster present = {.stand_in = SERVICE_NO_WORKER};

static void options_set(uint8_t byte)
{
    site.service.uring = (struct uring_options){.zero_copy_bytes = byte & 32 ? 200 : 0,
                                                .registered_files = (byte & 64) != 0};
    if (silent.fd < 0) silent.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    site.service.connections_max = 200; /* more than needed: otherwise listeners are polled */
    site.service.listeners = 1;
    site.service.listener = &silent;
    site.service.roster = &present;
    simulated_settings(1, choose(64));
    simulated.held[IORING_OP_ACCEPT] = true; /* no other connection comes */
    simulated.chooses = ring_choose;
    simulated.turns = turn;
}

static void connection_begin(bool narrow)
{
    int pair[2], bytes = 2048;
    struct io_uring_cqe accepted = {.flags = IORING_CQE_F_MORE};
    holds(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    if (narrow) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    peer = pair[1];
    accepted.res = pair[0];
    uring_accepted(loop, 0, &accepted);
}

/* Reads what the server sent at last, up to the end. */
static void connection_end(void)
{
    if (peer < 0) return;
    while (peer_hear(4096))
        continue;
    peer_leave();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!input_begin(data, size)) return 0;
    options_set(data[0]);
    turns = 0;
    stopped = false;
    loop = uring_model.open(&site.service, DRIVEN);
    holds(loop != NULL);
    connection_begin((data[0] & 128) != 0);
    holds(uring_model.run(loop) == 0);
    holds(loop->clients.used == 0 && loop->worker.works.used == 0 && loop->ring.lent == 0);
    connection_end();
    uring_model.close(loop);
    outcome_compare(false);
    return 0;
}
