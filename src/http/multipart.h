/*
 * The content of a 206 with several parts: multipart/byteranges (RFC 9110 §14.6), framed as RFC 2046 §5.1.1 says.
 *
 *      --boundary       Content-Type, Content-Range, an empty line, the bytes of the first part
 *      --boundary       …
 *      --boundary--
 *
 * The line end before a boundary belongs to it, and is left out before the first one.
 */
#ifndef ZCSERVE_HTTP_MULTIPART_H
#define ZCSERVE_HTTP_MULTIPART_H

#include "plan.h"
#include "zcserve/decimal.h"

#define BOUNDARY_DIGITS 16

struct boundary {
    char digits[BOUNDARY_DIGITS]; /* hexadecimal; no NUL */
};

/* What separates the parts of a plan's response. It is the same for the same file, whoever asks and when. */
struct boundary multipart_boundary(const struct plan *plan, const struct conn_rules *rules);

/* What the functions below write at most: for one part, and for the end. */
#define MULTIPART_HEAD_MAX                                                                    \
    (sizeof("\r\n--\r\n") + BOUNDARY_DIGITS + sizeof("Content-Type: \r\n") + MEDIA_TYPE_MAX + \
     sizeof("Content-Range: bytes -/\r\n\r\n") + 3 * (size_t)DECIMAL_MAX)
#define MULTIPART_END_MAX (sizeof("\r\n----\r\n") + BOUNDARY_DIGITS)

/* Room for the heads of so many parts, and for the end. */
#define MULTIPART_ROOM(parts) ((parts)*MULTIPART_HEAD_MAX + MULTIPART_END_MAX)

/* All that is before the bytes of part number `part`, from 0. Returns its length. */
size_t multipart_head_write(char *space, const struct plan *plan, uint32_t part,
                            const struct boundary *boundary);

/* What follows the bytes of the last part. Returns its length. */
size_t multipart_end_write(char *space, const struct boundary *boundary);

/* Bytes of the whole content, computed and not written. Those of `plan->selected` are at most INT64_MAX. */
uint64_t multipart_length(const struct plan *plan);

#endif
