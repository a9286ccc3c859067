/*
 * The connections of the status listener and their stages. There are few places, and every new peer
 * must get one, so a peer cannot keep its place by being silent or slow:
 *
 *     FRESH      accepted; its first request must be complete within 5 s, however many bytes come
 *     ANSWERED   a response is being sent; the peer must take it within 20 s
 *     KEPT       may send a request within 75 s, enough for a scraper that asks once a minute
 *
 * When there are too many peers, of one address or in all, the one that has waited longest must go.
 * The addresses of one IPv6 network (/64) count as one. peers_next_to_go() returns a peer that must
 * go; the library reports when it is gone. Pure: no socket is touched, and the time is an argument.
 */
#ifndef ZCSERVE_STATUS_PEERS_H
#define ZCSERVE_STATUS_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define PEERS_MAX 64
#define PEERS_OF_ADDRESS_MAX 16
#define PEERS_ROOM (2 * PEERS_MAX) /* with those that are leaving */

enum peer_stage { PEER_FRESH, PEER_ANSWERED, PEER_KEPT };

struct peer {
    int fd; /* -1: the place is free */
    enum peer_stage stage;
    bool leaves;        /* peers_next_to_go() has returned it          */
    bool local;         /* it has no address: a Unix socket            */
    uint8_t address[8]; /* IPv6: the network; IPv4: zeros, the address */
    uint64_t since_ns;  /* when this stage began                       */
};

struct peers {
    struct peer peer[PEERS_ROOM];
};

void peers_open(struct peers *peers);

/* Adds a FRESH peer. Returns NULL when there is no room. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address,
                       uint64_t now_ns);
void peers_remove(struct peer *peer); /* NULL is allowed */

/* Begins a stage of the peer. */
void peer_enter(struct peer *peer, enum peer_stage stage, uint64_t now_ns);

/* Returns the next peer that must go now, each only once; NULL when none must. */
struct peer *peers_next_to_go(struct peers *peers, uint64_t now_ns);

/* Returns when the next deadline of a peer is, in ns; UINT64_MAX: never. */
uint64_t peers_deadline_ns(const struct peers *peers);

#endif
