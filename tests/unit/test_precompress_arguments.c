/* Tests of src/precompress/arguments.c: what switches set, and which mistakes are told. */
#define _GNU_SOURCE
#include "precompress/arguments.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct precompress_switches switches;
static int code;

/* Reads a line of arguments with single blanks between them. `said` gets standard error. */
static bool line_read(const char *text, char *said, size_t room)
{
    static char words[512];
    char *argv[64] = {NULL};
    int argc = 0, saved = dup(STDERR_FILENO), ends[2];
    snprintf(words, sizeof(words), "precompress%s%s", *text ? " " : "", text);
    for (char *rest = words, *word; (word = strsep(&rest, " "));)
        argv[argc++] = word;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
    code = -1;
    bool read_well = precompress_arguments_read(argc, argv, &switches, &code);
    ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
    close(saved);
    ssize_t length = read(ends[0], said, room - 1);
    ck_assert_int_ge(length, 0);
    said[length] = '\0';
    close(ends[0]);
    return read_well;
}

static void right(const char *text)
{
    char said[512];
    ck_assert_msg(line_read(text, said, sizeof(said)), "%s: %s", text, said);
    ck_assert_str_eq(said, "");
}

START_TEST(defaults)
{
    right("public");
    const struct precompress_wishes *wishes = &switches.wishes;
    ck_assert(!wishes->check && !wishes->dry_run && !wishes->prune && !wishes->verbose);
    ck_assert(!switches.json);
    ck_assert_uint_eq(switches.jobs, 0);
    ck_assert_uint_eq(wishes->size_min, 256);
    ck_assert_uint_eq(wishes->size_max, 256 << 20);
    ck_assert_str_eq(wishes->types, "default");
    ck_assert_int_eq(wishes->level[CODING_GZIP], 12);
    ck_assert_int_eq(wishes->level[CODING_BR], 11);
    ck_assert_int_eq(wishes->level[CODING_ZSTD], 19);
    ck_assert_uint_eq(switches.override_count, 1);
    ck_assert_str_eq(switches.overrides[0].name, "root");
    ck_assert_str_eq(switches.overrides[0].value, "public");
    ck_assert_ptr_null(switches.config_file);
}
END_TEST

START_TEST(all_switches)
{
    right("-c serve.conf -o sidecars=br,gz -j 3 --levels gz=1 --types text/css --min-size 1k "
          "--max-size 2m -n --prune --json -v -- -dir");
    const struct precompress_wishes *wishes = &switches.wishes;
    ck_assert_str_eq(switches.config_file, "serve.conf");
    ck_assert_uint_eq(switches.override_count, 2);
    ck_assert_str_eq(switches.overrides[0].name, "sidecars");
    ck_assert_str_eq(switches.overrides[0].value, "br,gz");
    ck_assert_str_eq(switches.overrides[1].value, "-dir");
    ck_assert_uint_eq(switches.jobs, 3);
    ck_assert_int_eq(wishes->level[CODING_GZIP], 1);
    ck_assert_str_eq(wishes->types, "text/css");
    ck_assert_uint_eq(wishes->size_min, 1024);
    ck_assert_uint_eq(wishes->size_max, 2 << 20);
    ck_assert(wishes->dry_run && wishes->prune && wishes->verbose && switches.json);
    right("--check public");
    ck_assert(switches.wishes.check);
    right("-c serve.conf"); /* its root */
    ck_assert_uint_eq(switches.override_count, 0);
}
END_TEST

START_TEST(mistakes)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"", "DIR is missing"},
        {"a b", "not also 'b'"},
        {"-x a", "unknown switch '-x'"},
        {"-vx a", "unknown switch '-x'"},
        {"--nothing a", "unknown switch '--nothing'"},
        {"a -j", "an argument is missing after '-j'"},
        {"a --levels", "an argument is missing after '--levels'"},
        {"-j 0 a", "not '0'"},
        {"-j 257 a", "not '257'"},
        {"-j x a", "not 'x'"},
        {"-o sidecars a", "-o takes NAME=VALUE, not 'sidecars'"},
        {"-o =br a", "-o takes NAME=VALUE"},
        {"--levels br=12 a", "not 'br=12'"},
        {"--types text a", "not 'text'"},
        {"--min-size 1q a", "--min-size takes a size"},
        {"--max-size 2t a", "--max-size takes a size"},
        {"--check -n a", "--check writes nothing"},
        {"--check --prune a", "--check writes nothing"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char said[512];
        ck_assert_msg(!line_read(rows[i].line, said, sizeof(said)), "%s", rows[i].line);
        ck_assert_msg(strstr(said, rows[i].says) != NULL, "%s: %s", rows[i].line, said);
        ck_assert_msg(strstr(said, "try 'zcserve precompress -h'") != NULL, "%s", said);
        ck_assert_int_eq(code, 2);
    }
}
END_TEST

START_TEST(too_many)
{
    char line[512] = "", said[512];
    for (int i = 0; i < PRECOMPRESS_OVERRIDES_MAX; i++)
        strcat(line, "-oa=b ");
    strcat(line, "a");
    ck_assert(!line_read(line, said, sizeof(said)));
    ck_assert_ptr_nonnull(strstr(said, "too many switches"));
    right(line + strlen("-oa=b "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("precompress_arguments");
    TCase *cases = tcase_create("precompress_arguments");
    tcase_add_test(cases, defaults);
    tcase_add_test(cases, all_switches);
    tcase_add_test(cases, mistakes);
    tcase_add_test(cases, too_many);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
