/*
 * Status codes (RFC 9110 §15), and the short pages of responses that have no file.
 */
#ifndef ZCSERVE_HTTP_STATUS_H
#define ZCSERVE_HTTP_STATUS_H

#include "zcserve/text.h"

#include <stdint.h>

/* Returns a text such as "404 Not Found". The status must be in status.def. */
struct text status_line(uint16_t status);

/* Returns an HTML page that tells people what happened; empty for a status without content. */
struct text status_page(uint16_t status);

#endif
