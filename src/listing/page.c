/*
 * Writes texts by the rules of HTML, JSON and references. Each writer takes one character at a time,
 * so that none of them can be left out by a byte that looks like the end of something.
 */
#include "page.h"
#include "zcserve/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SIZE_MIN 4096

static bool page_has_room(struct page *page, size_t length)
{
    if (page->failed) return false;
    if (page->size - page->length >= length) return true;
    size_t size = page->size > 0 ? page->size : SIZE_MIN;
    while (size - page->length < length)
        size *= 2;
    char *base = realloc(page->base, size);
    page->failed = !base;
    if (!base) return false;
    page->base = base;
    page->size = size;
    return true;
}

void page_put(struct page *page, struct text text)
{
    if (text.length == 0 || !page_has_room(page, text.length)) return;
    memcpy(page->base + page->length, text.base, text.length);
    page->length += text.length;
}

void page_put_byte(struct page *page, char byte)
{
    page_put(page, (struct text){&byte, 1});
}

void page_put_number(struct page *page, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    page_put(page, (struct text){digits, (size_t)length});
}

static void put_hex(struct page *page, const char *prefix, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    page_put(page, (struct text){prefix, strlen(prefix)});
    page_put_byte(page, digits[byte >> 4]);
    page_put_byte(page, digits[byte & 15]);
}

/* Returns what stands for the byte in HTML; absent: the byte itself. */
static struct text html_of(char byte)
{
    switch (byte) {
    case '&': return TEXT("&amp;");
    case '<': return TEXT("&lt;");
    case '>': return TEXT("&gt;");
    case '"': return TEXT("&quot;");
    case '\'': return TEXT("&#39;");
    default: return (struct text){NULL, 0};
    }
}

static void put_html(struct page *page, struct text text, bool lines)
{
    for (size_t i = 0; i < text.length;) {
        const char *here = text.base + i;
        struct text escaped = html_of(*here);
        size_t length = utf8_shown_length(here, text.length - i);
        if (lines && (*here == '\n' || *here == '\t' || *here == '\r')) length = 1;
        if (escaped.base)
            page_put(page, escaped);
        else if (length > 0)
            page_put(page, (struct text){here, length});
        else
            put_hex(page, "\\x", (unsigned char)*here);
        i += length > 0 ? length : 1;
    }
}

void page_put_html(struct page *page, struct text text)
{
    put_html(page, text, false);
}

void page_put_lines(struct page *page, struct text text)
{
    put_html(page, text, true);
}

void page_put_json(struct page *page, struct text text)
{
    for (size_t i = 0; i < text.length;) {
        const char *here = text.base + i;
        size_t length = utf8_length(here, text.length - i);
        unsigned char byte = (unsigned char)*here;
        if (byte == '"' || byte == '\\') {
            page_put_byte(page, '\\');
            page_put_byte(page, *here);
        } else if (byte < 0x20 || byte == 0x7f) {
            put_hex(page, "\\u00", byte);
        } else if (length > 0) {
            page_put(page, (struct text){here, length});
        } else {
            page_put(page, TEXT("\xef\xbf\xbd"));
        }
        i += length > 0 ? length : 1;
    }
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void page_put_segment(struct page *page, struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (is_unreserved(text.base[i]))
            page_put_byte(page, text.base[i]);
        else
            put_hex(page, "%", (unsigned char)text.base[i]);
}

void page_put_date(struct page *page, int64_t seconds, const char *between, const char *behind)
{
    char date[64];
    struct tm tm;
    time_t time = (time_t)seconds;
    if (!gmtime_r(&time, &tm)) return; /* a year that does not fit an int */
    int length = snprintf(date, sizeof(date), "%04lld-%02d-%02d%s%02d:%02d%s", tm.tm_year + 1900LL,
                          tm.tm_mon + 1, tm.tm_mday, between, tm.tm_hour, tm.tm_min, behind);
    if (length > 0 && length < (int)sizeof(date))
        page_put(page, (struct text){date, (size_t)length});
}

bool text_is_utf8(struct text text)
{
    for (size_t i = 0, length; i < text.length; i += length)
        if ((length = utf8_length(text.base + i, text.length - i)) == 0) return false;
    return true;
}
