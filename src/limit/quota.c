/*
 * The limits of addresses, in one mapping that the supervisor makes before the workers start:
 *
 *      ┌───────────────┬──────────────────────┬───────────────────┬───────────────────┬─────
 *      │ struct quotas │ places of the ledger │ holds of worker 0 │ holds of worker 1 │ …
 *      └───────────────┴──────────────────────┴───────────────────┴───────────────────┴─────
 */
#include "zcserve/quota.h"

#include "bucket.h"
#include "holds.h"
#include "ledger.h"
#include "tell.h"
#include "zcserve/now.h"

#include <assert.h>
#include <sys/mman.h>

#define PACE_BURST_NS (400 * NS_PER_MS) /* of the bandwidth: four ticks of an event loop */

struct quotas {
    struct quota_rules rules;
    struct ledger ledger; /* its places are at the same address in all processes */
    struct told told;
    uint64_t interval_ns; /* between two requests, on average */
    uint32_t workers, connections;
} __attribute__((aligned(64)));

static uint64_t sets_of(const struct quota_rules *rules)
{
    return (rules->addresses + LEDGER_WAYS - 1) / LEDGER_WAYS;
}

static uint64_t ledger_bytes(const struct quota_rules *rules)
{
    return sets_of(rules) * LEDGER_WAYS * sizeof(struct ledger_place);
}

uint64_t quotas_bytes(const struct quota_rules *rules, uint32_t workers, uint32_t connections)
{
    return sizeof(struct quotas) + ledger_bytes(rules) +
           (uint64_t)workers * holds_bytes(connections);
}

static struct holds *holds_of(const struct quotas *q, uint32_t worker)
{
    char *first = (char *)(uintptr_t)q + sizeof(*q) + ledger_bytes(&q->rules);
    assert(worker < q->workers);
    return (void *)(first + worker * holds_bytes(q->connections));
}

static struct hold *hold_of(const struct quotas *q, uint32_t worker, uint32_t hold)
{
    assert(hold < q->connections);
    return &holds_of(q, worker)->hold[hold];
}

