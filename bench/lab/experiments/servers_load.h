/*
 * A load on a web server at 127.0.0.1, from the thread that calls: many kept connections or a new one for each request, in a
 * closed loop (so many requests are always under way) or an open one (a request is due every 1/rate seconds, and its
 * latency counts from then, whether or not it could leave: no coordinated omission). Beside it, slow clients and clients
 * of something heavy. An answer is a 200 with a Content-Length, whole; anything else fails the load.
 */
#ifndef LAB_SERVERS_LOAD_H
#define LAB_SERVERS_LOAD_H

#include "../measure.h"

#include <stdbool.h>
#include <stdint.h>

struct load_plan {
    uint16_t port;
    const char *path;        /* what is asked for: "/file" */
    const char *const *list; /* or one of these after the other; NULL: path alone */
    unsigned listed;
    unsigned connections; /* used in turn */
    unsigned under_way;   /* closed loop: requests at once */
    double rate;          /* requests a second; 0: a closed loop */
    bool reconnects;      /* a connection for each request */
    bool primed;          /* every connection was answered once before load_run() */
    unsigned slow; /* clients that send a byte of a head each 0.1 s and never finish, or … */
    const char *slow_path;   /* … ask for this and read 1 KiB of it each 0.1 s; NULL: they send */
    unsigned beside;         /* clients that ask again and again, each when it was answered, … */
    const char *beside_path; /* … for this, or for each of so many files once: */
    unsigned beside_paths;   /* when all were asked for, the load ends */
};

struct load;

/* Connects the slow clients and primes. 0 or -errno; *into may be closed in any case. */
int load_open(struct load **into, const struct load_plan *plan);
void load_close(struct load *load);

/* What came out, beside the tally of answers. */
struct load_result {
    double seconds;       /* of asking */
    uint64_t answered;    /* requests of the load, within that time */
    uint64_t unanswered;  /* waited for at least 0.1 s when it ended; in the tally with that time */
    uint64_t beside;      /* answers that the clients beside it got */
    uint64_t reconnected; /* kept connections that the server closed */
    uint64_t calls;       /* system calls of the load itself */
    double client_cpu;    /* share of a CPU that the load itself took */
};

/* Asks until measure_over(); the tally gets every answer of the load, not of those beside it. */
int load_run(struct load *load, struct measure *m, struct load_result *result);

#endif
