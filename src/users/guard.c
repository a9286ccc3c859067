/* Asks what is remembered, and has places for the checks that are under way. */
#include "zcserve/guard.h"
#include "users/crypt.h"
#include "users/guard_memory.h"
#include "zcserve/htpasswd.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define NO_PLACE GUARD_CHECKS_MAX

/* A check that is under way. */
struct place {
    bool taken;
    struct tag tag;
    uint64_t who;
};

struct guard {
    struct guard_memory *memory; /* of all workers */
    uint64_t checks;             /* that were run, and not yet counted */
    struct place place[GUARD_CHECKS_MAX];
};

struct check {
    struct guard *guard;
    struct tag tag;
    uint32_t place;   /* NO_PLACE: another check of the same pair is under way, or it was ended */
    uint64_t done_ns; /* when it was run */
    const char *hash;
    bool known; /* there is such a user */
    bool run;
    enum match match;
    char password[PASSWORD_MAX + 1];
};

/* The number of the file, the name, a NUL, which is in no name, and the password. */
static struct tag tag_of(const struct guard *guard, const struct credentials *c)
{
    char bytes[sizeof(c->users->number) + USER_NAME_MAX + 1 + PASSWORD_MAX];
    size_t length = sizeof(c->users->number);
    struct tag tag;
    assert(c->name.length <= USER_NAME_MAX && c->password.length <= PASSWORD_MAX);
    memcpy(bytes, &c->users->number, length);
    memcpy(bytes + length, c->name.base, c->name.length);
    length += c->name.length;
    bytes[length++] = '\0';
    memcpy(bytes + length, c->password.base, c->password.length);
    siphash(guard_memory_key(guard->memory), bytes, length + c->password.length, tag.word);
    explicit_bzero(bytes, sizeof(bytes));
    return tag;
}

/* Returns a number that is the same for the same address; of IPv6 the first 64 bits count. */
static uint64_t who_of(const struct guard *guard, const struct origin *from)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint64_t who[2];
    bool four = memcmp(from->ip.byte, mapped, sizeof(mapped)) == 0;
    siphash(guard_memory_key(guard->memory), from->ip.byte, from->local ? 0 : four ? 16 : 8, who);
    return who[0];
}

/* ---- the guard ------------------------------------------------------------------------------- */

struct guard *guard_open(struct guard_memory *memory)
{
    struct guard *guard = calloc(1, sizeof(*guard));
    if (guard) guard->memory = memory;
    return guard;
}

void guard_close(struct guard *guard)
{
    if (!guard) return;
    for (int i = 0; i < GUARD_CHECKS_MAX; i++)
        assert(!guard->place[i].taken);
    free(guard);
}

/* Returns the place of a check of this pair, or NULL. */
static const struct place *place_find(const struct guard *guard, const struct tag *tag)
{
    for (int i = 0; i < GUARD_CHECKS_MAX; i++)
        if (guard->place[i].taken && tags_equal(&guard->place[i].tag, tag)) return &guard->place[i];
    return NULL;
}

static enum guarded room_for(const struct guard *guard, uint64_t who)
{
    int taken = 0, of_address = 0;
    for (int i = 0; i < GUARD_CHECKS_MAX; i++) {
        taken += guard->place[i].taken;
        of_address += guard->place[i].taken && guard->place[i].who == who;
    }
    if (of_address >= GUARD_CHECKS_OF_ADDRESS) return GUARD_LIMITED;
    return taken == GUARD_CHECKS_MAX ? GUARD_FULL : GUARD_UNKNOWN;
}

enum guarded guard_ask(struct guard *guard, const struct credentials *credentials,
                       const struct origin *from, uint64_t now_ns)
{
    struct tag tag = tag_of(guard, credentials);
    enum guarded known = guard_memory_find(guard->memory, &tag, now_ns);
    if (known != GUARD_UNKNOWN) return known;
    return place_find(guard, &tag) ? GUARD_UNKNOWN : room_for(guard, who_of(guard, from));
}

uint64_t guard_checks_take(struct guard *guard)
{
    uint64_t checks = guard->checks;
    guard->checks = 0;
    return checks;
}

/* ---- checks ---------------------------------------------------------------------------------- */

/* Takes a place, unless a check of the same pair has one. */
static uint32_t place_take(struct guard *guard, const struct tag *tag, uint64_t who)
{
    if (place_find(guard, tag)) return NO_PLACE;
    for (uint32_t i = 0; i < GUARD_CHECKS_MAX; i++) {
        if (guard->place[i].taken) continue;
        guard->place[i] = (struct place){true, *tag, who};
        return i;
    }
    return NO_PLACE;
}

/*
 * Sets whose hash is computed. For a name that is unknown it is always the same other user's, so that such
 * names take as long as known ones, whatever hashes the file has.
 */
static void hash_choose(struct check *check, const struct credentials *c)
{
    const struct user *user = users_find(c->users, c->name);
    uint64_t other[2];
    check->known = user;
    siphash(guard_memory_key(check->guard->memory), c->name.base, c->name.length, other);
    check->hash = user ? user->hash : c->users->user[other[0] % c->users->count].hash;
}

struct check *check_new(struct guard *guard, const struct credentials *credentials,
                        const struct origin *from)
{
    struct check *check = malloc(sizeof(*check));
    if (!check) return NULL;
    *check = (struct check){.guard = guard, .tag = tag_of(guard, credentials), .place = NO_PLACE};
    memcpy(check->password, credentials->password.base, credentials->password.length);
    hash_choose(check, credentials);
    check->place = place_take(guard, &check->tag, who_of(guard, from));
    return check;
}

struct text check_key(const struct check *check)
{
    return (struct text){(const char *)&check->tag, sizeof(check->tag)};
}

void check_run(struct check *check)
{
    check->match = crypt_match(check->password, check->hash);
    check->done_ns = now_monotonic_ns();
    check->run = true;
}

static enum guarded result_of(const struct check *check)
{
    if (check->match == MATCH_FAILED) return GUARD_FAILED;
    return check->match == MATCH_RIGHT && check->known ? GUARD_GRANTED : GUARD_DENIED;
}

void check_end(struct check *check)
{
    struct guard *guard = check->guard;
    if (check->place != NO_PLACE) guard->place[check->place].taken = false;
    check->place = NO_PLACE;
    if (!check->run) return;
    guard->checks++;
    guard_memory_add(guard->memory, &check->tag, result_of(check), check->done_ns);
}

void check_free(struct check *check)
{
    if (!check) return;
    assert(check->place == NO_PLACE);
    explicit_bzero(check, sizeof(*check));
    free(check);
}
