/*
 * Tests of the pool in src/model/prefork.c: which processes its adjust() wants, given which are
 * busy. The processes are not real; "started" is what the supervisor would have done.
 */
#include "model/models.h"
#include "service/roster.h"

#include <check.h>
#include <stdlib.h>

#define PROCESSES 40

static struct service service;
static struct supervised process[PROCESSES + 1]; /* the first one is a recorder */
static struct adjusting adjusting;

static void set_up(void)
{
    service = (struct service){.processes = PROCESSES,
                               .workers = PROCESSES,
                               .roster = roster_open(PROCESSES),
                               .processes_first = 4,
                               .pool = {.spare_min = 2, .spare_max = 6}};
    adjusting = (struct adjusting){.full = false};
    process[0] = (struct supervised){.last = true, .pid = 1};
    for (uint32_t i = 0; i < PROCESSES; i++)
        process[i + 1] = (struct supervised){.index = i, .unwanted = i >= 4, .pid = i < 4 ? 1 : 0};
}

static void tear_down(void)
{
    ck_assert(!process[0].unwanted && process[0].pid == 1);
    roster_close(service.roster, PROCESSES);
}

static void make_busy(uint32_t from, uint32_t to, bool busy)
{
    for (uint32_t i = from; i < to; i++)
        service.roster[i].busy = busy;
}

static uint32_t wanted(void)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= PROCESSES; i++)
        count += !process[i].unwanted;
    return count;
}

/* Calls adjust() once, and does what the supervisor would do. Returns when the next call is due. */
static uint64_t adjust(void)
{
    uint64_t next_ns = prefork_model.adjust(&service, &adjusting, process, PROCESSES + 1);
    for (uint32_t i = 1; i <= PROCESSES; i++)
        process[i].pid = process[i].unwanted ? 0 : 1;
    return next_ns;
}

START_TEST(enough_idle_changes_nothing)
{
    make_busy(0, 2, true);
    for (int i = 0; i < 20; i++)
        adjust();
    ck_assert_uint_eq(wanted(), 4);
}
END_TEST

START_TEST(too_few_idle_doubles)
{
    static const uint32_t expected[] = {5, 7, 11, 19, 35, 40, 40};
    uint64_t calm_ns = adjust();
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        make_busy(0, PROCESSES, true);
        ck_assert_uint_lt(adjust(), calm_ns);
        ck_assert_uint_eq(wanted(), expected[i]);
        for (uint32_t k = 1; k <= PROCESSES; k++)
            ck_assert(process[k].unwanted == (k > expected[i]));
    }
    ck_assert(adjusting.full);
}
END_TEST

START_TEST(growth_begins_anew_after_a_calm)
{
    make_busy(0, PROCESSES, true);
    adjust();
    adjust();
    ck_assert_uint_eq(wanted(), 7);
    make_busy(3, PROCESSES, false);
    adjust();
    make_busy(0, PROCESSES, true);
    adjust();
    ck_assert_uint_eq(wanted(), 8);
}
END_TEST

START_TEST(too_many_idle_ends_one_a_second)
{
    for (uint32_t i = 0; i < 20; i++)
        process[i + 1] = (struct supervised){.index = i, .pid = 1};
    make_busy(10, 20, true); /* 10 are idle, of which at most 6 may be */
    uint64_t passed_ns = 0;
    while (wanted() == 20)
        passed_ns += adjust();
    ck_assert_uint_eq(passed_ns, NS_PER_SECOND);
    ck_assert(process[10].unwanted); /* the last idle process, not a busy one */
    for (int i = 0; i < 40; i++)
        adjust();
    ck_assert_uint_eq(wanted(), 16);
    make_busy(10, 20, false);
    for (int i = 0; i < 60; i++)
        adjust();
    ck_assert_uint_eq(wanted(), 6);
}
END_TEST

START_TEST(a_dead_one_is_not_busy)
{
    make_busy(0, 4, true);
    process[2].pid = 0; /* it was killed; the supervisor starts it again */
    process[3].pid = 0;
    prefork_model.adjust(&service, &adjusting, process, PROCESSES + 1);
    ck_assert_uint_eq(wanted(), 4);
    ck_assert(!service.roster[1].busy);
    ck_assert(service.roster[0].busy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prefork");
    TCase *cases = tcase_create("prefork");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, enough_idle_changes_nothing);
    tcase_add_test(cases, too_few_idle_doubles);
    tcase_add_test(cases, growth_begins_anew_after_a_calm);
    tcase_add_test(cases, too_many_idle_ends_one_a_second);
    tcase_add_test(cases, a_dead_one_is_not_busy);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
