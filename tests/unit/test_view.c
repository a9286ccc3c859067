/* Tests of src/tool/view.c and order.c: lines fit, the chosen worker is shown, and orders sort. */
#include "tool/view.h"

#include "recorded.h"
#include "tool/format.h"
#include "tool/order.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 40

static struct snapshot server;
static struct interval interval;
static struct view view;

/* Sets 40 workers, of which the later ones are busier. The last two have ended. */
static void given(void)
{
    char problem[SNAPSHOT_PROBLEM_MAX] = "";
    struct snapshot before;
    size_t length;
    char *text = recorded_read("status.json", &length);
    ck_assert_int_eq(snapshot_parse(text, length, &before, problem), 0);
    free(text);
    text = recorded_read("status-later.json", &length);
    ck_assert_int_eq(snapshot_parse(text, length, &server, problem), 0);
    free(text);
    ck_assert_int_eq(interval_between(&interval, &before, &server, problem), 0);
    snapshot_free(&before);
    for (uint32_t i = 0; i < interval.workers; i++)
        slot_snapshot_free(&interval.worker[i]);
    free(interval.worker);
    interval.workers = WORKERS;
    interval.worker = calloc(WORKERS, sizeof(*interval.worker));
    ck_assert_ptr_nonnull(interval.worker);
    for (uint32_t i = 0; i < WORKERS; i++)
        interval.worker[i] = (struct slot_snapshot){
            .index = i, .process = i < 38 ? 100 + i : 0, .requests = i < 38 ? 10 * i : 0};
}

static void freed(void)
{
    view_close(&view);
    interval_free(&interval);
    snapshot_free(&server);
}

static bool shows(const char *text)
{
    for (uint32_t i = 0; i < view.lines; i++)
        if (strstr(view.line[i].text, text)) return true;
    return false;
}

START_TEST(fits_every_size)
{
    static const int sizes[][2] = {{80, 24}, {81, 25}, {132, 43}, {200, 60}, {500, 100}};
    struct view_wishes wishes = {.chosen = VIEW_ALL, .delay_seconds = 1};
    given();
    for (int utf8 = 0; utf8 < 2; utf8++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            format_utf8 = utf8 > 0;
            view_close(&view);
            ck_assert(view_open(&view, sizes[i][0], sizes[i][1]));
            view_draw(&view, &server, &interval, &wishes);
            ck_assert_uint_eq(view.lines, (uint32_t)sizes[i][1]);
            for (uint32_t line = 0; line < view.lines; line++)
                ck_assert_int_le(format_columns(view.line[line].text), sizes[i][0]);
            ck_assert(shows("requests/s") && shows("total") && shows("memory") && shows("? help"));
        }
    freed();
}
END_TEST

START_TEST(the_chosen_is_seen)
{
    struct view_wishes wishes = {.sort = VIEW_BY_INDEX, .delay_seconds = 1};
    given();
    ck_assert(view_open(&view, 80, 24));
    for (uint32_t i = 0; i < 38; i++) {
        char row[16];
        wishes.chosen = i;
        view_draw(&view, &server, &interval, &wishes);
        snprintf(row, sizeof(row), ">%-6u", i);
        ck_assert_msg(shows(row), "worker %u is not shown", i);
    }
    freed();
}
END_TEST

START_TEST(orders)
{
    uint32_t count;
    given();
    uint32_t *order = workers_order(&interval, VIEW_BY_REQUESTS, &count);
    ck_assert_uint_eq(count, 38);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_uint_eq(interval.worker[order[i]].index, 37 - i);
    free(order);
    order = workers_order(&interval, VIEW_BY_INDEX, &count);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_uint_eq(interval.worker[order[i]].index, i);
    free(order);
    freed();
}
END_TEST

START_TEST(steps_go_round)
{
    struct view_wishes wishes = {.chosen = VIEW_ALL, .sort = VIEW_BY_REQUESTS};
    given();
    wishes.chosen = view_step(&interval, &wishes, 1);
    ck_assert_uint_eq(wishes.chosen, 37);
    wishes.chosen = view_step(&interval, &wishes, 1);
    ck_assert_uint_eq(wishes.chosen, 36);
    wishes.chosen = view_step(&interval, &wishes, -1);
    wishes.chosen = view_step(&interval, &wishes, -1);
    ck_assert_uint_eq(wishes.chosen, VIEW_ALL);
    wishes.chosen = view_step(&interval, &wishes, -1);
    ck_assert_uint_eq(wishes.chosen, 0);
    wishes.chosen = view_step(&interval, &wishes, 1);
    ck_assert_uint_eq(wishes.chosen, VIEW_ALL);
    freed();
}
END_TEST

START_TEST(a_message_and_a_pause)
{
    struct view_wishes wishes = {.chosen = 3, .paused = true, .message = "nobody there"};
    given();
    ck_assert(view_open(&view, 80, 24));
    view_draw(&view, &server, &interval, &wishes);
    ck_assert(shows("PAUSED") && shows("worker 3"));
    ck_assert_str_eq(view.line[23].text, "nobody there");
    view_draw_help(&view);
    ck_assert(shows("p        pauses"));
    freed();
}
END_TEST

/* For --once: no keys, and every worker. */
START_TEST(as_many_lines_as_there_are)
{
    struct view_wishes wishes = {.chosen = VIEW_ALL};
    given();
    ck_assert(view_open(&view, 100, 0));
    view_draw(&view, &server, &interval, &wishes);
    ck_assert(shows(" 37 ") && !shows("? help") && !shows(" 38 "));
    freed();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("view");
    TCase *cases = tcase_create("view");
    tcase_add_test(cases, fits_every_size);
    tcase_add_test(cases, the_chosen_is_seen);
    tcase_add_test(cases, orders);
    tcase_add_test(cases, steps_go_round);
    tcase_add_test(cases, a_message_and_a_pause);
    tcase_add_test(cases, as_many_lines_as_there_are);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
