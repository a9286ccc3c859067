/*
 * Tests of src/access/recorder.c as a process: all lines sent are in the file, whatever happens to
 * the recorder or to the file.
 */
#define _GNU_SOURCE
#include "zcserve/access.h"
#include "zcserve/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/zcserve-recorder-XXXXXX";
static char path[64], renamed[64], errors[64];
static struct access_recorder recorder;
static pid_t pid;

static void start(void)
{
    pid = fork();
    if (pid == 0) exit(access_recorder_run(&recorder));
    ck_assert_int_gt(pid, 0);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/access", directory);
    snprintf(renamed, sizeof(renamed), "%s/access.1", directory);
    snprintf(errors, sizeof(errors), "%s/errors", directory);
    ck_assert_int_eq(log_open(errors, LOG_NOTICE), 0);
    ck_assert_int_eq(access_recorder_open(&recorder, path), 0);
}

/* A test has ended the recorder and waited for it before. */
static void tear_down(void)
{
    access_recorder_close(&recorder);
    unlink(path);
    unlink(renamed);
    unlink(errors);
    rmdir(directory);
}

/* Closes the last sender, and waits until the recorder has ended. */
static void finish(void)
{
    int status = -1;

    access_recorder_close(&recorder);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

static char *content_of(const char *file)
{
    static char content[8 << 20];
    int fd = open(file, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, content, sizeof(content) - 1);

    if (fd >= 0) close(fd);
    content[length] = '\0';
    return content;
}

static void send_text(const char *text)
{
    ck_assert_int_eq(send(recorder.sender, text, strlen(text), MSG_NOSIGNAL),
                     (ssize_t)strlen(text));
}

/* Waits at most two seconds until the file ends with `text`. */
static void wait_for(const char *file, const char *text)
{
    size_t wanted = strlen(text);

    for (int i = 0; i < 2000; i++) {
        const char *content = content_of(file);
        size_t length = strlen(content);
        if (length >= wanted && strcmp(content + length - wanted, text) == 0) return;
        usleep(1000);
    }
    ck_abort_msg("%s does not end in '%s' but is '%s'", file, text, content_of(file));
}

/* Waits at most ten seconds until there is anything in the file. */
static void wait_for_any(const char *file)
{
    for (int i = 0; i < 10000; i++) {
        if (*content_of(file)) return;
        usleep(1000);
    }
    ck_abort_msg("nothing was written to %s", file);
}

static uint64_t lines_in(const char *file)
{
    uint64_t lines = 0;

    for (const char *c = content_of(file); *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

START_TEST(writes_and_ends_with_the_last_sender)
{
    start();
    send_text("one\n");
    send_text("two\nthree\n");
    finish();
    ck_assert_str_eq(content_of(path), "one\ntwo\nthree\n");
}
END_TEST

START_TEST(appends)
{
    struct stat file;

    start();
    send_text("one\n");
    finish();
    ck_assert_int_eq(access_recorder_open(&recorder, path), 0);
    start();
    send_text("two\n");
    finish();
    ck_assert_str_eq(content_of(path), "one\ntwo\n");
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_uint_eq(file.st_mode & 0137, 0); /* not readable for all users */
}
END_TEST

START_TEST(writes_what_came_before_it_started)
{
    send_text("early\n");
    start();
    finish();
    ck_assert_str_eq(content_of(path), "early\n");
}
END_TEST

START_TEST(ignores_being_told_to_end)
{
    const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGPIPE};

    start();
    send_text("one\n");
    wait_for(path, "one\n");
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        kill(pid, signals[i]);
    send_text("two\n");
    wait_for(path, "two\n");
    finish();
}
END_TEST

START_TEST(reopens_on_usr1)
{
    start();
    send_text("one\n");
    wait_for(path, "one\n");
    ck_assert_int_eq(rename(path, renamed), 0);
    send_text("two\n");
    wait_for(renamed, "two\n");
    ck_assert_int_eq(access_recorder_reopen(&recorder), 0);
    kill(pid, SIGUSR1);
    send_text("three\n");
    finish();
    ck_assert_str_eq(content_of(renamed), "one\ntwo\n");
    ck_assert_str_eq(content_of(path), "three\n");
}
END_TEST

/* A sender without pauses must not keep the recorder from seeing USR1. */
START_TEST(reopens_under_load)
{
    int stop[2];
    char byte = 0;

    start();
    ck_assert_int_eq(pipe(stop), 0);
    pid_t load = fork();
    if (load == 0) {
        close(stop[1]);
        fcntl(stop[0], F_SETFL, O_NONBLOCK);
        while (read(stop[0], &byte, 1) != 0)
            send(recorder.sender, "a line as good as any\n", 22, MSG_NOSIGNAL);
        _exit(0);
    }
    close(stop[0]);
    wait_for_any(path); /* before it writes, a signal may end it */
    ck_assert_int_eq(rename(path, renamed), 0);
    ck_assert_int_eq(access_recorder_reopen(&recorder), 0);
    kill(pid, SIGUSR1);
    wait_for_any(path);
    close(stop[1]);
    ck_assert_int_eq(waitpid(load, NULL, 0), load);
    finish();
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(keeps_the_old_file_when_it_cannot_reopen)
{
    start();
    send_text("one\n");
    wait_for(path, "one\n");
    ck_assert_int_eq(rename(path, renamed), 0);
    /* A directory in its place cannot be opened for writing. */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(access_recorder_reopen(&recorder), -EISDIR);
    kill(pid, SIGUSR1);
    send_text("two\n");
    finish();
    ck_assert_str_eq(content_of(renamed), "one\ntwo\n");
    rmdir(path);
}
END_TEST

/* A limit on the size of the file acts as a full disk: it cuts a line, and can be removed. */
START_TEST(says_once_what_a_full_disk_cost)
{
    struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    unlink(errors); /* the limit must not concern the error log: it goes to a pipe */
    int pipe_ends[2];
    ck_assert_int_eq(pipe(pipe_ends), 0);
    ck_assert_int_eq(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(log_open(NULL, LOG_NOTICE), 0);
    signal(SIGXFSZ, SIG_IGN);
    start();
    ck_assert_int_eq(prlimit(pid, RLIMIT_FSIZE, &limit, NULL), 0);
    send_text("1234567\n");
    wait_for(path, "1234567\n");
    send_text("abc\ndef\n"); /* only "ab" fits */
    wait_for(path, "ab");
    for (int i = 0; i < 5; i++)
        send_text("lost\n");
    usleep(50000);
    ck_assert_int_eq(prlimit(pid, RLIMIT_FSIZE, &none, NULL), 0);
    send_text("back\n");
    wait_for(path, "back\n");
    finish();
    ck_assert_str_eq(content_of(path), "1234567\nab\nback\n");

    char said[4096];
    ssize_t length = read(pipe_ends[0], said, sizeof(said) - 1);
    ck_assert_int_gt(length, 0);
    said[length] = '\0';
    char *first = strstr(said, "cannot write");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "cannot write"));
    ck_assert_ptr_nonnull(strstr(said, "; 7 lines were lost"));
}
END_TEST

START_TEST(goes_on_after_a_short_write_to_a_pipe)
{
    enum { LINES = 20000 };
    char name[64];
    int status = 0;

    access_recorder_close(&recorder);
    snprintf(name, sizeof(name), "%s/access.1", directory);
    ck_assert_int_eq(mkfifo(name, 0600), 0);
    /* This descriptor is another one, so it may be non-blocking. */
    int out = open(name, O_RDWR | O_NONBLOCK);
    ck_assert_int_eq(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
    ck_assert_int_eq(access_recorder_open(&recorder, "-"), 0);
    start();
    pid_t load = fork();
    if (load == 0) {
        for (int i = 0; i < LINES; i++)
            send(recorder.sender, "a line as good as any\n", 22, MSG_NOSIGNAL);
        _exit(0);
    }
    access_recorder_close(&recorder);
    static char text[22 * LINES];
    size_t got = 0;
    for (int i = 0; i < 4000 && got < sizeof(text); i++) {
        ssize_t result = read(out, text + got, 7000);
        if (result > 0)
            got += (size_t)result;
        else
            usleep(1000);
    }
    ck_assert_uint_eq(got, sizeof(text));
    for (int i = 0; i < LINES; i++)
        ck_assert_int_eq(memcmp(text + 22 * i, "a line as good as any\n", 22), 0);
    ck_assert_int_eq(waitpid(load, &status, 0), load);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close(out);
}
END_TEST

/* The disk hangs: the worker is not delayed, and every lost line is counted. */
START_TEST(counts_lines_while_it_is_stopped)
{
    enum { LINES = 50000 };
    _Atomic uint64_t dropped = 0;
    struct now now = {.monotonic_ns = NS_PER_SECOND, .wall_seconds = 784111777};
    struct exchange record = {.method_name = TEXT("GET"), .target = TEXT("/"), .status = 200};

    start();
    kill(pid, SIGSTOP);
    struct access_log *log =
        access_log_open(recorder.sender, ACCESS_COMBINED, 0, 4096, 100 * NS_PER_MS, &dropped);
    for (int i = 0; i < LINES; i++) {
        now.monotonic_ns += NS_PER_MS;
        access_log_write(log, &record, NULL, &now);
    }
    access_log_close(log);
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_lt(dropped, LINES);
    kill(pid, SIGCONT);
    finish();
    ck_assert_uint_eq(lines_in(path) + dropped, LINES);
}
END_TEST

/* The recorder is killed: the next one writes the lines that the socket still has. */
START_TEST(goes_on_after_another_was_killed)
{
    int status = 0;

    start();
    send_text("one\n");
    wait_for(path, "one\n");
    kill(pid, SIGSTOP);
    send_text("two\n");
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    send_text("three\n");
    start();
    finish();
    ck_assert_str_eq(content_of(path), "one\ntwo\nthree\n");
}
END_TEST

START_TEST(refuses_a_bad_path)
{
    struct access_recorder other;

    ck_assert_int_eq(access_recorder_open(&other, "/nonexistent/access"), -ENOENT);
    access_recorder_close(&other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recorder");
    TCase *cases = tcase_create("recorder");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, writes_and_ends_with_the_last_sender);
    tcase_add_test(cases, appends);
    tcase_add_test(cases, writes_what_came_before_it_started);
    tcase_add_test(cases, ignores_being_told_to_end);
    tcase_add_test(cases, reopens_on_usr1);
    tcase_add_test(cases, reopens_under_load);
    tcase_add_test(cases, keeps_the_old_file_when_it_cannot_reopen);
    tcase_add_test(cases, says_once_what_a_full_disk_cost);
    tcase_add_test(cases, goes_on_after_a_short_write_to_a_pipe);
    tcase_add_test(cases, counts_lines_while_it_is_stopped);
    tcase_add_test(cases, goes_on_after_another_was_killed);
    tcase_add_test(cases, refuses_a_bad_path);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
