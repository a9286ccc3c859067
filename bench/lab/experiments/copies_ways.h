/*
 * Ways to move bytes from one descriptor to another, and the routes on which they are moved, for experiment
 * 7. copy_open(), copy_run() and copy_close() are the functions of struct work (experiment.h).
 */
#ifndef LAB_COPIES_WAYS_H
#define LAB_COPIES_WAYS_H

#include "../experiment.h"

#include <liburing.h>
#include <pthread.h>

enum { BUFFER_MAX = 4 << 20, USUAL_BUFFER = 64 << 10 };

enum end { END_FILE, END_SOCKET, END_PIPE };

struct copy;
struct copy_way {
    const char *name;
    int (*move)(struct copy *copy); /* all of copy->bytes, from copy->at on; 0 or -errno */
    double copies[4]; /* of each byte by the CPU, on the mover's side, by route; -1: not possible */
};
struct copy_route {
    const char *name;
    enum end from, to;
};
extern const struct copy_way copy_ways[];     /* a NULL name ends the list */
extern const struct copy_route copy_routes[]; /* four, as in copy_way.copies */

/* The owner sets it to zero, except the first block. */
struct copy {
    const struct data *data, *scratch; /* the files to read from and to write to */
    const struct copy_way *way;
    const struct copy_route *route;
    uint64_t bytes; /* of one operation; at most the size of the file */
    uint64_t buffer_bytes, pipe_bytes;
    bool may_share_blocks; /* the file system may share blocks instead of copying */

    int from, to, far_from, far_to; /* the far ends belong to the helpers */
    int pipe[2];
    uint64_t at, calls;
    char *buffer;
    struct io_uring ring;
    bool has_ring, was_copied; /* was_copied: the kernel says that zero copy copied */
    pthread_t feeder, drain;
    bool feeder_started, drain_started;
};

int copy_open(void *copy);
int copy_run(void *copy, struct measure *m);
void copy_close(void *copy);

#endif
