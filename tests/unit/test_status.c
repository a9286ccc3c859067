/*
 * Statuses: each has its line, and each error and redirect has a page.
 */
#include "http/status.h"
#include "http/work.h"

#include <check.h>
#include <stdio.h>

static const struct {
    uint16_t status;
    bool page;
} all[] = {
    {200, false}, {204, false}, {206, false}, {301, true}, {302, true}, {304, false},
    {400, true},  {401, true},  {403, true},  {404, true}, {405, true}, {406, true},
    {408, true},  {412, true},  {414, true},  {416, true}, {417, true}, {429, true},
    {431, true},  {500, true},  {501, true},  {503, true}, {505, true},
};

enum {
    KNOWN = 0
#define STATUS(code, phrase, help) +1
#include "http/status.def"
#undef STATUS
};

static bool contains(struct text text, const char *what)
{
    return memmem(text.base, text.length, what, strlen(what)) != NULL;
}

START_TEST(every_status_is_here)
{
    ck_assert_int_eq(KNOWN, sizeof(all) / sizeof(all[0]));
}
END_TEST

/* RFC 9112 §4: three digits, a space, and a phrase of visible characters. */
START_TEST(line_is_well_formed)
{
    char code[16];
    struct text line = status_line(all[_i].status);
    snprintf(code, sizeof(code), "%d ", all[_i].status);
    ck_assert_uint_gt(line.length, 4);
    ck_assert_uint_eq(strlen(code), 4);
    ck_assert_int_eq(memcmp(line.base, code, 4), 0);
    for (size_t i = 0; i < line.length; i++)
        ck_assert(line.base[i] >= ' ' && line.base[i] < 0x7f);
}
END_TEST

START_TEST(page_says_what_happened)
{
    struct text page = status_page(all[_i].status), line = status_line(all[_i].status);
    char title[128], heading[128];
    if (!all[_i].page) {
        ck_assert_uint_eq(page.length, 0);
        return;
    }
    snprintf(title, sizeof(title), "<title>%.*s</title>", (int)line.length, line.base);
    snprintf(heading, sizeof(heading), "<h1>%.*s</h1>", (int)line.length, line.base);
    ck_assert_uint_eq(page.length, strlen(page.base));
    ck_assert_int_eq(memcmp(page.base, "<!doctype html>\n<html lang=\"en\">", 32), 0);
    ck_assert(contains(page, title) && contains(page, heading) && contains(page, "<p>"));
    ck_assert_int_eq(page.base[page.length - 1], '\n');
    ck_assert_uint_le(page.length, INLINE_BYTES_MAX); /* output_has_room() relies on this */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("status");
    TCase *tcase = tcase_create("status");
    tcase_add_test(tcase, every_status_is_here);
    tcase_add_loop_test(tcase, line_is_well_formed, 0, KNOWN);
    tcase_add_loop_test(tcase, page_says_what_happened, 0, KNOWN);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
