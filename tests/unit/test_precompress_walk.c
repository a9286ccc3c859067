/*
 * Tests of src/precompress/walk.c: which files of a directory get work, and which are left
 * alone; links, cycles, hidden names, and the order of the work.
 */
#define _GNU_SOURCE
#include "precompress/walk.h"

#include "precompress_tree.h"
#include "skip.h"

static struct outcomes outcomes;
static struct work work;

/* Returns the pieces as "br d/a.css, gz d/a.css", in their order. */
static const char *found(void)
{
    static char text[4096];
    size_t at = 0;
    text[0] = '\0';
    outcomes_open(&outcomes, &tree_switches.wishes, stdout);
    ck_assert(walk(&tree_docroot, &outcomes, &work));
    for (size_t i = 0; i < work.count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s", i ? ", " : "",
                               coding_file_suffix(work.pieces[i].coding).base + 1,
                               work.pieces[i].path);
    work_free(&work);
    return text;
}

static uint64_t counted(enum outcome outcome)
{
    return outcomes.of[CODING_GZIP].count[outcome];
}

static void end(void)
{
    outcomes_close(&outcomes);
    tree_remove();
}

/* Only gzip, so that the lists below are short. */
static void tree_of(const char *script)
{
    tree_make(script);
    tree_docroot.options.sidecar[CODING_BR] = tree_docroot.options.sidecar[CODING_ZSTD] = false;
}

#define LARGE "head -c 1000 /dev/zero"
#define FILES(names) "for i in " names "; do mkdir -p $(dirname $i); " LARGE " > $i; done; "

START_TEST(every_coding)
{
    tree_make(FILES("a.css") "head -c 2000 /dev/zero > b.css");
    ck_assert_str_eq(found(), "br b.css, br a.css, zst b.css, zst a.css, gz b.css, gz a.css");
    ck_assert_uint_eq(outcomes.files, 2);
    end();
}
END_TEST

START_TEST(types_and_sizes)
{
    tree_of(FILES(
        "a.css b.png c.ttf d.css.gz e.css.br f.svgz g.svg h") "head -c 255 /dev/zero > i.css; head "
                                                              "-c 256 /dev/zero > j.css; : > "
                                                              "k.css; "
                                                              "head -c 1048577 /dev/zero > l.css");
    ck_assert_str_eq(found(), "gz a.css, gz g.svg, gz j.css");
    ck_assert_uint_eq(counted(OUTCOME_NOT_WORTH), 2); /* i and k */
    ck_assert_uint_eq(outcomes.too_large, 1);
    ck_assert_uint_eq(outcomes.files, 6);
    end();
}
END_TEST

START_TEST(other_types)
{
    tree_of(FILES("a.css b.png c.ttf d.css.gz f.svgz"));
    tree_switches.wishes.types = "font/*";
    ck_assert_str_eq(found(), "gz c.ttf");
    outcomes_close(&outcomes);
    tree_switches.wishes.types = "*/*"; /* a sidecar and what is compressed itself: never */
    ck_assert_str_eq(found(), "gz a.css, gz b.png, gz c.ttf");
    end();
}
END_TEST

START_TEST(what_is_current_is_no_work)
{
    tree_of(FILES("a.css b.css c.css") "cp -p a.css a.css.gz; cp b.css b.css.gz; "
                                       "touch -d 2020-01-02 b.css.gz");
    ck_assert_str_eq(found(), "gz b.css, gz c.css");
    ck_assert_uint_eq(counted(OUTCOME_CURRENT), 1);
    outcomes_close(&outcomes);
    tree_switches.wishes.check = true;
    ck_assert_str_eq(found(), "gz a.css, gz b.css, gz c.css");
    end();
}
END_TEST

START_TEST(hidden_names)
{
    tree_of(FILES("a.css .b.css .git/c.css .well-known/d.css d/.well-known/e.css "
                  ".well-known/.f.css"));
    ck_assert_str_eq(found(), "gz .well-known/d.css, gz a.css");
    outcomes_close(&outcomes);
    tree_docroot.options.hidden = true;
    ck_assert_str_eq(found(), "gz .b.css, gz .git/c.css, gz .well-known/.f.css, "
                              "gz .well-known/d.css, gz a.css, gz d/.well-known/e.css");
    end();
}
END_TEST

