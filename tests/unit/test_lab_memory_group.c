/* Tests of the group with little memory, on a made-up hierarchy: files that hold what was written to them. */
#include "../../bench/lab/memory_group.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/zclab-group-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *got(const char *name)
{
    static char text[128];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "re");
    text[0] = '\0';
    if (!file) return "no file";
    if (!fgets(text, sizeof text, file)) text[0] = '\0';
    fclose(file);
    return text;
}

static void hierarchy_make(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    put("cgroup.controllers", "cpuset cpu io memory pids\n");
    put("cgroup.subtree_control", "cpu memory pids\n");
    put("cgroup.procs", "");
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

START_TEST(hindrances_are_told)
{
    if (geteuid() != 0) {
        ck_assert_ptr_nonnull(strstr(memory_group_hindrance(root), "needs root"));
        return;
    }
    ck_assert_ptr_null(memory_group_hindrance(root));
    put("cgroup.subtree_control", "cpu memory_of_another pids\n");
    ck_assert_ptr_nonnull(strstr(memory_group_hindrance(root), "hand the memory controller down"));
    put("cgroup.subtree_control", "");
    ck_assert_ptr_nonnull(strstr(memory_group_hindrance(root), "hand the memory controller down"));
    ck_assert_ptr_nonnull(strstr(memory_group_hindrance("/nowhere"), "no hierarchy"));
}
END_TEST

START_TEST(group_is_entered_and_left)
{
    char group[64], name[96], pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    snprintf(group, sizeof group, "zclab-%s", pid);
    ck_assert_int_eq(memory_group_enter(root, 32 << 20), 0);
    snprintf(name, sizeof name, "%s/memory.max", group);
    ck_assert_str_eq(got(name), "33554432");
    snprintf(name, sizeof name, "%s/cgroup.procs", group);
    ck_assert_str_eq(got(name), pid);
    ck_assert_int_lt(memory_group_enter(root, 1 << 20), 0); /* one at a time */
    ck_assert_str_eq(got("cgroup.procs"), "");
    memory_group_leave();
    memory_group_leave();
}
END_TEST

START_TEST(nothing_is_left_of_a_failure)
{
    ck_assert_int_lt(memory_group_enter("/nowhere", 1 << 20), 0);
    memory_group_leave();
    char path[128];
    snprintf(path, sizeof path, "%s/zclab-%d", root, (int)getpid());
    ck_assert_int_eq(mkdir(path, 0755), 0); /* another one's: not ours to use or remove */
    ck_assert_int_lt(memory_group_enter(root, 1 << 20), 0);
    memory_group_leave();
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_memory_group");
    TCase *cases = tcase_create("group");
    tcase_add_checked_fixture(cases, hierarchy_make, hierarchy_remove);
    tcase_add_test(cases, hindrances_are_told);
    tcase_add_test(cases, group_is_entered_and_left);
    tcase_add_test(cases, nothing_is_left_of_a_failure);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
