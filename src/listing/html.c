/*
 * The page for people. It works without scripts: the heads of the columns are links that sort. All
 * references are relative, so that the page is right under any prefix.
 */
#include "format.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n"
    ":root{--text:#1b1f24;--back:#fff;--faint:#656d76;--line:#d8dee4;--link:#0550ae}\n"
    "@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0d1117;--faint:#8b949e;"
    "--line:#30363d;--link:#79c0ff}}\n"
    "body{margin:2rem auto;max-width:60rem;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;"
    "color:var(--text);background:var(--back)}\n"
    "h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin-top:2rem}\n"
    "table{width:100%;border-collapse:collapse}th,td{padding:.3rem .5rem;text-align:left;"
    "border-bottom:1px solid var(--line)}\n"
    "td:first-child{overflow-wrap:anywhere}th:nth-child(n+2),td:nth-child(n+2){text-align:right;"
    "white-space:nowrap}td:nth-child(n+2){color:var(--faint)}\n"
    "a{color:var(--link);text-decoration:none}a:hover,a:focus{text-decoration:underline}\n"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);padding:1rem}\n"
    "</style>\n<title>";

static void put_literal(struct page *page, const char *text)
{
    page_put(page, (struct text){text, strlen(text)});
}

/* A size for people: "17 B", "1.5 KiB", "120 MiB". */
static void put_size(struct page *page, uint64_t size)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    unsigned unit = 0;
    uint64_t tenths = 0;
    while (size >= 1024) {
        tenths = size % 1024 * 10 / 1024;
        size /= 1024;
        unit++;
    }
    page_put_number(page, size);
    if (unit > 0 && size < 10) {
        page_put_byte(page, '.');
        page_put_number(page, tenths);
    }
    put_literal(page, units[unit]);
}

/* A head of a column: a link that sorts by it, or in the other order when the page is sorted so. */
static void put_column(struct page *page, struct view view, enum view_sort sort, const char *label)
{
    static const char *const words[VIEW_SORTS] = {"name", "size", "time"};
    bool sorted = view.sort == sort, descending = sorted && !view.descending;
    put_literal(page, "<th scope=\"col\"");
    if (sorted)
        put_literal(page,
                    view.descending ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"");
    put_literal(page, "><a href=\"?sort=");
    put_literal(page, words[sort]);
    put_literal(page, descending ? "&amp;order=desc\">" : "&amp;order=asc\">");
    put_literal(page, label);
    if (sorted) put_literal(page, view.descending ? " \xe2\x86\x93" : " \xe2\x86\x91");
    put_literal(page, "</a></th>");
}

static void put_title(struct page *page, const struct listing *listing)
{
    put_literal(page, "Index of /");
    page_put_html(page, listing->path);
}

static void put_top(struct page *page, const struct listing *listing, struct view view)
{
    put_literal(page, head);
    put_title(page, listing);
    put_literal(page, "</title>\n</head>\n<body>\n<h1>");
    put_title(page, listing);
    put_literal(page, "</h1>\n<table>\n<thead><tr>");
    put_column(page, view, VIEW_BY_NAME, "Name");
    put_column(page, view, VIEW_BY_SIZE, "Size");
    put_column(page, view, VIEW_BY_TIME, "Modified (UTC)");
    put_literal(page, "</tr></thead>\n<tbody>\n");
    if (listing->path.length > 0)
        put_literal(page, "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
}

static void put_entry(struct page *page, const struct listing_entry *entry)
{
    const char *slash = entry->is_directory ? "/" : "";
    put_literal(page, "<tr><td><a href=\"");
    page_put_segment(page, entry_name(entry));
    put_literal(page, slash);
    put_literal(page, "\">");
    page_put_html(page, entry_name(entry));
    put_literal(page, slash);
    put_literal(page, "</a></td><td>");
    if (!entry->is_directory) put_size(page, entry->size);
    put_literal(page, "</td><td>");
    page_put_date(page, entry->modified_seconds, " ", "");
    put_literal(page, "</td></tr>\n");
}

static void put_readme(struct page *page, const struct listing *listing)
{
    if (!listing->readme_name.base) return;
    put_literal(page, "<h2>");
    page_put_html(page, listing->readme_name);
    put_literal(page, "</h2>\n<pre>");
    page_put_lines(page, listing->readme);
    put_literal(page, "</pre>\n");
}

void listing_put_html(struct page *page, const struct listing *listing, struct view view)
{
    uint32_t i = 0;
    put_top(page, listing, view);
    for (; i < listing->count && page->length < LISTING_BYTES_MAX; i++)
        put_entry(page, &listing->entry[i]);
    put_literal(page, "</tbody>\n</table>\n");
    if (!listing->complete || i < listing->count)
        put_literal(page, "<p>There are more names than this page shows.</p>\n");
    put_readme(page, listing);
    put_literal(page, "</body>\n</html>\n");
}
