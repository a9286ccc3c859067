/*
 * The output of a connection: responses one after another, as a list of segments, and their
 * exchanges.
 *
 *      settled ≤ started ≤ planned     exchanges, unless the connection failed; those from settled
 *                                      to planned are under way
 *      sent_bytes ≤ planned_bytes      positions in the output, as one stream of bytes
 */
#ifndef ZCSERVE_HTTP_OUTPUT_H
#define ZCSERVE_HTTP_OUTPUT_H

#include "plan.h"
#include "target.h"
#include "zcserve/conn.h"

#define EXCHANGES_MAX 32      /* responses that can be gathered                                  */
#define OUTPUT_BYTES 16384    /* without the target of a redirect, or the heads of several parts */
#define INLINE_BYTES_MAX 1024 /* content up to this size is copied                               */

/*
 * The most segments, and the places for them, when a request may have `ranges` ranges. A response
 * has a segment for its head and one for its content. Only the last response may have several
 * parts: then it has two segments for each, and one for the end.
 */
#define SEGMENTS_MAX(ranges) (2 * (EXCHANGES_MAX - 1) + 2 * (ranges) + 1)
#define OUTPUT_PLACES(ranges) ((SEGMENTS_MAX(ranges) + 1) / 2)

/*
 * Room for one exchange and two segments. Segments fill the places one after another, so those of a
 * place may belong to another exchange: see output_segment(). A place beyond EXCHANGES_MAX is used
 * only for its segments.
 */
struct output_place {
    struct exchange exchange;
    struct segment segment[2];
};

struct output {
    uint32_t planned, settled;
    uint32_t started; /* exchanges of which the kernel took the first byte of the response */
    uint64_t planned_bytes, sent_bytes;
    uint32_t segments, drained; /* segments listed, and segments completely sent      */
    uint32_t segments_max;      /* SEGMENTS_MAX()                                     */
    bool holds_file;            /* the last response was lent an open file            */
    uint32_t size, used;        /* of the buffer `base`, in bytes                     */
    char *base;
    struct output_place first; /* the only place that most connections need           */
    struct output_place *more; /* the others of OUTPUT_PLACES(), in separate memory   */
};

/* Returns the size of the buffer under these rules, in bytes. */
uint32_t output_size(const struct conn_rules *rules);

/* `more` has OUTPUT_PLACES(rules->ranges_max) - 1 places. output_begin() sets the buffer. */
void output_open(struct output *out, const struct conn_rules *rules, struct output_place *more);

/* Makes the output empty: nothing is planned. */
void output_clear(struct output *out);

/* The buffer begins at `base` from now on. Nothing may be planned. */
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

/* Returns whether any response would fit. None fits after a response with several parts. */
bool output_has_room(const struct output *out);

/* Returns the exchange of the next output_add(). The caller describes the request in it before. */
struct exchange *output_next_exchange(struct output *out);

/* Adds the response `plan`, and describes it in its exchange. output_has_room() must be true. */
void output_add(struct output *out, const struct plan *plan, const struct conn_rules *rules,
                const struct target *target, const struct now *now);

static inline bool output_is_pending(const struct output *out)
{
    return out->sent_bytes < out->planned_bytes;
}

/* Returns whether all exchanges are settled. */
bool output_is_settled(const struct output *out);

/* Returns whether the response of the first exchange that is not settled was sent completely. */
bool output_is_done(const struct output *out);

/*
 * Returns whether the last response was lent an open file. Then no other response is added, so that
 * a connection holds at most one open file.
 */
static inline bool output_holds_file(const struct output *out)
{
    return out->holds_file;
}

/* The responses planned since the last call are about to be sent: sets their ready_ns. */
void output_gathered(struct output *out, const struct now *now);

/* Returns in *next what is to be sent next. There must be unsent bytes. */
void output_next(const struct output *out, struct outgoing *next);

/* The kernel took `length` bytes. Returns how many responses had their first byte among them. */
uint32_t output_sent(struct output *out, uint64_t length, const struct now *now);

/* Returns the first exchange that is not settled. Its bytes are sent, or it is to be settled. */
struct exchange *output_first(struct output *out);

/* Returns output_first() for counting: sets done_ns, content_bytes and whole. */
const struct exchange *output_settling(struct output *out, const struct now *now);

#endif
