/*
 * What an event loop assumes about the page cache: for each part of a file, for one second.
 */
#include "core_disk.h"
#include "skip.h"
#include "zcserve/residency.h"

#include <check.h>
#include <unistd.h>

#define KIB ((size_t)1024)
#define LENGTH (1024 * KIB)

static struct residency residency;
static struct representation r;
static struct now now;

static void set_up(void)
{
    residency = (struct residency){0};
    now = (struct now){.monotonic_ns = 5 * NS_PER_SECOND};
    r = (struct representation){.fd = core_disk_file(LENGTH), .length = LENGTH};
    r.version = 5;
}

static void tear_down(void)
{
    close(r.fd);
}

static uint64_t ask(uint64_t offset, uint64_t length)
{
    return residency_length(&residency, &r, offset, length, &now);
}

START_TEST(hot_file_is_sent_whole)
{
    ck_assert_uint_eq(ask(0, LENGTH), LENGTH);
    ck_assert_uint_eq(ask(LENGTH - 1, 1), 1);
    ck_assert_uint_eq(ask(77, 12345), 12345);
}
END_TEST

START_TEST(hot_file_is_trusted_for_a_second)
{
    ask(0, 1);
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    now.monotonic_ns += RESIDENCY_NS - 1;
    ck_assert_uint_eq(ask(0, LENGTH), LENGTH);
    now.monotonic_ns++;
    ck_assert_uint_eq(ask(0, LENGTH), 0);
}
END_TEST

/* Using the result does not extend its second. */
START_TEST(second_is_not_renewed)
{
    ask(0, 1);
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    for (int i = 0; i < 10; i++, now.monotonic_ns += RESIDENCY_NS / 10)
        ck_assert_uint_eq(ask(0, LENGTH), LENGTH);
    ck_assert_uint_eq(ask(0, LENGTH), 0);
}
END_TEST

/* Another file of the same length at the same address does not get the result of the first. */
START_TEST(another_version_is_another_file)
{
    ask(0, 1);
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    r.version++;
    uint64_t of_the_other = ask(0, LENGTH);
    r.version--;
    ck_assert_uint_eq(of_the_other, 0);
    ck_assert_uint_eq(ask(0, LENGTH), LENGTH);
}
END_TEST

/* The length is halved until all of it is resident. */
START_TEST(part_of_a_cold_file)
{
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    ck_assert_uint_eq(ask(0, LENGTH), 0);
    core_disk_read(r.fd, 0, 256 * KIB);
    ck_assert_uint_eq(ask(0, LENGTH), 256 * KIB);
    ck_assert_uint_eq(ask(1, 256 * KIB - 1), 256 * KIB - 1);
    ck_assert_uint_eq(ask(0, 100), 100);
    uint64_t rest = ask(192 * KIB, LENGTH - 192 * KIB);
    ck_assert_uint_gt(rest, 0);
    ck_assert_uint_le(rest, 64 * KIB);
    ck_assert_uint_eq(ask(256 * KIB, LENGTH - 256 * KIB), 0);
    ck_assert_uint_eq(ask(256 * KIB, 1), 0);
}
END_TEST

/* A part below RESIDENCY_CRUMB_BYTES is not sent; it is fetched first. */
START_TEST(crumbs_are_not_sent)
{
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    core_disk_read(r.fd, 0, 16 * KIB);
    ck_assert_uint_eq(ask(0, LENGTH), 0);
    ck_assert_uint_eq(ask(0, 16 * KIB), 16 * KIB);
}
END_TEST

START_TEST(cold_file_that_became_hot)
{
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    ck_assert_uint_eq(ask(0, LENGTH), 0);
    core_disk_read(r.fd, 0, LENGTH);
    ck_assert_uint_eq(ask(0, LENGTH), LENGTH);
}
END_TEST

/* In a large file each part is checked and remembered by itself. */
START_TEST(parts_are_trusted_each)
{
    enum { PARTS = 3 };
    close(r.fd);
    r.length = PARTS * RESIDENCY_PART_BYTES - 5;
    r.fd = core_disk_file(r.length);
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    core_disk_read(r.fd, RESIDENCY_PART_BYTES, RESIDENCY_PART_BYTES - 5);
    core_disk_read(r.fd, 2 * RESIDENCY_PART_BYTES, RESIDENCY_PART_BYTES - 5);
    ck_assert_uint_eq(ask(0, RESIDENCY_PART_BYTES), 0);
    ck_assert_uint_eq(ask(RESIDENCY_PART_BYTES + 7, RESIDENCY_PART_BYTES), RESIDENCY_PART_BYTES);
    core_disk_drop(r.fd);
    ck_assert_uint_eq(ask(0, RESIDENCY_PART_BYTES), 0);
    ck_assert_uint_eq(ask(RESIDENCY_PART_BYTES + 7, RESIDENCY_PART_BYTES), RESIDENCY_PART_BYTES);
    now.monotonic_ns += RESIDENCY_NS;
    ck_assert_uint_eq(ask(RESIDENCY_PART_BYTES + 7, RESIDENCY_PART_BYTES), 0);
}
END_TEST

/* Known parts are sent up to their end. */
START_TEST(known_part_before_a_cold_one)
{
    close(r.fd);
    r.length = 2 * RESIDENCY_PART_BYTES;
    r.fd = core_disk_file(r.length);
    SKIP_IF(!core_disk_drop(r.fd), CORE_DISK_NONE);
    core_disk_read(r.fd, 0, RESIDENCY_PART_BYTES);
    uint64_t left = 256 * KIB;
    ck_assert_uint_eq(ask(RESIDENCY_PART_BYTES - left, RESIDENCY_PART_BYTES), left);
}
END_TEST

/* The whole range is returned as resident, although the file is shorter now. */
START_TEST(file_that_shrank_does_not_wait)
{
    ck_assert_int_eq(ftruncate(r.fd, 300000), 0);
    ck_assert_uint_gt(ask(0, LENGTH), 0);
    ck_assert_uint_gt(ask(290000, LENGTH - 290000), 0);
    ck_assert_uint_gt(ask(300000, LENGTH - 300000), 0);
    core_disk_drop(r.fd);
    ck_assert_uint_gt(ask(300000, LENGTH - 300000), 0);
}
END_TEST

/* Files whose addresses have the same place replace each other. */
START_TEST(places_are_shared)
{
    static struct representation many[4 * RESIDENCY_PARTS];
    for (size_t i = 0; i < 2 * sizeof(many) / sizeof(many[0]); i++) {
        struct representation *one = &many[i / 2];
        *one = r;
        ck_assert_uint_eq(residency_length(&residency, one, 0, LENGTH, &now), LENGTH);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("residency");
    TCase *tcase = tcase_create("residency");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, hot_file_is_sent_whole);
    tcase_add_test(tcase, hot_file_is_trusted_for_a_second);
    tcase_add_test(tcase, second_is_not_renewed);
    tcase_add_test(tcase, another_version_is_another_file);
    tcase_add_test(tcase, part_of_a_cold_file);
    tcase_add_test(tcase, crumbs_are_not_sent);
    tcase_add_test(tcase, cold_file_that_became_hot);
    tcase_add_test(tcase, parts_are_trusted_each);
    tcase_add_test(tcase, known_part_before_a_cold_one);
    tcase_add_test(tcase, file_that_shrank_does_not_wait);
    tcase_add_test(tcase, places_are_shared);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
