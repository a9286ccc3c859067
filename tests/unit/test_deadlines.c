/*
 * The wheel of deadlines: each is looked at within a tick after it passed, however it was moved, and those that are
 * forgotten are not.
 */
#include "zcserve/deadlines.h"

#include <check.h>
#include <stdlib.h>

#define COUNT 200
#define SECOND NS_PER_SECOND
#define START (1000 * SECOND)

static struct deadlines wheel;
static struct deadline deadline[COUNT];

static void set_up(void)
{
    deadlines_open(&wheel, START);
    for (int i = 0; i < COUNT; i++)
        deadline[i] = (struct deadline){.tick = 0};
}

static int next_at(uint64_t now_ns)
{
    struct deadline *next = deadlines_next(&wheel, now_ns);
    return next ? (int)(next - deadline) : -1;
}

START_TEST(looked_at_when_it_has_passed)
{
    deadline_set(&wheel, &deadline[0], START + SECOND);
    ck_assert_int_eq(next_at(START), -1);
    ck_assert_int_eq(next_at(START + SECOND - 1), -1);
    ck_assert_int_eq(next_at(START + SECOND + TICK_NS), 0);
    ck_assert_int_eq(next_at(START + 1000 * SECOND), -1); /* once */
}
END_TEST

START_TEST(one_that_has_passed_comes_with_the_next_tick)
{
    deadline_set(&wheel, &deadline[0], START - SECOND);
    deadline_set(&wheel, &deadline[1], 0);
    ck_assert_int_eq(next_at(START), -1);
    ck_assert_int_eq(next_at(START + TICK_NS), 0);
    ck_assert_int_eq(next_at(START + TICK_NS), 1);
    ck_assert_int_eq(next_at(START + TICK_NS), -1);
}
END_TEST

START_TEST(later_is_lazy_and_earlier_is_not)
{
    deadline_set(&wheel, &deadline[0], START + SECOND);
    deadline_set(&wheel, &deadline[0], START + 9 * SECOND);
    ck_assert_int_eq(next_at(START + 2 * SECOND), 0);
    deadline_set(&wheel, &deadline[0], START + 9 * SECOND);
    deadline_set(&wheel, &deadline[0], START + 4 * SECOND);
    ck_assert_int_eq(next_at(START + 3 * SECOND), -1);
    ck_assert_int_eq(next_at(START + 4 * SECOND + TICK_NS), 0);
}
END_TEST

/* Further away than there are slots: looked at early, and never late. */
START_TEST(one_far_away)
{
    uint64_t at_ns = START + 50 * DEADLINE_SLOTS / 3 * TICK_NS, now_ns = START;
    int looks = 0;
    deadline_set(&wheel, &deadline[0], at_ns);
    for (; now_ns < at_ns + TICK_NS; now_ns += TICK_NS) {
        if (next_at(now_ns) < 0) continue;
        if (now_ns >= at_ns) break;
        deadline_set(&wheel, &deadline[0], at_ns);
        looks++;
    }
    ck_assert_uint_le(now_ns, at_ns + TICK_NS);
    ck_assert_int_le(looks, 50 / 3 + 2);
}
END_TEST

START_TEST(forgotten_is_not_looked_at)
{
    for (int i = 0; i < 3; i++)
        deadline_set(&wheel, &deadline[i], START + SECOND);
    deadline_forget(&wheel, &deadline[_i]);
    deadline_forget(&wheel, &deadline[_i]); /* twice is once */
    for (int i = 0; i < 3; i++)
        if (i != _i) ck_assert_int_eq(next_at(START + 2 * SECOND), i);
    ck_assert_int_eq(next_at(START + 2 * SECOND), -1);
}
END_TEST

/* Nobody ticked for longer than the wheel is round. */
START_TEST(after_a_gap)
{
    for (int i = 0; i < 50; i++)
        deadline_set(&wheel, &deadline[i], START + (uint64_t)i * SECOND);
    uint64_t now_ns = START + 3 * DEADLINE_SLOTS * TICK_NS;
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(next_at(now_ns), i);
    ck_assert_int_eq(next_at(now_ns), -1);
    deadline_set(&wheel, &deadline[0], now_ns + SECOND);
    ck_assert_int_eq(next_at(now_ns + SECOND + TICK_NS), 0);
}
END_TEST

/* Against a list of what each deadline really is: nobody is looked at late, and those that are looked at early are few. */
START_TEST(in_any_order)
{
    uint64_t really[COUNT] = {0}, now_ns = START;
    srand((unsigned)_i + 1);
    for (int step = 0; step < 20000; step++) {
        int i = rand() % COUNT, next;
        if (rand() % 8 == 0) {
            deadline_forget(&wheel, &deadline[i]);
            really[i] = 0;
        } else {
            really[i] = now_ns + (uint64_t)(rand() % 3000) * (TICK_NS / 7);
            deadline_set(&wheel, &deadline[i], really[i]);
        }
        now_ns += (uint64_t)(rand() % 5) * (TICK_NS / 3);
        while ((next = next_at(now_ns)) >= 0) {
            ck_assert_uint_ne(really[next], 0);
            if (really[next] > now_ns)
                deadline_set(&wheel, &deadline[next], really[next]);
            else
                really[next] = 0;
        }
        for (int k = 0; k < COUNT; k++)
            if (really[k] != 0 && really[k] + TICK_NS <= now_ns) ck_abort_msg("%d is late", k);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deadlines");
    TCase *tcase = tcase_create("deadlines");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, looked_at_when_it_has_passed);
    tcase_add_test(tcase, one_that_has_passed_comes_with_the_next_tick);
    tcase_add_test(tcase, later_is_lazy_and_earlier_is_not);
    tcase_add_test(tcase, one_far_away);
    tcase_add_loop_test(tcase, forgotten_is_not_looked_at, 0, 3);
    tcase_add_test(tcase, after_a_gap);
    tcase_add_loop_test(tcase, in_any_order, 0, 5);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
