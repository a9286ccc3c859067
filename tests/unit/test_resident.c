/*
 * Which parts of a file are in the page cache: on a disk, in memory, and beyond its end.
 */
#include "core_disk.h"
#include "forbid.h"
#include "skip.h"
#include "zcserve/resident.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* the same on every architecture */
#endif

#define PAGE 4096
#define LENGTH ((size_t)100 * PAGE + 17)

static int file;

/* What preadv2() below was asked, and what it answered. */
static struct {
    bool misses[100]; /* these pages of any file are missing, whatever the kernel has */
    unsigned asked;
    bool missed; /* the last answer was that the page is missing */
} kernel;

/* Stands in front of the C library's function: the kernel answers, except for the pages above. */
ssize_t preadv2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
    size_t page = (size_t)offset / PAGE;
    kernel.asked++;
    if (page < 100 && kernel.misses[page]) {
        errno = EAGAIN;
        return -1;
    }
    long n = syscall(SYS_preadv2, fd, vector, count, offset, 0, flags);
    kernel.missed = n < 0 && errno == EAGAIN;
    return n;
}

static void set_up(void)
{
    memset(&kernel, 0, sizeof(kernel));
    file = core_disk_file(LENGTH);
}

static void tear_down(void)
{
    close(file);
}

START_TEST(what_was_written_is)
{
    ck_assert(resident(file, 0, LENGTH));
    ck_assert(resident(file, LENGTH - 1, 1));
    ck_assert(resident(file, 12345, 54321));
}
END_TEST

START_TEST(what_was_dropped_is_not)
{
    SKIP_IF(!core_disk_drop(file), CORE_DISK_NONE);
    ck_assert(!resident(file, 0, LENGTH));
    ck_assert(!resident(file, 5001, 1));
    ck_assert(!resident(file, LENGTH - 1, 1));
}
END_TEST

/* Only the tenth page is read. A range is resident as long as it stays within this page. */
START_TEST(page_by_page)
{
    SKIP_IF(!core_disk_drop(file), CORE_DISK_NONE);
    core_disk_read(file, 10 * PAGE + 100, 1);
    ck_assert(resident(file, 10 * PAGE, PAGE));
    ck_assert(resident(file, 10 * PAGE + 4090, 6));
    ck_assert(!resident(file, 10 * PAGE + 4090, 7));
    ck_assert(!resident(file, 10 * PAGE - 1, 2));
    ck_assert(!resident(file, 10 * PAGE - 1, PAGE + 2));
    ck_assert(!resident(file, 0, LENGTH));
}
END_TEST

/* Sending finds the end itself. To wait for bytes that do not exist would never end. */
START_TEST(beyond_the_end_it_cannot_be_told)
{
    ck_assert(resident(file, LENGTH, 1));
    ck_assert(resident(file, LENGTH - 10, 11));
    ck_assert(resident(file, 1000 * LENGTH, LENGTH));
    core_disk_drop(file);
    ck_assert(resident(file, LENGTH - PAGE, LENGTH));
    ck_assert_int_eq(ftruncate(file, PAGE), 0);
    ck_assert(resident(file, 2 * PAGE, PAGE));
}
END_TEST

START_TEST(hole_of_a_sparse_file)
{
    ck_assert_int_eq(ftruncate(file, 1 << 20), 0);
    SKIP_IF(!core_disk_drop(file), CORE_DISK_NONE);
    ck_assert(!resident(file, 1 << 19, 2 * PAGE));
    core_disk_read(file, 1 << 19, 2 * PAGE);
    ck_assert(resident(file, 1 << 19, 2 * PAGE));
}
END_TEST

/* To read a hole of tmpfs makes no page: its page would never become resident. */
START_TEST(tmpfs_is_always)
{
    int memory = memfd_create("resident", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(memory, 1 << 20), 0);
    ck_assert(resident(memory, 0, 1 << 20));
    ck_assert(resident(memory, 123, 1));
    ck_assert_int_eq(pwrite(memory, "x", 1, 5 * PAGE), 1);
    ck_assert(resident(memory, 5 * PAGE, PAGE));
    posix_fadvise(memory, 0, 0, POSIX_FADV_DONTNEED);
    ck_assert(resident(memory, 5 * PAGE, PAGE));
    close(memory);
}
END_TEST

