/*
 * Which parts of a file are in the page cache: on a disk, in memory, and beyond its end.
 */
#include "core_disk.h"
#include "skip.h"
#include "zcserve/resident.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define LENGTH ((size_t)100 * PAGE + 17)

static int file;

static void set_up(void)
{
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

/* One page is read, the tenth; a range is resident while it stays within. */
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

/* Sending meets the end itself; waiting for what is not there would never be over. */
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

/* Reading a hole of tmpfs makes no page: it would be missing for ever. */
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

/*
 * After a failure cachestat(2) is not asked again. Asking by RWF_NOWAIT has the kernel begin to read what is missing, and
 * a fast disk has sometimes answered before the kernel looks again: then it is resident indeed.
 */
START_TEST(without_cachestat)
{
    bool missed = false;
    ck_assert(resident(-1, 0, 1));
    ck_assert(resident(file, 0, LENGTH));
    ck_assert(resident(file, LENGTH, 1));
    for (int i = 0; i < 100 && !missed; i++) {
        SKIP_IF(!core_disk_drop(file), CORE_DISK_NONE);
        core_disk_read(file, 0, 1);
        missed = !resident(file, 0, 20 * PAGE);
        ck_assert(resident(file, 100, PAGE - 100));
    }
    ck_assert(missed);
}
END_TEST

/* A system call fails from now on, as a sandbox has it. */
static void forbid_call(uint32_t number, uint32_t error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(by_which_means)
{
    int error = -1;
    enum resident_means means = resident_means(file, &error);
    ck_assert(means == RESIDENT_WHOLE || means == RESIDENT_EDGES);
    ck_assert(means == RESIDENT_EDGES || error == 0);
    ck_assert_int_eq(resident_means(-1, &error), RESIDENT_UNTOLD);
    ck_assert_int_eq(error == ENOSYS ? EBADF : error, EBADF);
    forbid_call(451, EPERM); /* cachestat */
    ck_assert_int_eq(resident_means(file, &error), RESIDENT_EDGES);
    ck_assert_int_eq(error, EPERM);
    forbid_call(SYS_preadv2, EOPNOTSUPP);
    ck_assert_int_eq(resident_means(file, &error), RESIDENT_UNTOLD);
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
    tcase_add_test(tcase, without_cachestat);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
