/* Tests of src/doctor/survey.c: what is seen below a root that was made for it, as root and as another user. */
#include "doctor/survey.h"

#include "made_up.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVERY_SIDECAR           \
    {                           \
        false, true, true, true \
    }

static struct survey survey;
static const char *root[2];

static struct survey_options options(void)
{
    root[0] = made_up_tree();
    return (struct survey_options){
        .root = root, .links = true, .sidecar = EVERY_SIDECAR, .large_bytes = 100};
}

static void take(const struct survey_options *wanted)
{
    survey_free(&survey);
    survey_take(&survey, wanted);
    ck_assert(!survey.exhausted);
}

static void take_usual(void)
{
    struct survey_options usual = options();
    take(&usual);
}

static void close_all(void)
{
    survey_free(&survey);
    made_up_close();
}

/* The paths of one kind, sorted, relative to the root, with blanks between them. */
static const char *seen(enum survey_kind kind)
{
    static char text[512];
    const struct survey_group *group = &survey.group[kind];
    char *example[SURVEY_EXAMPLES_MAX];
    unsigned count = 0;
    text[0] = '\0';
    while (count < SURVEY_EXAMPLES_MAX && group->example[count]) {
        example[count] = group->example[count];
        count++;
    }
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = i + 1; j < count; j++)
            if (strcmp(example[i], example[j]) > 0) {
                char *other = example[i];
                example[i] = example[j];
                example[j] = other;
            }
    for (unsigned i = 0; i < count; i++) {
        const char *relative = example[i] + strlen(made_up_tree());
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
                 *relative ? relative + 1 : ".");
    }
    return text;
}

START_TEST(counted)
{
    made_up_run(
        "mkdir -p a/b c .git .well-known a/.hidden; echo 1 >a/x; echo 2 >a/b/y; echo 3 >.git/z;"
        "echo 4 >.well-known/w; head -c 101 /dev/zero >c/large; mkfifo c/fifo");
    take_usual();
    ck_assert_uint_eq(survey.files, 4);
    ck_assert_uint_eq(survey.directories, 5); /* ., a, a/b, c, .well-known */
    ck_assert_uint_eq(survey.large_files, 1);
    ck_assert_uint_eq(survey.entries, 9);
    ck_assert_ptr_null(survey.cut);
    ck_assert_uint_eq(survey.systems, 1);
    ck_assert(survey.system[0].probed);
    ck_assert_str_eq(survey.system[0].path, made_up_tree());
    struct survey_options hidden = options();
    hidden.hidden = true;
    take(&hidden);
    ck_assert_uint_eq(survey.files, 5);
    ck_assert_uint_eq(survey.directories, 7);
}
END_TEST

START_TEST(limited)
{
    struct survey_options few = options();
    made_up_run("for i in 1 2 3 4 5 6 7 8 9; do echo >$i; done");
    few.entries_max = 9;
    take(&few);
    ck_assert_uint_eq(survey.entries, 9);
    few.entries_max = 5;
    take(&few);
    ck_assert_uint_eq(survey.entries, 5);
    ck_assert_str_eq(survey.cut, "files");
    few.entries_max = 0;
    few.seconds_max = 1e-9;
    take(&few);
    ck_assert_str_eq(survey.cut, "seconds");
    ck_assert_uint_lt(survey.entries, 9);
}
END_TEST

START_TEST(no_root)
{
    static const char *const nowhere[] = {"/nonexistent/root", NULL};
    struct survey_options usual = options();
    usual.root = nowhere;
    take(&usual);
    ck_assert_uint_eq(survey.directories, 0);
    made_up_file("/file", "no directory");
    root[0] = made_up_path("/file");
    usual.root = root;
    take(&usual);
    ck_assert_uint_eq(survey.directories, 0);
}
END_TEST

