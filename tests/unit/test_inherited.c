/* Tests of src/start/inherited.c: sockets that another program opened, and what is no such socket. */
#define _GNU_SOURCE
#include "start/inherited.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct inherited inherited;
static char problem[512];
static char path[64];

static void set_up(void)
{
    problem[0] = '\0';
    unsetenv(INHERITED_VARIABLE);
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    snprintf(path, sizeof(path), "/tmp/zcserve-inherited-%d", (int)getpid());
    unlink(path);
}

/* Returns a blocking listener that survives exec, as other programs leave it. */
static int listener_on(const char *text)
{
    struct listen_address address;
    ck_assert_int_eq(listen_address_parse(text, &address, problem, sizeof(problem)), 0);
    int fd = listener_open(&address, true, 5);
    ck_assert_int_ge(fd, 0);
    fcntl(fd, F_SETFL, 0);
    fcntl(fd, F_SETFD, 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static bool take(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool take(const char *format, ...)
{
    char value[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(value, sizeof(value), format, values);
    va_end(values);
    setenv(INHERITED_VARIABLE, value, 1);
    return inherited_take(&inherited, problem, sizeof(problem));
}

START_TEST(nothing_is_inherited)
{
    ck_assert(inherited_take(&inherited, problem, sizeof(problem)));
    ck_assert_ptr_null(inherited_before(&inherited));
    ck_assert_ptr_null(inherited.report);
    inherited_close(&inherited, NULL);
}
END_TEST

START_TEST(takes_over_from_a_predecessor)
{
    int first = listener_on("127.0.0.1:0"), local, status = listener_on("127.0.0.1:0"), report[2];
    char text[80];
    snprintf(text, sizeof(text), "unix:%s", path);
    local = listener_on(text);
    int beside = dup(first);
    ck_assert_int_eq(pipe(report), 0);
    ck_assert_msg(take("report %d\nlisten %d,%d 127.0.0.1:0\ngiven %d %s\nstatus %d 127.0.0.1:0\n",
                       report[1], first, beside, local, text, status),
                  "%s", problem);
    const struct program *before = inherited_before(&inherited);
    const struct service *service = &before->service;
    ck_assert_ptr_null(getenv(INHERITED_VARIABLE));
    ck_assert_uint_eq(service->addresses, 2);
    ck_assert_uint_eq(service->listeners, 3);
    ck_assert_int_eq(service->listener[1].fd, beside);
    ck_assert(!service->listener[0].given && service->listener[2].given);
    ck_assert_uint_eq(((const struct sockaddr_in *)&service->asked[0].address)->sin_port, 0);
    ck_assert_uint_ne(((const struct sockaddr_in *)&service->address[0].address)->sin_port, 0);
    ck_assert_int_eq(before->status.fd, status);
    ck_assert_int_eq(fcntl(first, F_GETFD), FD_CLOEXEC);
    ck_assert_int_ne(fcntl(first, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(fcntl(report[1], F_GETFD), FD_CLOEXEC);
    inherited_close(&inherited, NULL);
    ck_assert(!is_open(first) && !is_open(local) && !is_open(status) && !is_open(report[1]));
    ck_assert_int_eq(access(path, F_OK), 0); /* the predecessor goes on */
    unlink(path);
}
END_TEST

/* The file of a Unix socket goes when the new configuration does not have it, but not a given one. */
START_TEST(removes_the_file_of_its_own_socket_alone)
{
    char text[80];
    struct program after = {.status = {.fd = -1}};
    snprintf(text, sizeof(text), "unix:%s", path);
    ck_assert(take("%s %d %s", _i == 0 ? "listen" : "given", listener_on(text), text));
    inherited_close(&inherited, &after);
    ck_assert_int_eq(access(path, F_OK), _i == 0 ? -1 : 0);
    unlink(path);
}
END_TEST

START_TEST(writes_what_it_reads)
{
    int first = listener_on("127.0.0.1:0"), given = listener_on("[::1]:0"), report[2];
    char expected[128];
    ck_assert_int_eq(pipe(report), 0);
    snprintf(expected, sizeof(expected), "report %d\nlisten %d 127.0.0.1:0\ngiven %d [::1]:0\n",
             report[1], first, given);
    ck_assert_msg(take("%s", expected), "%s", problem);
    char *text = inherited_format(inherited_before(&inherited), report[1]);
    ck_assert_str_eq(text, expected);
    free(text);
    inherited_leave(&inherited);
    ck_assert(!is_open(first) && !is_open(given) && !is_open(report[1]));
}
END_TEST

static const char *const wrong[] = {
    "nonsense",
    "listen",
    "listen ",
    "listen 1 127.0.0.1:0",
    "listen x 127.0.0.1:0",
    "listen 999 127.0.0.1:0",
    "other 999 127.0.0.1:0",
    "report 999",
    "status 999 127.0.0.1:0",
    "listen 99999999999 127.0.0.1:0",
    "listen -1 127.0.0.1:0",
    "listen 3,",
    "listen 3 nowhere",
};

START_TEST(refuses_nonsense)
{
    ck_assert(!take("%s", wrong[_i]));
    ck_assert_ptr_nonnull(strstr(problem, INHERITED_VARIABLE));
    inherited_close(&inherited, NULL);
}
END_TEST

START_TEST(refuses_what_does_not_listen)
{
    int fds[] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_DGRAM, 0),
                 open("/dev/null", O_RDONLY)};
    ck_assert(!take("listen %d 127.0.0.1:0", fds[_i]));
    inherited_close(&inherited, NULL);
}
END_TEST

/* ---- the service manager --------------------------------------------------------------------- */

/*
 * Puts descriptors where sd_listen_fds(3) has them, in a process of its own, because the test has
 * others there. Returns what inherited_take() makes of them there: the exit code is a bit mask.
 */
enum { TAKEN = 1, BOTH = 2, GIVEN = 4, SAME_ADDRESS = 8, CLEARED = 16, NAMED = 32 };

static int result_of(const struct sockaddr *bound, socklen_t length)
{
    bool taken = inherited_take(&inherited, problem, sizeof(problem));
    const struct program *before = inherited_before(&inherited);
    int result = (taken ? TAKEN : 0) | (getenv("LISTEN_FDS") || getenv("LISTEN_PID") ? 0 : CLEARED);
    if (strstr(problem, "descriptor 3 of LISTEN_FDS")) result |= NAMED;
    if (!taken || !before) return result;
    const struct service *service = &before->service;
    if (service->listeners == 2 && service->addresses == 2) result |= BOTH;
    if (service->listener[0].given && service->listener[0].fd == 3) result |= GIVEN;
    if (memcmp(&service->asked[0].address, bound, length) == 0) result |= SAME_ADDRESS;
    return result;
}

static int given(int count, const int *fds, bool for_this_process)
{
    int status, high[4];
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    char number[16];
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < count; i++)
            high[i] = fcntl(fds[i], F_DUPFD, 100);
        for (int i = 0; i < count; i++)
            dup2(high[i], 3 + i);
        snprintf(number, sizeof(number), "%d", count);
        setenv("LISTEN_FDS", number, 1);
        snprintf(number, sizeof(number), "%d", for_this_process ? (int)getpid() : 1);
        setenv("LISTEN_PID", number, 1);
        getsockname(3, (struct sockaddr *)&bound, &length);
        _exit(result_of((struct sockaddr *)&bound, length));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(takes_what_the_service_manager_gives)
{
    const int fds[] = {listener_on("127.0.0.1:0"), listener_on("*:0")};
    ck_assert_int_eq(given(2, fds, true), TAKEN | BOTH | GIVEN | SAME_ADDRESS | CLEARED);
}
END_TEST

START_TEST(leaves_what_is_for_another_process)
{
    const int fds[] = {listener_on("127.0.0.1:0")};
    ck_assert_int_eq(given(1, fds, false), TAKEN | CLEARED);
}
END_TEST

START_TEST(refuses_a_wrong_socket_of_the_service_manager)
{
    const int fds[] = {socket(AF_INET, SOCK_DGRAM, 0)};
    ck_assert_int_eq(given(1, fds, true), NAMED | CLEARED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inherited");
    TCase *cases = tcase_create("inherited");
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, nothing_is_inherited);
    tcase_add_test(cases, takes_over_from_a_predecessor);
    tcase_add_loop_test(cases, removes_the_file_of_its_own_socket_alone, 0, 2);
    tcase_add_test(cases, writes_what_it_reads);
    tcase_add_loop_test(cases, refuses_nonsense, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
    tcase_add_loop_test(cases, refuses_what_does_not_listen, 0, 3);
    tcase_add_test(cases, takes_what_the_service_manager_gives);
    tcase_add_test(cases, leaves_what_is_for_another_process);
    tcase_add_test(cases, refuses_a_wrong_socket_of_the_service_manager);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
