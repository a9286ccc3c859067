/*
 * What one client address may take of the server: connections at a time, requests a second, and of each of
 * its connections so many bytes a second.
 *
 * An address is an IPv4 address or the first 64 bits of an IPv6 address, because a client has at least as
 * many (RFC 6177, RFC 4291 §2.5.4). All workers count in one table, in memory that they share. The table
 * has a fixed size and no lock. When its places are taken, the address that was seen longest ago and has
 * no connection is forgotten. When each address that could be forgotten has a connection, a new address
 * gets no place: it is not limited, and this is counted.
 *
 * A connection of a limited address has a hold: what is remembered of this one connection. The holds of a
 * worker lie in shared memory too, so that its connections are given back when the worker has died.
 */
#ifndef ZCSERVE_QUOTA_H
#define ZCSERVE_QUOTA_H

#include "zcserve/network.h"

#include <stdbool.h>
#include <stdint.h>

struct quota_rules {
    uint32_t connections;   /* of one address at a time; 0: any number                      */
    uint32_t requests;      /* of one address a second, on average; 0: any number           */
    uint32_t burst;         /* requests that it may send at once; at least 1                */
    uint64_t bandwidth;     /* bytes a second for one connection, at most 10^10; 0: any     */
    uint32_t addresses;     /* how many are known at a time; at least 8                     */
    struct networks exempt; /* their addresses have no limits; local peers never have any   */
};

struct quotas;

#define HOLD_BITS 21
#define HOLD_NONE ((UINT32_C(1) << HOLD_BITS) - 1) /* of a connection that is not limited */

/* The kinds of limits that are logged. */
enum quota_kind { QUOTA_CONNECTIONS, QUOTA_REQUESTS, QUOTA_SEND_RATE, QUOTA_COLD, QUOTA_KINDS };

/*
 * Makes the table for `workers` workers with at most `connections` connections each (below HOLD_NONE). The
 * seed is random, so that no client can choose addresses that share a place. Returns NULL with errno set.
 */
struct quotas *quotas_open(const struct quota_rules *rules, uint32_t workers, uint32_t connections,
                           const uint64_t seed[2]);
void quotas_close(struct quotas *q); /* NULL: nothing */

const struct quota_rules *quotas_rules(const struct quotas *q);

/* Returns how many bytes quotas_open() maps; the kernel gives the memory only as it is used. */
uint64_t quotas_bytes(const struct quota_rules *rules, uint32_t workers, uint32_t connections);

/* The worker has ended, or is about to begin: gives back what it held. */
void quotas_worker_ended(struct quotas *q, uint32_t worker);

/* Returns a number other than 0 that is the same for the same address. */
uint32_t quota_who(const struct quotas *q, const struct ip *ip);

enum quota_place {
    QUOTA_ALLOWED,
    QUOTA_OVER,     /* the address has all its connections: close this one */
    QUOTA_UNCOUNTED /* it is allowed, but the table has no place for it    */
};

/*
 * A connection of this address begins. Sets *hold to its hold, which quota_release() must give back; to
 * HOLD_NONE when it is not limited, or QUOTA_OVER.
 */
enum quota_place quota_hold(struct quotas *q, uint32_t worker, const struct ip *ip, uint64_t now_ns,
                            uint32_t *hold);
void quota_release(struct quotas *q, uint32_t worker, uint32_t hold);

/*
 * Takes one request from the allowance of the address (a token bucket). Returns false when there is none.
 * `forced`: takes it anyway, so that later requests wait for it.
 */
bool quota_request(struct quotas *q, uint32_t worker, uint32_t hold, uint64_t now_ns, bool forced);

/*
 * Bandwidth: returns how many bytes the connection may send now, or 0 when it has to pause until
 * quota_pause_end(). quota_sent() tells how many were sent.
 */
uint64_t quota_may_send(const struct quotas *q, uint32_t worker, uint32_t hold, uint64_t now_ns);
void quota_sent(struct quotas *q, uint32_t worker, uint32_t hold, uint64_t bytes, uint64_t now_ns);
uint64_t quota_pause_end(const struct quotas *q, uint32_t worker, uint32_t hold);

/*
 * Logs that this peer met a limit, at most once a second for each kind and server. A line says how many
 * were not logged since the last one.
 */
void quota_tell(struct quotas *q, enum quota_kind kind, const struct sockaddr *peer,
                uint64_t now_ns);

#endif
