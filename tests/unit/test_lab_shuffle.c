/* Tests that random places are a permutation: each once, in another order for another seed. */
#include "../../bench/lab/shuffle.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(each_place_comes_once)
{
    static const uint64_t size[] = {1, 2, 3, 4, 5, 15, 16, 17, 1000, 4097};
    static unsigned char seen[4097];
    for (unsigned s = 0; s < sizeof size / sizeof *size; s++) {
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < size[s]; i++) {
            uint64_t place = shuffled(i, size[s], 7);
            ck_assert_uint_lt(place, size[s]);
            ck_assert_uint_eq(seen[place], 0);
            seen[place] = 1;
        }
    }
}
END_TEST

START_TEST(seeds_and_neighbours_differ)
{
    unsigned same = 0, next = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        same += shuffled(i, 1000, 1) == shuffled(i, 1000, 2);
        next += shuffled(i + 1, 1001, 1) == shuffled(i, 1001, 1) + 1;
    }
    ck_assert_uint_lt(same, 20);
    ck_assert_uint_lt(next, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_shuffle");
    TCase *cases = tcase_create("permutation");
    tcase_add_test(cases, each_place_comes_once);
    tcase_add_test(cases, seeds_and_neighbours_differ);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
