/*
 * Tests of src/precompress/disk.c: what a sidecar is like when it appears, and that nothing
 * appears and nothing is left when it cannot be written or its original has changed.
 */
#define _GNU_SOURCE
#include "precompress/disk.h"

#include "precompress_tree.h"
#include "skip.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

static struct gate gate = GATE_INITIALIZER;
static struct file file;

/* Looks at a.css, which is 300 bytes of the year 2020. */
static void tree_look(const char *more)
{
    tree_make("head -c 300 /dev/zero | tr '\\0' a > a.css; touch -d '2020-01-02 "
              "03:04:05.678901234' a.css");
    tree_run(more);
    ck_assert_int_eq(docroot_look(&tree_docroot, "a.css", &file), 0);
}

static int written(const char *text)
{
    return disk_write(&tree_docroot, &file, CODING_BR, (struct text){text, strlen(text)}, &gate);
}

START_TEST(read_whole)
{
    struct bytes content = {NULL, 0};
    tree_look("true");
    ck_assert_int_eq(disk_read(&tree_docroot, &file, CODING_IDENTITY, &content), 0);
    ck_assert_uint_eq(content.length, 300);
    ck_assert(content.base[0] == 'a' && content.base[299] == 'a');
    free(content.base);
    content.base = NULL;
    tree_run("printf b >> a.css");
    ck_assert_int_eq(disk_read(&tree_docroot, &file, CODING_IDENTITY, &content), -ESTALE);
    tree_run("rm a.css");
    ck_assert_int_eq(disk_read(&tree_docroot, &file, CODING_IDENTITY, &content), -ESTALE);
    ck_assert_ptr_null(content.base);
    tree_remove();
}
END_TEST

START_TEST(time_and_permissions)
{
    static const char *const modes[][2] = {
        {"644", "644"}, {"600", "600"}, {"755", "644"}, {"640", "640"}, {"444", "444"}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char script[128];
        snprintf(script, sizeof(script), "chmod %s a.css", modes[i][0]);
        tree_look(script);
        ck_assert_int_eq(written("sidecar"), 0);
        tree_run("test \"$(cat a.css.br)\" = sidecar && test \"$(stat -c %y a.css.br)\" = \"$(stat "
                 "-c %y a.css)\"");
        snprintf(script, sizeof(script), "test \"$(stat -c %%a a.css.br)\" = %s", modes[i][1]);
        tree_run(script);
        tree_remove();
    }
}
END_TEST

START_TEST(owner)
{
    SKIP_IF(geteuid() != 0, "only root can give files away");
    tree_look("chown 12345:12346 a.css && chmod 640 a.css");
    ck_assert_int_eq(written("sidecar"), 0);
    tree_run("test \"$(stat -c %u:%g:%a a.css.br)\" = 12345:12346:640");
    tree_remove();
}
END_TEST

/* Another user's file, whose group is not ours: its group and ours get what all others have. */
START_TEST(foreign_group)
{
    SKIP_IF(geteuid() != 0, "only root can become another user");
    static const char *const modes[][2] = {{"644", "644"}, {"640", "600"}, {"664", "644"}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char script[128];
        snprintf(script, sizeof(script), "chown 12345:12346 . && chmod %s a.css", modes[i][0]);
        tree_look(script);
        tree_run("chown 12345:0 a.css");
        ck_assert_int_eq(docroot_look(&tree_docroot, "a.css", &file), 0);
        ck_assert_int_eq(setgroups(0, NULL), 0); /* root may be of group 0 in more than one way */
        ck_assert_int_eq(setegid(12346), 0);
        ck_assert_int_eq(seteuid(12345), 0);
        int error = written("sidecar");
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(setegid(0), 0);
        ck_assert_int_eq(error, 0);
        snprintf(script, sizeof(script),
                 "test \"$(stat -c %%u:%%g:%%a a.css.br)\" = 12345:12346:%s", modes[i][1]);
        tree_run(script);
        tree_remove();
    }
}
END_TEST

START_TEST(replaced)
{
    tree_look("echo old > a.css.br; ln a.css.br other");
    ck_assert_int_eq(written("new"), 0);
    tree_run("test \"$(cat a.css.br)\" = new && test \"$(cat other)\" = old");
    tree_remove();
}
END_TEST

/* The name of a link is replaced; what it leads to is left alone. */
START_TEST(link_replaced)
{
    tree_look("echo target > target; ln -s target a.css.br");
    ck_assert_int_eq(written("new"), 0);
    tree_run(
        "test ! -L a.css.br && test \"$(cat a.css.br)\" = new && test \"$(cat target)\" = target");
    tree_remove();
}
END_TEST

START_TEST(original_changed)
{
    static const char *const changes[] = {
        "printf x >> a.css",       "touch a.css",  "rm a.css", "cp a.css b && mv b a.css",
        "rm a.css && mkdir a.css", "chmod 0 a.css"};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        tree_look("echo old > a.css.br");
        tree_run(changes[i]);
        ck_assert_msg(written("new") < 0, "after %s", changes[i]);
        tree_run("test \"$(cat a.css.br)\" = old");
        tree_remove();
    }
}
END_TEST

