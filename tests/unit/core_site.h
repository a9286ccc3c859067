/*
 * A worker that serves a temporary directory, with one client on a pair of sockets whose other end belongs
 * to the test.
 */
#ifndef CORE_SITE_H
#define CORE_SITE_H

#include "zcserve/worker.h"

#define CORE_SITE_FILE_MAX (64 * 1024) /* larger files are sent from their descriptors */

struct core_site {
    char root[64];
    struct tree_options tree; /* of the service's store */
    struct service service;
    struct worker worker;
    struct client client;
    int peer; /* non-blocking */
    bool open;
};

/*
 * Opens the directory and the worker; the second, a client. Sockets send about `send_bytes` at a time at
 * most.
 */
void core_site_open(struct core_site *site);
void core_site_connect(struct core_site *site, int send_bytes);
void core_site_close(struct core_site *site); /* the client too, if it is open */

/* Makes a file of that length: byte number i is core_site_byte(i). */
void core_site_file(const struct core_site *site, const char *name, size_t length);
void core_site_truncate(const struct core_site *site, const char *name, size_t length);
char core_site_byte(size_t offset);

/*
 * The peer sends all of `text`; the second receives what is there, up to `size`, and returns -1 at the end.
 */
void core_site_say(struct core_site *site, const char *text);
ssize_t core_site_hear(struct core_site *site, char *to, size_t size);

/* Does what the worker does when the socket is ready: receives, then drives. */
enum drive core_site_turn(struct core_site *site, uint64_t budget);

#endif
