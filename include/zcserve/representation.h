/*
 * A representation (RFC 9110 §3.2): the bytes of one file in one content coding, and the metadata
 * for its fields. It never changes after it was made. The store owns and lends it, and the core
 * reads it; neither knows the other.
 *
 * A representation has a prepared head: all field lines of its 200 response but Date, Server and
 * Connection. It is written once, so that no response formats these lines again. Responses that
 * need only some of them (206, 304, 416) use parts of it. Field names are written as in RFC 9110
 * ("Content-Length"), because ab and old scripts look for them so. HTTP/2 would need lower case
 * (RFC 9113 §8.2).
 */
#ifndef ZCSERVE_REPRESENTATION_H
#define ZCSERVE_REPRESENTATION_H

#include "zcserve/date.h"
#include "zcserve/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BR, CODING_ZSTD, CODING_COUNT };

/* Returns the registered name of the coding: "identity", "gzip", "br", "zstd". */
const char *coding_name(enum coding coding);

/* Returns the suffix of a sidecar in this coding: ".gz", ".br", ".zst"; empty for identity. */
struct text coding_file_suffix(enum coding coding);

/* Weights of Accept-Encoding in thousandths: 0 means refused, 1000 means preferred. */
struct accepted {
    uint16_t weight[CODING_COUNT];
    bool original_otherwise; /* a client that accepts no available coding gets the original */
    bool as_stored;          /* no coding that is made on the fly is wanted            */
};

/* Where the bytes come from, for logs and counters. */
enum source { SOURCE_NONE, SOURCE_MEMORY, SOURCE_PAGE_CACHE, SOURCE_DISK, SOURCE_COUNT };

const char *source_name(enum source source); /* "-", "memory", "pagecache" or "disk" */

/* The parts of a prepared head, in their order. CODING, VALIDATORS and VARY may be empty. */
enum head_part {
    HEAD_TYPE,          /* Content-Type           */
    HEAD_LENGTH,        /* Content-Length         */
    HEAD_CODING,        /* Content-Encoding       */
    HEAD_VALIDATORS,    /* Last-Modified and ETag */
    HEAD_ACCEPT_RANGES, /* Accept-Ranges          */
    HEAD_VARY,          /* Vary                   */
    HEAD_PARTS
};

#define ETAG_MAX 48
#define MODIFIED_UNKNOWN INT64_MIN

struct representation {
    const char *content;           /* the bytes; NULL when they are in a file           */
    int fd;                        /* the file, from its offset 0; -1 when in memory    */
    uint64_t length;               /* Content-Length of the 200 response                */
    int64_t modified_seconds;      /* Last-Modified; that second was over when the file */
                                   /* was read. MODIFIED_UNKNOWN: it is not sent        */
    enum coding coding;            /* Content-Encoding, unless it is identity           */
    bool varies;                   /* other codings exist or could exist: send Vary     */
    bool negotiated;               /* its format was chosen by Accept: send Vary        */
    struct text etag;              /* strong, with its quotes; empty: it is not sent    */
    struct text media_type;        /* value of Content-Type, charset included           */
    struct text prepared_head;     /* field lines, each with its CRLF                   */
    uint16_t part_end[HEAD_PARTS]; /* where each part of the prepared head ends         */
    enum source source;
    uint64_t version; /* differs from that of any earlier representation at this address */
};

/*
 * Writes the prepared head of `r` to `space`, which belongs to the caller and must last as long as
 * `r`. Returns its length in bytes, or 0 when `size` is too small. PREPARED_HEAD_MAX is enough when
 * the media type has at most MEDIA_TYPE_MAX bytes.
 */
#define MEDIA_TYPE_MAX 128
#define PREPARED_HEAD_MAX 512
size_t representation_prepare_head(struct representation *r, char *space, size_t size);

/* Returns the field lines of the parts from `first` to `last`. */
static inline struct text representation_head(const struct representation *r, enum head_part first,
                                              enum head_part last)
{
    size_t begin = first == 0 ? 0 : r->part_end[first - 1];
    return (struct text){r->prepared_head.base + begin, r->part_end[last] - begin};
}

/* Returns the digits of Content-Length. */
struct text representation_length_text(const struct representation *r);

#endif
