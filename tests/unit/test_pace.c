/*
 * For how many receives a worker waits: for none while it is mostly idle, and while it is busy for
 * a share of the connections from which bytes came.
 */
#include "model/pace.h"

#include <check.h>

#define TICK UINT64_C(100000000)

static struct pace pace;
static uint64_t now_ns, busy_ns;

static void tick(unsigned percent)
{
    now_ns += TICK;
    busy_ns += TICK / 100 * percent;
    pace_tick(&pace, now_ns, busy_ns);
}

static void open_for(uint64_t gather_ns)
{
    now_ns = 7 * TICK;
    busy_ns = TICK;
    pace_open(&pace, gather_ns);
    tick(0);
}

static const struct {
    unsigned percent, connections, receives;
} loads[] = {
    {0, 0, 0},
    {PACE_BUSY_PERCENT, 1000, 0},
    {PACE_BUSY_PERCENT + 1, 0, 1},
    {PACE_BUSY_PERCENT + 1, 1, 1},
    {90, PACE_SHARE - 1, 1},
    {90, PACE_SHARE, 2},
    {100, 256, 1 + 256 / PACE_SHARE},
    {100, 10000, 1 + 10000 / PACE_SHARE},
};

START_TEST(by_load)
{
    static uint32_t heard[10000];
    open_for(1000);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 3 * loads[_i].connections; i++) /* each connection counts once */
            pace_received(&pace, &heard[i % loads[_i].connections]);
        tick(loads[_i].percent);
        ck_assert_uint_eq(pace.receives, loads[_i].receives);
    }
    tick(100); /* no bytes came */
    ck_assert_uint_eq(pace.receives, 1);
    tick(0);
    ck_assert_uint_eq(pace.receives, 0);
}
END_TEST

/* Requests that come together cost less time. This alone must not make the worker seem idle. */
START_TEST(goes_on_until_it_is_idle)
{
    open_for(1000);
    tick(PACE_BUSY_PERCENT + 1);
    tick(PACE_IDLE_PERCENT + 1);
    ck_assert_uint_eq(pace.receives, 1);
    tick(PACE_IDLE_PERCENT);
    ck_assert_uint_eq(pace.receives, 0);
    tick(PACE_BUSY_PERCENT);
    ck_assert_uint_eq(pace.receives, 0);
}
END_TEST

START_TEST(switched_off)
{
    uint32_t heard[64] = {0};
    open_for(0);
    for (unsigned i = 0; i < 64; i++)
        pace_received(&pace, &heard[i]);
    tick(100);
    ck_assert_uint_eq(pace.receives, 0);
}
END_TEST

/* The number of the tick wraps around, and is never that of a connection just opened. */
START_TEST(ticks_go_round)
{
    uint32_t heard = 0;
    open_for(1000);
    pace.tick = UINT32_MAX;
    tick(100);
    ck_assert_uint_eq(pace.tick, 1);
    pace_received(&pace, &heard);
    ck_assert_uint_eq(pace.active, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pace");
    TCase *tcase = tcase_create("pace");
    tcase_add_loop_test(tcase, by_load, 0, sizeof(loads) / sizeof(loads[0]));
    tcase_add_test(tcase, goes_on_until_it_is_idle);
    tcase_add_test(tcase, switched_off);
    tcase_add_test(tcase, ticks_go_round);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
