/*
 * "Who has waited long enough?" The connections of the status listener, with how far each is. There are few
 * places, and whoever comes must be answered, so nobody holds one by saying nothing or by saying it slowly:
 *
 *     FRESH      accepted; its first request must be there within 5 s, however many bytes come
 *     ANSWERED   an answer is on its way; it must be taken within 20 s
 *     KEPT       may ask again within 75 s: more than a minute, for who scrapes once a minute
 *
 * and when there are more than places, of one address or in all, the one that has waited longest goes. Addresses of
 * one IPv6 network (/64) are one. Who is to go is told; when it is gone, the library says so.
 * Pure: no socket is touched, and the time is an argument.
 */
#ifndef ZCSERVE_STATUS_PEERS_H
#define ZCSERVE_STATUS_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define PEERS_MAX 64
#define PEERS_OF_ADDRESS_MAX 16
#define PEERS_ROOM (2 * PEERS_MAX) /* with those that are on their way out */

enum peer_stage { PEER_FRESH, PEER_ANSWERED, PEER_KEPT };

struct peer {
    int fd; /* -1: the place is free */
    enum peer_stage stage;
    bool leaves;        /* it was told to be let go */
    bool local;         /* on a Unix socket: without an address */
    uint8_t address[8]; /* IPv6: the network; IPv4: after zeros */
    uint64_t since_ns;  /* when it came to this stage */
};

struct peers {
    struct peer peer[PEERS_ROOM];
};

void peers_open(struct peers *peers);

/* A new one, FRESH; NULL when there is no room at all. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address,
                       uint64_t now_ns);
void peers_remove(struct peer *peer); /* NULL is none */

/* It has come to this stage. */
void peer_enter(struct peer *peer, enum peer_stage stage, uint64_t now_ns);

/* The next one to be let go, now; it is told once. NULL when nobody has to. */
struct peer *peers_next_to_go(struct peers *peers, uint64_t now_ns);

/* When to ask again although nothing happened: UINT64_MAX, or a time. */
uint64_t peers_deadline_ns(const struct peers *peers);

#endif
