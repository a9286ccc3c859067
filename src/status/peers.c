/*
 * The table of peers. Each search goes through the whole table, because it is small, and is
 * searched only when a peer comes or a time has passed.
 */
#include "status/peers.h"

#include "zcserve/now.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

static const uint64_t patience_ns[] = {
    [PEER_FRESH] = 5 * NS_PER_SECOND,
    [PEER_ANSWERED] = 20 * NS_PER_SECOND,
    [PEER_KEPT] = 75 * NS_PER_SECOND,
};

void peers_open(struct peers *peers)
{
    for (int i = 0; i < PEERS_ROOM; i++)
        peers->peer[i] = (struct peer){.fd = -1};
}

/* An IPv4-mapped IPv6 address is stored as its IPv4 address. */
static void address_take(struct peer *peer, const struct sockaddr *address)
{
    struct sockaddr_in6 in6;
    struct sockaddr_in in;
    peer->local = false;
    if (address && address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        memcpy(peer->address + 4, &in.sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof(in6));
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
        memcpy(peer->address + (mapped ? 4 : 0), in6.sin6_addr.s6_addr + (mapped ? 12 : 0),
               mapped ? 4 : 8);
    } else {
        peer->local = true;
    }
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address, uint64_t now_ns)
{
    for (int i = 0; i < PEERS_ROOM; i++) {
        struct peer *peer = &peers->peer[i];
        if (peer->fd >= 0) continue;
        *peer = (struct peer){.fd = fd, .since_ns = now_ns};
        address_take(peer, address);
        return peer;
    }
    return NULL;
}

void peers_remove(struct peer *peer)
{
    if (peer) peer->fd = -1;
}

void peer_enter(struct peer *peer, enum peer_stage stage, uint64_t now_ns)
{
    peer->stage = stage;
    peer->since_ns = now_ns;
}

/*
 * ---- which peer must go -----------------------------------------------------------------------
 */

static bool is_there(const struct peer *peer)
{
    return peer->fd >= 0 && !peer->leaves;
}

static bool is_of(const struct peer *peer, const struct peer *same)
{
    if (!is_there(peer)) return false;
    if (!same) return true;
    return !peer->local && !same->local &&
           memcmp(peer->address, same->address, sizeof(peer->address)) == 0;
}

/*
 * Returns the peer that has waited longest of those with the address of `same` (NULL: of all), if
 * there are more than `most`; else NULL.
 */
static struct peer *first_of_too_many(struct peers *peers, const struct peer *same, int most)
{
    struct peer *first = NULL;
    int count = 0;
    for (int i = 0; i < PEERS_ROOM; i++) {
        struct peer *peer = &peers->peer[i];
        if (!is_of(peer, same)) continue;
        count++;
        if (!first || peer->since_ns < first->since_ns) first = peer;
    }
    return count > most ? first : NULL;
}

static struct peer *first_in_excess(struct peers *peers)
{
    struct peer *first = NULL;
    for (int i = 0; i < PEERS_ROOM && !first; i++)
        if (is_there(&peers->peer[i]) && !peers->peer[i].local)
            first = first_of_too_many(peers, &peers->peer[i], PEERS_OF_ADDRESS_MAX);
    return first ? first : first_of_too_many(peers, NULL, PEERS_MAX);
}

static uint64_t deadline_ns(const struct peer *peer)
{
    return peer->since_ns + patience_ns[peer->stage];
}

static struct peer *first_overdue(struct peers *peers, uint64_t now_ns)
{
    for (int i = 0; i < PEERS_ROOM; i++)
        if (is_there(&peers->peer[i]) && deadline_ns(&peers->peer[i]) <= now_ns)
            return &peers->peer[i];
    return NULL;
}

struct peer *peers_next_to_go(struct peers *peers, uint64_t now_ns)
{
    struct peer *peer = first_overdue(peers, now_ns);
    if (!peer) peer = first_in_excess(peers);
    if (peer) peer->leaves = true;
    return peer;
}

uint64_t peers_deadline_ns(const struct peers *peers)
{
    uint64_t first_ns = UINT64_MAX;
    for (int i = 0; i < PEERS_ROOM; i++)
        if (is_there(&peers->peer[i]) && deadline_ns(&peers->peer[i]) < first_ns)
            first_ns = deadline_ns(&peers->peer[i]);
    return first_ns;
}
