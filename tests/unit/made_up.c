#include "made_up.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree[64];

void made_up_open(void)
{
    snprintf(tree, sizeof(tree), "/tmp/zcserve-made-up-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree));
    ck_assert_int_eq(chmod(tree, 0755), 0);
}

void made_up_close(void)
{
    /* Only root may empty a directory that nobody may enter. */
    made_up_run("chmod -R u+rwX . && find . -mindepth 1 -delete");
    ck_assert_int_eq(rmdir(tree), 0);
}

const char *made_up_tree(void)
{
    return tree;
}

const char *made_up_path(const char *path)
{
    static char space[4][512];
    static unsigned next;
    char *whole = space[next++ % 4];
    snprintf(whole, sizeof(space[0]), "%s%s", tree, path);
    return whole;
}

static void directories_make(const char *path)
{
    char whole[512];
    snprintf(whole, sizeof(whole), "%s", made_up_path(path));
    for (char *at = whole + strlen(tree) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        ck_assert(mkdir(whole, 0755) == 0 || errno == EEXIST);
        *at = '/';
    }
}

void made_up_file(const char *path, const char *text)
{
    directories_make(path);
    FILE *file = fopen(made_up_path(path), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

void made_up_link(const char *path, const char *target)
{
    directories_make(path);
    ck_assert_int_eq(symlink(target, made_up_path(path)), 0);
}

void made_up_run(const char *script)
{
    char whole[4096];
    int length = snprintf(whole, sizeof(whole), "cd %s && { %s; }", tree, script);
    ck_assert_int_lt(length, (int)sizeof(whole));
    ck_assert_msg(system(whole) == 0, "failed: %s", whole);
}
