/*
 * Pieces of lines, of logs and of JSON. Each function writes at `at` and gives where the next piece goes; the caller
 * has seen to it that there is room.
 */
#ifndef ZCSERVE_BASE_PUT_H
#define ZCSERVE_BASE_PUT_H

#include "zcserve/text.h"

#include <stdint.h>
#include <sys/socket.h>

char *put_text(char *at, struct text text);
char *put_name(char *at, const char *name);
char *put_number(char *at, uint64_t number);
char *put_digits(char *at, uint64_t number, int digits); /* exactly so many, zeros first */
char *put_seconds(char *at, uint64_t ns);                /* six decimals, cut: "0.000045" */

/* An IP address without its port, an IPv4 one in its own form however it came; else "-". */
char *put_peer(char *at, const struct sockaddr *peer);

/*
 * At most `max` bytes of `text`, escaped, and "…" if that was not all. ESCAPES_LOG: \xHH for quotes,
 * backslashes, control and non-ASCII bytes. ESCAPES_JSON: what JSON asks for (RFC 8259 §7), and what could steer a terminal
 * (utf8_shown_length) as \uHHHH; other UTF-8 is left as it is, a byte that is none is shown as the character of its
 * number, \u00HH.
 */
enum escapes { ESCAPES_LOG, ESCAPES_JSON };
char *put_escaped(char *at, struct text text, size_t max, enum escapes escapes);
#define PUT_ELLIPSIS_BYTES (sizeof("…") - 1)

#endif
