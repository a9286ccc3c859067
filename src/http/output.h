/*
 * What a connection has to send: responses one after another, as a list of segments, and their exchanges.
 *
 *      settled ≤ started ≤ planned     exchanges, unless the connection failed; those from settled to planned are
 *                                      under way
 *      sent_bytes ≤ planned_bytes      of the output as a stream
 */
#ifndef ZCSERVE_HTTP_OUTPUT_H
#define ZCSERVE_HTTP_OUTPUT_H

#include "plan.h"
#include "target.h"
#include "zcserve/now.h"
#include "zcserve/segment.h"

#define EXCHANGES_MAX 32                 /* responses gathered                        */
#define SEGMENTS_MAX (2 * EXCHANGES_MAX) /* a head and a content each                 */
#define OUTPUT_BYTES 16384               /* besides the room for one redirect         */
#define INLINE_BYTES_MAX 1024            /* content that is copied behind its head    */

struct conn_rules;

/* One exchange and two segments, though not always its own: see output_segment(). */
struct output_place {
    struct exchange exchange;
    struct segment segment[2];
};

struct output {
    uint32_t planned, settled;
    uint32_t started; /* exchanges of whose response a byte was taken */
    uint64_t planned_bytes, sent_bytes;
    uint32_t segments, drained; /* segments listed; those wholly sent           */
    uint32_t size, used;        /* of the buffer `base`                          */
    uint32_t room;              /* that the head of any response fits in         */
    char *base;
    struct output_place first; /* most connections need no more… */
    struct output_place *more; /* …but there are EXCHANGES_MAX - 1, in memory of their own */
};

/* How large the buffer has to be under these rules. */
uint32_t output_size(const struct conn_rules *rules);

/* `more` has EXCHANGES_MAX - 1 places. */
void output_open(struct output *out, const struct conn_rules *rules, struct output_place *more);

/* Begins anew, with nothing planned. */
void output_clear(struct output *out);

/* Nothing is planned: the buffer begins at `base` from now on. */
void output_begin(struct output *out, char *base);

static inline struct output_place *output_place(const struct output *out, uint32_t i)
{
    return i == 0 ? (struct output_place *)(uintptr_t)&out->first : &out->more[i - 1];
}

static inline struct exchange *output_exchange(const struct output *out, uint32_t i)
{
    return &output_place(out, i)->exchange;
}

static inline struct segment *output_segment(const struct output *out, uint32_t i)
{
    return &output_place(out, i / 2)->segment[i % 2];
}

/* Whether one more response certainly fits. */
bool output_has_room(const struct output *out);

/* The exchange of the response that is added next: the caller describes the request in it before. */
struct exchange *output_next_exchange(struct output *out);

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
