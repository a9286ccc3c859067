/*
 * The two forms in which the status is shown, JSON and metrics. Each takes a reading first, and
 * writes everything from it.
 */
#ifndef ZCSERVE_STATUS_DOCUMENT_H
#define ZCSERVE_STATUS_DOCUMENT_H

#include "status/reading.h"
#include "zcserve/status_listener.h"

#include <stdio.h>

struct document {
    const struct status_subject *subject;
    struct reading reading;
    struct spreads one, total; /* histograms of the current worker, and of all */
};

/* Returns NULL when there is no memory. */
struct document *document_open(const struct status_subject *subject);
void document_close(struct document *document);

bool document_draining(const struct document *document);

/* Returns whether the workers have begun to serve. */
bool document_begun(const struct document *document);

/*
 * Of which histograms the buckets are written. PAGE: those that the live page draws; with many
 * workers a tenth of all.
 */
enum document_buckets { BUCKETS_NONE, BUCKETS_PAGE, BUCKETS_ALL };

/* The optional parts of status.json. */
struct document_wishes {
    enum document_buckets buckets;
    bool processes; /* the proportional memory of processes, which is expensive to read */
};
void document_json(struct document *document, struct document_wishes wishes, FILE *out);

/* Writes the text format 0.0.4 of Prometheus. */
void document_metrics(struct document *document, FILE *out);

#endif
