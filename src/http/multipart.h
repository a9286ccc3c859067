/*
 * Writes the content of a 206 with several parts, but for their bytes: multipart/byteranges (RFC
 * 9110 §14.6), in the format of RFC 2046 §5.1.1.
 *
 *      --boundary       Content-Type, Content-Range, an empty line, the bytes of the first part
 *      --boundary       …
 *      --boundary--
 *
 * The CRLF before a boundary belongs to the boundary. The first one has none.
 */
#ifndef ZCSERVE_HTTP_MULTIPART_H
#define ZCSERVE_HTTP_MULTIPART_H

#include "added.h"
#include "zcserve/decimal.h"

#define BOUNDARY_DIGITS 16

struct boundary {
    char digits[BOUNDARY_DIGITS]; /* hexadecimal; no NUL */
};

/*
 * Returns what separates the parts of the response `plan`. It is the same for all responses from one
 * version of a file, until the server is started again.
 */
struct boundary multipart_boundary(const struct plan *plan, const struct conn_rules *rules);

/* The most bytes that the functions below write: for one part, and for the end. */
#define MULTIPART_HEAD_MAX                                                                    \
    (sizeof("\r\n--\r\n") + BOUNDARY_DIGITS + sizeof("Content-Type: \r\n") + MEDIA_TYPE_MAX + \
     CHARSET_ADDED_MAX + sizeof("Content-Range: bytes -/\r\n\r\n") + 3 * (size_t)DECIMAL_MAX)
#define MULTIPART_END_MAX (sizeof("\r\n----\r\n") + BOUNDARY_DIGITS)

/* Room for the heads of `parts` parts, and for the end. */
#define MULTIPART_ROOM(parts) ((parts)*MULTIPART_HEAD_MAX + MULTIPART_END_MAX)

/*
 * Writes what precedes the bytes of a part to `space`, which has MULTIPART_HEAD_MAX bytes. The first
 * part has the number 0. Returns its length in bytes.
 */
size_t multipart_head_write(char *space, const struct plan *plan, uint32_t part,
                            const struct boundary *boundary);

/*
 * Writes what follows the bytes of the last part to `space`, which has MULTIPART_END_MAX bytes.
 * Returns its length in bytes.
 */
size_t multipart_end_write(char *space, const struct boundary *boundary);

/*
 * Returns the length in bytes of all of this content, which is computed and not written. The length
 * of `plan->selected` must not be above INT64_MAX.
 */
uint64_t multipart_length(const struct plan *plan);

#endif
