/* Tests of src/doctor/kernel_file.c: what small files say, and that others say nothing. */
#include "doctor/kernel_file.h"

#include "made_up.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char text[64];
static uint64_t number[4];

static void set_up(void)
{
    made_up_open();
    strcpy(text, "as before");
    number[0] = number[1] = 7;
}

START_TEST(lines)
{
    made_up_file("/proc/a", "the first\nthe second\n");
    ck_assert(kernel_line(made_up_tree(), "/proc/a", text, sizeof(text)));
    ck_assert_str_eq(text, "the first");
    ck_assert(kernel_line(made_up_tree(), "/proc/a", text, 4));
    ck_assert_str_eq(text, "the");
    made_up_file("/proc/a", "without an end");
    ck_assert(kernel_line(made_up_tree(), "/proc/a", text, sizeof(text)));
    ck_assert_str_eq(text, "without an end");
    ck_assert(kernel_exists(made_up_tree(), "/proc/a"));
    ck_assert(!kernel_exists(made_up_tree(), "/proc/b"));
    ck_assert(kernel_line(MACHINE_ITSELF, "/proc/self/comm", text, sizeof(text)));
}
END_TEST

START_TEST(numbers)
{
    made_up_file("/proc/a", "32768\t60999\n");
    ck_assert(kernel_numbers(made_up_tree(), "/proc/a", number, 2));
    ck_assert_uint_eq(number[0], 32768);
    ck_assert_uint_eq(number[1], 60999);
    made_up_file("/proc/a", "  18446744073709551615\n");
    ck_assert(kernel_number(made_up_tree(), "/proc/a", number));
    ck_assert_uint_eq(number[0], UINT64_MAX);
}
END_TEST

START_TEST(no_numbers)
{
    static const char *const wrong[] = {"", "\n", "max\n", "-1\n", "x 1\n"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        made_up_file("/proc/a", wrong[i]);
        ck_assert_msg(!kernel_number(made_up_tree(), "/proc/a", number), "%s", wrong[i]);
    }
    made_up_file("/proc/a", "1\n");
    ck_assert(!kernel_numbers(made_up_tree(), "/proc/a", number, 2));
    ck_assert(!kernel_number(made_up_tree(), "/proc/missing", number));
    ck_assert_uint_eq(number[0], 7);
    ck_assert_uint_eq(number[1], 7);
}
END_TEST

START_TEST(chosen)
{
    made_up_file("/sys/a", "always [madvise] never\n");
    ck_assert(kernel_chosen(made_up_tree(), "/sys/a", text, sizeof(text)));
    ck_assert_str_eq(text, "madvise");
    made_up_file("/sys/a", "none\n");
    ck_assert(!kernel_chosen(made_up_tree(), "/sys/a", text, sizeof(text)));
    made_up_file("/sys/a", "]none[\n");
    ck_assert(!kernel_chosen(made_up_tree(), "/sys/a", text, sizeof(text)));
    ck_assert_str_eq(text, "madvise");
}
END_TEST

START_TEST(keys)
{
    made_up_file("/proc/a", "MemTotal:       16384 kB\nMemFree:   1 kB\nNAME=\"a b\"\nempty:\n");
    ck_assert(kernel_key(made_up_tree(), "/proc/a", "MemTotal", text, sizeof(text)));
    ck_assert_str_eq(text, "16384 kB");
    ck_assert(kernel_key(made_up_tree(), "/proc/a", "NAME", text, sizeof(text)));
    ck_assert_str_eq(text, "a b");
    ck_assert(kernel_key(made_up_tree(), "/proc/a", "empty:", text, sizeof(text)));
    ck_assert_str_eq(text, "");
    ck_assert(!kernel_key(made_up_tree(), "/proc/a", "SwapTotal:", text, sizeof(text)));
    ck_assert(!kernel_key(made_up_tree(), "/proc/b", "MemTotal", text, sizeof(text)));
}
END_TEST

START_TEST(links)
{
    made_up_link("/sys/a", "../devices/sda");
    ck_assert(kernel_link(made_up_tree(), "/sys/a", text, sizeof(text)));
    ck_assert_str_eq(text, "../devices/sda");
    ck_assert(!kernel_link(made_up_tree(), "/sys/b", text, sizeof(text)));
    made_up_file("/sys/c", "no link");
    ck_assert(!kernel_link(made_up_tree(), "/sys/c", text, sizeof(text)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel_file");
    TCase *tcase = tcase_create("kernel_file");
    tcase_add_checked_fixture(tcase, set_up, made_up_close);
    tcase_add_test(tcase, lines);
    tcase_add_test(tcase, numbers);
    tcase_add_test(tcase, no_numbers);
    tcase_add_test(tcase, chosen);
    tcase_add_test(tcase, keys);
    tcase_add_test(tcase, links);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
