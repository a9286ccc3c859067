/*
 * The two forms in which everything is shown. Both write from one reading, which they take first.
 */
#ifndef ZCSERVE_STATUS_DOCUMENT_H
#define ZCSERVE_STATUS_DOCUMENT_H

#include "status/reading.h"
#include "zcserve/status_listener.h"

#include <stdio.h>

struct document {
    const struct status_subject *subject;
    struct reading reading;
    struct spreads one, total; /* histograms of the worker at hand, and of all */
};

/* NULL: no memory. */
struct document *document_open(const struct status_subject *subject);
void document_close(struct document *document);

bool document_draining(const struct document *document);

/* Whose buckets are written: PAGE is of what the live page draws, a tenth of all for many workers. */
enum document_buckets { BUCKETS_NONE, BUCKETS_PAGE, BUCKETS_ALL };

/* What is written of status.json besides its constant part. */
struct document_wishes {
    enum document_buckets buckets;
    bool processes; /* their proportional memory, which is dear */
};
void document_json(struct document *document, struct document_wishes wishes, FILE *out);

/* Text format 0.0.4 of Prometheus. */
void document_metrics(struct document *document, FILE *out);

#endif