START_TEST(open_to_all)
{
    made_up_run("mkdir a b; echo >a/x; echo >b/y; chmod 666 a/x; chmod 777 b; chmod 644 b/y");
    take_usual();
    ck_assert_str_eq(seen(SURVEY_OPEN), "a/x b");
    ck_assert_uint_eq(survey.group[SURVEY_OPEN].count, 2);
    made_up_run("chmod 644 a/x; chmod 1777 b");
    take_usual();
    ck_assert_str_eq(seen(SURVEY_OPEN), "b"); /* sticky: anybody may still add files */
}
END_TEST

START_TEST(sidecars)
{
    made_up_run(
        "for f in a b c d e; do head -c 100 /dev/zero >$f; done; echo 1 >a.br; echo 1 >b.gz;"
        "touch -d '2001-01-01' b.gz; : >c.zst; head -c 100 /dev/zero >d.br; echo >alone.gz;"
        "echo 1 >e.br; touch -r e e.br; echo >a.br.gz; mkdir f; echo >f.gz");
    take_usual();
    ck_assert_str_eq(seen(SURVEY_STALE), "b.gz");
    ck_assert_str_eq(seen(SURVEY_EMPTY), "c.zst");
    ck_assert_str_eq(seen(SURVEY_LARGE), "d.br");
    struct survey_options none = options();
    memset(none.sidecar, 0, sizeof(none.sidecar));
    take(&none);
    ck_assert_str_eq(seen(SURVEY_STALE), "");
    ck_assert_str_eq(seen(SURVEY_EMPTY), "");
}
END_TEST

START_TEST(links)
{
    made_up_run(
        "mkdir a; echo >a/x; ln -s a/x right; ln -s nothing wrong; ln -s /etc/passwd absolute;"
        "ln -s ../../etc/passwd out; ln -s loop loop; ln -s a directory");
    take_usual();
    ck_assert_uint_eq(survey.group[SURVEY_LOST].count, 4);
    ck_assert_uint_eq(survey.files, 1); /* links are not followed */
    struct survey_options never = options();
    never.links = false;
    take(&never);
    ck_assert_uint_eq(survey.group[SURVEY_LOST].count, 0);
    made_up_run("rm wrong absolute out");
    take_usual();
    ck_assert_str_eq(seen(SURVEY_LOST), "loop");
}
END_TEST

/* From here on without the rights of root; each test is a process of its own. */
static void root_leave(void)
{
    if (geteuid() != 0) return;
    ck_assert_int_eq(chown(made_up_tree(), 61999, 61999), 0);
    made_up_run("chown -R 61999:61999 .");
    ck_assert_int_eq(seteuid(61999), 0);
}

static void root_return(void)
{
    if (getuid() == 0) ck_assert_int_eq(seteuid(0), 0);
}

START_TEST(closed_to_the_user)
{
    made_up_run(
        "mkdir closed unlisted open; echo >closed/x; echo >unlisted/y; echo >open/z; echo >open/w;"
        "chmod 0 open/z; chmod 600 closed; chmod 300 unlisted");
    root_leave();
    take_usual();
    root_return();
    ck_assert_str_eq(seen(SURVEY_UNREADABLE), "open/z");
    ck_assert_str_eq(seen(SURVEY_CLOSED), "closed");
    ck_assert_str_eq(seen(SURVEY_UNLISTED), "unlisted");
    ck_assert_uint_eq(survey.directories, 2);
}
END_TEST

START_TEST(changeable_by_the_user)
{
    made_up_run("mkdir a; echo >a/x; echo >a/y; chmod 444 a/x; chmod 555 a .");
    root_leave();
    take_usual();
    root_return();
    ck_assert_str_eq(seen(SURVEY_OWN), "a/y");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("survey");
    TCase *tcase = tcase_create("survey");
    tcase_add_checked_fixture(tcase, made_up_open, close_all);
    tcase_add_test(tcase, counted);
    tcase_add_test(tcase, limited);
    tcase_add_test(tcase, no_root);
    tcase_add_test(tcase, open_to_all);
    tcase_add_test(tcase, sidecars);
    tcase_add_test(tcase, links);
    tcase_add_test(tcase, closed_to_the_user);
    tcase_add_test(tcase, changeable_by_the_user);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
