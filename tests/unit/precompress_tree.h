/*
 * For tests of `zcserve precompress`: a directory of their own, opened as the tool opens it.
 */
#ifndef ZCSERVE_TEST_PRECOMPRESS_TREE_H
#define ZCSERVE_TEST_PRECOMPRESS_TREE_H

#include "precompress/docroot.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree_directory[64];
static struct precompress_switches tree_switches;
static struct docroot tree_docroot;

/* Runs a script in the directory. Fails the test when it fails: a script can be an assertion. */
static inline void tree_run(const char *script)
{
    ck_assert_msg(system(script) == 0, "failed: %s", script);
}

/* Makes the directory, goes there, runs `script`, and opens it. */
static inline void tree_make(const char *script)
{
    snprintf(tree_directory, sizeof(tree_directory), "/tmp/zcserve-precompress-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree_directory));
    ck_assert_int_eq(chdir(tree_directory), 0);
    umask(022);
    tree_run(script);
    tree_switches = (struct precompress_switches){
        .overrides = {{"root", ".", "DIR"}},
        .override_count = 1,
        .wishes = {.types = "default",
                   .size_min = 256,
                   .size_max = 1 << 20,
                   .level = {[CODING_GZIP] = 6, [CODING_BR] = 5, [CODING_ZSTD] = 3}}};
    ck_assert(docroot_open(&tree_docroot, &tree_switches));
    ck_assert(docroot_enter(&tree_docroot, 0));
}

/* Checks that no temporary file is left, and removes the directory. */
static inline void tree_remove(void)
{
    char script[256];
    tree_run("test -z \"$(find . -name '.zcserve-precompress-*')\"");
    docroot_close(&tree_docroot);
    ck_assert_int_eq(chdir("/"), 0);
    snprintf(script, sizeof(script), "chmod -R u+rwX %s && rm -rf %s", tree_directory,
             tree_directory);
    tree_run(script);
}

#endif
