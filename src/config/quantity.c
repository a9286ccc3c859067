/*
 * Reads and writes numbers with units. A number that was written reads back as the same number.
 *
 * A number is digits and one suffix: no sign, no blank, no fraction, no octal. A time always has a
 * unit, because 10 could mean seconds or milliseconds.
 */

#include "config/quantity.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define US UINT64_C(1000)
#define MS (1000 * US)
#define KIB UINT64_C(1024)

const struct quantity_unit quantity_plain[] = {{"", 1}, {NULL, 0}};

const struct quantity_unit quantity_bytes[] = {
    {"", 1},   {"k", KIB}, {"m", KIB *KIB}, {"g", KIB *KIB *KIB}, {"t", KIB *KIB *KIB *KIB},
    {NULL, 0},
};

const struct quantity_unit quantity_times[] = {
    {"us", US},
    {"ms", MS},
    {"s", 1000 * MS},
    {"m", 60 * 1000 * MS},
    {"h", 3600 * 1000 * MS},
    {"d", 86400 * 1000 * MS},
    {NULL, 0},
};

/* Ignores case, because no two units differ in case alone. */
static const struct quantity_unit *quantity_unit_find(const struct quantity_unit *units,
                                                      const char *suffix)
{
    for (; units->suffix; units++)
        if (strcasecmp(units->suffix, suffix) == 0) return units;
    return NULL;
}

bool quantity_read(const char *text, const struct quantity_unit *units, uint64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    const struct quantity_unit *unit = quantity_unit_find(units, text + digits);
    if (digits == 0 || !unit) return false;
    uint64_t number = 0;
    for (size_t i = 0; i < digits; i++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            return false;
    if (__builtin_mul_overflow(number, unit->factor, &number)) return false;
    *value = number;
    return true;
}

void quantity_write(uint64_t value, const struct quantity_unit *units, char text[QUANTITY_TEXT_MAX])
{
    const struct quantity_unit *best = units;
    assert(value % best->factor == 0);
    for (const struct quantity_unit *unit = units; unit->suffix; unit++)
        if (value >= unit->factor && value % unit->factor == 0) best = unit;
    snprintf(text, QUANTITY_TEXT_MAX, "%" PRIu64 "%s", value / best->factor, best->suffix);
}
