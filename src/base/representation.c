/*
 * The names of codings and sources, and the prepared head of a representation: the field lines that
 * are the same in every response with it, written once. This file neither reads nor keeps content.
 */
#include "zcserve/representation.h"
#include "zcserve/decimal.h"

#include <assert.h>

const char *coding_name(enum coding coding)
{
    static const char *const names[CODING_COUNT] = {
        [CODING_IDENTITY] = "identity",
        [CODING_GZIP] = "gzip",
        [CODING_BR] = "br",
        [CODING_ZSTD] = "zstd",
    };
    assert((unsigned)coding < CODING_COUNT);
    return names[coding];
}

struct text coding_file_suffix(enum coding coding)
{
    switch (coding) {
    case CODING_GZIP: return TEXT(".gz");
    case CODING_BR: return TEXT(".br");
    case CODING_ZSTD: return TEXT(".zst");
    case CODING_IDENTITY:
    case CODING_COUNT: break;
    }
    return TEXT("");
}

const char *source_name(enum source source)
{
    static const char *const names[SOURCE_COUNT] = {
        [SOURCE_NONE] = "-",
        [SOURCE_MEMORY] = "memory",
        [SOURCE_PAGE_CACHE] = "pagecache",
        [SOURCE_DISK] = "disk",
    };
    assert((unsigned)source < SOURCE_COUNT);
    return names[source];
}

/* The space for field lines. After the first text that does not fit, nothing more is written. */
struct page {
    char *space;
    size_t size;
    size_t length;
    bool full;
};

static void page_put(struct page *page, struct text text)
{
    page->full |= text.length > page->size - page->length;
    if (page->full || text.length == 0) return;
    memcpy(page->space + page->length, text.base, text.length);
    page->length += text.length;
}

static void page_put_line(struct page *page, struct text name, struct text value)
{
    page_put(page, name);
    page_put(page, value);
    page_put(page, TEXT("\r\n"));
}

static void page_put_validators(struct page *page, const struct representation *r)
{
    char date[DATE_LENGTH + 1];
    if (r->modified_seconds != MODIFIED_UNKNOWN) {
        date_format(r->modified_seconds, date);
        page_put_line(page, TEXT("Last-Modified: "), (struct text){date, DATE_LENGTH});
    }
    if (r->etag.length > 0) page_put_line(page, TEXT("ETag: "), r->etag);
}

static void page_put_coding(struct page *page, const struct representation *r)
{
    const char *coding = coding_name(r->coding);
    if (r->coding != CODING_IDENTITY)
        page_put_line(page, TEXT("Content-Encoding: "), (struct text){coding, strlen(coding)});
}

#define LENGTH_NAME "Content-Length: "

static void page_put_part(struct page *page, const struct representation *r, enum head_part part)
{
    char decimal[DECIMAL_MAX];
    switch (part) {
    case HEAD_TYPE: page_put_line(page, TEXT("Content-Type: "), r->media_type); break;
    case HEAD_LENGTH:
        page_put_line(page, TEXT(LENGTH_NAME),
                      (struct text){decimal, decimal_write(decimal, r->length)});
        break;
    case HEAD_CODING: page_put_coding(page, r); break;
    case HEAD_VALIDATORS: page_put_validators(page, r); break;
    case HEAD_ACCEPT_RANGES: page_put_line(page, TEXT("Accept-Ranges: "), TEXT("bytes")); break;
    case HEAD_VARY:
        if (r->negotiated) page_put_line(page, TEXT("Vary: "), TEXT("Accept"));
        if (r->varies) page_put_line(page, TEXT("Vary: "), TEXT("Accept-Encoding"));
        break;
    case HEAD_PARTS: break;
    }
}

size_t representation_prepare_head(struct representation *r, char *space, size_t size)
{
    struct page page = {space, size, 0, false};
    for (enum head_part part = 0; part < HEAD_PARTS; part++) {
        page_put_part(&page, r, part);
        r->part_end[part] = (uint16_t)page.length;
    }
    r->prepared_head = (struct text){space, page.length};
    return page.full ? 0 : page.length;
}

struct text representation_length_text(const struct representation *r)
{
    struct text line = representation_head(r, HEAD_LENGTH, HEAD_LENGTH);
    const size_t around = sizeof(LENGTH_NAME "\r\n") - 1;
    assert(line.length > around);
    return (struct text){line.base + sizeof(LENGTH_NAME) - 1, line.length - around};
}
