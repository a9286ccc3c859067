/* Whole numbers with a unit, such as 64k, read and written. */
#ifndef ZCSERVE_QUANTITY_H
#define ZCSERVE_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUANTITY_TEXT_MAX 32 /* bytes of any written quantity, with its NUL */

struct quantity_unit {
    const char *suffix;
    uint64_t factor;
};

/* The units from the smallest to the largest. After the last one `suffix` is NULL. */
extern const struct quantity_unit quantity_plain[]; /* 4096                          */
extern const struct quantity_unit quantity_bytes[]; /* 512, 64k, 1m, 2g, 1t: by 1024 */
extern const struct quantity_unit quantity_times[]; /* 250ms, 10s, 5m, 1h, 1d: in ns */

/*
 * Reads digits and one suffix. Returns false, with *value unchanged, when `text` is anything else
 * or does not fit into 64 bits.
 */
bool quantity_read(const char *text, const struct quantity_unit *units, uint64_t *value);

/* Writes `value` in the largest unit that divides it; it must be a multiple of the smallest. */
void quantity_write(uint64_t value, const struct quantity_unit *units,
                    char text[QUANTITY_TEXT_MAX]);

#endif
