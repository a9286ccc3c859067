/*
 * Two tables of fixed size, one of right and one of wrong passwords, so that a client with many
 * wrong ones cannot push out the right ones. A hash chooses a row; the entry of the row that ends first
 * is replaced.
 */
#include "zcserve/guard.h"
#include "users/crypt.h"
#include "users/siphash.h"
#include "zcserve/htpasswd.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define ROW 4
#define RIGHT_ROWS 256
#define WRONG_ROWS 64
#define NO_PLACE GUARD_CHECKS_MAX

struct tag {
    uint64_t word[2];
};

struct remembered {
    struct tag tag;
    uint64_t until_ns; /* 0: nothing */
    bool failed;       /* it could not be checked */
};

/* A check that is under way. */
struct place {
    bool taken;
    struct tag tag;
    uint64_t who;
};

struct guard {
    struct siphash_key key;
    uint64_t checks; /* that were run, and not yet counted */
    struct place place[GUARD_CHECKS_MAX];
    struct remembered right[RIGHT_ROWS][ROW], wrong[WRONG_ROWS][ROW];
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

static bool tags_equal(const struct tag *a, const struct tag *b)
{
    return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1])) == 0;
}

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
    siphash(&guard->key, bytes, length + c->password.length, tag.word);
    explicit_bzero(bytes, sizeof(bytes));
    return tag;
}

/* Returns a number that is the same for the same address; of IPv6 the first 64 bits count. */
static uint64_t who_of(const struct guard *guard, const struct origin *from)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint64_t who[2];
    bool four = memcmp(from->ip.byte, mapped, sizeof(mapped)) == 0;
    siphash(&guard->key, from->ip.byte, from->local ? 0 : four ? 16 : 8, who);
    return who[0];
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static struct remembered *row_find(struct remembered *row, const struct tag *tag, uint64_t now_ns)
{
    for (int i = 0; i < ROW; i++)
        if (row[i].until_ns > now_ns && tags_equal(&row[i].tag, tag)) return &row[i];
    return NULL;
}

static void row_add(struct remembered *row, const struct tag *tag, uint64_t until_ns, bool failed)
{
    struct remembered *first = row_find(row, tag, 0);
    for (int i = 0; i < ROW && !first; i++)
        if (row[i].until_ns == 0) first = &row[i];
    for (int i = 0; i < ROW && !first; i++)
        if (i == 0 || row[i].until_ns < first->until_ns) first = &row[i];
    *first = (struct remembered){*tag, until_ns, failed};
}

static struct remembered *right_row(struct guard *guard, const struct tag *tag)
{
    return guard->right[tag->word[0] % RIGHT_ROWS];
}

static struct remembered *wrong_row(struct guard *guard, const struct tag *tag)
{
    return guard->wrong[tag->word[0] % WRONG_ROWS];
}

/* ---- the guard ------------------------------------------------------------------------------- */

struct guard *guard_open(void)
{
    struct guard *guard = calloc(1, sizeof(*guard));
    if (guard) arc4random_buf(&guard->key, sizeof(guard->key));
    return guard;
}

void guard_close(struct guard *guard)
{
    if (!guard) return;
    for (int i = 0; i < GUARD_CHECKS_MAX; i++)
        assert(!guard->place[i].taken);
    explicit_bzero(guard, sizeof(*guard));
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
    if (row_find(right_row(guard, &tag), &tag, now_ns)) return GUARD_GRANTED;
    const struct remembered *wrong = row_find(wrong_row(guard, &tag), &tag, now_ns);
    if (wrong) return wrong->failed ? GUARD_FAILED : GUARD_DENIED;
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
    siphash(&check->guard->key, c->name.base, c->name.length, other);
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

void check_end(struct check *check)
{
    struct guard *guard = check->guard;
    const struct tag *tag = &check->tag;
    bool failed = check->match == MATCH_FAILED;
    if (check->place != NO_PLACE) guard->place[check->place].taken = false;
    check->place = NO_PLACE;
    if (!check->run) return;
    guard->checks++;
    if (check->match == MATCH_RIGHT && check->known)
        row_add(right_row(guard, tag), tag, check->done_ns + GUARD_RIGHT_NS, false);
    else
        row_add(wrong_row(guard, tag), tag,
                check->done_ns + (failed ? GUARD_FAILED_NS : GUARD_WRONG_NS), failed);
}

void check_free(struct check *check)
{
    if (!check) return;
    assert(check->place == NO_PLACE);
    explicit_bzero(check, sizeof(*check));
    free(check);
}
