/*
 * A text that grows while it is written, up to a limit. After the first failure nothing more is
 * written, and `failed` says so.
 */
#ifndef ZCSERVE_LISTING_PAGE_H
#define ZCSERVE_LISTING_PAGE_H

#include "zcserve/text.h"

#include <stdint.h>

struct page {
    char *base; /* NULL: empty */
    size_t length, size;
    bool failed; /* there was no memory */
};

void page_put(struct page *page, struct text text);
void page_put_byte(struct page *page, char byte);
void page_put_number(struct page *page, uint64_t number);

/* Writes a text for HTML, in an element or in an attribute with double quotes. */
void page_put_html(struct page *page, struct text text);

/* As above, for a text of several lines: line ends and tabs stay as they are. */
void page_put_lines(struct page *page, struct text text);

/* Writes a text for a string of JSON (RFC 8259 §7). Bytes that are no UTF-8 become U+FFFD. */
void page_put_json(struct page *page, struct text text);

/* Writes a path segment of a reference: all but unreserved characters as %HH (RFC 3986 §2.3). */
void page_put_segment(struct page *page, struct text text);

/* Writes "2026-11-28" and "08:15", with `between` in between and `behind` behind; in UTC. */
void page_put_date(struct page *page, int64_t seconds, const char *between, const char *behind);

/* Returns whether all of the text is UTF-8. */
bool text_is_utf8(struct text text);

#endif
