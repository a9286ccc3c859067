/*
 * Lanes and peers that exchange random bytes; see core_story.h.
 */
#include "core_story.h"
#include "core_disk.h"
#include "core_site.h"

#include <check.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONG 100000 /* bytes of the pattern; then it begins again with the first */
#define WHOLE ((size_t)LONG + 65536)
#define QUIET_TURNS 12      /* without a completion, one after another */
#define QUIET_TURNS_MAX 400 /* a ring that turns for ever has no such row */
#define END_TURNS_MAX 20000

/* What one lane and its peer have sent each other: byte number n is core_site_byte(n % LONG). */
static struct story {
    size_t said, taken; /* bytes that the peer sent, and that we took  */
    size_t sent, heard; /* bytes that we sent, and that the peer heard */
    unsigned sends;     /* completions of sends that were seen         */
    bool ended;         /* the peer ended its side                     */
} stories[CORE_STORY_PLAYERS];

static struct core_lane players[CORE_STORY_PLAYERS];
static char sent[WHOLE], heard[WHOLE];
static bool uses_places;

void (*core_story_on_quiet)(void);

static uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* ---- the peer ------------------------------------------------------------------------------ */

static void peer_hear(struct core_lane *lane, struct story *story, size_t size)
{
    ssize_t n = recv(lane->peer, heard, size, 0);
    if (n <= 0) return;
    ck_assert_int_eq(memcmp(heard, sent + story->heard % LONG, (size_t)n), 0);
    story->heard += (size_t)n;
}

static void peer_say(struct core_lane *lane, struct story *story, size_t size)
{
    if (story->ended) return;
    ssize_t n = send(lane->peer, sent + story->said % LONG, size, MSG_NOSIGNAL);
    if (n > 0) story->said += (size_t)n;
}

static void peer_act(struct core_lane *lane, struct story *story, uint32_t chance)
{
    switch (chance % 16) {
    case 0:
        story->ended = true;
        shutdown(lane->peer, SHUT_WR);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: peer_say(lane, story, 1 + chance / 16 % 8000); break;
    default: peer_hear(lane, story, 1 + chance / 16 % 30000);
    }
}

/* ---- the lane ------------------------------------------------------------------------------ */

static void send_some(struct ring *ring, struct core_lane *lane, struct story *story,
                      uint32_t chance)
{
    int parts = (int)(chance % 32) + 1;
    size_t length = 32 + chance / 32 % 20000, each = length / (size_t)parts;
    struct outgoing out = {.count = parts, .fd = -1, .length = length};
    char *at = sent + story->sent % LONG;
    for (int i = 0; i < parts; i++, at += each)
        out.vector[i] = (struct iovec){at, i < parts - 1 ? each : length - each * (size_t)i};
    lane_send(ring, &lane->lane, &out);
}

static void take_some(struct ring *ring, struct core_lane *lane, struct story *story,
                      uint32_t chance)
{
    if (!lane_has_received(&lane->lane)) return;
    ssize_t n = lane_take(ring, &lane->lane, heard, 1 + chance % 5000);
    if (n == -EAGAIN) return;
    ck_assert_int_ge(n, 0);
    ck_assert(n > 0 || story->ended);
    ck_assert(n > 0 || story->taken == story->said); /* the end comes after all bytes */
    ck_assert_int_eq(memcmp(heard, sent + story->taken % LONG, (size_t)n), 0);
    story->taken += (size_t)n;
}

static void lane_act(struct ring *ring, struct core_lane *lane, struct story *story,
                     uint32_t chance, int file)
{
    struct outgoing range = {.fd = file, .offset = chance % LONG, .length = 4096};
    switch (chance % 8) {
    case 0:
    case 1:
    case 2: take_some(ring, lane, story, chance / 8); break;
    case 3:
    case 4: lane_receive(ring, &lane->lane); break;
    case 5:
        if (!lane->lane.sending) send_some(ring, lane, story, chance / 8);
        break;
    case 6:
        if (!lane->lane.sending) lane_await_writable(ring, &lane->lane);
        break;
    case 7:
        if (!lane->lane.sending && chance % 64 == 7) lane_fetch(ring, &lane->lane, &range);
        break;
    }
}

/* A result that the kernel gives for reasons of its own must not be reported as one of the peer. */
static void results_take(void)
{
    for (int i = 0; i < CORE_STORY_PLAYERS; i++) {
        struct core_lane *lane = &players[i];
        for (int operation = 0; operation < LANE_OPERATIONS; operation++)
            if (lane->result[operation] < 0) /* checked here: an assertion costs a system call */
                ck_abort_msg("operation %d: %zd", operation, lane->result[operation]);
        if (lane->completed[LANE_SEND] == stories[i].sends) continue;
        stories[i].sends = lane->completed[LANE_SEND];
        stories[i].sent += (size_t)lane->result[LANE_SEND];
    }
}

