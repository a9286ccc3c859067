/* Tests of zclab's command line: how large a run is, by options and by ZCLAB_SCALE. */
#include "../../bench/lab/options.h"

#include <check.h>
#include <getopt.h>
#include <stdlib.h>

static struct options options;

/* Reads `zclab run random` and up to two options before it, with ZCLAB_SCALE set so; NULL: not set. */
static int read_with(const char *scale, const char *first, const char *second)
{
    char *words[8] = {(char[]){"zclab"}};
    int count = 1;
    if (first) words[count++] = (char *)(uintptr_t)first;
    if (second) words[count++] = (char *)(uintptr_t)second;
    words[count++] = (char[]){"run"};
    words[count++] = (char[]){"random"};
    if (scale)
        setenv("ZCLAB_SCALE", scale, 1);
    else
        unsetenv("ZCLAB_SCALE");
    optind = 0; /* from the beginning */
    return options_read(&options, count, words);
}

static const struct {
    const char *environment, *option;
    enum scale scale;
} scales[] = {
    {NULL, NULL, SCALE_FULL},
    {NULL, "--quick", SCALE_QUICK},
    {NULL, "--smallest", SCALE_SMALLEST},
    {"", NULL, SCALE_FULL},
    {"", "--quick", SCALE_QUICK},
    {"full", NULL, SCALE_FULL},
    {"full", "--quick", SCALE_QUICK},
    {"full", "--smallest", SCALE_SMALLEST},
    {"quick", NULL, SCALE_QUICK},
    {"quick", "--quick", SCALE_QUICK},
    {"quick", "--smallest", SCALE_SMALLEST},
    {"smallest", NULL, SCALE_SMALLEST},
    {"smallest", "--quick", SCALE_SMALLEST}, /* the only option that the environment overrules */
    {"smallest", "--smallest", SCALE_SMALLEST},
};

START_TEST(scale_is_of_option_else_of_environment)
{
    int first = read_with(scales[_i].environment, scales[_i].option, NULL);
    ck_assert_int_eq(first, scales[_i].option ? 2 : 1);
    ck_assert_uint_eq(options.scale, scales[_i].scale);
}
END_TEST

START_TEST(last_option_wins)
{
    ck_assert_int_eq(read_with(NULL, "--quick", "--smallest"), 3);
    ck_assert_uint_eq(options.scale, SCALE_SMALLEST);
    ck_assert_int_eq(read_with(NULL, "--smallest", "--quick"), 3);
    ck_assert_uint_eq(options.scale, SCALE_QUICK);
}
END_TEST

static const char *const wrong[] = {"small", "Quick", "quick ", "0", "smallest,quick"};

START_TEST(other_words_are_no_scale)
{
    ck_assert_int_eq(read_with(wrong[_i], NULL, NULL), -1);
    ck_assert_int_eq(read_with(wrong[_i], "--smallest", NULL), -1);
}
END_TEST

START_TEST(everything_else_has_its_default)
{
    ck_assert_int_eq(read_with(NULL, NULL, NULL), 1);
    ck_assert_uint_eq(options.seed, 1);
    ck_assert_str_eq(options.data, "zclab-data");
    ck_assert_ptr_null(options.out);
    ck_assert_ptr_null(options.configuration);
    ck_assert_uint_eq(options.settings, 0);
}
END_TEST

START_TEST(settings_are_key_and_value)
{
    ck_assert_int_eq(read_with(NULL, "--set=depths=1,8", "--seed=7"), 3);
    ck_assert_uint_eq(options.settings, 1);
    ck_assert_str_eq(options.setting[0].name, "depths");
    ck_assert_str_eq(options.setting[0].value, "1,8");
    ck_assert_uint_eq(options.seed, 7);
    ck_assert_int_eq(read_with(NULL, "--set=depths", NULL), -1);
    ck_assert_int_eq(read_with(NULL, "--seed=x", NULL), -1);
    ck_assert_int_eq(read_with(NULL, "--wings=2", NULL), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_options");
    TCase *scale = tcase_create("scale"), *others = tcase_create("others");
    tcase_add_loop_test(scale, scale_is_of_option_else_of_environment, 0,
                        sizeof scales / sizeof *scales);
    tcase_add_test(scale, last_option_wins);
    tcase_add_loop_test(scale, other_words_are_no_scale, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(others, everything_else_has_its_default);
    tcase_add_test(others, settings_are_key_and_value);
    suite_add_tcase(suite, scale);
    suite_add_tcase(suite, others);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
