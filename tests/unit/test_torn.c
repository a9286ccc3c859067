/*
 * 64 slots, each written by its own writer, are read all the time: no figure is ever half old and
 * half new, none decreases, and none is lost. Figures grow by PAIR, so that their two halves are
 * equal. A write in two steps would show, and the last test makes such writes to prove it.
 */
#define _GNU_SOURCE
#include "status/reading.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WRITERS 64
#define PAIR UINT64_C(0x100000001)
#define READ_SECONDS 1.0
#define READINGS_LEAST 3 /* on the busiest machine, too */

typedef void add_pair(_Atomic uint64_t *counter);

/* What the writers and the reader share, in one process or in several. */
static struct shared {
    _Atomic bool stop;
    _Atomic uint64_t steps[WRITERS];
} * shared;

static struct stats_slot *board;
static add_pair *add;

static void add_whole(_Atomic uint64_t *counter)
{
    stats_add(counter, PAIR);
}

/* As a machine of 32 bits would do it: first one half, then the other. */
static void add_torn(_Atomic uint64_t *counter)
{
    _Atomic uint32_t *half = (_Atomic uint32_t *)(uintptr_t)counter;
    for (int i = 0; i < 2; i++) {
        atomic_store_explicit(&half[i], atomic_load_explicit(&half[i], memory_order_relaxed) + 1,
                              memory_order_relaxed);
        sched_yield();
    }
}

static void set_up(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    board = stats_board_open(WRITERS);
    ck_assert_ptr_nonnull(board);
    add = add_whole;
}

static void tear_down(void)
{
    stats_board_close(board, WRITERS);
    munmap(shared, sizeof(*shared));
}

/* ---- writers --------------------------------------------------------------------------------- */

static void *writer_run(void *of)
{
    uint32_t index = (uint32_t)(uintptr_t)of;
    struct stats_slot *slot = &board[index];
    uint64_t steps = 0;
    stats_set(&slot->pid, 1);
    stats_add(&slot->starts, 1);
    do {
        add(&slot->requests);
        add(&slot->closed[CLOSE_FINISHED]);
        add(&slot->calls[CALL_SEND]);
        add(&slot->connections_in[STATE_IDLE]);
        stats_phase(slot, PHASE_TOTAL, SOURCE_MEMORY, (steps % 1000) * 1000);
        stats_measure(slot, MEASURE_BATCH, steps % 100);
        steps++;
    } while (!atomic_load_explicit(&shared->stop, memory_order_relaxed));
    shared->steps[index] = steps;
    return NULL;
}

static void threads_start(pthread_t *thread)
{
    for (uintptr_t i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, writer_run, (void *)i), 0);
}

static void threads_stop(const pthread_t *thread)
{
    shared->stop = true;
    for (int i = 0; i < WRITERS; i++)
        pthread_join(thread[i], NULL);
}

static void processes_start(void)
{
    for (uintptr_t i = 0; i < WRITERS; i++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            writer_run((void *)i);
            _exit(0);
        }
    }
}

static void processes_stop(void)
{
    shared->stop = true;
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_gt(wait(NULL), 0);
}

/* ---- the reader ------------------------------------------------------------------------------ */

static double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct seen {
    uint64_t readings, torn, backwards;
    struct figures figures[WRITERS];
    uint64_t latencies[WRITERS], batches[WRITERS];
};

static void look_at(struct seen *seen, uint64_t *last, uint64_t now)
{
    seen->torn += (now >> 32) != (now & UINT32_MAX);
    seen->backwards += now < *last;
    *last = now;
}

static void look_at_slot(struct seen *seen, uint32_t i, const struct figures *now)
{
    struct figures *last = &seen->figures[i];
    look_at(seen, &last->figure[FIGURE_requests], now->figure[FIGURE_requests]);
    look_at(seen, &last->closed[CLOSE_FINISHED], now->closed[CLOSE_FINISHED]);
    look_at(seen, &last->calls[CALL_SEND], now->calls[CALL_SEND]);
    if (now->figure[FIGURE_pid])
        look_at(seen, &last->connections_in[STATE_IDLE], now->connections_in[STATE_IDLE]);
}

