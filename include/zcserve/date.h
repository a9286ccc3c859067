/*
 * Dates as HTTP writes them (RFC 9110 §5.6.7). Pure: no clock, no locale, no time zone.
 */
#ifndef ZCSERVE_DATE_H
#define ZCSERVE_DATE_H

#include "zcserve/text.h"

#include <stdint.h>

#define DATE_LENGTH 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/*
 * Writes `seconds` since the epoch as an IMF-fixdate and a NUL. A time before year 1 or after year
 * 9999 is written as the first or the last second of that range.
 */
void date_format(int64_t seconds, char text[DATE_LENGTH + 1]);

/*
 * Reads any of the three forms that a recipient must accept (IMF-fixdate, RFC 850, asctime).
 * `now_seconds` decides the century of RFC 850's two-digit year: at most 50 years in the future.
 * Returns false, and leaves *seconds as it was, when the text has none of the three forms.
 */
bool date_parse(struct text text, int64_t now_seconds, int64_t *seconds);

/* Writes "06/Nov/1994:08:49:37 +0000", the form of access logs, and a NUL. */
#define DATE_LOG_LENGTH 26
void date_format_log(int64_t seconds, char text[DATE_LOG_LENGTH + 1]);

#endif
