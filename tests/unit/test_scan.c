/*
 * Tests of scan.c: what ends a word, what is a comment, what may stand in quotes, the line of each
 * token, and that nothing follows a fault.
 */
#include "config/scan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "config/keep.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Returns the tokens, with their lines: "1<word>", "1{", "1!message of a fault"; "1.": the end. */
static char *tokens(const char *text, size_t length)
{
    struct obstack keep;
    struct scan scan;
    char *shown = NULL;
    size_t shown_length;
    FILE *out = open_memstream(&shown, &shown_length);
    char *bytes = malloc(length + 1); /* so that the sanitizer sees a read beyond the end */
    memcpy(bytes, text, length);
    obstack_init(&keep);
    scan_begin(&scan, bytes, length, &keep);
    for (; scan.token >= TOKEN_TEXT; scan_next(&scan))
        fprintf(out, scan.token == TOKEN_TEXT ? "%d<%s> " : "%d%s ", scan.line, scan.text);
    if (scan.token == TOKEN_END) {
        fprintf(out, "%d.", scan.line);
    } else {
        fprintf(out, "%d!%s", scan.line, scan.text);
        scan_next(&scan);
        scan_fail(&scan, 77, "another fault");
        ck_assert_int_eq(scan.token, TOKEN_FAULT);
        ck_assert_int_ne(scan.line, 77);
    }
    fclose(out);
    obstack_free(&keep, NULL);
    free(bytes);
    return shown;
}

#define CONTROL "!control characters are not allowed"
#define OPEN "!this text is not closed on its line"
#define ESCAPE "!only \\\\, \\\" and \\$ may follow a backslash in double quotes"

static const struct {
    const char *text, *tokens;
} cases[] = {
    {"", "1."},
    {"\n\n", "3."},
    {"a", "1<a> 1."},
    {"a = b\nc={d,e}", "1<a> 1= 1<b> 2<c> 2= 2{ 2<d> 2, 2<e> 2} 2."},
    {"include(\"x\")", "1<include> 1( 1<x> 1) 1."},
    {"\xEF\xBB\xBF"
     "a",
     "1<a> 1."},
    {"\xEF\xBB", "1<\xEF\xBB> 1."},
    {"a\r\n\tb", "1<a> 2<b> 2."},
    {"\xC3\xA4-_.:/[]<>%&~^`@!?\\", "1<\xC3\xA4-_.:/[]<>%&~^`@!?\\> 1."},
    /* comments */
    {"a#b\nc", "1<a> 2<c> 2."},
    {"a // b\nc", "1<a> 2<c> 2."},
    {"a//b", "1<a//b> 1."},
    {"/a /", "1</a> 1</> 1."},
    {"a /* b\n\n */ c", "1<a> 3<c> 3."},
    {"/**/a/*", "1<a/> 1!'*' must be inside quotes"},
    {"/* a */ /* b *//*\n*/c", "2<c> 2."},
    {"# \001 \"\n/* \002 ' */a", "2<a> 2."},
    {"a\n/* b\n", "1<a> 2!this comment is not closed"},
    {"/*/", "1!this comment is not closed"},
    /* texts */
    {"\"\" ''", "1<> 1<> 1."},
    {"\"a b\"c'd'", "1<a b> 1<c> 1<d> 1."},
    {"\"# { } = ; // /* '\"", "1<# { } = ; // /* '> 1."},
    {"\"\\\\\\\"\\$\" '\\\\\\'\\n$'", "1<\\\"$> 1<\\'\\n$> 1."},
    {"\"a\tb\"", "1<a b> 1."},
    {"a\n\"b\nc\"", "1<a> 2" OPEN},
    {"'b", "1" OPEN},
    {"'b\\'", "1" OPEN},
    {"'b\\", "1" OPEN},
    {"\"b\\", "1" ESCAPE},
    {"\"b\\n\"", "1" ESCAPE},
    {"\"a\001\"", "1" CONTROL},
    {"a\177b", "1" CONTROL},
    /* variables */
    {"\"<${ZC_TEST}>\" '${ZC_TEST}'", "1<<a \"b\">> 1<${ZC_TEST}> 1."},
    {"\"${ZC_NONE:-}${ZC_NONE:-a b}${ZC_TEST:-c}\"", "1<a ba \"b\"> 1."},
    {"\"$ZC_TEST $\"", "1<$ZC_TEST $> 1."},
    {"\"a${\"", "1!'${' is not closed by '}'"},
    {"\"a${b\n}\"", "1!'${' is not closed by '}'"},
    {"\"a${b", "1!'${' is not closed by '}'"},
    {"\"${}\"", "1!'${}' names no variable"},
    {"\"${:-a}\"", "1!'${}' names no variable"},
    {"\"${ZC_NONE:-a\001b}\"", "1" CONTROL},
    {"\n\"${ZC_NONE}\"",
     "2!the environment variable ZC_NONE is not set: set it, or give a default, as in "
     "\"${ZC_NONE:-value}\""},
    /* signs that have no meaning yet */
    {"a;", "1<a> 1!';' must be inside quotes; a line needs none at its end"},
    {"a $b", "1<a> 1!'$' must be inside quotes"},
    {"a+b", "1<a> 1!'+' must be inside quotes"},
    {"a|b", "1<a> 1!'|' must be inside quotes"},
};

START_TEST(is_cut)
{
    setenv("ZC_TEST", "a \"b\"", 1);
    unsetenv("ZC_NONE");
    char *shown = tokens(cases[_i].text, strlen(cases[_i].text));
    ck_assert_str_eq(shown, cases[_i].tokens);
    free(shown);
}
END_TEST

START_TEST(zero_byte)
{
    char *shown = tokens("a\nb\0", 4);
    ck_assert_str_eq(shown, "1<a> 2" CONTROL);
    free(shown);
    shown = tokens("'\0'", 3);
    ck_assert_str_eq(shown, "1" CONTROL);
    free(shown);
}
END_TEST

/* A name of 255 bytes is the longest that a variable may have. Its value may have any length. */
START_TEST(long_variables)
{
    char name[400], text[500], value[5000];
    memset(name, 'A', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    memset(value, 'b', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    setenv(name, "x", 1);
    snprintf(text, sizeof(text), "\"${%s:-y}\"", name);
    char *shown = tokens(text, strlen(text));
    ck_assert_str_eq(shown, "1<y> 1.");
    free(shown);
    setenv("ZC_TEST", value, 1);
    shown = tokens("\"${ZC_TEST}\"", 12);
    ck_assert_uint_eq(strlen(shown), strlen(value) + strlen("1<> 1."));
    free(shown);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *texts = tcase_create("scan");
    tcase_add_loop_test(texts, is_cut, 0, COUNT(cases));
    tcase_add_test(texts, zero_byte);
    tcase_add_test(texts, long_variables);
    suite_add_tcase(suite, texts);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
