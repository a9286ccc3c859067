/*
 * zclab advise: says which options of serve.conf would pay for one directory on this machine.
 *
 *     advise_site.c       the files in the directory
 *     advise_sockets.c    measures: from memory or by sendfile, a miss, system calls, wake-ups, a ring
 *     advise_disk.c       measures: cold reads at several depths, read-ahead
 *     advise.c            what to propose: figures in, options out; pure
 *     advise_serve.c      reads the configuration (zcserve -T), and serves with and without a proposal
 *     command_advise.c    prints all of it
 *
 * It changes neither the configuration nor the files. What was in the page cache is read in again.
 */
#ifndef LAB_ADVISE_H
#define LAB_ADVISE_H

#include "options.h"
#include "statistics.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- what is there ----------------------------------------------------------------------------- */

/* The regular files below a directory, by ascending size. Hidden files are left out, as zcserve does. */
struct site_file {
    uint64_t bytes;
    char *path; /* relative to the directory */
};
struct site {
    const char *directory;
    unsigned count, room;
    struct site_file *file; /* freed by site_free() */
    bool cut;               /* true: there are more than SITE_FILES_MAX */
};
enum { SITE_FILES_MAX = 100000 };
int site_read(struct site *site, const char *directory);
void site_free(struct site *site);

/* Writes the path of file number i, relative to here. Returns false when it is too long. */
enum { SITE_PATH_MAX = 4096 };
bool site_path(const struct site *site, unsigned i, char into[SITE_PATH_MAX]);

/*
 * Returns how many files have more than `above` and at most `up_to` bytes; the second, the bytes of all
 * files up to a size.
 */
unsigned site_between(const struct site *site, uint64_t above, uint64_t up_to);
uint64_t site_bytes(const struct site *site, uint64_t up_to);

/* What the configuration says now. */
struct advise_now {
    uint64_t file_max, cache_bytes;
    unsigned workers; /* auto: as many as CPUs */
    char model[16];
};

/* ---- what was measured ------------------------------------------------------------------------- */

enum { ADVISE_SIZES = 8, ADVISE_DEPTHS = 4 };

/* Repetitions of each figure. Unless noted, they are CPU time of the sending thread in µs. */
struct advise_figures {
    unsigned sizes;
    struct {
        uint64_t bytes;
        struct sample memory, sendfile;
    } size[ADVISE_SIZES];
    struct sample hit, miss;  /* a file that is in memory; one that is opened and read first */
    uint64_t missed_bytes;    /* average size of the files that were missed */
    struct sample call, wake; /* a system call; waking another thread (elapsed time) */
    struct sample by_epoll, by_ring; /* 16 requests by epoll, recv, send; by a ring */
    bool ring_permitted;
    unsigned depths;
    struct {
        unsigned depth;
        struct sample per_s; /* reads of 16 KiB at random places with O_DIRECT, per second */
    } cold[ADVISE_DEPTHS];
    struct sample ahead_off, ahead_usual, ahead_double; /* MB/s of a cold file from its beginning */
    char left_out[4][160];                              /* what could not be measured, and why */
    unsigned lefts;
};

/* Each measures its part, so many times. INT ends it early (measure_stopped). */
void advise_sockets_measure(struct advise_figures *into, const struct site *site,
                            const struct advise_now *now, const struct options *options);
void advise_disk_measure(struct advise_figures *into, const struct site *site,
                         const struct options *options);
void advise_left_out(struct advise_figures *into, const char *what, const char *why);

/* ---- what follows ------------------------------------------------------------------------------ */

enum { PROPOSALS_MAX = 4 };
struct proposal {
    const char *option;           /* "cache.file_max" */
    char value[24], now[24];      /* as serve.conf writes them */
    struct comparison difference; /* of CPU time, with it / without it; NAN: no change of speed */
    uint64_t above, up_to;        /* sizes of the files that it affects */
    char why[400];
};

/*
 * Proposes options whose difference is beyond the noise. Returns how many. `memory` is that of the machine,
 * in bytes.
 */
unsigned advise_propose(const struct advise_figures *figures, const struct advise_now *now,
                        const struct site *site, uint64_t memory,
                        struct proposal into[PROPOSALS_MAX]);

/* Writes a size as serve.conf has it: "256k". */
char *advise_size(char into[24], uint64_t bytes);

/* ---- the configuration, and serving ------------------------------------------------------------ */

/* Reads what zcserve -T prints. Returns 0, or -errno after it has printed what is wrong. */
int advise_now_read(struct advise_now *now, const char *configuration, const char *directory);
/* Reads one line of it: " file_max = 256k". The caller keeps `section`, which is empty at first. Pure. */
void advise_now_line(struct advise_now *now, char section[32], const char *line);

/* CPU of zcserve for one request (µs) and requests/s, with and without a proposal, measured in turns. */
struct advise_check {
    struct sample cpu_with, cpu_without, per_s_with, per_s_without;
};
int advise_serve(struct advise_check *check, const struct proposal *proposal,
                 const struct advise_now *now, const struct site *site,
                 const struct options *options);

#endif
