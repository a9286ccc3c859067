/*
 * Writes pieces of log lines and of JSON. Each function writes at `at`, without a NUL, and returns
 * the position after what it wrote. The caller makes sure that there is room.
 */
#ifndef ZCSERVE_BASE_PUT_H
#define ZCSERVE_BASE_PUT_H

#include "zcserve/text.h"

#include <stdint.h>
#include <sys/socket.h>

char *put_text(char *at, struct text text);
char *put_name(char *at, const char *name);
char *put_number(char *at, uint64_t number);
char *put_digits(char *at, uint64_t number, int digits); /* exactly `digits`, with leading zeros */
char *put_seconds(char *at, uint64_t ns);                /* "0.000045": six decimals, cut        */

/*
 * Writes an IP address without its port; an IPv4-mapped IPv6 address in its IPv4 form. Writes "-"
 * for any other family, and for NULL.
 */
char *put_peer(char *at, const struct sockaddr *peer);

/*
 * Writes `text` escaped, in at most `max` bytes, and then "…" if that was not all.
 * ESCAPES_LOG: quotes, backslashes, control and non-ASCII bytes become \xHH.
 * ESCAPES_JSON: RFC 8259 §7, and characters that could control a terminal (utf8_shown_length)
 * become \uHHHH. Other UTF-8 stays as it is. A byte that is not UTF-8 becomes \u00HH.
 */
enum escapes { ESCAPES_LOG, ESCAPES_JSON };
char *put_escaped(char *at, struct text text, size_t max, enum escapes escapes);
#define PUT_ELLIPSIS_BYTES (sizeof("…") - 1)

#endif
