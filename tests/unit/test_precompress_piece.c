/*
 * Tests of src/precompress/piece.c: what becomes of one sidecar, by what is there, what is
 * asked for, and what happens meanwhile. The coding is gzip, because every system can make one by hand.
 */
#define _GNU_SOURCE
#include "precompress/piece.h"

#include "precompress_tree.h"
#include "skip.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

/* a.css is text of the year 2020; good.gz is its sidecar, bad.gz that of another file. */
#define TREE                                                                                  \
    "seq 1 2000 > a.css; seq 2 2001 > b; head -c 5000 /dev/urandom > r; touch -d 2020-01-02 " \
    "a.css r; "                                                                               \
    "gzip -nc a.css > good.gz; gzip -nc b > bad.gz; gzip -nc r > r.gz; "
#define AT "touch -d 2020-01-02 a.css.gz; "
#define OLDER "touch -d 2019-01-02 a.css.gz; "
#define NEWER "touch -d 2021-01-02 a.css.gz; "
#define RANDOM "cp -p r a.css; "
#define SMALL "echo a > a.css; touch -d 2020-01-02 a.css; "
#define IS_RIGHT \
    "zcat a.css.gz | cmp - a.css && test \"$(stat -c %y a.css.gz)\" = \"$(stat -c %y a.css)\""
#define IS_GOOD "cmp a.css.gz good.gz && " IS_RIGHT
#define IS_OLDER "cmp a.css.gz good.gz && test a.css.gz -ot a.css"
#define IS_NEWER "cmp a.css.gz good.gz && test a.css.gz -nt a.css"
#define IS_BAD "cmp a.css.gz bad.gz"
#define IS_NONE "test ! -e a.css.gz"

static struct gate gate = GATE_INITIALIZER;
static const struct piece piece = {"a.css", CODING_GZIP, 8893};

static struct piece_result done(void)
{
    struct piece_result result;
    piece_do(&tree_docroot, &gate, &piece, &result);
    return result;
}

enum wish { MAKE, PRUNE, DRY, CHECK };

