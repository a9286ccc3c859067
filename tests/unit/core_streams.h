/*
 * A table of what clients send, right and wrong, with the statuses of the responses. The rules and files
 * are those of core_link.h.
 */
#ifndef CORE_STREAMS_H
#define CORE_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORE_STREAM_STATUSES 40

struct core_stream {
    const char *name; /* what it is, with the RFC clause */
    char *bytes;
    size_t length;
    uint16_t status[CORE_STREAM_STATUSES]; /* of the responses, then 0 */
    bool closes;                           /* the connection closes after them */
    bool more_behind;                      /* bytes follow the last request */
};

int core_streams_count(void);

/* Returns number `index` of the table. The caller owns the bytes until core_stream_free(). */
struct core_stream core_stream(int index);
void core_stream_free(struct core_stream *stream);

#endif
