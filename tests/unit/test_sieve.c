/*
 * SIEVE: the order of eviction, visited bits, loans, and the hand when the entry that it points to
 * goes away.
 */
#include "store/sieve.h"

#include <check.h>
#include <stdlib.h>

#define SEATS 8

static struct sieve sieve;
static struct seat seats[SEATS];

static void setup(void)
{
    sieve = (struct sieve){0};
    for (int i = 0; i < SEATS; i++) {
        seats[i] = (struct seat){0};
        sieve_add(&sieve, &seats[i]);
    }
}

static int evict(void)
{
    struct seat *seat = sieve_victim(&sieve);
    if (seat == NULL) return -1;
    sieve_remove(&sieve, seat);
    return (int)(seat - seats);
}

START_TEST(oldest_first)
{
    for (int i = 0; i < SEATS; i++)
        ck_assert_int_eq(evict(), i);
    ck_assert_int_eq(evict(), -1);
    ck_assert_uint_eq(sieve.count, 0);
}
END_TEST

START_TEST(visited_stay_one_round)
{
    seats[0].visited = seats[1].visited = seats[3].visited = true;
    ck_assert_int_eq(evict(), 2);
    ck_assert_int_eq(evict(), 4);
    seats[0].visited = true; /* behind the hand: it stays for one more round */
    ck_assert_int_eq(evict(), 5);
    ck_assert_int_eq(evict(), 6);
    ck_assert_int_eq(evict(), 7);
    ck_assert_int_eq(evict(), 1);
    ck_assert_int_eq(evict(), 3);
    ck_assert_int_eq(evict(), 0);
}
END_TEST

START_TEST(new_ones_are_met_last)
{
    struct seat late = {0};
    for (int i = 0; i < SEATS; i++)
        seats[i].visited = true;
    ck_assert_int_eq(evict(), 0); /* after a round that cleared all bits */
    sieve_add(&sieve, &late);
    for (int i = 1; i < SEATS; i++)
        ck_assert_int_eq(evict(), i);
    ck_assert_ptr_eq(sieve_victim(&sieve), &late);
}
END_TEST

START_TEST(lent_are_passed_over)
{
    seats[0].loans = 1;
    seats[1].loans = 2;
    ck_assert_int_eq(evict(), 2);
    for (int i = 3; i < SEATS; i++)
        ck_assert_int_eq(evict(), i);
    ck_assert_int_eq(evict(), -1);
    seats[1].loans = 0;
    ck_assert_int_eq(evict(), 1);
    ck_assert_int_eq(evict(), -1);
    ck_assert_uint_eq(sieve.count, 1);
}
END_TEST

START_TEST(hand_survives_removal)
{
    seats[0].visited = true;
    ck_assert_int_eq(evict(), 1);
    ck_assert_ptr_eq(sieve.hand, &seats[2]);
    sieve_remove(&sieve, &seats[2]);
    sieve_remove(&sieve, &seats[SEATS - 1]);
    ck_assert_int_eq(evict(), 3);
    sieve_remove(&sieve, &seats[0]);
    for (int i = 4; i < SEATS - 1; i++)
        ck_assert_int_eq(evict(), i);
    ck_assert_ptr_null(sieve.newest);
    ck_assert_ptr_null(sieve.oldest);
    ck_assert_ptr_null(sieve.hand);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sieve");
    TCase *cases = tcase_create("sieve");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_test(cases, oldest_first);
    tcase_add_test(cases, visited_stay_one_round);
    tcase_add_test(cases, new_ones_are_met_last);
    tcase_add_test(cases, lent_are_passed_over);
    tcase_add_test(cases, hand_survives_removal);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