struct quotas *quotas_open(const struct quota_rules *rules, uint32_t workers, uint32_t connections,
                           const uint64_t seed[2])
{
    assert(rules->burst > 0 && rules->addresses > 0 && connections < HOLD_NONE);
    struct quotas *q = mmap(NULL, quotas_bytes(rules, workers, connections), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (q == MAP_FAILED) return NULL;
    q->rules = *rules;
    q->workers = workers;
    q->connections = connections;
    q->interval_ns = rules->requests > 0 ? NS_PER_SECOND / rules->requests : 0;
    q->ledger = (struct ledger){
        .place = (void *)(q + 1), .sets = (uint32_t)sets_of(rules), .seed = {seed[0], seed[1]}};
    for (uint32_t i = 0; i < workers; i++)
        holds_clear(holds_of(q, i));
    return q;
}

void quotas_close(struct quotas *q)
{
    if (q) munmap(q, quotas_bytes(&q->rules, q->workers, q->connections));
}

const struct quota_rules *quotas_rules(const struct quotas *q)
{
    return &q->rules;
}

/* ---- connections ------------------------------------------------------------------------------ */

static bool counts_addresses(const struct quotas *q)
{
    return q->rules.connections > 0 || q->rules.requests > 0;
}

/* Returns the IPv4 address, or the first 64 bits of an IPv6 address; the two kinds differ. */
static uint64_t key_of(const struct ip *ip)
{
    static const uint8_t ipv4_before[12] = {[10] = 0xff, [11] = 0xff};
    bool ipv4 = memcmp(ip->byte, ipv4_before, sizeof(ipv4_before)) == 0;
    uint64_t key = ipv4 ? 1 : 0; /* ::/16 has no addresses of hosts but ::1, so both kinds differ */
    for (int i = ipv4 ? 12 : 0, end = ipv4 ? 16 : 8; i < end; i++)
        key = key << 8 | ip->byte[i];
    return key == 0 || key == LEDGER_CHANGES ? 1 : key;
}

uint32_t quota_who(const struct quotas *q, const struct ip *ip)
{
    uint32_t who = (uint32_t)(ledger_mix(&q->ledger, key_of(ip)) >> 16);
    return who > 0 ? who : 1;
}

static void leave(struct quotas *q, struct hold *hold)
{
    uint32_t place = atomic_exchange(&hold->place, 0);
    if (place > 0) ledger_leave(&q->ledger, place - 1);
}

static bool is_over(const struct quotas *q, uint32_t place)
{
    uint32_t connections = atomic_load(&q->ledger.place[place].connections);
    return q->rules.connections > 0 && connections > q->rules.connections;
}

enum quota_place quota_hold(struct quotas *q, uint32_t worker, const struct ip *ip, uint64_t now_ns,
                            uint32_t *hold)
{
    *hold = HOLD_NONE;
    if (networks_have(&q->rules.exempt, ip)) return QUOTA_ALLOWED;
    if (!counts_addresses(q) && q->rules.bandwidth == 0) return QUOTA_ALLOWED;
    uint32_t place =
        counts_addresses(q) ? ledger_enter(&q->ledger, key_of(ip), now_ns) : LEDGER_NO_PLACE;
    if (place != LEDGER_NO_PLACE && is_over(q, place)) {
        ledger_leave(&q->ledger, place);
        return QUOTA_OVER;
    }
    *hold = holds_take(holds_of(q, worker));
    if (place != LEDGER_NO_PLACE) atomic_store(&hold_of(q, worker, *hold)->place, place + 1);
    return place == LEDGER_NO_PLACE && counts_addresses(q) ? QUOTA_UNCOUNTED : QUOTA_ALLOWED;
}

void quota_release(struct quotas *q, uint32_t worker, uint32_t hold)
{
    leave(q, hold_of(q, worker, hold));
    holds_put(holds_of(q, worker), hold);
}

void quotas_worker_ended(struct quotas *q, uint32_t worker)
{
    struct holds *holds = holds_of(q, worker);
    for (uint32_t i = 0; i < holds->touched; i++)
        leave(q, &holds->hold[i]);
    holds_clear(holds);
}

/* ---- requests --------------------------------------------------------------------------------- */

bool quota_request(struct quotas *q, uint32_t worker, uint32_t hold, uint64_t now_ns, bool forced)
{
    uint32_t place = hold == HOLD_NONE ? 0 : atomic_load(&hold_of(q, worker, hold)->place);
    if (place == 0 || q->rules.requests == 0) return true;
    return bucket_take(&q->ledger.place[place - 1].full_ns, now_ns, q->interval_ns, q->rules.burst,
                       forced);
}

/* ---- bandwidth -------------------------------------------------------------------------------- */

/* Returns for how long, in ns, the connection may send at its bandwidth now. */
static uint64_t allowance_ns(const struct hold *hold, uint64_t now_ns)
{
    uint64_t debt_ns = hold->full_ns > now_ns ? hold->full_ns - now_ns : 0;
    return debt_ns < PACE_BURST_NS ? PACE_BURST_NS - debt_ns : 0;
}

/* With less than a quarter of the burst it pauses, so that it does not send byte after byte. */
uint64_t quota_may_send(const struct quotas *q, uint32_t worker, uint32_t hold, uint64_t now_ns)
{
    if (hold == HOLD_NONE || q->rules.bandwidth == 0) return UINT64_MAX;
    uint64_t ns = allowance_ns(hold_of(q, worker, hold), now_ns);
    return ns < PACE_BURST_NS / 4 ? 0 : ns * q->rules.bandwidth / NS_PER_SECOND;
}

void quota_sent(struct quotas *q, uint32_t worker, uint32_t hold, uint64_t bytes, uint64_t now_ns)
{
    if (hold == HOLD_NONE || q->rules.bandwidth == 0) return;
    struct hold *h = hold_of(q, worker, hold);
    uint64_t from = h->full_ns > now_ns ? h->full_ns : now_ns;
    h->full_ns = from + bytes * NS_PER_SECOND / q->rules.bandwidth;
}

uint64_t quota_pause_end(const struct quotas *q, uint32_t worker, uint32_t hold)
{
    uint64_t full_ns = hold_of(q, worker, hold)->full_ns;
    return full_ns > PACE_BURST_NS / 2 ? full_ns - PACE_BURST_NS / 2 : 0;
}

/* ---- what is told ----------------------------------------------------------------------------- */

void quota_tell(struct quotas *q, enum quota_kind kind, const struct sockaddr *peer,
                uint64_t now_ns)
{
    told_tell(&q->told, kind, peer, now_ns);
}
