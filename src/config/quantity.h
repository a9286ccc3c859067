/* "How much is 64k?" Whole numbers with a unit, read and written. */
#ifndef ZCSERVE_QUANTITY_H
#define ZCSERVE_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUANTITY_TEXT_MAX 32 /* bytes that any quantity takes when written, with its NUL */

struct quantity_unit {
    const char *suffix;
    uint64_t factor;
};

/* From the smallest to the largest; NULL after the last. */
extern const struct quantity_unit quantity_plain[]; /* 4096                          */
extern const struct quantity_unit quantity_bytes[]; /* 512, 64k, 1m, 2g, 1t: by 1024 */
extern const struct quantity_unit quantity_times[]; /* 250ms, 10s, 5m, 1h, 1d: in ns */

/* False, with `value` untouched: not digits and one of the suffixes, or beyond 64 bits. */
bool quantity_read(const char *text, const struct quantity_unit *units, uint64_t *value);

/* Writes `value` in the largest unit that divides it; it must be a multiple of the smallest. */
void quantity_write(uint64_t value, const struct quantity_unit *units,
                    char text[QUANTITY_TEXT_MAX]);

#endif
