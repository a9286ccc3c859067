/* Tests of src/base/now.c: both clocks, and a date that is made only when the second changes. */
#define _GNU_SOURCE
#include "zcserve/now.h"

#include "zcserve/date.h"

#include <check.h>
#include <string.h>
#include <time.h>

START_TEST(agrees_with_the_clocks)
{
    struct now now = {0};
    struct timespec before, after, wall_before, wall_after;

    clock_gettime(CLOCK_REALTIME, &wall_before);
    clock_gettime(CLOCK_MONOTONIC, &before);
    now_read(&now);
    clock_gettime(CLOCK_MONOTONIC, &after);
    clock_gettime(CLOCK_REALTIME, &wall_after);

    uint64_t least = (uint64_t)before.tv_sec * NS_PER_SECOND + (uint64_t)before.tv_nsec;
    uint64_t most = (uint64_t)after.tv_sec * NS_PER_SECOND + (uint64_t)after.tv_nsec;
    ck_assert_uint_ge(now.monotonic_ns, least);
    ck_assert_uint_le(now.monotonic_ns, most);

    /* The wall clock may be a tick late, but never early. */
    int64_t wall_ns = now.wall_seconds * 1000000000 + now.wall_ns;
    int64_t wall_least = wall_before.tv_sec * 1000000000 + wall_before.tv_nsec - 20000000;
    int64_t wall_most = wall_after.tv_sec * 1000000000 + wall_after.tv_nsec;
    ck_assert_uint_lt(now.wall_ns, NS_PER_SECOND);
    ck_assert_int_ge(wall_ns, wall_least);
    ck_assert_int_le(wall_ns, wall_most);
}
END_TEST

START_TEST(carries_the_date_of_its_second)
{
    struct now now = {0};
    char date[DATE_LENGTH + 1];

    now_read(&now);
    date_format(now.wall_seconds, date);
    ck_assert_str_eq(now.date, date);
}
END_TEST

START_TEST(keeps_the_date_within_a_second)
{
    struct now now = {0};
    int64_t seconds = 0;

    do { /* at most twice, because a second may just have begun */
        now_read(&now);
        seconds = now.wall_seconds;
        strcpy(now.date, "as it was");
        now_read(&now);
    } while (now.wall_seconds != seconds);
    ck_assert_str_eq(now.date, "as it was");

    now.wall_seconds--;
    now_read(&now);
    ck_assert_uint_eq(strlen(now.date), DATE_LENGTH);
}
END_TEST

START_TEST(never_runs_backwards)
{
    struct now now = {0};
    uint64_t last_ns = 0;

    for (int i = 0; i < 100000; i++) {
        now_read(&now);
        ck_assert_uint_ge(now.monotonic_ns, last_ns);
        last_ns = now.monotonic_ns;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("now");
    TCase *cases = tcase_create("now");
    tcase_add_test(cases, agrees_with_the_clocks);
    tcase_add_test(cases, carries_the_date_of_its_second);
    tcase_add_test(cases, keeps_the_date_within_a_second);
    tcase_add_test(cases, never_runs_backwards);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
