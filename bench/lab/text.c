/* Figures and sizes as text for people: three digits that count, binary units for sizes. */
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_bytes(text into, double bytes)
{
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned u = 0;
    while (u < 4 && bytes >= 1024) {
        bytes /= 1024;
        u++;
    }
    snprintf(into, TEXT_MAX, bytes == floor(bytes) ? "%.0f %s" : "%.1f %s", bytes, unit[u]);
    return into;
}

static void thousands_put(text into, double whole)
{
    char digits[TEXT_MAX];
    int length = snprintf(digits, sizeof digits, "%.0f", whole), used = 0;
    if (length > 24) length = 24;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') into[used++] = ',';
        into[used++] = digits[i];
    }
    into[used] = '\0';
}

char *text_number(text into, double value)
{
    double size = fabs(value);
    if (value == 0 || !isfinite(value)) {
        snprintf(into, TEXT_MAX, "%g", value);
        return into;
    }
    double step = pow(10, floor(log10(size)) - 2);
    if (size >= 100)
        thousands_put(into, round(value / step) * step);
    else
        snprintf(into, TEXT_MAX, "%.*f",
                 size >= 10  ? 1
                 : size >= 1 ? 2
                             : (int)(-log10(step) + 0.5),
                 value);
    if (strchr(into, '.')) { /* 4.00 becomes 4, 0.500 becomes 0.5 */
        char *end = into + strlen(into);
        while (end[-1] == '0')
            *--end = '\0';
        if (end[-1] == '.') end[-1] = '\0';
    }
    return into;
}

static char *text_with_unit(text into, double value, const char *unit)
{
    text number;
    snprintf(into, TEXT_MAX, "%.30s %.15s", text_number(number, value), unit);
    return into;
}

char *text_figure(text into, double value, const char *unit)
{
    if (!strcmp(unit, "bytes")) return text_bytes(into, value);
    if (!strcmp(unit, "share")) return text_with_unit(into, value * 100, "%");
    if (!strcmp(unit, "us")) {
        if (value >= 1e6) return text_with_unit(into, value / 1e6, "s");
        if (value >= 1e3) return text_with_unit(into, value / 1e3, "ms");
        return text_with_unit(into, value, "µs");
    }
    if (!strcmp(unit, "MB/s") && value >= 1e4) return text_with_unit(into, value / 1e3, "GB/s");
    if (!strcmp(unit, "1/s")) {
        text_number(into, value);
        strcat(into, "/s");
        return into;
    }
    if (!strcmp(unit, "count") && value == floor(value) && value >= 0 && value < 1e6) {
        thousands_put(into, value); /* a value that was set is written as it was set: 4,096 */
        return into;
    }
    if (!strcmp(unit, "count") || !strcmp(unit, "ratio")) return text_number(into, value);
    return text_with_unit(into, value, unit);
}

bool text_size_read(const char *from, double *value)
{
    char *end;
    *value = strtod(from, &end);
    if (end == from || !isfinite(*value) || *value < 0) return false;
    if (*end == 'k') *value *= 1024.0;
    if (*end == 'm') *value *= 1024.0 * 1024;
    if (*end == 'g') *value *= 1024.0 * 1024 * 1024;
    return !*end || (strchr("kmg", *end) && !end[1]);
}
