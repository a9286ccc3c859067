/*
 * Which worker accepts for an absent one: each has a stand-in while any worker is there.
 */
#include "service/roster.h"

#include <check.h>
#include <stdlib.h>

#define WORKERS 6

static struct service service;
static struct supervised process[WORKERS + 1]; /* the first one is no worker */

static void set_up(void)
{
    service = (struct service){.workers = WORKERS, .addresses = 1};
    service.roster = roster_open(WORKERS);
    ck_assert_ptr_nonnull(service.roster);
    process[0] = (struct supervised){.last = true, .pid = 1};
    for (uint32_t i = 0; i < WORKERS; i++)
        process[i + 1] = (struct supervised){.index = i, .pid = 1};
}

static void tear_down(void)
{
    roster_close(service.roster, WORKERS);
}

/* `absent` and `ended` mark workers with 'x'. `expected` has the worker that stands in, or '-'. */
static const struct {
    const char *absent, *ended, *expected;
} cases[] = {
    {"......", "......", "------"}, {"x.....", "x.....", "1-----"}, {".....x", ".....x", "-----0"},
    {"x.x.x.", "x.x.x.", "1-3-5-"}, {"xxx...", "xxx...", "345---"}, {"xxxxx.", "xxxxx.", "55555-"},
    {"xx....", "......", "23----"}, /* back for less than a second: the stand-ins stay          */
    {"x.....", "xx....", "2-----"}, /* one that ended cannot stand in, though it starts at once */
    {"xxxxxx", "xxxxxx", "------"},
};

START_TEST(everybody_has_one)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        process[i + 1].absent = cases[_i].absent[i] == 'x';
        process[i + 1].pid = cases[_i].ended[i] == 'x' ? 0 : 1;
    }
    roster_choose(&service, process, WORKERS + 1);
    for (uint32_t i = 0; i < WORKERS; i++) {
        char expected = cases[_i].expected[i];
        uint32_t worker = expected == '-' ? SERVICE_NO_WORKER : (uint32_t)(expected - '0');
        ck_assert_uint_eq(service.roster[i].stand_in, worker);
    }
}
END_TEST

START_TEST(nobody_any_more)
{
    process[3].absent = true;
    roster_choose(&service, process, WORKERS + 1);
    ck_assert_uint_ne(service.roster[2].stand_in, SERVICE_NO_WORKER);
    process[3].absent = false;
    roster_choose(&service, process, WORKERS + 1);
    ck_assert_uint_eq(service.roster[2].stand_in, SERVICE_NO_WORKER);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roster");
    TCase *tcase = tcase_create("roster");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, everybody_has_one, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_test(tcase, nobody_any_more);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