static const struct row {
    const char *script;
    enum wish wish;
    enum outcome outcome;
    int error;
    const char *after;
} rows[] = {
    {"", MAKE, OUTCOME_MADE, 0, IS_RIGHT},
    {"", DRY, OUTCOME_MADE, 0, IS_NONE},
    {"", CHECK, OUTCOME_MISSING, 0, IS_NONE},
    {"rm a.css", MAKE, OUTCOME_GONE, 0, IS_NONE},
    {"rm a.css; mkfifo a.css", CHECK, OUTCOME_GONE, 0, IS_NONE},
    /* The time of the original: right, and not read. */
    {"cp good.gz a.css.gz; " AT, MAKE, OUTCOME_CURRENT, 0, IS_GOOD},
    {"cp good.gz a.css.gz; " AT, PRUNE, OUTCOME_CURRENT, 0, IS_GOOD},
    {"cp bad.gz a.css.gz; " AT, MAKE, OUTCOME_CURRENT, 0, IS_BAD},
    {"cp bad.gz a.css.gz; " AT, CHECK, OUTCOME_DIFFERENT, 0, IS_BAD},
    {"cp good.gz a.css.gz; " AT, CHECK, OUTCOME_CURRENT, 0, IS_GOOD},
    /* Another time and the right content: it gets the time. */
    {"cp good.gz a.css.gz; " OLDER, MAKE, OUTCOME_DATED, 0, IS_GOOD},
    {"cp good.gz a.css.gz; " NEWER, MAKE, OUTCOME_DATED, 0, IS_GOOD},
    {"cp good.gz a.css.gz; " OLDER, DRY, OUTCOME_DATED, 0, IS_OLDER},
    {"cp good.gz a.css.gz; " OLDER, CHECK, OUTCOME_STALE, 0, IS_OLDER},
    {"cp good.gz a.css.gz; " NEWER, CHECK, OUTCOME_CURRENT, 0, IS_NEWER},
    /* Another time and another content: it is made again. */
    {"cp bad.gz a.css.gz; " OLDER, MAKE, OUTCOME_MADE, 0, IS_RIGHT},
    {"cp bad.gz a.css.gz; " NEWER, MAKE, OUTCOME_MADE, 0, IS_RIGHT},
    {"cp bad.gz a.css.gz; " NEWER, DRY, OUTCOME_MADE, 0, IS_BAD},
    {"cp bad.gz a.css.gz; " OLDER, CHECK, OUTCOME_STALE, 0, IS_BAD},
    {"cp bad.gz a.css.gz; " NEWER, CHECK, OUTCOME_DIFFERENT, 0, IS_BAD},
    {"echo nonsense > a.css.gz; " NEWER, MAKE, OUTCOME_MADE, 0, IS_RIGHT},
    {"head -c 3000000 /dev/zero > a.css.gz; " NEWER, MAKE, OUTCOME_MADE, 0, IS_RIGHT},
    {"head -c 3000000 /dev/zero > a.css.gz; " NEWER, CHECK, OUTCOME_DIFFERENT, 0, "true"},
    {"head -c 100 good.gz > a.css.gz; " NEWER, CHECK, OUTCOME_DIFFERENT, 0, "true"},
    {": > a.css.gz; " AT, MAKE, OUTCOME_MADE, 0, IS_RIGHT},
    {": > a.css.gz; " AT, CHECK, OUTCOME_STALE, 0, "test ! -s a.css.gz"},
    /* A link or another name: its file is not touched. */
    {"ln -s bad.gz a.css.gz", MAKE, OUTCOME_MADE, 0, "test ! -L a.css.gz && " IS_RIGHT},
    {"ln -s good.gz a.css.gz; touch -d 2021-01-02 good.gz", MAKE, OUTCOME_MADE, 0,
     "test ! -L a.css.gz && " IS_RIGHT " && test good.gz -nt a.css"},
    {"ln -s good.gz a.css.gz; touch -d 2020-01-02 good.gz", MAKE, OUTCOME_CURRENT, 0,
     "test -L a.css.gz"},
    {"ln good.gz a.css.gz", MAKE, OUTCOME_MADE, 0, IS_RIGHT " && test good.gz -nt a.css"},
    {"ln -s /etc/passwd a.css.gz", MAKE, OUTCOME_MADE, 0, "test ! -L a.css.gz && " IS_RIGHT},
    {"ln -s /etc/passwd a.css.gz", CHECK, OUTCOME_MISSING, 0, "test -L a.css.gz"},
    /* Not worth it. */
    {RANDOM, MAKE, OUTCOME_NOT_WORTH, 0, IS_NONE},
    {RANDOM, CHECK, OUTCOME_NOT_WORTH, 0, IS_NONE},
    {RANDOM "cp bad.gz a.css.gz; " OLDER, MAKE, OUTCOME_STALE, 0, IS_BAD},
    {RANDOM "cp bad.gz a.css.gz; " OLDER, DRY, OUTCOME_STALE, 0, IS_BAD},
    {RANDOM "cp bad.gz a.css.gz; " OLDER, PRUNE, OUTCOME_REMOVED, 0, IS_NONE},
    {RANDOM "cp r.gz a.css.gz; " AT, MAKE, OUTCOME_CURRENT, 0, IS_RIGHT},
    {RANDOM "cp r.gz a.css.gz; " AT, CHECK, OUTCOME_CURRENT, 0, IS_RIGHT},
    {RANDOM "cp r.gz a.css.gz; " AT, PRUNE, OUTCOME_REMOVED, 0, IS_NONE},
    {SMALL, MAKE, OUTCOME_NOT_WORTH, 0, IS_NONE},
    {SMALL, CHECK, OUTCOME_NOT_WORTH, 0, IS_NONE},
    {SMALL "cp bad.gz a.css.gz; " NEWER, MAKE, OUTCOME_STALE, 0, IS_BAD},
    {SMALL "cp bad.gz a.css.gz; " NEWER, PRUNE, OUTCOME_REMOVED, 0, IS_NONE},
    {SMALL "cp bad.gz a.css.gz; " NEWER, CHECK, OUTCOME_DIFFERENT, 0, IS_BAD},
    {SMALL "gzip -nc a.css > a.css.gz; " NEWER, MAKE, OUTCOME_DATED, 0, IS_RIGHT},
    /* Something else has the name. */
    {"mkdir a.css.gz", MAKE, OUTCOME_FAILED, EEXIST, "test -d a.css.gz"},
    {"mkfifo a.css.gz", MAKE, OUTCOME_FAILED, EEXIST, "test -p a.css.gz"},
    {"mkdir a.css.gz", PRUNE, OUTCOME_FAILED, EEXIST, "test -d a.css.gz"},
    {"mkfifo a.css.gz", CHECK, OUTCOME_MISSING, 0, "test -p a.css.gz"},
    {RANDOM "mkdir a.css.gz", PRUNE, OUTCOME_NOT_WORTH, 0, "test -d a.css.gz"},
};

