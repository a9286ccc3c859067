/*
 * Field names in any case, and names that are nearly right; lines that keep their order; lists.
 */
#include "http/fields.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *name;
    enum field field;
} names[] = {
    {"host", FIELD_HOST},
    {"connection", FIELD_CONNECTION},
    {"transfer-encoding", FIELD_TRANSFER_ENCODING},
    {"content-length", FIELD_CONTENT_LENGTH},
    {"expect", FIELD_EXPECT},
    {"accept", FIELD_ACCEPT},
    {"accept-encoding", FIELD_ACCEPT_ENCODING},
    {"range", FIELD_RANGE},
    {"if-range", FIELD_IF_RANGE},
    {"if-match", FIELD_IF_MATCH},
    {"if-none-match", FIELD_IF_NONE_MATCH},
    {"if-modified-since", FIELD_IF_MODIFIED_SINCE},
    {"if-unmodified-since", FIELD_IF_UNMODIFIED_SINCE},
    {"referer", FIELD_REFERER},
    {"user-agent", FIELD_USER_AGENT},
    {"forwarded", FIELD_FORWARDED},
    {"x-forwarded-for", FIELD_X_FORWARDED_FOR},
    {"x-forwarded-proto", FIELD_X_FORWARDED_PROTO},
    {"x-request-id", FIELD_X_REQUEST_ID},
    {"authorization", FIELD_AUTHORIZATION},
};

#define NAME_MAX_LENGTH 32

/* Finds a copy that has exactly the size of the name, so that a sanitizer sees reading too far. */
static enum field find(const char *name, size_t length)
{
    char *copy = malloc(length);
    if (length > 0) memcpy(copy, name, length);
    enum field field = field_find((struct text){copy, length});
    free(copy);
    return field;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

START_TEST(name_any_case)
{
    char name[NAME_MAX_LENGTH];
    size_t length = strlen(names[_i].name);
    for (unsigned pattern = 0; pattern < 1U << length; pattern++) {
        for (size_t at = 0; at < length; at++) {
            char c = names[_i].name[at];
            name[at] = (char)(is_letter(c) && (pattern >> at & 1) != 0 ? c - 0x20 : c);
        }
        if (field_find((struct text){name, length}) != names[_i].field)
            ck_abort_msg("%.*s", (int)length, name);
    }
    ck_assert_int_eq(find(names[_i].name, length), names[_i].field);
}
END_TEST

/* A name in which one byte is changed is another name, unless only the case of a letter changed. */
START_TEST(name_nearly)
{
    size_t length = strlen(names[_i].name);
    ck_assert_uint_gt(length, 0);
    for (size_t at = 0; at < length; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char name[NAME_MAX_LENGTH], was = names[_i].name[at], is = (char)byte;
            memcpy(name, names[_i].name, length);
            name[at] = is;
            bool same = is == was || (is_letter(was) && is == was - 0x20);
            ck_assert_int_eq(find(name, length), same ? names[_i].field : FIELD_OTHER);
        }
    }
    ck_assert_int_eq(find(names[_i].name + 1, length - 1), FIELD_OTHER);
    ck_assert_int_eq(find(names[_i].name, length - 1), FIELD_OTHER);
}
END_TEST

