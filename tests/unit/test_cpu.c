/* Tests of src/process/cpu.c: quotas in made-up trees of control groups, and the real affinity. */
#define _GNU_SOURCE
#include "zcserve/supervise.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/zcserve-cpu-XXXXXX";

static void run(const char *command, const char *argument)
{
    char line[400];

    snprintf(line, sizeof(line), "%s '%s/%s'", command, directory, argument);
    ck_assert_int_eq(system(line), 0);
}

/* Writes a file of the tree, and makes the directories above it. */
static void put(const char *file, const char *content)
{
    char path[200], parent[200];

    snprintf(parent, sizeof(parent), "%s", file);
    char *slash = strrchr(parent, '/');
    if (slash != NULL) {
        *slash = '\0';
        run("mkdir -p", parent);
    }
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(content, out);
    fclose(out);
}

static uint32_t quota(const char *membership)
{
    char path[200];

    put("membership", membership);
    snprintf(path, sizeof(path), "%s/membership", directory);
    return cpu_count_quota(directory, path);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void tear_down(void)
{
    run("rm -rf", "");
}

START_TEST(reads_version_2)
{
    static const struct {
        const char *content;
        uint32_t cpus;
    } cases[] = {
        {"max 100000\n", 0},
        {"100000 100000\n", 1},
        {"150000 100000\n", 2},
        {"200000 100000\n", 2},
        {"1000 100000\n", 1},
        {"200001 100000\n", 3},
        {"", 0},
        {"nonsense\n", 0},
        {"-1 100000\n", 0},
        {"100000 0\n", 0},
        {"100000\n", 0},
        {"9223372036854775807 1\n", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put("a.slice/b.service/cpu.max", cases[i].content);
        ck_assert_msg(quota("0::/a.slice/b.service\n") == cases[i].cpus, "%s", cases[i].content);
    }
}
END_TEST

START_TEST(takes_the_least_on_the_way_up)
{
    put("a/b/c/cpu.max", "400000 100000\n");
    put("a/b/cpu.max", "max 100000\n");
    put("a/cpu.max", "300000 100000\n");
    put("a/other/cpu.max", "100000 100000\n");
    ck_assert_uint_eq(quota("0::/a/b/c\n"), 3);
    put("cpu.max", "200000 100000\n");
    ck_assert_uint_eq(quota("0::/a/b/c\n"), 2);
    ck_assert_uint_eq(quota("0::/\n"), 2);
    /* The path of the host, as a container sees it. */
    ck_assert_uint_eq(quota("0::/not/here\n"), 2);
}
END_TEST

START_TEST(reads_version_1)
{
    put("cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n");
    put("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    put("cpuset/a/cpu.cfs_quota_us", "100000\n");
    put("cpuset/a/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(quota("12:cpuset:/a\n4:cpu,cpuacct:/a\n1:name=systemd:/a\n"), 3);
    ck_assert_uint_eq(quota("4:cpuacct,cpu:/elsewhere\n"), 0);
    put("cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    ck_assert_uint_eq(quota("4:cpu,cpuacct:/a\n"), 0);
    put("cpu/cpu.cfs_quota_us", "100000\n");
    put("cpu/cpu.cfs_period_us", "50000\n");
    ck_assert_uint_eq(quota("4:cpu:/a\n"), 2);
    ck_assert_uint_eq(quota("4:cpuset,cpu,memory:/\n"), 2);
}
END_TEST

START_TEST(reads_both_versions_together)
{
    put("unified/a/cpu.max", "300000 100000\n");
    put("cpu/a/cpu.cfs_quota_us", "500000\n");
    put("cpu/a/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(quota("3:cpu:/a\n0::/a\n"), 3);
    ck_assert_uint_eq(quota("3:cpu:/a\n0::/b\n"), 5);
}
END_TEST

START_TEST(ignores_what_it_cannot_read)
{
    static char path[10000] = "0::/";

    memset(path + 4, 'p', 5000);
    ck_assert_uint_eq(quota(path), 0);
    ck_assert_uint_eq(quota(""), 0);
    ck_assert_uint_eq(quota("0\n0:\n::\n0:::\n"), 0);
    ck_assert_uint_eq(cpu_count_quota("/nonexistent", "/nonexistent"), 0);
}
END_TEST

START_TEST(keeps_to_the_affinity)
{
    cpu_set_t all, one;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    ck_assert_uint_ge(cpu_count_usable(), 1);
    ck_assert_uint_le(cpu_count_usable(), (uint32_t)CPU_COUNT(&all));
    for (uint32_t i = 0; i < (uint32_t)CPU_COUNT(&all); i++) {
        int cpu = cpu_nth_usable(i);
        ck_assert_int_ge(cpu, 0);
        ck_assert(CPU_ISSET((size_t)cpu, &all));
        ck_assert(i == 0 || cpu > cpu_nth_usable(i - 1));
        ck_assert_int_eq(cpu_nth_usable(i + (uint32_t)CPU_COUNT(&all)), cpu);
    }
    int last = cpu_nth_usable((uint32_t)CPU_COUNT(&all) - 1);
    CPU_ZERO(&one);
    CPU_SET((size_t)last, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    ck_assert_uint_eq(cpu_count_usable(), 1);
    ck_assert_int_eq(cpu_nth_usable(0), last);
    ck_assert_int_eq(cpu_nth_usable(7), last);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu");
    TCase *cases = tcase_create("cpu");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, reads_version_2);
    tcase_add_test(cases, takes_the_least_on_the_way_up);
    tcase_add_test(cases, reads_version_1);
    tcase_add_test(cases, reads_both_versions_together);
    tcase_add_test(cases, ignores_what_it_cannot_read);
    tcase_add_test(cases, keeps_to_the_affinity);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