static void look_at_histograms(struct seen *seen, uint32_t i, const struct spreads *spreads)
{
    uint64_t latencies = spreads->latency[PHASE_TOTAL][SOURCE_MEMORY].count;
    uint64_t batches = spreads->measure[MEASURE_BATCH].count;
    seen->backwards += latencies < seen->latencies[i] || batches < seen->batches[i];
    seen->latencies[i] = latencies;
    seen->batches[i] = batches;
}

static void read_once(struct seen *seen, struct reading *reading, struct spreads *spreads)
{
    reading_take(reading);
    for (uint32_t i = 0; i < WRITERS; i++) {
        if (!reading_has(reading, i)) continue;
        look_at_slot(seen, i, &reading->slot[i]);
        spreads_read(spreads, &board[i]);
        look_at_histograms(seen, i, spreads);
    }
    seen->readings++;
}

/* Reads for a while; with `until_torn` until a torn value was seen. */
static struct seen *read_all(double seconds, bool until_torn)
{
    struct seen *seen = calloc(1, sizeof(*seen));
    struct spreads *spreads = calloc(1, sizeof(*spreads));
    struct reading reading;
    double until = clock_seconds() + seconds;
    ck_assert(seen && spreads && reading_open(&reading, board, WRITERS));
    while ((clock_seconds() < until || seen->readings < READINGS_LEAST) &&
           !(until_torn && seen->torn > 0))
        read_once(seen, &reading, spreads);
    reading_close(&reading);
    free(spreads);
    return seen;
}

static void expect_whole(struct seen *seen)
{
    ck_assert_uint_eq(seen->torn, 0);
    ck_assert_uint_eq(seen->backwards, 0);
    free(seen);
}

/* No writer writes any more: every single step is counted. */
static void expect_all_counted(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));
    struct spreads *spreads = calloc(1, sizeof(*spreads));
    struct reading reading;
    ck_assert(reading_open(&reading, board, WRITERS));
    read_once(seen, &reading, spreads);
    for (int i = 0; i < WRITERS; i++) {
        uint64_t steps = shared->steps[i];
        ck_assert_uint_gt(steps, 0);
        ck_assert_uint_eq(reading.slot[i].figure[FIGURE_requests], steps * PAIR);
        ck_assert_uint_eq(reading.slot[i].connections_in[STATE_IDLE], steps * PAIR);
        ck_assert_uint_eq(seen->latencies[i], steps);
        ck_assert_uint_eq(seen->batches[i], steps);
    }
    reading_close(&reading);
    free(spreads);
    free(seen);
}

START_TEST(threads_are_read_whole)
{
    pthread_t thread[WRITERS];
    threads_start(thread);
    struct seen *seen = read_all(READ_SECONDS, false);
    threads_stop(thread);
    expect_whole(seen);
    expect_all_counted();
}
END_TEST

START_TEST(processes_are_read_whole)
{
    processes_start();
    struct seen *seen = read_all(READ_SECONDS, false);
    processes_stop();
    expect_whole(seen);
    expect_all_counted();
}
END_TEST

START_TEST(a_write_in_two_halves_would_be_seen)
{
    add = add_torn;
    processes_start();
    struct seen *seen = read_all(READ_SECONDS * 3, true);
    processes_stop();
    ck_assert_uint_gt(seen->torn, 0);
    free(seen);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("torn");
    TCase *cases = tcase_create("torn");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 15);
    tcase_add_test(cases, threads_are_read_whole);
    tcase_add_test(cases, processes_are_read_whole);
    tcase_add_test(cases, a_write_in_two_halves_would_be_seen);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
