/*
 * Tests of control groups, on made-up hierarchies: directories of files that hold what was written
 * to them.
 */
#include "../../bench/lab/control_group.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/zclab-group-XXXXXX";
static char mounts[64];

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static struct control_group g;

/* Returns the first line of a file of the group; "../cgroup.procs" is that of the group above. */
static const char *got(const char *name)
{
    static char text[128];
    char path[400];
    snprintf(path, sizeof path, "%s/%s", g.path, name);
    FILE *file = fopen(path, "re");
    text[0] = '\0';
    if (!file) return "no file";
    if (!fgets(text, sizeof text, file)) text[0] = '\0';
    fclose(file);
    return text;
}

/* Sets the type and options of what is mounted at the root. */
static void mounted(const char *type, const char *options)
{
    char line[192];
    snprintf(line, sizeof line, "none %s %s %s 0 0\n", root, type, options);
    put("mounts", line);
}

static void hierarchy_make(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(mounts, sizeof mounts, "%s/mounts", root);
    put("cgroup.controllers", "cpuset cpu io memory pids\n");
    put("cgroup.subtree_control", "cpu memory pids\n");
    put("cgroup.procs", "");
    mounted("cgroup2", "rw,nosuid");
}

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void hierarchy_remove(void)
{
    nftw(root, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void expect_reason(enum controller controller, const char *reason)
{
    ck_assert_int_lt(control_group_open(&g, controller, mounts), 0);
    ck_assert_msg(strstr(g.why, reason) != NULL, "'%s' has no '%s'", g.why, reason);
    control_group_close(&g);
}

START_TEST(hindrances_are_told)
{
    put("cgroup.controllers", "cpu memory_of_another iot\n");
    expect_reason(CONTROLLER_MEMORY, "can limit memory");
    expect_reason(CONTROLLER_IO, "can limit block devices");
    mounted("cgroup", "rw,cpu,memory2");
    expect_reason(CONTROLLER_MEMORY, "can limit memory");
    mounted("tmpfs", "rw,memory");
    expect_reason(CONTROLLER_MEMORY, "can limit memory");
    put("mounts", "none /proc cgroup rw,memory 0 0\n"); /* no directory may be made there */
    expect_reason(CONTROLLER_MEMORY, "can be made");
}
END_TEST

static void expect_entered_and_left(void)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    ck_assert_int_eq(control_group_enter(&g), 0);
    ck_assert_str_eq(got("cgroup.procs"), pid);
    ck_assert_str_eq(got("../cgroup.procs"), "");
    control_group_leave(&g);
    ck_assert_str_eq(g.home, "");
    control_group_close(&g);
    control_group_close(&g);
    ck_assert_str_eq(g.path, "");
}

START_TEST(version_2)
{
    ck_assert_int_eq(control_group_open(&g, CONTROLLER_MEMORY, mounts), 0);
    ck_assert_int_eq(control_group_memory(&g, 32 << 20), 0);
    ck_assert_str_eq(got("memory.max"), "33554432");
    ck_assert_int_eq(control_group_forget(&g), 0);
    ck_assert_str_eq(got("memory.reclaim"), "1T");
    ck_assert_str_eq(got("../cgroup.subtree_control"), "cpu memory pids\n");
    expect_entered_and_left();
}
END_TEST

START_TEST(version_2_is_put_on_and_off)
{
    ck_assert_int_eq(control_group_open(&g, CONTROLLER_IO, mounts), 0);
    ck_assert_str_eq(got("../cgroup.subtree_control"), "+io");
    ck_assert_int_eq(control_group_reads(&g, 7, 3, 100, 0), 0);
    ck_assert_str_eq(got("io.max"), "7:3 riops=100 rbps=max");
    ck_assert_int_eq(control_group_reads(&g, 7, 3, 0, 4096), 0);
    ck_assert_str_eq(got("io.max"), "7:3 riops=max rbps=4096");
    ck_assert_int_eq(control_group_add(&g, 12), 0);
    ck_assert_str_eq(got("cgroup.procs"), "12");
    control_group_close(&g);
    char path[64];
    snprintf(path, sizeof path, "%s/cgroup.subtree_control", root);
    FILE *file = fopen(path, "re");
    char text[16] = "";
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
    fclose(file);
    ck_assert_str_eq(text, "-io");
}
END_TEST

START_TEST(version_1)
{
    mounted("cgroup", "rw,memory");
    ck_assert_int_eq(control_group_open(&g, CONTROLLER_MEMORY, mounts), 0);
    ck_assert_int_eq(control_group_memory(&g, 32 << 20), 0);
    ck_assert_str_eq(got("memory.limit_in_bytes"), "33554432");
    ck_assert_int_eq(control_group_forget(&g), 0);
    ck_assert_str_eq(got("memory.force_empty"), "0");
    control_group_close(&g);
    hierarchy_remove();
    hierarchy_make();
    mounted("cgroup", "rw,cpu,blkio");
    ck_assert_int_eq(control_group_open(&g, CONTROLLER_IO, mounts), 0);
    ck_assert_int_eq(control_group_reads(&g, 7, 3, 100, 4096), 0);
    ck_assert_str_eq(got("blkio.throttle.read_iops_device"), "7:3 100");
    ck_assert_str_eq(got("blkio.throttle.read_bps_device"), "7:3 4096");
    control_group_close(&g);
}
END_TEST

START_TEST(nothing_is_left_of_a_failure)
{
    char path[128], gone[128];
    snprintf(path, sizeof path, "%s/zclab-%d-0", root, (int)getpid());
    snprintf(gone, sizeof gone, "%s/zclab-%d-0", root, 1 << 30); /* of a program that has ended */
    ck_assert_int_eq(mkdir(path, 0755), 0); /* of another program: not to be used or removed */
    ck_assert_int_eq(mkdir(gone, 0755), 0);
    ck_assert_int_eq(control_group_open(&g, CONTROLLER_MEMORY, mounts), -EEXIST);
    control_group_close(&g);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_ne(access(gone, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_control_group");
    TCase *cases = tcase_create("group");
    tcase_add_checked_fixture(cases, hierarchy_make, hierarchy_remove);
    tcase_add_test(cases, hindrances_are_told);
    tcase_add_test(cases, version_2);
    tcase_add_test(cases, version_2_is_put_on_and_off);
    tcase_add_test(cases, version_1);
    tcase_add_test(cases, nothing_is_left_of_a_failure);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