START_TEST(what_is_no_file_cannot_be_told)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert(resident(ends[0], 0, 1));
    ck_assert(resident(-1, 0, 1));
}
END_TEST

START_TEST(by_which_means)
{
    int error = -1;
    enum resident_means means = resident_means(file, &error);
    ck_assert(means == RESIDENT_WHOLE || means == RESIDENT_SAMPLES);
    ck_assert(means == RESIDENT_SAMPLES || error == 0);
    ck_assert_int_eq(resident_means(-1, &error), RESIDENT_UNTOLD);
    ck_assert_int_eq(error == ENOSYS ? EBADF : error, EBADF);
    ck_assert_int_eq(forbid_call(SYS_cachestat, EPERM), 0);
    ck_assert_int_eq(resident_means(file, &error), RESIDENT_SAMPLES);
    ck_assert_int_eq(error, EPERM);
    ck_assert_int_eq(forbid_call(SYS_preadv2, EOPNOTSUPP), 0);
    ck_assert_int_eq(resident_means(file, &error), RESIDENT_UNTOLD);
}
END_TEST

/* cachestat(2) is not called again after it failed: what follows asks preadv2(2). */
static void do_without_cachestat(void)
{
    ck_assert(resident(-1, 0, 1));
    memset(&kernel, 0, sizeof(kernel));
}

/*
 * RWF_NOWAIT makes the kernel read the missing page, and some disks deliver it before the kernel
 * looks again. Whether a page that was dropped is missing is therefore for the kernel to say.
 */
START_TEST(without_cachestat_the_kernel_is_believed)
{
    do_without_cachestat();
    ck_assert(resident(file, 0, LENGTH));
    ck_assert(resident(file, LENGTH, 1));
    SKIP_IF(!core_disk_drop(file), CORE_DISK_NONE);
    for (size_t page = 0; page < 100; page++) {
        bool is = resident(file, page * PAGE + 10, 20);
        ck_assert_int_eq(is, !kernel.missed);
    }
    core_disk_read(file, 0, 1);
    ck_assert(resident(file, 100, PAGE - 100));
}
END_TEST

START_TEST(without_cachestat_samples_count)
{
    do_without_cachestat();
    kernel.misses[19] = true;
    ck_assert(!resident(file, 0, 20 * PAGE));
    ck_assert_uint_eq(kernel.asked, 2);
    ck_assert(!resident(file, 19 * PAGE, 2 * PAGE));
    ck_assert_uint_eq(kernel.asked, 3);
    ck_assert(resident(file, 0, 19 * PAGE));
    ck_assert(resident(file, 20 * PAGE, 10 * PAGE));
    ck_assert(resident(file, 18 * PAGE, 10 * PAGE)); /* the pages between are not asked for */
    ck_assert_uint_eq(kernel.asked, 9);
    kernel.misses[32] = true; /* 128 KiB on */
    ck_assert(!resident(file, 0, 60 * PAGE));
    ck_assert(resident(file, 33 * PAGE, 30 * PAGE));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resident");
    TCase *tcase = tcase_create("resident");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_was_written_is);
    tcase_add_test(tcase, what_was_dropped_is_not);
    tcase_add_test(tcase, page_by_page);
    tcase_add_test(tcase, beyond_the_end_it_cannot_be_told);
    tcase_add_test(tcase, hole_of_a_sparse_file);
    tcase_add_test(tcase, by_which_means);
    tcase_add_test(tcase, tmpfs_is_always);
    tcase_add_test(tcase, what_is_no_file_cannot_be_told);
    tcase_add_test(tcase, without_cachestat_the_kernel_is_believed);
    tcase_add_test(tcase, without_cachestat_samples_count);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
