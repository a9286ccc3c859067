/* Who listens on an address, read from /proc/net and /proc/PID/fd (proc(5)). */
#ifndef ZCSERVE_DOCTOR_SOCKETS_H
#define ZCSERVE_DOCTOR_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "zcserve/listener.h"

struct holder {
    bool is_there; /* a socket listens on the address, or on one that excludes it */
    uid_t user;    /* who opened it */
    uint64_t inode;
    long pid;      /* a process that has it open; 0: none that may be looked at */
    char name[17]; /* its name (/proc/PID/comm); "": not known */
};

/*
 * Finds who listens on a TCP address. `directory` is that of a process in the same network
 * namespace, such as "/proc/self". Port 0 and Unix sockets have no holder. A socket for every IPv6
 * address is not taken for one of IPv4: /proc does not tell whether it is (IPV6_V6ONLY).
 */
void holder_find(struct holder *holder, const char *tree, const char *directory,
                 const struct listen_address *address);

#endif