static unsigned turn(struct ring *ring)
{
    unsigned taken = core_ring_turn(ring);
    results_take();
    return taken;
}

/* ---- the story ----------------------------------------------------------------------------- */

static bool is_told(const struct core_lane *lane, const struct story *story)
{
    return story->taken == story->said && story->heard == story->sent && !lane->lane.sending &&
           lane->lane.zero_copy.lent == 0 && (!story->ended || lane->lane.finished);
}

/* All bytes that either side sent arrive, however often they are delayed. */
static void stories_end(struct ring *ring)
{
    bool told = false;
    for (int turns = 0; turns < END_TURNS_MAX && !told; turns++) {
        told = true;
        for (int i = 0; i < CORE_STORY_PLAYERS; i++) {
            struct core_lane *lane = &players[i];
            if (is_told(lane, &stories[i])) continue;
            told = false;
            if (stories[i].heard < stories[i].sent || lane->lane.sending)
                peer_hear(lane, &stories[i], LONG / 2);
            take_some(ring, lane, &stories[i], 4999);
            if (!lane->lane.finished) lane_receive(ring, &lane->lane);
        }
        turn(ring);
    }
    ck_assert(told);
}

static void lane_close_now(struct ring *ring, int i)
{
    core_lane_close(ring, &players[i]);
    players[i] = (struct core_lane){.peer = -1};
}

static void lane_anew(struct ring *ring, int i)
{
    if (players[i].peer >= 0) lane_close_now(ring, i);
    core_lane_open(&players[i], 8192);
    if (uses_places) lane_register(ring, &players[i].lane, (uint32_t)i);
    stories[i] = (struct story){0};
}

/*
 * Nothing is left to do: lanes wait for bytes or for room, and soon the ring does not turn any more. On a busy
 * machine the last completions may come late, above all when a thread of the kernel submits.
 */
static void quiet_expect(struct ring *ring)
{
    if (core_story_on_quiet) core_story_on_quiet();
    for (int i = 0; i < CORE_STORY_PLAYERS; i++) {
        while (i % 2 && send(players[i].fd, sent, 1000, MSG_NOSIGNAL) > 0)
            continue;
        if (!players[i].lane.sending) lane_await_writable(ring, &players[i].lane);
        if (!players[i].lane.finished) lane_receive(ring, &players[i].lane);
    }
    int turns = 0;
    for (int quiet = 0; quiet < QUIET_TURNS && turns < QUIET_TURNS_MAX; turns++)
        quiet = turn(ring) == 0 ? quiet + 1 : 0;
    ck_assert_int_lt(turns, QUIET_TURNS_MAX);
    for (int i = 0; i < CORE_STORY_PLAYERS; i++)
        ck_assert_int_eq(players[i].lane.sending, i % 2 ? LANE_FULL : LANE_FREE);
}

static void step(struct ring *ring, uint64_t *state, int file)
{
    int i = (int)(random_next(state) % CORE_STORY_PLAYERS);
    uint32_t chance = random_next(state);
    results_take(); /* closing turns the ring, too */
    if (chance % 256 == 0)
        lane_anew(ring, i);
    else if (chance % 2)
        peer_act(&players[i], &stories[i], chance / 2);
    else
        lane_act(ring, &players[i], &stories[i], chance / 2, file);
    if (chance % 3 == 0) turn(ring);
}

/* Makes the file once in a process. */
static int file_make(void)
{
    static int file = -1;
    if (file >= 0) return file;
    for (size_t i = 0; i < WHOLE; i++)
        sent[i] = core_site_byte(i % LONG);
    file = core_disk_file(LONG);
    return file;
}

void core_story_tell(struct ring *ring, bool registered, uint64_t seed, unsigned steps)
{
    uint64_t state = seed;
    int file = file_make();
    uses_places = registered;
    for (int i = 0; i < CORE_STORY_PLAYERS; i++) {
        players[i].peer = -1;
        lane_anew(ring, i);
    }
    for (unsigned i = 0; i < steps; i++)
        step(ring, &state, file);
    stories_end(ring);
    quiet_expect(ring);
    for (int i = 0; i < CORE_STORY_PLAYERS; i++)
        lane_close_now(ring, i);
    ck_assert_uint_eq(ring->lent, 0);
    ck_assert_uint_eq(ring->gathers.used, 0);
}
