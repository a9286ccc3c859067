/* Tests of src/status/proc.c on processes whose figures are known: our own, and one that ended. */
#include "status/proc.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct proc proc_of_us(void)
{
    struct proc proc;
    ck_assert(proc_read(getpid(), &proc));
    return proc;
}

START_TEST(counts_descriptors)
{
    uint64_t before = proc_of_us().descriptors;
    int fd[20];
    ck_assert_uint_ge(before, 3);
    for (int i = 0; i < 20; i++)
        fd[i] = open("/dev/null", O_RDONLY);
    ck_assert_uint_eq(proc_of_us().descriptors, before + 20);
    for (int i = 0; i < 20; i++)
        close(fd[i]);
    ck_assert_uint_eq(proc_of_us().descriptors, before);
}
END_TEST

static _Atomic bool done;

static void *sleep_often(void *none)
{
    for (int i = 0; i < 50; i++)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    done = true;
    for (;;)
        pause();
    return none;
}

/* The file of the process has only the count of its first thread. */
START_TEST(counts_the_switches_of_all_threads)
{
    struct proc before = proc_of_us();
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, sleep_often, NULL), 0);
    while (!done)
        continue; /* no sleep here, because its switch would be counted */
    struct proc after = proc_of_us();
    /* A sanitizer may have threads of its own. */
    ck_assert_uint_ge(after.threads, before.threads + 1);
    ck_assert_uint_ge(after.voluntary_switches, before.voluntary_switches + 50);
}
END_TEST

START_TEST(measures_processor_time_and_memory)
{
    struct proc before = proc_of_us();
    const size_t size = 32 << 20;
    char *memory = malloc(size);
    ck_assert_ptr_nonnull(memory);
    for (int i = 0; i < 40 && proc_of_us().cpu_user_seconds < before.cpu_user_seconds + 0.05; i++)
        memset(memory, i, size);
    struct proc after = proc_of_us();
    ck_assert_uint_ge(after.resident_bytes, before.resident_bytes + size - (1 << 20));
    ck_assert(after.cpu_user_seconds + after.cpu_system_seconds >
              before.cpu_user_seconds + before.cpu_system_seconds);
    uint64_t proportional = 0;
    ck_assert(proc_read_proportional(getpid(), &proportional));
    ck_assert_uint_ge(proportional, size / 2);
    ck_assert_uint_le(proportional, after.resident_bytes + (4 << 20));
    free(memory);
}
END_TEST

START_TEST(says_that_a_process_is_gone)
{
    struct proc proc;
    uint64_t bytes;
    pid_t child = fork();
    if (child == 0) _exit(0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(!proc_read(child, &proc));
    ck_assert(!proc_read_proportional(child, &bytes));
    ck_assert(!proc_read(0, &proc));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proc");
    TCase *cases = tcase_create("proc");
    tcase_add_test(cases, counts_descriptors);
    tcase_add_test(cases, counts_the_switches_of_all_threads);
    tcase_add_test(cases, measures_processor_time_and_memory);
    tcase_add_test(cases, says_that_a_process_is_gone);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
