/* Tests of src/status/json.c: what is written is JSON, whatever the texts and numbers. */
#include "status/json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *text;
static size_t length;
static struct json json;

static void begin(void)
{
    json = (struct json){.out = open_memstream(&text, &length)};
    ck_assert_ptr_nonnull(json.out);
}

static void expect(const char *expected)
{
    fclose(json.out);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(separates_members_and_elements)
{
    begin();
    json_open(&json, NULL, '{');
    json_open(&json, "a", '[');
    json_close(&json, ']');
    json_open(&json, "b", '[');
    json_count(&json, NULL, 1);
    json_open(&json, NULL, '[');
    json_count(&json, NULL, 2);
    json_count(&json, NULL, 3);
    json_close(&json, ']');
    json_absent(&json, NULL);
    json_close(&json, ']');
    json_open(&json, "c", '{');
    json_close(&json, '}');
    json_count(&json, "d", 4);
    json_close(&json, '}');
    expect("{\"a\":[],\"b\":[1,[2,3],null],\"c\":{},\"d\":4}");
}
END_TEST

START_TEST(keeps_all_bits_of_a_counter)
{
    begin();
    json_open(&json, NULL, '[');
    json_count(&json, NULL, UINT64_MAX);
    json_count(&json, NULL, 0);
    json_number(&json, NULL, 1.6e-8);
    json_number(&json, NULL, 0);
    json_time(&json, NULL, 1795568763.787343);
    json_close(&json, ']');
    expect("[18446744073709551615,0,1.6e-08,0,1795568763.787343]");
}
END_TEST

START_TEST(escapes_texts)
{
    begin();
    json_text(&json, NULL, "a\"b\\c\n\t\x01\x7f é \xff");
    expect("\"a\\\"b\\\\c\\u000A\\u0009\\u0001\\u007F é \\u00FF\"");
}
END_TEST

/* The path of a root may have any characters. */
START_TEST(escapes_what_steers_a_terminal)
{
    begin();
    json_open(&json, NULL, '{');
    json_text(&json, "root", "/\xc2\x9b[2J\x9b\xe2\x80\xae/ä");
    json_close(&json, '}');
    expect("{\"root\":\"/\\u009B[2J\\u009B\\u202E/ä\"}");
}
END_TEST

START_TEST(cuts_a_text_without_end)
{
    static char endless[20000];
    begin();
    memset(endless, 'x', sizeof(endless) - 1);
    json_text(&json, NULL, endless);
    fclose(json.out);
    ck_assert_uint_lt(length, 8200);
    ck_assert_str_eq(text + length - 5, "x…\"");
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *cases = tcase_create("json");
    tcase_add_test(cases, separates_members_and_elements);
    tcase_add_test(cases, keeps_all_bits_of_a_counter);
    tcase_add_test(cases, escapes_texts);
    tcase_add_test(cases, escapes_what_steers_a_terminal);
    tcase_add_test(cases, cuts_a_text_without_end);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
