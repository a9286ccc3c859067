/*
 * A load on a web server at 127.0.0.1, from the calling thread. It uses many kept connections, or a new one
 * for each request. It is a closed loop (a fixed number of requests is always under way) or an open one: a
 * request is due every 1/rate seconds, and its latency counts from then, whether or not it could leave (no
 * coordinated omission). Beside it there may be slow clients, and clients that request something heavy. A
 * response is a complete 200 with a Content-Length; anything else fails the load.
 */
#ifndef LAB_SERVERS_LOAD_H
#define LAB_SERVERS_LOAD_H

#include "../measure.h"

#include <stdbool.h>
#include <stdint.h>

struct load_plan {
    uint16_t port;
    const char *path;        /* what is requested: "/file" */
    const char *const *list; /* or each of these in turn; NULL: only path */
    unsigned listed;
    unsigned connections; /* used in turn */
    unsigned under_way;   /* closed loop: requests at once */
    double rate;          /* requests per second; 0: a closed loop */
    bool reconnects;      /* a new connection for each request */
    bool primed;          /* every connection got a response before load_run() */
    unsigned slow; /* clients that send a byte of a head each 0.1 s and never finish it, or … */
    const char *slow_path;   /* … request this and read 1 KiB of it each 0.1 s; NULL: they send */
    unsigned beside;         /* clients that send again when they have the response, … */
    const char *beside_path; /* … for this, or for each of so many files once: */
    unsigned beside_paths;   /* when all were requested, the load ends */
};

struct load;

/* Connects the slow clients, and primes. Returns 0 or -errno; *into may be closed in every case. */
int load_open(struct load **into, const struct load_plan *plan);
void load_close(struct load *load);

/* The results, besides the tally of responses. */
struct load_result {
    double seconds;       /* time for which it sent requests */
    uint64_t answered;    /* requests of the load, within that time */
    uint64_t unanswered;  /* at the end, after at least 0.1 s; in the tally with that time */
    uint64_t beside;      /* responses that the clients beside it got */
    uint64_t reconnected; /* kept connections that the server closed */
    uint64_t calls;       /* system calls of the load itself */
    double client_cpu;    /* share of a CPU that the load itself used */
};

/*
 * Sends requests until measure_over(). The tally gets every response of the load, but not those of clients
 * beside it.
 */
int load_run(struct load *load, struct measure *m, struct load_result *result);

#endif
