/*
 * A representation (RFC 9110 §3.2): the bytes of one file in one content coding, with the
 * metadata that goes into its fields. Immutable from the moment it is made. The store owns it
 * and lends it; the core reads it; neither knows the other.
 *
 * A representation carries its prepared head: all field lines of its 200 response but Date,
 * Server and Connection, written once, so that no response formats them again. Its parts are at hand
 * for the responses that need some of them (206, 304, 416). Field names are written as RFC 9110 does
 * ("Content-Length"), since ab and old scripts look for them so; HTTP/2 would lower-case them (RFC 9113 §8.2).
 */
#ifndef ZCSERVE_REPRESENTATION_H
#define ZCSERVE_REPRESENTATION_H

#include "zcserve/date.h"
#include "zcserve/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BR, CODING_ZSTD, CODING_COUNT };

/* The coding's name as registered: "identity", "gzip", "br", "zstd". */
const char *coding_name(enum coding coding);

/* The suffix of a file in this coding: ".gz", ".br", ".zst"; empty for identity. */
struct text coding_file_suffix(enum coding coding);

/* Weights of Accept-Encoding, in thousandths: 0 refused … 1000 preferred. */
struct accepted {
    uint16_t weight[CODING_COUNT];
    bool original_otherwise; /* when nothing is accepted that is there, the original is sent */
};

/* Where the bytes come from, as logs and counters name it. */
enum source { SOURCE_NONE, SOURCE_MEMORY, SOURCE_PAGE_CACHE, SOURCE_DISK, SOURCE_COUNT };

const char *source_name(enum source source); /* "-", "memory", "pagecache", "disk" */

/* Parts of a prepared head, in the order in which they are written; any but the first two may be empty. */
enum head_part {
    HEAD_TYPE,          /* Content-Type                    */
    HEAD_LENGTH,        /* Content-Length                  */
    HEAD_CODING,        /* Content-Encoding                */
    HEAD_VALIDATORS,    /* Last-Modified and ETag          */
    HEAD_ACCEPT_RANGES, /* Accept-Ranges                   */
    HEAD_VARY,          /* Vary                            */
    HEAD_PARTS
};

#define ETAG_MAX 48
#define MODIFIED_UNKNOWN INT64_MIN

struct representation {
    const char *content;           /* the bytes; NULL when they are in a file            */
    int fd;                        /* the file, from its offset 0; -1 when in memory     */
    uint64_t length;               /* Content-Length of the 200 answer                   */
    int64_t modified_seconds;      /* Last-Modified: a second that was over when it was  */
                                   /* read; MODIFIED_UNKNOWN: not to be told             */
    enum coding coding;            /* Content-Encoding unless identity                   */
    bool varies;                   /* other codings exist or could: send Vary            */
    struct text etag;              /* strong, with its quotes; empty: not to be told     */
    struct text media_type;        /* value of Content-Type, charset included            */
    struct text prepared_head;     /* field lines, each with its CRLF                    */
    uint16_t part_end[HEAD_PARTS]; /* where each part of it ends                     */
    enum source source;
    uint64_t version; /* of the file: other than that of what lay at this address before */
};

/*
 * Writes `r`'s prepared head into `space`, which stays the caller's and has to last as long as `r`.
 * Returns its length, or 0 when `size` is too small (PREPARED_HEAD_MAX is always enough when the
 * media type is at most MEDIA_TYPE_MAX long).
 */
#define MEDIA_TYPE_MAX 128
#define PREPARED_HEAD_MAX 512
size_t representation_prepare_head(struct representation *r, char *space, size_t size);

/* The field lines of these parts and of those between them. */
static inline struct text representation_head(const struct representation *r, enum head_part first,
                                              enum head_part last)
{
    size_t begin = first == 0 ? 0 : r->part_end[first - 1];
    return (struct text){r->prepared_head.base + begin, r->part_end[last] - begin};
}

/* The digits of its Content-Length. */
struct text representation_length_text(const struct representation *r);

#endif
