/*
 * What a connection has to send: answers one after another, as a list of segments.
 */
#ifndef ZCSERVE_HTTP_OUTPUT_H
#define ZCSERVE_HTTP_OUTPUT_H

#include "plan.h"
#include "work.h"

/* Whether one more answer certainly fits. */
bool output_has_room(const struct conn_work *work);

/* Adds the answer that `plan` says as exchange number `planned`, whose facts it fills in. */
void output_add(struct conn_work *work, const struct plan *plan, const struct conn_rules *rules,
                const struct now *now);

/* The next stretch to send; there must be one. */
void output_next(const struct conn_work *work, struct outgoing *out);

/* `length` bytes of it were taken. */
void output_sent(struct conn_work *work, uint64_t length);

static inline bool output_is_pending(const struct conn_work *work)
{
    return work->sent_bytes < work->planned_bytes;
}

/* Begins anew, with nothing planned. */
void output_clear(struct conn_work *work);

#endif