static void *writer(void *error)
{
    *(int *)error = written("new");
    return NULL;
}

/* The writer waits at the gate while the original changes: it has looked at it once by then. */
START_TEST(changed_while_written)
{
    pthread_t thread;
    int error = 0;
    tree_look("echo old > a.css.br");
    pthread_mutex_lock(&gate.mutex);
    ck_assert_int_eq(pthread_create(&thread, NULL, writer, &error), 0);
    usleep(100000);
    tree_run("cp a.css b.css && echo more >> b.css && touch -r a.css b.css && mv b.css a.css");
    pthread_mutex_unlock(&gate.mutex);
    pthread_join(thread, NULL);
    ck_assert_int_eq(error, -ESTALE);
    tree_run("test \"$(cat a.css.br)\" = old");
    tree_remove();
}
END_TEST

START_TEST(full)
{
    struct rlimit limit = {2, RLIM_INFINITY};
    tree_look("true");
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int error = written("more than two bytes");
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(error, -EFBIG);
    tree_run("test ! -e a.css.br");
    tree_remove();
}
END_TEST

START_TEST(closed_gate)
{
    struct gate closed = GATE_INITIALIZER;
    gate_close(&closed);
    tree_look("echo old > a.css.br");
    ck_assert_int_eq(disk_write(&tree_docroot, &file, CODING_BR, TEXT("new"), &closed), -ECANCELED);
    tree_run("test \"$(cat a.css.br)\" = old");
    ck_assert(!gate_enter(&closed));
    tree_remove();
}
END_TEST

START_TEST(directory_swapped)
{
    tree_make("mkdir d out; head -c 300 /dev/zero > d/a.css; touch -d 2020-01-02 d/a.css");
    ck_assert_int_eq(docroot_look(&tree_docroot, "d/a.css", &file), 0);
    tree_run("mv d e; ln -s /tmp d");
    ck_assert_int_lt(written("new"), 0);
    tree_run("test ! -e /tmp/a.css.br && test ! -e e/a.css.br");
    tree_remove();
}
END_TEST

START_TEST(dated)
{
    static const struct {
        const char *script;
        int error;
    } rows[] = {{"echo a > a.css.br", 0},
                {"echo a > b; ln -s b a.css.br", -ELOOP},
                {"echo a > b; ln b a.css.br", -EMLINK}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tree_look(rows[i].script);
        ck_assert_int_eq(disk_date(&tree_docroot, &file, CODING_BR), rows[i].error);
        tree_run(rows[i].error ? "test \"$(stat -Lc %y a.css.br)\" != \"$(stat -c %y a.css)\""
                               : "test \"$(stat -c %y a.css.br)\" = \"$(stat -c %y a.css)\"");
        tree_remove();
    }
}
END_TEST

START_TEST(removed)
{
    tree_look("echo target > target; ln -s target a.css.br");
    ck_assert_int_eq(disk_remove(&tree_docroot, &file, CODING_BR), 0);
    ck_assert_int_eq(disk_remove(&tree_docroot, &file, CODING_BR), 0); /* it is gone already */
    tree_run("test ! -L a.css.br && test -e target && echo a > a.css.br && touch a.css");
    ck_assert_int_eq(disk_remove(&tree_docroot, &file, CODING_BR), -ESTALE);
    tree_run("test -e a.css.br");
    tree_remove();
}
END_TEST

/* Of two files left behind, one has a writer. */
START_TEST(swept)
{
    static const char live[] = ".zcserve-precompress-1-1", left[] = ".zcserve-precompress-1-2";
    tree_make("true");
    int fd = open(live, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    tree_run("touch .zcserve-precompress-1-2");
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    disk_sweep(directory, live);
    disk_sweep(directory, left);
    ck_assert_int_eq(access(live, F_OK), 0);
    ck_assert_int_ne(access(left, F_OK), 0);
    close(fd);
    disk_sweep(directory, live);
    ck_assert_int_ne(access(live, F_OK), 0);
    close(directory);
    tree_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("precompress_disk");
    TCase *cases = tcase_create("precompress_disk");
    tcase_add_test(cases, read_whole);
    tcase_add_test(cases, time_and_permissions);
    tcase_add_test(cases, owner);
    tcase_add_test(cases, foreign_group);
    tcase_add_test(cases, replaced);
    tcase_add_test(cases, link_replaced);
    tcase_add_test(cases, original_changed);
    tcase_add_test(cases, changed_while_written);
    tcase_add_test(cases, full);
    tcase_add_test(cases, closed_gate);
    tcase_add_test(cases, directory_swapped);
    tcase_add_test(cases, dated);
    tcase_add_test(cases, removed);
    tcase_add_test(cases, swept);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
