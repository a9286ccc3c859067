/*
 * Formats figures for people, with three digits and a unit, whatever the figures mean.
 */
#include "tool/format.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "zcserve/utf8.h"

bool format_utf8;

void format_locale(void)
{
    setlocale(LC_CTYPE, "");
    format_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static const char *unknown(format_space space)
{
    snprintf(space, FORMAT_MAX, "%s", format_utf8 ? "–" : "-");
    return space;
}

/* Returns how many decimals give three significant digits. */
static int decimals_of(double value)
{
    return value >= 99.95 || value == 0 ? 0 : value >= 9.995 ? 1 : 2;
}

static const char *with_unit(format_space space, double value, const char *unit)
{
    snprintf(space, FORMAT_MAX, "%.*f%s", decimals_of(value), value, unit);
    return space;
}

static const char *whole(format_space space, double value, const char *unit)
{
    snprintf(space, FORMAT_MAX, "%.0f%s", value, unit);
    return space;
}

const char *format_ns(format_space space, double ns)
{
    if (isnan(ns)) return unknown(space);
    if (ns < 999.5) return whole(space, ns, " ns");
    if (ns < 999.5e3) return with_unit(space, ns / 1e3, format_utf8 ? " µs" : " us");
    if (ns < 999.5e6) return with_unit(space, ns / 1e6, " ms");
    return with_unit(space, ns / 1e9, " s");
}

const char *format_count(format_space space, double count)
{
    if (isnan(count)) return unknown(space);
    if (count < 1000 && count != floor(count)) return with_unit(space, count, "");
    char digits[FORMAT_MAX];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%.0f", count), at = 0;
    if (length + length / 3 >= FORMAT_MAX) return with_unit(space, INFINITY, "");
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) space[at++] = ',';
        space[at++] = digits[i];
    }
    space[at] = '\0';
    return space;
}

const char *format_short(format_space space, double count)
{
    if (isnan(count)) return unknown(space);
    if (count == floor(count) && count < 1000) return whole(space, count, "");
    if (count < 999.5) return with_unit(space, count, "");
    if (count < 999.5e3) return with_unit(space, count / 1e3, "k");
    if (count < 999.5e6) return with_unit(space, count / 1e6, "M");
    return with_unit(space, count / 1e9, "G");
}

const char *format_bytes(format_space space, double bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    size_t unit = 0;
    if (isnan(bytes)) return unknown(space);
    if (bytes < 1023.5) return whole(space, bytes, " B");
    while (bytes >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024;
        unit++;
    }
    return with_unit(space, bytes, units[unit]);
}

const char *format_percent(format_space space, double share)
{
    if (isnan(share)) return unknown(space);
    snprintf(space, FORMAT_MAX, "%.1f %%", 100 * share);
    return space;
}

int format_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80; /* the first byte of each character */
    return columns;
}

const char *format_bar(char space[3 * FORMAT_BAR_MAX + 1], double share, int columns)
{
    if (columns > FORMAT_BAR_MAX) columns = FORMAT_BAR_MAX;
    share = isnan(share) || share < 0 ? 0 : share > 1 ? 1 : share;
    int halves = (int)lround(share * columns * 2);
    char *at = space;
    *at = '\0';
    for (int i = 0; i < halves / 2; i++)
        at = stpcpy(at, format_utf8 ? "█" : "#");
    if (halves % 2) stpcpy(at, format_utf8 ? "▌" : "-");
    return space;
}

char *format_tame(char *text)
{
    size_t left = strlen(text);
    for (char *at = text; left > 0;) {
        size_t length = utf8_shown_length(at, left);
        if (length == 0 || (length > 1 && !format_utf8)) {
            *at = '?';
            length = 1;
        }
        at += length;
        left -= length;
    }
    return text;
}
