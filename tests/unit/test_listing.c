/*
 * The pages of listings: names of any bytes, each order, sizes and dates for people, limits.
 */
#define _GNU_SOURCE
#include "listing/listing.h"
#include "listing/page.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct listing_entry entries[] = {
    {"b.txt", 17, 86400, false},  {"dir", 0, 172800, true},  {"A.txt", 2048, 0, false},
    {"a.txt", 1536, 3600, false}, {"another", 0, 100, true}, {"z", 17, 86400, false},
};

static struct listing listing;

static void setup(void)
{
    listing =
        (struct listing){.path = TEXT("a b/"), .entry = entries, .count = 6, .complete = true};
}

static const char *page(struct view view)
{
    static char space[65536];
    struct text text = listing_make(&listing, view);
    ck_assert_ptr_nonnull(text.base);
    ck_assert_uint_lt(text.length, sizeof(space));
    memcpy(space, text.base, text.length);
    space[text.length] = '\0';
    free((char *)(uintptr_t)text.base);
    return space;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s\nhas not: %s", text, part);
}

static void has_not(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "%s\nhas: %s", text, part);
}

START_TEST(sorted)
{
    static const struct {
        struct view view;
        const char *names;
    } orders[] = {
        {{.sort = VIEW_BY_NAME}, "another dir A.txt a.txt b.txt z "},
        {{.sort = VIEW_BY_NAME, .descending = true}, "dir another z b.txt a.txt A.txt "},
        {{.sort = VIEW_BY_SIZE}, "another dir b.txt z a.txt A.txt "},
        {{.sort = VIEW_BY_SIZE, .descending = true}, "dir another A.txt a.txt z b.txt "},
        {{.sort = VIEW_BY_TIME}, "another dir A.txt a.txt b.txt z "},
        {{.sort = VIEW_BY_TIME, .descending = true}, "dir another z b.txt a.txt A.txt "},
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        char names[256] = "";
        listing_sort(&listing, orders[i].view);
        for (uint32_t j = 0; j < listing.count; j++) {
            strcat(names, entries[j].name);
            strcat(names, " ");
        }
        ck_assert_str_eq(names, orders[i].names);
    }
    listing.count = 0;
    listing_sort(&listing, orders[1].view);
}
END_TEST

START_TEST(html)
{
    listing_sort(&listing, (struct view){0});
    const char *text = page((struct view){0});
    has(text, "<title>Index of /a b/</title>");
    has(text, "<a href=\"../\">../</a>");
    has(text, "<a href=\"dir/\">dir/</a></td><td></td><td>1970-01-03 00:00</td>");
    has(text, "<a href=\"b.txt\">b.txt</a></td><td>17 B</td><td>1970-01-02 00:00</td>");
    has(text, "<td>2.0 KiB</td>");
    has(text, "<td>1.5 KiB</td><td>1970-01-01 01:00</td>");
    has(text, "aria-sort=\"ascending\"><a href=\"?sort=name&amp;order=desc\">Name");
    has(text, "<a href=\"?sort=size&amp;order=asc\">Size</a>");
    has(text, "prefers-color-scheme:dark");
    has_not(text, "<script");
    has_not(text, "more names");
    has_not(text, "<pre>");
    text = page((struct view){.sort = VIEW_BY_TIME, .descending = true});
    has(text, "aria-sort=\"descending\"><a href=\"?sort=time&amp;order=asc\">Modified");
    listing.path = TEXT("");
    has_not(page((struct view){0}), "../");
}
END_TEST

START_TEST(json)
{
    listing_sort(&listing, (struct view){0});
    listing.count = 3;
    ck_assert_str_eq(page((struct view){.format = VIEW_JSON}),
                     "{\"path\":\"/a b/\",\"entries\":[\n"
                     "{\"name\":\"another\",\"type\":\"directory\",\"modified\":"
                     "\"1970-01-01T00:01Z\"},\n"
                     "{\"name\":\"dir\",\"type\":\"directory\",\"modified\":"
                     "\"1970-01-03T00:00Z\"},\n"
                     "{\"name\":\"A.txt\",\"type\":\"file\",\"size\":2048,\"modified\":"
                     "\"1970-01-01T00:00Z\"}\n],\"complete\":true}\n");
    listing.count = 0;
    listing.complete = false;
    listing.path = TEXT("");
    ck_assert_str_eq(page((struct view){.format = VIEW_JSON}),
                     "{\"path\":\"/\",\"entries\":[\n],\"complete\":false}\n");
    has(page((struct view){0}), "more names");
    ck_assert(text_equals(listing_media_type((struct view){.format = VIEW_JSON}),
                          TEXT("application/json")));
}
END_TEST

