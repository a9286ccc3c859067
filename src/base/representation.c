/*
 * The names that go with a representation, and its prepared head: the field lines that are the
 * same in every 200 answer, written once. It neither reads nor keeps any content.
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

/* Where lines are written; once something does not fit, `full` stays and nothing more is. */
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

size_t representation_prepare_head(const struct representation *r, char *space, size_t size)
{
    struct page page = {space, size, 0, false};
    char decimal[DECIMAL_MAX];
    const char *coding = coding_name(r->coding);

    page_put_line(&page, TEXT("Content-Type: "), r->media_type);
    page_put_line(&page, TEXT("Content-Length: "),
                  (struct text){decimal, decimal_write(decimal, r->length)});
    if (r->coding != CODING_IDENTITY)
        page_put_line(&page, TEXT("Content-Encoding: "), (struct text){coding, strlen(coding)});
    page_put_validators(&page, r);
    page_put_line(&page, TEXT("Accept-Ranges: "), TEXT("bytes"));
    if (r->varies) page_put_line(&page, TEXT("Vary: "), TEXT("Accept-Encoding"));
    return page.full ? 0 : page.length;
}
