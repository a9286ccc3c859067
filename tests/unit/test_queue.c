/*
 * Tests of src/model/queue.c: order, the limit and the report of room, connections that are still
 * queued at the end, and many threads that take what one puts. With the thread sanitizer they also
 * find races.
 */
#define _GNU_SOURCE
#include "model/queue.h"

#include "zcserve/now.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TAKERS 8
#define CONNECTIONS 20000

static struct queue queue;

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void put(int fd)
{
    ck_assert(queue_has_room(&queue));
    queue_put(&queue, &(struct waiting){.fd = fd});
}

static int take_and_serve(void)
{
    struct waiting waiting = {.fd = -1};
    return queue_take(&queue, 0, &waiting) == TAKEN_ONE ? waiting.fd : -1;
}

/* Takes a connection, and has served it at once. */
static int take(void)
{
    int fd = take_and_serve();
    if (fd >= 0) queue_served(&queue);
    return fd;
}

static bool has_news(void)
{
    struct pollfd news = {.fd = queue_news(&queue), .events = POLLIN};
    bool has = poll(&news, 1, 0) == 1;
    queue_news_take(&queue);
    return has;
}

static void close_with_takers(uint32_t takers)
{
    struct waiting waiting;
    queue_end(&queue);
    for (uint32_t i = takers; i > 0; i--) {
        ck_assert_uint_eq(queue_takers(&queue), i);
        ck_assert_int_eq(queue_take(&queue, UINT64_MAX, &waiting), TAKEN_LAST);
        ck_assert(has_news());
    }
    ck_assert_uint_eq(queue_takers(&queue), 0);
    queue_close(&queue);
}

START_TEST(first_in_first_out_round_and_round)
{
    ck_assert_int_eq(queue_open(&queue, 3, 3, 1), 0);
    for (int round = 0; round < 7; round++) {
        put(10 * round);
        put(10 * round + 1);
        ck_assert_int_eq(take(), 10 * round);
        ck_assert_int_eq(take(), 10 * round + 1);
    }
    ck_assert_int_eq(take(), -1);
    close_with_takers(1);
}
END_TEST

START_TEST(full_then_news_of_room_once)
{
    ck_assert_int_eq(queue_open(&queue, 2, 2, 1), 0);
    put(1);
    put(2);
    ck_assert(!has_news());
    ck_assert(!queue_has_room(&queue));
    ck_assert_int_eq(take(), 1);
    ck_assert(has_news());
    ck_assert_int_eq(take(), 2);
    ck_assert(!has_news());
    close_with_takers(1);
}
END_TEST

START_TEST(crowded_while_more_wait_than_are_idle)
{
    ck_assert_int_eq(queue_open(&queue, 4, 4, 1), 0);
    ck_assert(!queue_is_crowded(&queue));
    put(1);
    ck_assert(!queue_is_crowded(&queue)); /* the thread may not have come yet, but it is idle */
    put(2);
    ck_assert(queue_is_crowded(&queue));
    ck_assert_int_eq(take_and_serve(), 1);
    ck_assert(queue_is_crowded(&queue));
    queue_served(&queue);
    ck_assert(!queue_is_crowded(&queue));
    ck_assert_int_eq(take(), 2);
    close_with_takers(1);
}
END_TEST

START_TEST(the_time_comes_first)
{
    struct waiting waiting;
    ck_assert_int_eq(queue_open(&queue, 1, 1, 1), 0);
    uint64_t until_ns = clock_ns() + 50 * NS_PER_MS;
    ck_assert_int_eq(queue_take(&queue, until_ns, &waiting), TAKEN_NONE);
    ck_assert_uint_ge(clock_ns(), until_ns);
    close_with_takers(1);
}
END_TEST

START_TEST(widened_and_ended_it_gives_all_first)
{
    ck_assert_int_eq(queue_open(&queue, 1, 3, 2), 0);
    put(1);
    ck_assert(!queue_has_room(&queue));
    queue_widen(&queue);
    put(2);
    put(3);
    ck_assert(!queue_has_room(&queue));
    queue_end(&queue);
    for (int fd = 1; fd <= 3; fd++)
        ck_assert_int_eq(take(), fd);
    has_news();
    close_with_takers(2);
}
END_TEST

/* ---- threads --------------------------------------------------------------------------------- */

static _Atomic uint32_t taken_times[CONNECTIONS];

static void *taker(void *of)
{
    struct waiting waiting;
    (void)of;
    for (;;) {
        switch (queue_take(&queue, clock_ns() + NS_PER_MS, &waiting)) {
        case TAKEN_ONE:
            atomic_fetch_add(&taken_times[waiting.fd], 1);
            queue_served(&queue);
            break;
        case TAKEN_NONE: break;
        case TAKEN_LAST: return NULL;
        }
    }
}

static void wait_for_news(void)
{
    struct pollfd news = {.fd = queue_news(&queue), .events = POLLIN};
    ck_assert_int_eq(poll(&news, 1, 2000), 1);
    queue_news_take(&queue);
}

/* In any order of steps, each connection is taken once, and the thread that puts never hangs. */
START_TEST(each_is_taken_once)
{
    pthread_t thread[TAKERS];
    ck_assert_int_eq(queue_open(&queue, 16, 16, TAKERS), 0);
    for (int i = 0; i < TAKERS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, taker, NULL), 0);
    for (int fd = 0; fd < CONNECTIONS; fd++) {
        while (!queue_has_room(&queue))
            wait_for_news();
        queue_put(&queue, &(struct waiting){.fd = fd});
    }
    queue_end(&queue);
    while (queue_takers(&queue) > 0)
        wait_for_news();
    for (int i = 0; i < TAKERS; i++)
        pthread_join(thread[i], NULL);
    for (int fd = 0; fd < CONNECTIONS; fd++)
        ck_assert_uint_eq(taken_times[fd], 1);
    queue_close(&queue);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *cases = tcase_create("queue");
    tcase_add_test(cases, first_in_first_out_round_and_round);
    tcase_add_test(cases, full_then_news_of_room_once);
    tcase_add_test(cases, crowded_while_more_wait_than_are_idle);
    tcase_add_test(cases, the_time_comes_first);
    tcase_add_test(cases, widened_and_ended_it_gives_all_first);
    tcase_add_test(cases, each_is_taken_once);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
