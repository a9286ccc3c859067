/*
 * The page for programs:
 *
 *      {"path": "/a/", "complete": true, "entries": [
 *      {"name": "b.txt", "type": "file", "size": 17, "modified": "2026-11-28T08:15Z"}, …]}
 *
 * A name that is no UTF-8 has the member "raw", too: its bytes, percent-encoded.
 */
#include "format.h"

static void put_literal(struct page *page, const char *text)
{
    page_put(page, (struct text){text, strlen(text)});
}

static void put_entry(struct page *page, const struct listing_entry *entry)
{
    struct text name = entry_name(entry);
    put_literal(page, "{\"name\":\"");
    page_put_json(page, name);
    if (!text_is_utf8(name)) {
        put_literal(page, "\",\"raw\":\"");
        page_put_segment(page, name);
    }
    put_literal(page, entry->is_directory ? "\",\"type\":\"directory\"" : "\",\"type\":\"file\"");
    if (!entry->is_directory) {
        put_literal(page, ",\"size\":");
        page_put_number(page, entry->size);
    }
    put_literal(page, ",\"modified\":\"");
    page_put_date(page, entry->modified_seconds, "T", "Z");
    put_literal(page, "\"}");
}

void listing_put_json(struct page *page, const struct listing *listing)
{
    uint32_t i = 0;
    put_literal(page, "{\"path\":\"/");
    page_put_json(page, listing->path);
    put_literal(page, "\",\"entries\":[");
    for (; i < listing->count && page->length < LISTING_BYTES_MAX; i++) {
        put_literal(page, i > 0 ? ",\n" : "\n");
        put_entry(page, &listing->entry[i]);
    }
    bool complete = listing->complete && i == listing->count;
    put_literal(page, complete ? "\n],\"complete\":true}\n" : "\n],\"complete\":false}\n");
}
