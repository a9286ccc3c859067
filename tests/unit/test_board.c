/* Tests of src/stats/board.c and close_reason.c: slots that outlive a worker, and words. */
#define _GNU_SOURCE
#include "zcserve/stats.h"

#include <check.h>
#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(starts_at_zero)
{
    struct stats_slot *board = stats_board_open(3);
    struct stats_slot zero;

    ck_assert_ptr_nonnull(board);
    memset(&zero, 0, sizeof(zero));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(memcmp(&board[i], &zero, sizeof(zero)), 0);
        ck_assert_uint_eq((uintptr_t)&board[i] % 64, 0);
    }
    stats_board_close(board, 3);
    stats_board_close(NULL, 3);
}
END_TEST

/* A worker counts and is killed. The next worker in its slot goes on from these counts. */
START_TEST(goes_on_after_a_worker_died)
{
    struct stats_slot *board = stats_board_open(2);

    for (int turn = 1; turn <= 2; turn++) {
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 1000; i++)
                stats_add(&board[1].requests, 1);
            stats_add(&board[1].closed[CLOSE_PEER_RESET], 5);
            stats_set(&board[1].connections, (uint64_t)turn);
            raise(SIGKILL);
        }
        int status = 0;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        ck_assert_uint_eq(stats_read(&board[1].requests), 1000 * (unsigned)turn);
        ck_assert_uint_eq(stats_read(&board[1].closed[CLOSE_PEER_RESET]), 5 * (unsigned)turn);
        ck_assert_uint_eq(stats_read(&board[1].connections), (unsigned)turn);
    }
    ck_assert_uint_eq(stats_read(&board[0].requests), 0);
    stats_board_close(board, 2);
}
END_TEST

START_TEST(names_every_reason_once)
{
    for (int i = 0; i < CLOSE_REASON_COUNT; i++) {
        const char *name = close_reason_name((enum close_reason)i);
        ck_assert_ptr_nonnull(name);
        ck_assert_uint_gt(strlen(name), 0);
        for (const char *c = name; *c != '\0'; c++)
            ck_assert(islower(*c) || *c == '_');
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(name, close_reason_name((enum close_reason)k));
    }
    ck_assert_str_eq(close_reason_name(CLOSE_NONE), "none");
    ck_assert_str_eq(close_reason_name(CLOSE_FILE_SHRANK), "file_shrank");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("board");
    TCase *cases = tcase_create("board");
    tcase_add_test(cases, starts_at_zero);
    tcase_add_test(cases, goes_on_after_a_worker_died);
    tcase_add_test(cases, names_every_reason_once);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
