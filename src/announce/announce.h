/*
 * Tells people how to reach the server: the switch --open.
 */
#ifndef ZCSERVE_ANNOUNCE_H
#define ZCSERVE_ANNOUNCE_H

#include "zcserve/listener.h"

#include <stdio.h>

#define ANNOUNCE_HOSTS_MAX \
    16 /* addresses of this machine that are told; further ones are left out */

/*
 * Prints a line for each URL under which the listeners at `address` answer, those of this machine's
 * network interfaces included (getifaddrs(3)). When `out` is a terminal for UTF-8, prints a QR code
 * of the first one that another machine can reach.
 */
void announce(const struct listen_address *address, uint32_t count, FILE *out);

#endif