START_TEST(name_others)
{
    static const char *const others[] = {
        "",
        "a",
        "te",
        "via",
        "date",
        "accepts",
        "accepd",
        "cookie",
        "origih",
        "upgrade",
        "trailer",
        "pragma",
        "accept-language",
        "cache-control",
        "content-type",
        "upgrade-insecure-requests",
        "sec-fetch-dest",
        "x-forwarded-foo",
        "x-forwarded-host",
        "host ",
        "ranges",
        "if-modified-sinc",
        "keep-alive",
        "proxy-connection",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ck_assert_int_eq(find(others[i], strlen(others[i])), FIELD_OTHER);
    ck_assert_int_eq(field_find((struct text){NULL, 0}), FIELD_OTHER);
}
END_TEST

START_TEST(lines_in_order)
{
    struct fields fields = {0};
    struct text value;
    uint32_t cursor = 0;
    ck_assert(fields_add(&fields, FIELD_IF_MATCH, TEXT("one")));
    ck_assert(fields_add(&fields, FIELD_HOST, TEXT("h")));
    ck_assert(fields_add(&fields, FIELD_IF_MATCH, TEXT("two")));
    ck_assert(fields_have(&fields, FIELD_IF_MATCH));
    ck_assert(!fields_have(&fields, FIELD_IF_RANGE));
    ck_assert_uint_eq(fields_count(&fields, FIELD_IF_MATCH), 2);
    ck_assert_uint_eq(fields_count(&fields, FIELD_HOST), 1);
    ck_assert_uint_eq(fields_count(&fields, FIELD_IF_RANGE), 0);
    ck_assert(text_equals(fields_value(&fields, FIELD_IF_MATCH), TEXT("one")));
    ck_assert_ptr_null(fields_value(&fields, FIELD_IF_RANGE).base);
    ck_assert(fields_next(&fields, FIELD_IF_MATCH, &cursor, &value));
    ck_assert(text_equals(value, TEXT("one")));
    ck_assert(fields_next(&fields, FIELD_IF_MATCH, &cursor, &value));
    ck_assert(text_equals(value, TEXT("two")));
    ck_assert(!fields_next(&fields, FIELD_IF_MATCH, &cursor, &value));
    ck_assert(!fields_next(&fields, FIELD_IF_MATCH, &cursor, &value));
}
END_TEST

START_TEST(lines_limit)
{
    struct fields fields = {0};
    for (int i = 0; i < FIELD_LINES_MAX; i++)
        ck_assert(fields_add(&fields, FIELD_RANGE, TEXT("x")));
    ck_assert(!fields_add(&fields, FIELD_HOST, TEXT("h")));
    ck_assert(!fields_have(&fields, FIELD_HOST));
    ck_assert_uint_eq(fields_count(&fields, FIELD_RANGE), FIELD_LINES_MAX);
}
END_TEST

/* Members are written between bars. */
static const struct {
    const char *list;
    const char *members;
} lists[] = {
    {"", ""},
    {",", ""},
    {" \t, ,,", ""},
    {"a", "|a|"},
    {"a,b", "|a|b|"},
    {" a , b ", "|a|b|"},
    {"\ta\t,\tb\t", "|a|b|"},
    {",,a,,b,,", "|a|b|"},
    {"a b, c d", "|a b|c d|"},
    {"gzip;q=0.5, br", "|gzip;q=0.5|br|"},
    {"\"a,b\", c", "|\"a,b\"|c|"},
    {"x=\"a,\\\",b\",c", "|x=\"a,\\\",b\"|c|"},
    {"\"a\\\\\",b", "|\"a\\\\\"|b|"},
    {"a\\,b", "|a\\|b|"},
    {"\"a,b", "|\"a,b|"},
    {"\"a,b\\", "|\"a,b\\|"},
    {"\"\",\"\"", "|\"\"|\"\"|"},
};

START_TEST(list_members)
{
    char found[100] = "";
    size_t size = strlen(lists[_i].list);
    char *copy = malloc(size);
    if (size > 0) memcpy(copy, lists[_i].list, size);
    struct text rest = {copy, size}, member;
    while (list_next(&rest, &member)) {
        strcat(found, found[0] == '\0' ? "|" : "");
        strncat(found, member.base, member.length);
        strcat(found, "|");
    }
    ck_assert_str_eq(found, lists[_i].members);
    ck_assert(!list_next(&rest, &member));
    free(copy);
}
END_TEST

START_TEST(any_case)
{
    ck_assert(text_equals_any_case(TEXT(""), (struct text){NULL, 0}));
    ck_assert(text_equals_any_case(TEXT("Keep-Alive"), TEXT("kEEP-aLIVE")));
    ck_assert(!text_equals_any_case(TEXT("close"), TEXT("close ")));
    ck_assert(!text_equals_any_case(TEXT("["), TEXT("{")));
    ck_assert(!text_equals_any_case(TEXT("@"), TEXT("`")));
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char x = (char)a, y = (char)b;
            bool same = a == b || (is_letter(x) && is_letter(y) && (a ^ b) == 0x20);
            ck_assert(text_equals_any_case((struct text){&x, 1}, (struct text){&y, 1}) == same);
        }
    }
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("fields");
    TCase *cases = tcase_create("fields");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, name_any_case, 0, COUNT(names));
    tcase_add_loop_test(cases, name_nearly, 0, COUNT(names));
    tcase_add_test(cases, name_others);
    tcase_add_test(cases, lines_in_order);
    tcase_add_test(cases, lines_limit);
    tcase_add_loop_test(cases, list_members, 0, COUNT(lists));
    tcase_add_test(cases, any_case);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
