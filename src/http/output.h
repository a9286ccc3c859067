/*
 * What a connection has to send: responses one after another, as a list of segments, and their exchanges.
 *
 *      settled ≤ started ≤ planned     exchanges; those from settled to planned are under way
 *      sent_bytes ≤ planned_bytes      of the output as a stream
 */
#ifndef ZCSERVE_HTTP_OUTPUT_H
#define ZCSERVE_HTTP_OUTPUT_H

#include "plan.h"
#include "target.h"
#include "zcserve/conn.h"

#define EXCHANGES_MAX 32      /* responses gathered                                        */
#define OUTPUT_BYTES 16384    /* besides the room for what one response alone may need     */
#define INLINE_BYTES_MAX 1024 /* content that is copied behind its head                    */

/* A head and a content each; the last response may have several parts, a head and a content each, and an end. */
#define SEGMENTS_MAX (2 * (EXCHANGES_MAX - 1) + 2 * RANGES_MAX + 1)

struct output {
    uint32_t planned, settled;
    uint32_t started; /* exchanges of whose response a byte was taken */
    uint64_t planned_bytes, sent_bytes;
    uint32_t segments, drained; /* segments listed; those wholly sent           */
    uint32_t size, used;        /* of the buffer `base`                          */
    uint32_t room; /* that the head of any response fits in, and the heads of its parts */
    char *base;
    struct exchange exchange[EXCHANGES_MAX];
    struct segment segment[SEGMENTS_MAX];
};

/* How large the buffer has to be under these rules. */
uint32_t output_size(const struct conn_rules *rules);
void output_open(struct output *out, const struct conn_rules *rules, char *base);

/* Begins anew, with nothing planned. */
void output_clear(struct output *out);

/* Whether one more response certainly fits. None does behind one with several parts. */
bool output_has_room(const struct output *out);

/* The exchange of the response that is added next: the caller describes the request in it before. */
struct exchange *output_exchange(struct output *out);

/* Adds the response that `plan` says, and what it tells of the exchange. There must be room. */
void output_add(struct output *out, const struct plan *plan, const struct conn_rules *rules,
                const struct target *target, const struct now *now);

static inline bool output_is_pending(const struct output *out)
{
    return out->sent_bytes < out->planned_bytes;
}

/* Whether no exchange is left to be settled. */
bool output_is_settled(const struct output *out);

/* Whether the first of those that are left was sent whole. */
bool output_is_done(const struct output *out);

/* An open file is lent to the last response only, so a connection holds one, whatever it pipelines. */
bool output_holds_file(const struct output *out);

/* The responses planned since the last time are about to be sent. */
void output_gathered(struct output *out, const struct now *now);

/* The next stretch to send; there must be one. */
void output_next(const struct output *out, struct outgoing *next);

/* `length` bytes of it were taken. Returns how many responses these are the first bytes of. */
uint32_t output_sent(struct output *out, uint64_t length, const struct now *now);

/* The first exchange that is not settled: the one whose bytes are sent, or that is to be settled. */
struct exchange *output_first(struct output *out);

/* The same, as it is to be counted: what was sent of it is filled in. */
const struct exchange *output_settling(struct output *out, const struct now *now);

#endif
