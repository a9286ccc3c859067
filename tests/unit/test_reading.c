/*
 * Tests of src/status/reading.c: what is read of a board whose figures are known, and what is left
 * alone.
 */
#define _GNU_SOURCE
#include "status/reading.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 5

static struct stats_slot *board;
static struct reading reading;

static void set_up(void)
{
    board = stats_board_open(SLOTS);
    ck_assert_ptr_nonnull(board);
    ck_assert(reading_open(&reading, board, SLOTS));
}

static void tear_down(void)
{
    reading_close(&reading);
    stats_board_close(board, SLOTS);
}

static void worker_begins(uint32_t slot)
{
    stats_set(&board[slot].pid, 100 + slot);
    stats_add(&board[slot].starts, 1);
}

/* Sets every member of every array to a different value. */
static void slot_fill(struct stats_slot *slot, uint64_t value)
{
    worker_begins((uint32_t)(slot - board));
#define COUNTER(name, unit, help) stats_add(&slot->name, value++);
#define GAUGE(name, unit, help)
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    for (int i = 0; i < CLOSE_REASON_COUNT; i++)
        stats_add(&slot->closed[i], value++);
    for (int i = 0; i < REFUSAL_COUNT; i++)
        stats_add(&slot->refused_for[i], value++);
    for (int i = 0; i < CALL_COUNT; i++)
        stats_add(&slot->calls[i], value++);
    for (int i = 0; i < STATE_COUNT; i++)
        stats_set(&slot->connections_in[i], value++);
}

START_TEST(adds_up_what_workers_counted)
{
    slot_fill(&board[0], 1000);
    slot_fill(&board[3], 5000);
    reading_take(&reading);
    ck_assert(reading_has(&reading, 0) && reading_has(&reading, 3));
    ck_assert(!reading_has(&reading, 1) && !reading_has(&reading, 4));
    ck_assert_uint_eq(reading.slot[0].figure[FIGURE_accepted], 1000);
    ck_assert_uint_eq(reading.slot[3].figure[FIGURE_refused], 5001);
    ck_assert_uint_eq(reading.total.figure[FIGURE_refused], 6002);
    ck_assert_uint_eq(reading.total.figure[FIGURE_starts], 2);
    ck_assert_uint_eq(reading.slot[3].figure[FIGURE_pid], 103);
    ck_assert_uint_eq(reading.total.figure[FIGURE_pid], 0);
    for (int i = 0; i < FIGURE_WORDS_COUNT; i++)
        for (uint32_t k = 0; k < figure_words[i].count; k++) {
            uint64_t first = figure_of_word(&reading.slot[0], &figure_words[i], k);
            ck_assert_uint_gt(first, 1000);
            ck_assert_uint_eq(figure_of_word(&reading.slot[3], &figure_words[i], k), first + 4000);
            ck_assert_uint_eq(figure_of_word(&reading.total, &figure_words[i], k),
                              2 * first + 4000);
        }
}
END_TEST

START_TEST(takes_a_second_reading_anew)
{
    slot_fill(&board[2], 1);
    reading_take(&reading);
    reading_take(&reading);
    ck_assert_uint_eq(reading.total.figure[FIGURE_accepted], 1);
    stats_add(&board[2].accepted, 6);
    reading_take(&reading);
    ck_assert_uint_eq(reading.total.figure[FIGURE_accepted], 7);
}
END_TEST

/* When a worker has ended, its gauges are not shown, but its counters are. */
START_TEST(shows_nothing_that_is_now_where_nobody_is)
{
    slot_fill(&board[1], 10);
    stats_set(&board[1].cache_bytes, 4096);
    reading_take(&reading);
    ck_assert_uint_eq(reading.total.figure[FIGURE_cache_bytes], 4096);
    stats_set(&board[1].pid, 0);
    reading_take(&reading);
    ck_assert_uint_eq(reading.slot[1].figure[FIGURE_cache_bytes], 0);
    ck_assert_uint_eq(reading.slot[1].connections_in[STATE_IDLE], 0);
    ck_assert_uint_eq(reading.slot[1].figure[FIGURE_accepted], 10);
    ck_assert_uint_eq(reading.slot[1].figure[FIGURE_starts], 1);
}
END_TEST

START_TEST(merges_histograms)
{
    struct spreads *one = calloc(2, sizeof(*one)), *total = one + 1;
    ck_assert_ptr_nonnull(one);
    for (uint64_t i = 0; i < 100; i++) {
        stats_phase(&board[0], PHASE_SEND, SOURCE_MEMORY, i * 160);
        stats_phase(&board[1], PHASE_SEND, SOURCE_MEMORY, i * 160000);
        stats_phase(&board[1], PHASE_SEND, SOURCE_DISK, 16);
        stats_measure(&board[1], MEASURE_BATCH, i);
    }
    for (int i = 0; i < 2; i++) {
        spreads_read(one, &board[i]);
        spreads_merge(total, one);
    }
    /* Only that of the last worker. */
    ck_assert_uint_eq(one->latency[PHASE_SEND][SOURCE_MEMORY].count, 100);
    ck_assert_uint_eq(total->latency[PHASE_SEND][SOURCE_MEMORY].count, 200);
    ck_assert_uint_eq(total->latency[PHASE_SEND][SOURCE_MEMORY].sum, 4950 * (10 + 10000));
    ck_assert_uint_eq(total->latency[PHASE_SEND][SOURCE_DISK].count, 100);
    ck_assert_uint_eq(total->latency[PHASE_HEAD][SOURCE_DISK].count, 0);
    ck_assert_uint_eq(total->measure[MEASURE_BATCH].count, 100);
    ck_assert_uint_eq(total->measure[MEASURE_BATCH].sum, 4950);
    spreads_clear(total);
    struct spreads *empty = calloc(1, sizeof(*empty));
    ck_assert_int_eq(memcmp(total, empty, sizeof(*total)), 0);
    free(empty);
    free(one);
}
END_TEST

/* Returns how many pages of the board exist. */
static size_t pages_touched(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    size_t pages = (SLOTS * sizeof(*board) + page - 1) / page;
    unsigned char *there = malloc(pages);
    ck_assert_int_eq(mincore(board, SLOTS * sizeof(*board), there), 0);
    for (size_t i = 0; i < pages; i++)
        count += there[i] & 1;
    free(there);
    return count;
}

START_TEST(touches_no_page_that_nobody_wrote)
{
    struct spreads *spreads = calloc(1, sizeof(*spreads));
    ck_assert_uint_eq(pages_touched(), 0);
    for (uint32_t i = 0; i < SLOTS; i++)
        worker_begins(i);
    stats_phase(&board[2], PHASE_TOTAL, SOURCE_MEMORY, 1000);
    reading_take(&reading);
    size_t before = pages_touched();
    for (int i = 0; i < SLOTS; i++)
        spreads_read(spreads, &board[i]);
    /* Counters may be on a second page of each slot, and one histogram on three or four pages. */
    ck_assert_uint_le(pages_touched(), before + SLOTS + 4);
    free(spreads);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reading");
    TCase *cases = tcase_create("reading");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, adds_up_what_workers_counted);
    tcase_add_test(cases, takes_a_second_reading_anew);
    tcase_add_test(cases, shows_nothing_that_is_now_where_nobody_is);
    tcase_add_test(cases, merges_histograms);
    tcase_add_test(cases, touches_no_page_that_nobody_wrote);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
