/* Tests of src/precompress/rules.c: what is current, what is worth it, names, types. */
#include "precompress/rules.h"

#include <check.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define KIB UINT64_C(1024)

static struct identity file_at(int64_t seconds, uint32_t ns, uint64_t size)
{
    return (struct identity){
        .modified_seconds = seconds, .modified_ns = ns, .size = size, .mode = S_IFREG | 0644};
}

START_TEST(what_is_current)
{
    struct identity original = file_at(1000, 5, 9000), sidecar = file_at(1000, 5, 300), none = {0};
    ck_assert_int_eq(standing_of(&none, &original, false), STANDING_ABSENT);
    ck_assert_int_eq(standing_of(&sidecar, &original, true), STANDING_CURRENT);
    /* The server does not send it: it is empty, or cannot be read. */
    ck_assert_int_eq(standing_of(&sidecar, &original, false), STANDING_OTHER_TIME);
    sidecar.modified_ns = 6;
    ck_assert_int_eq(standing_of(&sidecar, &original, true), STANDING_OTHER_TIME);
    sidecar.modified_ns = 4;
    ck_assert_int_eq(standing_of(&sidecar, &original, false), STANDING_OTHER_TIME);
    sidecar = file_at(1001, 5, 300);
    ck_assert_int_eq(standing_of(&sidecar, &original, true), STANDING_OTHER_TIME);
    sidecar.mode = S_IFDIR | 0755;
    ck_assert_int_eq(standing_of(&sidecar, &original, true), STANDING_OBSTRUCTED);
    sidecar.mode = S_IFIFO | 0644;
    ck_assert_int_eq(standing_of(&sidecar, &original, false), STANDING_OBSTRUCTED);
}
END_TEST

START_TEST(what_is_worth_it)
{
    static const struct {
        uint64_t original, sidecar;
    } rows[] = {{0, 0},          {1, 0},
                {64, 0},         {65, 1},
                {256, 192},      {1279, 1215},
                {1280, 1216},    {1281, 1216}, /* from here on 5 % are more */
                {100000, 95000}, {UINT64_MAX, UINT64_MAX - (UINT64_MAX / 20 + 1)}};
    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_uint_eq(worth_size_max(rows[i].original), rows[i].sidecar);
}
END_TEST

START_TEST(which_sizes)
{
    struct precompress_wishes wishes = {.size_min = 256, .size_max = 1000};
    ck_assert(!size_is_chosen(&wishes, 0));
    ck_assert(!size_is_chosen(&wishes, 255));
    ck_assert(size_is_chosen(&wishes, 256));
    ck_assert(size_is_chosen(&wishes, 1000));
    ck_assert(!size_is_chosen(&wishes, 1001));
    wishes.size_min = 0; /* none saves 64 bytes of 64 */
    ck_assert(!size_is_chosen(&wishes, 64));
    ck_assert(size_is_chosen(&wishes, 65));
}
END_TEST

START_TEST(what_to_do)
{
    static const struct {
        bool check, prune;
        enum standing standing;
        uint64_t original, sidecar;
        enum todo todo;
    } rows[] = {
        {false, false, STANDING_ABSENT, 5000, 0, TODO_WORK},
        {true, false, STANDING_ABSENT, 5000, 0, TODO_WORK},
        {false, false, STANDING_ABSENT, 100, 0, TODO_NOT_WORTH_IT},
        {true, false, STANDING_ABSENT, 100, 0, TODO_NOT_WORTH_IT},
        {false, false, STANDING_CURRENT, 5000, 900, TODO_NOTHING},
        {false, true, STANDING_CURRENT, 5000, 900, TODO_NOTHING},
        {true, false, STANDING_CURRENT, 5000, 900, TODO_WORK}, /* its content is looked at */
        {false, false, STANDING_CURRENT, 5000, 4990, TODO_NOTHING},
        {false, true, STANDING_CURRENT, 5000, 4990, TODO_WORK}, /* it is removed */
        {false, true, STANDING_CURRENT, 100, 20, TODO_WORK},    /* too */
        {false, false, STANDING_CURRENT, 100, 20, TODO_NOTHING},
        {false, false, STANDING_OTHER_TIME, 5000, 900, TODO_WORK},
        {false, false, STANDING_OTHER_TIME, 100, 900, TODO_WORK},
        {false, false, STANDING_OBSTRUCTED, 5000, 0, TODO_WORK},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct precompress_wishes wishes = {
            .check = rows[i].check, .prune = rows[i].prune, .size_min = 256, .size_max = 1 << 20};
        ck_assert_msg(todo_of(&wishes, rows[i].standing, rows[i].original, rows[i].sidecar) ==
                          rows[i].todo,
                      "row %zu", i);
    }
}
END_TEST

START_TEST(cost_and_memory)
{
    ck_assert_uint_gt(work_cost(CODING_BR, 1000), work_cost(CODING_ZSTD, 1000));
    ck_assert_uint_gt(work_cost(CODING_ZSTD, 1000), work_cost(CODING_GZIP, 1000));
    ck_assert_uint_gt(work_cost(CODING_GZIP, 1001), work_cost(CODING_GZIP, 1000));
    ck_assert_uint_ge(work_memory(0), 9 * KIB * KIB);
    ck_assert_uint_ge(work_memory(300 * KIB * KIB), 2 * 300 * KIB * KIB + 256 * KIB * KIB);
}
END_TEST

