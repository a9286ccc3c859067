/*
 * Dates as HTTP writes them (RFC 9110 §5.6.7). Pure: no clock, no locale, no time zone.
 */
#ifndef ZCSERVE_DATE_H
#define ZCSERVE_DATE_H

#include "zcserve/text.h"

#include <stdint.h>

#define DATE_LENGTH 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Writes `seconds` since the epoch as an IMF-fixdate and a NUL. Years 1 … 9999; others clamp. */
void date_format(int64_t seconds, char text[DATE_LENGTH + 1]);

/*
 * Reads any of the three forms a recipient must take (IMF-fixdate, RFC 850, asctime).
 * `now_seconds` settles RFC 850's two-digit year (not more than 50 years ahead).
 * False, and *seconds untouched, when the text is none of them.
 */
bool date_parse(struct text text, int64_t now_seconds, int64_t *seconds);

/* "06/Nov/1994:08:49:37 +0000", as access logs write it, and a NUL. */
#define DATE_LOG_LENGTH 26
void date_format_log(int64_t seconds, char text[DATE_LOG_LENGTH + 1]);

#endif
