/*
 * How long a connection waits for its peer once bytes have moved. conn.c sets how long it waits at first.
 */
#ifndef ZCSERVE_HTTP_DEADLINE_H
#define ZCSERVE_HTTP_DEADLINE_H

#include "work.h"

static inline uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Sets the deadline when a head or its content begins, and moves it when more content comes. */
void deadline_received(struct conn *c, enum reader_phase before, size_t length,
                       const struct now *now);

/* The peer or the kernel took bytes of a response. Without a lowest rate, any byte moves the deadline. */
void deadline_sent(struct conn *c, uint64_t bytes, const struct now *now);

/*
 * Lingering begins: bytes are received and dropped, because the peer may not have read the last response
 * yet. Then each byte that comes earns time, as content does, but at most the time of one silence.
 */
void deadline_linger(struct conn *c, const struct now *now);
void deadline_lingered(struct conn *c, uint64_t bytes, const struct now *now);

#endif