START_TEST(links)
{
    tree_of(
        FILES("d/a.css .releases/2/b.css out/c.css") "mv out $PWD.out; ln -s d e; ln -s ../d "
                                                     "d/self; ln -s . f; ln -s .releases/2 now; "
                                                     "ln -s $PWD.out outside; ln -s ../$(basename "
                                                     "$PWD).out outside2; "
                                                     "ln -s d/a.css link.css; ln -s nothing.css "
                                                     "dangling.css; ln -s loop.css loop.css; "
                                                     "ln -s /etc/passwd passwd.txt; ln -s "
                                                     "$PWD.out/c.css c.css");
    ck_assert_str_eq(found(), "gz d/a.css, gz link.css, gz now/b.css");
    outcomes_close(&outcomes);
    tree_docroot.options.symlinks = SYMLINKS_NEVER;
    tree_docroot.place.beneath.follows = false;
    ck_assert_str_eq(found(), "gz d/a.css");
    ck_assert_uint_eq(outcomes.failed, 0);
    tree_run("rm -r $PWD.out");
    end();
}
END_TEST

START_TEST(other_kinds)
{
    tree_of(FILES("a.css") "mkfifo b.css; mkdir c.css; ln -s b.css d.css");
    ck_assert_str_eq(found(), "gz a.css");
    end();
}
END_TEST

START_TEST(any_bytes)
{
    tree_of(LARGE " > \"$(printf 'a\\n\\377\\033.css')\"; " LARGE " > 'b c'\\''.css'");
    ck_assert_str_eq(found(), "gz a\n\377\033.css, gz b c'.css");
    end();
}
END_TEST

/* A file whose sidecar's name would be too long has none. */
START_TEST(long_names)
{
    tree_of("n=$(head -c 248 /dev/zero | tr '\\0' n); " LARGE " > $n.css; rm -f x; "
            "n=$(head -c 249 /dev/zero | tr '\\0' n); " LARGE " > $n.css");
    const char *text = found();
    ck_assert_uint_eq(strlen(text), 3 + 252);
    end();
}
END_TEST

START_TEST(deep)
{
    tree_of("i=0; while [ $i -lt 200 ]; do mkdir directory; cd directory; i=$((i+1)); done; " LARGE
            " > a.css");
    ck_assert_uint_eq(strlen(found()), 3 + 200 * 10 + 5);
    end();
}
END_TEST

START_TEST(unreadable)
{
    SKIP_IF(geteuid() == 0, "root reads everything");
    tree_of(FILES("a.css b.css d/c.css") "chmod 0 b.css d");
    ck_assert_str_eq(found(), "gz a.css");
    ck_assert_uint_eq(outcomes.failed, 2);
    ck_assert(outcomes_are_bad(&outcomes));
    end();
}
END_TEST

START_TEST(left_behind)
{
    tree_of("mkdir d; touch .zcserve-precompress-7-7 d/.zcserve-precompress-8-8");
    tree_switches.wishes.check = true;
    ck_assert_str_eq(found(), "");
    tree_run("test -e .zcserve-precompress-7-7");
    outcomes_close(&outcomes);
    tree_switches.wishes.check = false;
    ck_assert_str_eq(found(), "");
    end(); /* looks for them */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("precompress_walk");
    TCase *cases = tcase_create("precompress_walk");
    tcase_add_test(cases, every_coding);
    tcase_add_test(cases, types_and_sizes);
    tcase_add_test(cases, other_types);
    tcase_add_test(cases, what_is_current_is_no_work);
    tcase_add_test(cases, hidden_names);
    tcase_add_test(cases, links);
    tcase_add_test(cases, other_kinds);
    tcase_add_test(cases, any_bytes);
    tcase_add_test(cases, long_names);
    tcase_add_test(cases, deep);
    tcase_add_test(cases, unreadable);
    tcase_add_test(cases, left_behind);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
