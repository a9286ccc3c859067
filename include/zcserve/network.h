/*
 * IP addresses and networks, and a list of those that are trusted. Pure: no name is looked up. An
 * IPv4 address is kept as the IPv6 address ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so both kinds compare
 * alike.
 */
#ifndef ZCSERVE_NETWORK_H
#define ZCSERVE_NETWORK_H

#include "zcserve/text.h"

#include <stdint.h>

struct sockaddr;

struct ip {
    uint8_t byte[16];
};

struct network {
    struct ip address;
    uint32_t bits; /* 0 to 128: how many bits of an address must be those of `address` */
};

#define NETWORKS_MAX 16

struct networks {
    struct network member[NETWORKS_MAX];
    uint32_t count;
    bool local; /* whoever can connect to a Unix socket is a member, too */
};

/* Reads "192.0.2.1" or "2001:db8::1", without brackets, port or zone. Returns whether it is one. */
bool ip_read(struct text text, struct ip *ip);

/* Takes the IP address of `address`. Returns false when it has none, such as one of a Unix socket. */
bool ip_of(const struct sockaddr *address, struct ip *ip);

/*
 * Adds "192.0.2.1", "192.0.2.0/24", "2001:db8::/32" or "unix". Returns false when it is none of
 * these, when an address has bits beyond those of its network, or when the list is full.
 */
bool networks_add(struct networks *networks, struct text text);

bool networks_have(const struct networks *networks, const struct ip *ip);

#endif
