/*
 * Users are found; and in a process of its own, files and system calls are given up: what is needed goes
 * on, everything else is refused. tests/integration/confine.py tries the whole list in the server.
 */
#define _GNU_SOURCE
#include "skip.h"
#include "zcserve/confine.h"
#include "zcserve/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char place[] = "/tmp/zcserve-confine-XXXXXX";

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(place));
    ck_assert_int_eq(chmod(place, 0755), 0);
    ck_assert_int_eq(chdir(place), 0);
    ck_assert_int_eq(
        system("umask 022; mkdir -p site/releases/1/in site/releases/2 other;"
               "echo 1 > site/releases/1/in/a; echo 2 > site/releases/2/a; echo 3 > other/a;"
               "ln -s releases/1 site/current"),
        0);
}

static void tear_down(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", place);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

/* ---- users ------------------------------------------------------------------------------------ */

START_TEST(finds_users)
{
    struct confine_user user;
    ck_assert(confine_user_find(&user, "root"));
    ck_assert(user.changes && user.user == 0 && user.group == 0);
    ck_assert(confine_user_find(&user, "root:4711"));
    ck_assert(user.user == 0 && user.group == 4711);
    ck_assert(confine_user_find(&user, "61000:61001"));
    ck_assert(user.user == 61000 && user.group == 61001 && user.count == 0);
    ck_assert(confine_user_find(&user, "61000:root"));
    ck_assert(user.group == 0);
}
END_TEST

static const char *const nobodies[] = {"",          ":root",       "no-such-user", "61000",
                                       "root:nope", "61000:-1",    "4294967295:1", "1:4294967295",
                                       "root:",     "1 000:1 000", "-1:1"};

START_TEST(refuses_others)
{
    struct confine_user user;
    ck_assert_msg(!confine_user_find(&user, nobodies[_i]), "'%s'", nobodies[_i]);
}
END_TEST

START_TEST(tries_what_a_user_can_read)
{
    struct confine_user user;
    SKIP_IF(geteuid() != 0, "only root can become another user");
    ck_assert(confine_user_find(&user, "61000:61000"));
    ck_assert_int_eq(confine_user_reads(&user, place), 0);
    ck_assert_int_eq(chmod("other", 0700), 0);
    ck_assert_int_eq(confine_user_reads(&user, "other"), -EACCES);
    ck_assert_int_eq(confine_user_reads(&user, "nothing"), -ENOENT);
    ck_assert_int_eq(geteuid(), 0);
}
END_TEST

/* ---- chroot ----------------------------------------------------------------------------------- */

START_TEST(tries_whether_a_root_is_found_inside)
{
    SKIP_IF(geteuid() != 0, "only root can enter a directory");
    ck_assert_int_eq(confine_root_try(place, "/site/current/in"), 0);
    ck_assert_int_eq(confine_root_try(place, place), -ENOENT);
    ck_assert_int_eq(confine_root_try("other/a", "/"), -ENOTDIR);
    ck_assert_int_eq(access("other/a", F_OK), 0);
}
END_TEST

#ifdef ZCSERVE_OBSERVED
static const char *observer_problem(void)
{
    return "a sanitizer needs more than the sandbox allows";
}
#define files_problem observer_problem
#define calls_problem observer_problem
#else
static const char *observer_problem(void)
{
    return NULL;
}
#define files_problem confine_files_problem
#define calls_problem confine_calls_problem
#endif

START_TEST(enters_a_directory)
{
    SKIP_IF(geteuid() != 0, "only root can enter a directory");
    SKIP_IF(observer_problem(), observer_problem());
    struct confinement confinement = {.chroot = place};
    ck_assert(confine_root(&confinement));
    ck_assert_int_eq(access("/site/current/in/a", F_OK), 0);
    ck_assert_int_eq(access("site", F_OK), 0);
    ck_assert_int_ne(access(place, F_OK), 0);
    ck_assert_int_ne(access("../../etc/passwd", F_OK), 0);
}
END_TEST

/* ---- files ------------------------------------------------------------------------------------ */

/* Confines this process, which is that of one test, to a root, and to where it may move. */
static void confine_to(const char *root, const char *const *beneath)
{
    static char path[PATH_MAX];
    static const char *roots[] = {path};
    snprintf(path, sizeof(path), "%s/%s", place, root);
    struct confinement confinement = {.files = true, .root = roots, .roots = 1, .beneath = beneath};
    ck_assert(confine_files(&confinement));
}

/* Returns 0, or the errno with which it cannot be opened. */
static int try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    return fd < 0 ? errno : close(fd);
}

START_TEST(reads_the_root_and_where_it_may_move)
{
    SKIP_IF(files_problem(), files_problem());
    confine_to("site/current/in", NULL);
    ck_assert_int_eq(try_open("site/current/in/a", O_RDONLY), 0);
    ck_assert_int_eq(try_open("site/releases/2/a", O_RDONLY), 0);
    ck_assert_int_eq(try_open("other/a", O_RDONLY), EACCES);
    ck_assert_int_eq(try_open("/etc/passwd", O_RDONLY), EACCES);
    ck_assert_int_eq(try_open("site/releases/2/a", O_WRONLY), EACCES);
    ck_assert_int_eq(try_open("site/releases/2/new", O_WRONLY | O_CREAT), EACCES);
    ck_assert_int_eq(unlink("site/releases/2/a"), -1);
}
END_TEST