START_TEST(types)
{
    static const struct {
        const char *list, *type;
        bool has;
    } rows[] = {
        {"default", "text/html; charset=utf-8", true},
        {"default", "text/css", true},
        {"default", "application/json", true},
        {"default", "image/svg+xml", true},
        {"default", "application/wasm", true},
        {"default", "image/png", false},
        {"default", "application/gzip", false},
        {"default", "font/ttf", false},
        {"default,font/ttf", "font/ttf", true},
        {"font/ttf,DEFAULT", "text/css", true},
        {"font/ttf", "text/css", false},
        {"font/*", "font/otf", true},
        {"font/*", "fonts/otf", false},
        {"font/*", "font/", false},
        {"Font/TTF", "font/ttf; x=y", true},
        {"font/tt", "font/ttf", false},
        {"*/*", "application/octet-stream", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text type = {rows[i].type, strlen(rows[i].type)};
        ck_assert_msg(types_are_valid(rows[i].list), "%s is not valid", rows[i].list);
        ck_assert_msg(types_have(rows[i].list, type) == rows[i].has, "%s, %s", rows[i].list,
                      rows[i].type);
    }
    static const char *const wrong[] = {"",           ",",      "text",       "text/",  "/html",
                                        "text/html,", "*/html", "text/ html", "te*t/*", "a/b/c"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        ck_assert_msg(!types_are_valid(wrong[i]), "'%s' is valid", wrong[i]);
}
END_TEST

START_TEST(names)
{
    ck_assert(name_is_sidecar("a.css.gz"));
    ck_assert(name_is_sidecar("d/a.css.br"));
    ck_assert(name_is_sidecar("a.zst"));
    ck_assert(!name_is_sidecar("a.css"));
    ck_assert(!name_is_sidecar("gz"));
    ck_assert(!name_is_sidecar(".gz")); /* hidden, and of nothing */
    ck_assert(!name_is_sidecar("a.svgz"));
    ck_assert_uint_eq(name_directory_length("a.css"), 0);
    ck_assert_uint_eq(name_directory_length("d/e/a.css"), 3);
    ck_assert_str_eq(name_base("d/e/a.css"), "a.css");
    ck_assert_str_eq(name_base("a.css"), "a.css");
    char path[300] = "d/";
    memset(path + 2, 'n', 252);
    ck_assert(name_has_room(path, CODING_GZIP)); /* 252 + 3 */
    ck_assert(!name_has_room(path, CODING_ZSTD));
}
END_TEST

START_TEST(temporary_names)
{
    char name[NAME_MAX + 1], other[NAME_MAX + 1];
    name_temporary(name, UINT64_MAX, UINT64_MAX);
    ck_assert_int_eq(name[0], '.'); /* the server does not serve it */
    ck_assert(name_is_temporary(name));
    name_temporary(name, 12, 3);
    name_temporary(other, 1, 23);
    ck_assert_str_ne(name, other);
    static const char *const no[] = {".zcserve-precompress-",    ".zcserve-precompress-1",
                                     ".zcserve-precompress-1-",  ".zcserve-precompress--1",
                                     ".zcserve-precompress-1-x", ".zcserve-precompress-1-2.css",
                                     "zcserve-precompress-1-2",  ".zcserve-precompress-x-2"};
    for (size_t i = 0; i < COUNT(no); i++)
        ck_assert_msg(!name_is_temporary(no[i]), "%s", no[i]);
}
END_TEST

START_TEST(levels)
{
    int level[CODING_COUNT] = {0, 1, 2, 3};
    ck_assert(levels_read("br=11,zst=19,gz=12", level));
    ck_assert_int_eq(level[CODING_BR], 11);
    ck_assert_int_eq(level[CODING_ZSTD], 19);
    ck_assert_int_eq(level[CODING_GZIP], 12);
    ck_assert(levels_read("br=0", level));
    ck_assert_int_eq(level[CODING_BR], 0);
    ck_assert_int_eq(level[CODING_GZIP], 12);
    ck_assert(levels_read("zst=22", level));
    static const char *const wrong[] = {"",       "br",    "br=",   "br=12",  "zst=0",
                                        "zst=23", "gz=0",  "gz=13", "gz=1,",  "gz=1x",
                                        "xz=6",   "br=-1", "br= 1", "br=111", "gz=1;br=1"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        ck_assert_msg(!levels_read(wrong[i], level), "'%s'", wrong[i]);
    ck_assert(!levels_read("gz=1,br=99", level));
    ck_assert_int_eq(level[CODING_GZIP], 12); /* all or nothing */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("precompress_rules");
    TCase *cases = tcase_create("precompress_rules");
    tcase_add_test(cases, what_is_current);
    tcase_add_test(cases, what_is_worth_it);
    tcase_add_test(cases, which_sizes);
    tcase_add_test(cases, what_to_do);
    tcase_add_test(cases, cost_and_memory);
    tcase_add_test(cases, types);
    tcase_add_test(cases, names);
    tcase_add_test(cases, temporary_names);
    tcase_add_test(cases, levels);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
