/*
 * Whole numbers as decimal digits, without the cost of printf.
 */
#ifndef ZCSERVE_DECIMAL_H
#define ZCSERVE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_MAX 20 /* digits of UINT64_MAX */

/* Writes `number`, without a NUL, to `space` of DECIMAL_MAX bytes. Returns the number of digits. */
static inline size_t decimal_write(char *space, uint64_t number)
{
    char digits[DECIMAL_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < count; i++)
        space[i] = digits[count - 1 - i];
    return count;
}

#endif
