/*
 * Status codes (RFC 9110 §15) and the short page that goes with an answer that has no file.
 */
#ifndef ZCSERVE_HTTP_STATUS_H
#define ZCSERVE_HTTP_STATUS_H

#include "zcserve/text.h"

#include <stdint.h>

/* "404 Not Found". The status must be one of status.def's. */
struct text status_line(uint16_t status);

/* A readable HTML page that says what happened; empty for statuses without content. */
struct text status_page(uint16_t status);

#endif