START_TEST(outcomes)
{
    const struct row *row = &rows[_i];
    char script[1024];
    snprintf(script, sizeof(script), "%s%s", TREE, row->script);
    tree_make(script);
    tree_switches.wishes.prune = row->wish == PRUNE;
    tree_switches.wishes.dry_run = row->wish == DRY;
    tree_switches.wishes.check = row->wish == CHECK;
    struct piece_result result = done();
    ck_assert_msg(result.outcome == row->outcome && result.error == row->error,
                  "%s: outcome %d, error %d", row->script, (int)result.outcome, result.error);
    tree_run(row->after);
    tree_remove();
}
END_TEST

START_TEST(sizes)
{
    char script[128];
    tree_make(TREE);
    struct piece_result result = done();
    ck_assert_uint_eq(result.original_size, 8893);
    snprintf(script, sizeof(script), "test $(stat -c %%s a.css.gz) = %llu",
             (unsigned long long)result.sidecar_size);
    tree_run(script);
    tree_remove();
}
END_TEST

START_TEST(no_rights)
{
    SKIP_IF(geteuid() == 0, "root may do everything");
    static const char *const scripts[] = {"chmod 0 a.css", "chmod 500 ."};
    for (int i = 0; i < 2; i++) {
        tree_make(TREE);
        tree_run(scripts[i]);
        struct piece_result result = done();
        ck_assert_int_eq(result.outcome, OUTCOME_FAILED);
        ck_assert_int_eq(result.error, EACCES);
        tree_run("chmod 700 . && " IS_NONE);
        tree_remove();
    }
}
END_TEST

static atomic_bool changing;

static void *change(void *argument)
{
    int fd = open("a.css", O_WRONLY | O_APPEND);
    while (atomic_load(&changing) && write(fd, "x", 1) == 1)
        usleep(1000);
    close(fd);
    return argument;
}

START_TEST(it_keeps_changing)
{
    pthread_t thread;
    tree_make(TREE);
    atomic_store(&changing, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, change, NULL), 0);
    usleep(20000);
    struct piece_result result = done();
    atomic_store(&changing, false);
    pthread_join(thread, NULL);
    ck_assert_int_eq(result.outcome, OUTCOME_FAILED);
    ck_assert_int_eq(result.error, ESTALE);
    tree_run(IS_NONE);
    ck_assert_int_eq(done().outcome, OUTCOME_MADE); /* now it holds still */
    tree_run(IS_RIGHT);
    tree_remove();
}
END_TEST

/* Written a moment ago: it waits until another change would be seen, and is right then. */
START_TEST(just_written)
{
    tree_make(TREE "cp bad.gz a.css.gz; " OLDER "seq 1 3000 > a.css");
    ck_assert_int_eq(done().outcome, OUTCOME_MADE);
    tree_run(IS_RIGHT);
    tree_remove();
}
END_TEST

START_TEST(words)
{
    ck_assert_str_eq(piece_problem(ENOSPC), strerror(ENOSPC));
    ck_assert_ptr_nonnull(strstr(piece_problem(ESTALE), "changing"));
    ck_assert(piece_error_is_final(ENOSPC) && piece_error_is_final(EROFS));
    ck_assert(!piece_error_is_final(EACCES) && !piece_error_is_final(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("precompress_piece");
    TCase *cases = tcase_create("precompress_piece");
    tcase_add_loop_test(cases, outcomes, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(cases, sizes);
    tcase_add_test(cases, no_rights);
    tcase_add_test(cases, it_keeps_changing);
    tcase_add_test(cases, just_written);
    tcase_add_test(cases, words);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