START_TEST(reads_only_what_is_named)
{
    char named[PATH_MAX];
    const char *const beneath[] = {named, NULL};
    snprintf(named, sizeof(named), "%s/other", place);
    SKIP_IF(files_problem(), files_problem());
    confine_to("site/current/in", beneath);
    ck_assert_int_eq(try_open("site/current/in/a", O_RDONLY), 0);
    ck_assert_int_eq(try_open("other/a", O_RDONLY), 0);
    ck_assert_int_eq(try_open("site/releases/2/a", O_RDONLY), EACCES);
}
END_TEST

START_TEST(a_root_moves_in_the_directory_that_was_entered)
{
    static const char *roots[] = {"/site"};
    SKIP_IF(geteuid() != 0, "only root can enter a directory");
    SKIP_IF(files_problem(), files_problem());
    struct confinement confinement = {.chroot = place, .files = true, .root = roots, .roots = 1};
    ck_assert(confine_root(&confinement) && confine_files(&confinement));
    ck_assert_int_eq(try_open("/site/releases/2/a", O_RDONLY), 0);
    ck_assert_int_eq(try_open("/other/a", O_RDONLY), 0);
    ck_assert_int_eq(try_open("/other/a", O_WRONLY), EACCES);
}
END_TEST

/* The directory above the root is not opened when that is the directory of all. */
START_TEST(never_opens_everything)
{
    static const char *roots[] = {"/tmp", "/no/such/directory", "", "///tmp//"};
    struct confinement confinement = {.files = true, .root = roots, .roots = 4};
    SKIP_IF(files_problem(), files_problem());
    ck_assert(confine_files(&confinement));
    ck_assert_int_eq(try_open("other/a", O_RDONLY), 0); /* it is below /tmp */
    ck_assert_int_eq(try_open("/etc/passwd", O_RDONLY), EACCES);
    ck_assert_int_eq(try_open("/", O_RDONLY | O_DIRECTORY), EACCES);
}
END_TEST

START_TEST(a_link_in_a_circle_ends)
{
    SKIP_IF(files_problem(), files_problem());
    ck_assert_int_eq(symlink("circle", "circle"), 0);
    confine_to("circle/in", NULL);
    ck_assert_int_eq(try_open("/etc/passwd", O_RDONLY), EACCES);
}
END_TEST

/* ---- system calls ----------------------------------------------------------------------------- */

static void *thread_run(void *unused)
{
    (void)unused;
    return socket(AF_INET, SOCK_STREAM, 0) < 0 ? (void *)(uintptr_t)errno : NULL;
}

START_TEST(calls_are_refused_and_threads_start)
{
    struct confinement confinement = {.calls = true};
    pthread_t thread;
    void *error = NULL;
    SKIP_IF(calls_problem(), calls_problem());
    ck_assert(confine_calls(&confinement, (enum confine_role)_i));
    ck_assert_int_lt(socket(AF_INET, SOCK_STREAM, 0), 0);
    ck_assert_int_eq(errno, ENOSYS);
    ck_assert_int_eq(fcntl(0, F_SETFL, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_lt(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), 0);
    /* nothing can be connected, not even by a listener that was shut down and sends by TCP Fast Open */
    bool rings = _i == CONFINE_URING;
    ck_assert_int_eq(shutdown(0, SHUT_RD) == 0 || errno == ENOTSOCK, rings || _i == CONFINE_STATUS);
    ck_assert_int_eq(sendto(0, "", 1, MSG_FASTOPEN, NULL, 0) < 0 && errno == EPERM,
                     _i == CONFINE_STATUS);
    /* but a ring drops a connection, by an address of two bytes */
    ck_assert_int_eq(connect(0, &(struct sockaddr){AF_UNSPEC, {0}}, sizeof(sa_family_t)), -1);
    ck_assert_int_eq(errno == ENOTSOCK, rings);
    ck_assert_int_eq(connect(0, &(struct sockaddr){AF_UNSPEC, {0}}, sizeof(struct sockaddr)), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                     MAP_FAILED);
    if (_i != CONFINE_RECORDER) { /* it has no threads */
        ck_assert_int_eq(pthread_create(&thread, NULL, thread_run, NULL), 0);
        ck_assert_int_eq(pthread_join(thread, &error), 0);
        ck_assert_uint_eq((uintptr_t)error, ENOSYS);
    }
    _exit(0); /* Check would write files */
}
END_TEST

/* ----------------------------------------------------------------------------------------------- */

static Suite *suite(void)
{
    Suite *all = suite_create("confine");
    TCase *tcase = tcase_create("confine");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, finds_users);
    tcase_add_loop_test(tcase, refuses_others, 0, sizeof(nobodies) / sizeof(nobodies[0]));
    tcase_add_test(tcase, tries_what_a_user_can_read);
    suite_add_tcase(all, tcase);
    /* What a confined process has made is removed by its parent. */
    TCase *confined = tcase_create("confined");
    tcase_add_unchecked_fixture(confined, set_up, tear_down);
    tcase_add_test(confined, tries_whether_a_root_is_found_inside);
    tcase_add_test(confined, enters_a_directory);
    tcase_add_test(confined, a_root_moves_in_the_directory_that_was_entered);
    tcase_add_test(confined, reads_the_root_and_where_it_may_move);
    tcase_add_test(confined, reads_only_what_is_named);
    tcase_add_test(confined, never_opens_everything);
    tcase_add_test(confined, a_link_in_a_circle_ends);
    tcase_add_loop_test(confined, calls_are_refused_and_threads_start, 0, CONFINE_STATUS + 1);
    suite_add_tcase(all, confined);
    return all;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
