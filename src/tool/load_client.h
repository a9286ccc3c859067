/*
 * The figures that load generators print: wrk and wrk2 (with --latency), ab and h2load.
 */
#ifndef ZCSERVE_LOAD_CLIENT_H
#define ZCSERVE_LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

enum client_figure {
    CLIENT_REQUESTS,
    CLIENT_FAILED,
    CLIENT_SECONDS,
    CLIENT_CONNECTIONS,
    CLIENT_MEAN_NS,
    CLIENT_P50_NS,
    CLIENT_P90_NS,
    CLIENT_P99_NS,
    CLIENT_MAX_NS,
    CLIENT_FIGURES
};

/* Figures that were not printed are NAN. */
struct load_client {
    const char *name;     /* "wrk"; NULL when none was recognised           */
    double resolution_ns; /* of the times that it prints: ab rounds to 1 ms */
    double figure[CLIENT_FIGURES];
};

/* Reads the output of a command; `text` ends with a NUL. The figures of the last run count. */
void load_client_read(const char *text, struct load_client *out);

const char *client_figure_name(enum client_figure figure); /* "p50_seconds", as in JSON */

#endif
