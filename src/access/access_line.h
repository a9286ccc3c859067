/*
 * Writes an exchange as a line of the access log. Pure: no clock, no file.
 */
#ifndef ZCSERVE_ACCESS_LINE_H
#define ZCSERVE_ACCESS_LINE_H

#include "zcserve/access.h"

#define ACCESS_LINE_BYTES_MAX 8192 /* with its "\n" */

/*
 * The date of the last line; zeroed at first. It is formatted again only when the second changes.
 */
struct access_date {
    int64_t seconds;
    size_t length;
    char text[32];
};

/* What a line contains besides the exchange. */
struct access_context {
    const struct sockaddr *peer; /* NULL, or not an IP address: "-" */
    uint32_t worker;
};

/*
 * Writes a line, which ends with "\n", to `space` of ACCESS_LINE_BYTES_MAX bytes. Returns its
 * length. A text that is too long is cut and ends with "…"; the line keeps its form.
 */
size_t access_line_format(char *space, enum access_format format, const struct exchange *exchange,
                          const struct access_context *context, const struct now *now,
                          struct access_date *date);

#endif