/* What a name is in a reference, in the text of HTML, and in JSON. */
static const struct {
    const char *name, *href, *shown, *json;
} names[] = {
    {"<b>&\"'", "href=\"%3Cb%3E%26%22%27\"", ">&lt;b&gt;&amp;&quot;&#39;</a>",
     "\"name\":\"<b>&\\\"'\""},
    {"a b:c?d#e%41", "href=\"a%20b%3Ac%3Fd%23e%2541\"", ">a b:c?d#e%41</a>",
     "\"name\":\"a b:c?d#e%41\""},
    {"\xc3\xa4", "href=\"%C3%A4\"", ">\xc3\xa4</a>", "\"name\":\"\xc3\xa4\",\"type\""},
    {"\xff\\", "href=\"%FF%5C\"", ">\\xFF\\</a>",
     "\"name\":\"\xef\xbf\xbd\\\\\",\"raw\":\"%FF%5C\""},
    {"\n\x01\x7f", "href=\"%0A%01%7F\"", ">\\x0A\\x01\\x7F</a>",
     "\"name\":\"\\u000A\\u0001\\u007F\""},
    {"\xe2\x80\xaetxt", "href=\"%E2%80%AEtxt\"", ">\\xE2\\x80\\xAEtxt</a>",
     "\"name\":\"\xe2\x80\xaetxt\""},
    {"javascript:x", "href=\"javascript%3Ax\"", ">javascript:x</a>", "\"name\":\"javascript:x\""},
};

START_TEST(names_of_any_bytes)
{
    struct listing_entry one = {.name = names[_i].name};
    listing.entry = &one;
    listing.count = 1;
    has(page((struct view){0}), names[_i].href);
    has(page((struct view){0}), names[_i].shown);
    has(page((struct view){.format = VIEW_JSON}), names[_i].json);
}
END_TEST

/* No byte of a name or a README can begin markup or end a string. */
START_TEST(each_byte)
{
    char name[2] = {0};
    struct listing_entry one = {.name = name};
    listing.entry = &one;
    listing.count = 1;
    for (int byte = 1; byte < 256; byte++) {
        if (byte == '/') continue;
        name[0] = (char)byte;
        const char *text = strstr(page((struct view){0}), "../</a>");
        text = strstr(text, "<tr><td><a href=\"") + strlen("<tr><td><a href=\"");
        ck_assert_uint_le(
            strspn(text, "%ABCDEFabcdefghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ0123456789-._~"), 3);
        ck_assert_int_eq(text[strcspn(text, "\"")], '"');
        const char *shown = strchr(text, '>') + 1;
        has(shown, "</a></td>");
        ck_assert_int_eq(*(shown + strcspn(shown, "<") + 1), '/');
    }
}
END_TEST

START_TEST(readme)
{
    listing.readme_name = TEXT("README.md");
    listing.readme = TEXT("# a\n\t<script>\xff\x1b</pre>&\r\n");
    const char *text = page((struct view){0});
    has(text,
        "<h2>README.md</h2>\n<pre># a\n\t&lt;script&gt;\\xFF\\x1B&lt;/pre&gt;&amp;\r\n</pre>");
    has_not(page((struct view){.format = VIEW_JSON}), "script");
}
END_TEST

START_TEST(many)
{
    struct listing_entry *all = calloc(LISTING_ENTRIES_MAX, sizeof(*all));
    char *space = malloc(LISTING_ENTRIES_MAX * 12UL);
    for (uint32_t i = 0; i < LISTING_ENTRIES_MAX; i++) {
        char *name = space + i * 12UL;
        snprintf(name, 12, "f%u", (i * 7919U) % LISTING_ENTRIES_MAX);
        all[i] = (struct listing_entry){.name = name, .size = i, .modified_seconds = i};
    }
    listing.entry = all;
    listing.count = LISTING_ENTRIES_MAX;
    for (uint8_t sort = 0; sort < VIEW_SORTS; sort++)
        listing_sort(&listing, (struct view){.sort = sort, .descending = true});
    struct text text = listing_make(&listing, (struct view){0});
    ck_assert_uint_gt(text.length, 5000000);
    ck_assert_uint_lt(text.length, LISTING_BYTES_MAX);
    free((char *)(uintptr_t)text.base);
    free(space);
    free(all);
}
END_TEST

/* Long names: the page ends at its limit, and says that there are more. */
START_TEST(too_large)
{
    static char name[256];
    memset(name, '\xff', 255);
    struct listing_entry *all = calloc(LISTING_ENTRIES_MAX, sizeof(*all));
    for (uint32_t i = 0; i < LISTING_ENTRIES_MAX; i++)
        all[i].name = name;
    listing.entry = all;
    listing.count = LISTING_ENTRIES_MAX;
    struct text text = listing_make(&listing, (struct view){0});
    ck_assert_uint_lt(text.length, LISTING_BYTES_MAX + 65536);
    ck_assert_ptr_nonnull(memmem(text.base + text.length - 200, 200, "more names", 10));
    free((char *)(uintptr_t)text.base);
    text = listing_make(&listing, (struct view){.format = VIEW_JSON});
    ck_assert_uint_lt(text.length, LISTING_BYTES_MAX + 65536);
    ck_assert_ptr_nonnull(memmem(text.base + text.length - 40, 40, "\"complete\":false", 16));
    free((char *)(uintptr_t)text.base);
    free(all);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listing");
    TCase *cases = tcase_create("listing");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, sorted);
    tcase_add_test(cases, html);
    tcase_add_test(cases, json);
    tcase_add_loop_test(cases, names_of_any_bytes, 0, (int)(sizeof(names) / sizeof(names[0])));
    tcase_add_test(cases, each_byte);
    tcase_add_test(cases, readme);
    tcase_add_test(cases, many);
    tcase_add_test(cases, too_large);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
