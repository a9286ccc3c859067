/*
 * The simulated socket; see core_simulation.h. In each turn one thing happens: bytes arrive, bytes
 * leave, nothing can move, or something goes wrong.
 */
#include "core_simulation.h"

#define TURNS_MAX 200000

static uint64_t generator_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * UINT64_C(2685821657736338717) >> 16;
}

uint32_t core_choose(struct core_choices *choices, uint32_t below)
{
    uint32_t choice = 0;
    if (choices->at < choices->length) {
        choice = choices->script[choices->at++];
        if (below > 256 && choices->at < choices->length)
            choice |= (uint32_t)choices->script[choices->at++] << 8;
    } else if (choices->seed != 0) {
        choice = (uint32_t)generator_next(&choices->seed);
    }
    return choice % below;
}

bool core_chance(struct core_choices *choices, uint32_t n)
{
    return core_choose(choices, n) == 1 % n;
}

/* Returns a size from 1 to `most`: often a small one, often `most`, else a random one. */
static size_t size_choose(struct core_choices *choices, size_t most)
{
    size_t small = 1 + core_choose(choices, 8);
    switch (core_choose(choices, 4)) {
    case 0: return small < most ? small : most;
    case 1: return 1 + core_choose(choices, (uint32_t)(most < 4096 ? most : 4096));
    default: return most;
    }
}

struct simulation {
    struct core_link *link;
    struct core_choices *choices;
    struct core_troubles troubles;
    const char *bytes;
    size_t length, taken;
};

static void drain_begin(struct simulation *s)
{
    conn_draining(&s->link->conn, &s->link->now);
    if (conn_next(&s->link->conn) == CONN_RECEIVE && conn_idle(&s->link->conn))
        core_holds(conn_deadline_ns(&s->link->conn) <=
                   s->link->now.monotonic_ns + s->link->rules.linger_ns);
}

/* Returns true when something went wrong and the connection was told. */
static bool trouble_befalls(struct simulation *s)
{
    uint32_t dice = core_choose(s->choices, 1000);
    struct core_troubles t = s->troubles;
    if (dice < t.reset) {
        core_link_fail(s->link, CLOSE_PEER_RESET);
        return true;
    }
    if ((dice -= t.reset) < t.timeout) {
        if (conn_next(&s->link->conn) != CONN_PARKED) core_link_expire(s->link);
        return true;
    }
    if ((dice -= t.timeout) < t.drain) drain_begin(s);
    return false;
}

/* The peer sends nothing more: it waits until the deadline, or it finishes. */
static void peer_ends(struct simulation *s)
{
    if (core_chance(s->choices, 2))
        core_link_expire(s->link);
    else
        core_link_finish(s->link);
}

static void turn_receive(struct simulation *s)
{
    size_t left = s->length - s->taken;
    if (core_chance(s->choices, 4)) core_link_rest(s->link);
    if (left == 0 || core_choose(s->choices, 1000) < s->troubles.finish) {
        peer_ends(s);
        return;
    }
    s->taken += core_link_receive(s->link, s->bytes + s->taken, size_choose(s->choices, left));
}

static void turn_send(struct simulation *s)
{
    struct outgoing out;
    conn_outgoing(&s->link->conn, &out);
    core_link_send(s->link, size_choose(s->choices, (size_t)out.length));
}

/* Lets one thing happen. Returns false when the connection must be closed. */
static bool turn(struct simulation *s)
{
    core_link_wait(s->link, core_choose(s->choices, 1000) * 1000);
    enum conn_step step = core_link_advance(s->link);
    bool waits = step == CONN_RECEIVE || step == CONN_SEND || step == CONN_PARKED;
    if (s->link->parked && core_chance(s->choices, 3)) {
        core_link_unpark(s->link);
        return true;
    }
    if (waits && core_chance(s->choices, 5)) return true; /* the socket is not ready */
    if (waits && trouble_befalls(s)) return true;
    switch (step) {
    case CONN_RECEIVE: turn_receive(s); return true;
    case CONN_SEND: turn_send(s); return true;
    case CONN_PARKED: return true;
    case CONN_HALF_CLOSE: core_link_half_close(s->link); return true;
    case CONN_RESOLVE:
    case CONN_SETTLE: core_holds(false && "core_link_advance takes these"); return true;
    case CONN_CLOSE: break;
    }
    return false;
}

static bool lookup_waits(void *of)
{
    return core_chance(of, 3);
}

void core_simulate(struct core_link *link, const char *bytes, size_t length,
                   struct core_choices *choices, struct core_troubles troubles)
{
    struct simulation s = {link, choices, troubles, bytes, length, 0};
    int turns = 0;
    link->parks = troubles.park ? lookup_waits : NULL;
    link->parks_of = choices;
    while (turn(&s))
        core_holds(++turns < TURNS_MAX);
    core_holds(s.taken <= length);
    core_holds(link->settled == link->conn.requests);
}
