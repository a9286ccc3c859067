/*
 * Who counts a connection at a place, and who gives the place to another address, may do so at the same
 * moment. Each first writes and then looks at what the other one writes, in one order for all
 * (memory_order_seq_cst). So at least one of them sees the other, and steps back.
 */
#include "ledger.h"

#include <stddef.h>

#define TRIES 4 /* a place may be taken away from under us; then the set is searched again */

uint64_t ledger_mix(const struct ledger *l, uint64_t key)
{
    uint64_t bits = (key ^ l->seed[0]) * (l->seed[1] | 1);
    bits ^= bits >> 32;
    bits *= UINT64_C(0x9e3779b97f4a7c15);
    return bits ^ bits >> 29;
}

static struct ledger_place *set_of(const struct ledger *l, uint64_t key)
{
    return &l->place[(size_t)((ledger_mix(l, key) >> 32) % l->sets) * LEDGER_WAYS];
}

static struct ledger_place *find(struct ledger_place *set, uint64_t key)
{
    for (int i = 0; i < LEDGER_WAYS; i++)
        if (atomic_load(&set[i].key) == key) return &set[i];
    return NULL;
}

/* Counts a connection. Returns false when the place was given to another address meanwhile. */
static bool enter(struct ledger_place *place, uint64_t key, uint64_t now_ns)
{
    atomic_fetch_add(&place->connections, 1);
    if (atomic_load(&place->key) != key) {
        atomic_fetch_sub(&place->connections, 1);
        return false;
    }
    atomic_store_explicit(&place->seen_ns, now_ns, memory_order_relaxed);
    return true;
}

static bool is_forgettable(const struct ledger_place *place)
{
    return atomic_load(&place->key) != LEDGER_CHANGES && atomic_load(&place->connections) == 0;
}

/* Returns a free place, or the place without connections that was seen longest ago; NULL: all have some. */
static struct ledger_place *oldest(struct ledger_place *set)
{
    struct ledger_place *best = NULL;
    for (int i = 0; i < LEDGER_WAYS; i++) {
        if (!is_forgettable(&set[i])) continue;
        if (atomic_load(&set[i].key) == 0) return &set[i];
        if (!best || atomic_load(&set[i].seen_ns) < atomic_load(&best->seen_ns)) best = &set[i];
    }
    return best;
}

/* Gives the place to `key`. Returns false when it changed meanwhile. */
static bool claim(struct ledger_place *place, uint64_t key)
{
    uint64_t before = atomic_load(&place->key);
    if (before == LEDGER_CHANGES) return false;
    if (!atomic_compare_exchange_strong(&place->key, &before, LEDGER_CHANGES)) return false;
    bool forgotten = atomic_load(&place->connections) == 0;
    if (forgotten) atomic_store_explicit(&place->full_ns, 0, memory_order_relaxed);
    atomic_store(&place->key, forgotten ? key : before);
    return forgotten;
}

uint32_t ledger_enter(struct ledger *l, uint64_t key, uint64_t now_ns)
{
    struct ledger_place *set = set_of(l, key), *place = NULL;
    for (int i = 0; i < TRIES; i++) {
        place = find(set, key);
        if (!place && (place = oldest(set)) != NULL && !claim(place, key)) continue;
        if (!place) return LEDGER_NO_PLACE;
        if (enter(place, key, now_ns)) return (uint32_t)(place - l->place);
    }
    return LEDGER_NO_PLACE;
}

void ledger_leave(struct ledger *l, uint32_t place)
{
    atomic_fetch_sub(&l->place[place].connections, 1);
}
