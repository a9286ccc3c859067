/*
 * Tests of src/base/slab.c: each object is taken once, the last one put back is taken first, and
 * memory exists only when it is touched.
 */
#define _GNU_SOURCE
#include "zcserve/slab.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

START_TEST(takes_each_object_once)
{
    struct slab slab;
    char *object[100];

    ck_assert_int_eq(slab_open(&slab, 100, 100), 0);
    ck_assert_uint_eq(slab.stride, 128);
    for (int i = 0; i < 100; i++) {
        object[i] = slab_take(&slab);
        ck_assert_ptr_nonnull(object[i]);
        ck_assert_uint_eq((uintptr_t)object[i] % 64, 0);
        memset(object[i], i, 100);
    }
    ck_assert_ptr_null(slab_take(&slab));
    ck_assert_uint_eq(slab.used, 100);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(object[i][0], i);
        ck_assert_int_eq(object[i][99], i);
        slab_put(&slab, object[i]);
    }
    ck_assert_uint_eq(slab.used, 0);
    slab_close(&slab);
}
END_TEST

START_TEST(takes_the_last_put_first)
{
    struct slab slab;

    ck_assert_int_eq(slab_open(&slab, 64, 8), 0);
    void *a = slab_take(&slab);
    void *b = slab_take(&slab);
    slab_put(&slab, a);
    slab_put(&slab, b);
    ck_assert_ptr_eq(slab_take(&slab), b);
    ck_assert_ptr_eq(slab_take(&slab), a);
    ck_assert_uint_eq(slab.touched, 2);
    slab_close(&slab);
}
END_TEST

/* Takes and puts back in a random order, and compares with a plain table of what is taken. */
START_TEST(agrees_with_a_table)
{
    enum { COUNT = 70 };
    struct slab slab;
    void *held[COUNT];
    uint32_t count = 0;
    unsigned random = 12345;

    ck_assert_int_eq(slab_open(&slab, 1, COUNT), 0);
    for (int i = 0; i < 20000; i++) {
        random = random * 1103515245u + 12345u;
        if ((random >> 16 & 1) != 0) {
            void *object = slab_take(&slab);
            ck_assert((object == NULL) == (count == COUNT));
            for (uint32_t k = 0; k < count; k++)
                ck_assert_ptr_ne(held[k], object);
            if (object != NULL) held[count++] = object;
        } else if (count > 0) {
            uint32_t k = (random >> 17) % count;
            memset(held[k], 0xff, 64);
            slab_put(&slab, held[k]);
            held[k] = held[--count];
        }
        ck_assert_uint_eq(slab.used, count);
    }
    slab_close(&slab);
}
END_TEST

START_TEST(touches_no_memory_before_its_time)
{
    struct slab slab;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident[4096];

    /* 4 GiB are reserved, of which three pages exist. */
    ck_assert_int_eq(slab_open(&slab, page, 1024 * 1024), 0);
    for (int i = 0; i < 3; i++)
        memset(slab_take(&slab), 1, page);
    size_t count = 0;
    ck_assert_int_eq(mincore(slab.base, page * sizeof(resident), resident), 0);
    for (size_t i = 0; i < sizeof(resident); i++)
        count += resident[i] & 1;
    /* With automatic huge pages, more pages may exist, but none that are far away. */
    ck_assert_uint_ge(count, 3);
    ck_assert_uint_eq(resident[sizeof(resident) - 1] & 1, 0);
    slab_close(&slab);
}
END_TEST

START_TEST(refuses_what_cannot_be)
{
    struct slab slab;

    ck_assert_int_eq(slab_open(&slab, SIZE_MAX - 10, 2), -ENOMEM);
    ck_assert_int_eq(slab_open(&slab, SIZE_MAX / 4, 8), -ENOMEM);
    ck_assert_int_eq(slab_open(&slab, SIZE_MAX / 16, 8), -ENOMEM);
    ck_assert_ptr_null(slab_take(&slab));
    slab_close(&slab);
    slab_close(&slab);
}
END_TEST

static struct slab one;

static void *take_of_one(void)
{
    ck_assert_int_eq(slab_open(&one, 64, 4), 0);
    slab_take(&one);
    return slab_take(&one);
}

START_TEST(asserts_on_a_second_put)
{
    void *object = take_of_one();
    slab_put(&one, object);
    slab_put(&one, object);
}
END_TEST

START_TEST(asserts_on_a_pointer_into_an_object)
{
    slab_put(&one, (char *)take_of_one() + 8);
}
END_TEST

START_TEST(asserts_on_an_object_never_taken)
{
    take_of_one();
    slab_put(&one, slab_at(&one, 2));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slab");
    TCase *cases = tcase_create("slab");
    tcase_add_test(cases, takes_each_object_once);
    tcase_add_test(cases, takes_the_last_put_first);
    tcase_add_test(cases, agrees_with_a_table);
    tcase_add_test(cases, touches_no_memory_before_its_time);
    tcase_add_test(cases, refuses_what_cannot_be);
    tcase_add_test_raise_signal(cases, asserts_on_a_second_put, SIGABRT);
    tcase_add_test_raise_signal(cases, asserts_on_a_pointer_into_an_object, SIGABRT);
    tcase_add_test_raise_signal(cases, asserts_on_an_object_never_taken, SIGABRT);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
