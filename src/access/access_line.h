/*
 * One answered request as a line of the access log. Pure: no clock, no file.
 */
#ifndef ZCSERVE_ACCESS_LINE_H
#define ZCSERVE_ACCESS_LINE_H

#include "zcserve/access.h"

#define ACCESS_LINE_BYTES_MAX 8192 /* with its "\n" */

/* The date as the last line had it; zeroed at first. Made anew only when the second changes. */
struct access_date {
    int64_t seconds;
    size_t length;
    char text[32];
};

/* What a line tells besides the exchange. */
struct access_context {
    const struct sockaddr *peer; /* NULL, or a family that is not IP: "-" */
    uint32_t worker;
};

/*
 * Writes a line, "\n" at its end, into ACCESS_LINE_BYTES_MAX bytes of `space`; gives its length.
 * A text too long for that is cut, which "…" shows; the line keeps its form.
 */
size_t access_line_format(char *space, enum access_format format, const struct exchange *exchange,
                          const struct access_context *context, const struct now *now,
                          struct access_date *date);

#endif
