/*
 * The embedded page: each file is there, byte for byte as in the sources, and none is forgotten.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status/asset.h"

#define DIRECTORY "src/status/page"

/* Returns the embedded file with this name. */
static const struct asset *embedded(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "/%s", strcmp(name, "index.html") == 0 ? "" : name);
    return asset_find(path);
}

START_TEST(every_file_is_embedded_as_it_is)
{
    DIR *directory = opendir(DIRECTORY);
    ck_assert_msg(directory != NULL, "run from the top of the repository");
    size_t files = 0;
    for (struct dirent *name; (name = readdir(directory)) != NULL;) {
        if (name->d_name[0] == '.') continue;
        files++;
        const struct asset *asset = embedded(name->d_name);
        ck_assert_msg(asset != NULL, "%s is not embedded", name->d_name);
        char path[300];
        snprintf(path, sizeof path, DIRECTORY "/%s", name->d_name);
        FILE *file = fopen(path, "rb");
        ck_assert_ptr_nonnull(file);
        unsigned char *bytes = malloc(asset->length + 2);
        ck_assert_ptr_nonnull(bytes);
        ck_assert_uint_eq(fread(bytes, 1, asset->length + 2, file), asset->length);
        ck_assert_mem_eq(bytes, asset->bytes, asset->length);
        free(bytes);
        fclose(file);
    }
    closedir(directory);
    size_t assets = 0;
    while (asset_all()[assets].path != NULL)
        assets++;
    ck_assert_uint_eq(files, assets);
}
END_TEST

START_TEST(only_whole_paths_are_found)
{
    ck_assert_ptr_nonnull(asset_find("/"));
    ck_assert_str_eq(asset_find("/")->media_type, "text/html; charset=utf-8");
    ck_assert_str_eq(asset_find("/page.js")->media_type, "text/javascript; charset=utf-8");
    ck_assert_ptr_null(asset_find(""));
    ck_assert_ptr_null(asset_find("/index.html"));
    ck_assert_ptr_null(asset_find("/page.js/"));
    ck_assert_ptr_null(asset_find("page.js"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("asset");
    TCase *all = tcase_create("all");
    tcase_add_test(all, every_file_is_embedded_as_it_is);
    tcase_add_test(all, only_whole_paths_are_found);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
