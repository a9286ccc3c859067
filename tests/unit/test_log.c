/* Tests of src/base/log.c: the form of a line, levels, escapes, cutting, reopening, whole lines. */
#define _GNU_SOURCE
#include "zcserve/log.h"
#include "zcserve/sink.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/zcserve-log-XXXXXX";
static char path[64], other[64];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/log", directory);
    snprintf(other, sizeof(other), "%s/log.1", directory);
    ck_assert_int_eq(log_open(path, LOG_NOTICE), 0);
}

static void tear_down(void)
{
    log_open(NULL, LOG_NOTICE);
    unlink(path);
    unlink(other);
    rmdir(directory);
}

/* Returns the content of a file, valid until the next call. */
static char *content_of(const char *file)
{
    static char content[1 << 20];
    int fd = open(file, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);

    if (fd >= 0) close(fd);
    content[length < 0 ? 0 : length] = '\0';
    return content;
}

static void expect_line(const char *pattern)
{
    regex_t expression;
    const char *content = content_of(path);

    ck_assert_int_eq(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&expression, content, 0, NULL, 0) == 0, "'%s' is not /%s/", content,
                  pattern);
    regfree(&expression);
}

#define TIME "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

START_TEST(has_time_level_pid_and_message)
{
    log_warn("only %d left", 3);
    expect_line(TIME " warn \\[[0-9]+\\] only 3 left\n$");
}
END_TEST

START_TEST(has_the_name_of_the_process)
{
    char pattern[128];

    log_name("worker 3");
    log_error("gone");
    snprintf(pattern, sizeof(pattern), TIME " error \\[%d\\] worker 3: gone\n$", (int)getpid());
    expect_line(pattern);
    log_name(NULL);
}
END_TEST

START_TEST(drops_what_is_below_the_level)
{
    log_info("not this");
    ck_assert_str_eq(content_of(path), "");
    ck_assert_int_eq(log_open(path, LOG_DEBUG), 0);
    log_line(LOG_DEBUG, "this");
    expect_line(TIME " debug \\[[0-9]+\\] this\n$");
}
END_TEST

START_TEST(keeps_a_line_one_line)
{
    log_notice("a%sb", "\r\n2026 forged\x1b[31m\t\x7f");
    expect_line("a\\\\x0d\\\\x0a2026 forged\\\\x1b\\[31m\\\\x09\\\\x7fb\n$");
}
END_TEST

/*
 * C1 controls as characters and as bytes, characters that change the direction of writing, and
 * bytes that are not UTF-8.
 */
START_TEST(shows_nothing_that_steers_a_terminal)
{
    log_notice("a%sb", "\xc2\x9b[31m\x9b\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xff");
    expect_line("a\\\\xc2\\\\x9b\\[31m\\\\x9b\\\\xe2\\\\x80\\\\xae\\\\xe2\\\\x81\\\\xa6"
                "\\\\xe2\\\\x80\\\\x8f\\\\xffb\n$");
    log_notice("%s", "ä€😀");
    expect_line(" ä€😀\n$");
}
END_TEST

/* A pipe takes such a line whole. */
START_TEST(a_line_of_escapes_fits_a_pipe)
{
    char text[1025];
    memset(text, '\x9b', 1024);
    text[1024] = '\0';
    log_notice("%s", text);
    const char *content = content_of(path);
    size_t length = strlen(content);
    ck_assert_uint_le(length, PIPE_BUF);
    ck_assert_uint_gt(length, PIPE_BUF - 16);
    ck_assert_str_eq(content + length - 8, "\\x9b…\n");
}
END_TEST

/* Two processes lose lines. The first that can write again reports how many both have lost. */
START_TEST(counts_lost_lines_of_all_processes)
{
    int ends[2];
    char text[65536];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(log_open(NULL, LOG_NOTICE), 0);
    int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK);
    while (write(own, text, sizeof(text)) > 0)
        continue;
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 5; i++)
            log_error("lost");
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    log_error("lost");
    log_flush();
    ck_assert_int_gt(read(ends[0], text, sizeof(text)), 0);
    log_flush();
    log_error("here");
    log_flush();
    ssize_t length = read(ends[0], text, sizeof(text) - 1);
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_ptr_nonnull(strstr(text, " warn ["));
    ck_assert_ptr_nonnull(strstr(text, " 6 lines of this log were lost"));
    ck_assert_ptr_null(strstr(text, " lost\n"));
    ck_assert_ptr_nonnull(strstr(text, " here\n"));
    ck_assert_ptr_null(strstr(strstr(text, "lines of") + 1, "lines of"));
}
END_TEST

/* A limit on the size of the file acts as a full disk. */
START_TEST(ends_a_line_that_a_full_disk_cut_off)
{
    struct rlimit limit = {.rlim_max = RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    sink_ignore_signals();
    log_notice("one");
    limit.rlim_cur = strlen(content_of(path)) + 10;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    log_notice("two");
    log_notice("three");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    log_notice("four");
    expect_line("^[^\n]* one\n.{10}\n[^\n]* 2 lines of this log were lost[^\n]*\n[^\n]* four\n$");
}
END_TEST

START_TEST(cuts_a_long_line)
{
    static const struct {
        size_t length;
        const char *of;
        bool cut;
    } cases[] = {{1024, "x", false}, {1025, "x", true}, {100000, "x", true},
                 {511, "ä", false},  {513, "ä", true},  {2000, "\n", true}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = calloc(cases[i].length + 1, strlen(cases[i].of));
        for (size_t k = 0; k < cases[i].length; k++)
            strcat(text + k, cases[i].of);
        unlink(path);
        ck_assert_int_eq(log_reopen(), 0);
        log_notice("%s", text);
        const char *content = content_of(path);
        size_t length = strlen(content);
        ck_assert_uint_gt(length, 1000);
        ck_assert_uint_lt(length, 5000);
        ck_assert_ptr_eq(strchr(content, '\n'), content + length - 1);
        ck_assert_msg((strcmp(content + length - 4, "…\n") == 0) == cases[i].cut, "case %zu", i);
        if (cases[i].of[0] == (char)0xc3 && cases[i].cut) /* half a character must not be there */
            ck_assert_int_eq(memcmp(content + length - 6, "ä…\n", 6), 0);
        free(text);
    }
}
END_TEST

START_TEST(reopens_after_a_rename)
{
    log_notice("one");
    ck_assert_int_eq(rename(path, other), 0);
    log_notice("two");
    ck_assert_int_eq(log_reopen(), 0);
    log_notice("three");
    expect_line("^[^\n]* three\n$");
    ck_assert_ptr_nonnull(strstr(content_of(other), " one\n"));
    ck_assert_ptr_nonnull(strstr(content_of(other), " two\n"));
    ck_assert_ptr_null(strstr(content_of(other), " three\n"));
}
END_TEST

START_TEST(stays_as_it_was_when_the_file_cannot_be_opened)
{
    ck_assert_int_eq(log_open("/nonexistent/log", LOG_DEBUG), -ENOENT);
    log_line(LOG_DEBUG, "not this");
    log_notice("this");
    expect_line("^[^\n]* this\n$");

    ck_assert_int_eq(rename(path, other), 0);
    ck_assert_int_eq(rmdir(path), -1);
    ck_assert_int_eq(symlink("/nonexistent/log", path), 0);
    ck_assert_int_eq(log_reopen(), -ENOENT);
    log_notice("still here");
    ck_assert_ptr_nonnull(strstr(content_of(other), " still here\n"));
}
END_TEST

START_TEST(leaves_errno_alone)
{
    int full = open("/dev/full", O_WRONLY);

    errno = ENOTTY;
    log_notice("as it was");
    ck_assert_int_eq(errno, ENOTTY);
    ck_assert_int_ge(full, 0);
    close(full);
    ck_assert_int_eq(log_open("/dev/full", LOG_NOTICE), 0);
    errno = ENOTTY;
    log_notice("cannot be written");
    ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

START_TEST(keeps_lines_of_two_processes_whole)
{
    enum { COUNT = 2000 };
    char text[201];
    pid_t child[2];

    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            memset(text, 'a' + i, 200);
            text[200] = '\0';
            for (int k = 0; k < COUNT; k++)
                log_notice("<%s>", text);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
        ck_assert_int_eq(status, 0);
    }
    int count = 0;
    for (char *line = strtok(content_of(path), "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *first = strchr(line, '<');
        ck_assert_ptr_nonnull(first);
        ck_assert_uint_eq(strspn(first + 1, (char[]){first[1], '\0'}), 200);
        ck_assert_str_eq(first + 201, ">");
        count++;
    }
    ck_assert_int_eq(count, 2 * COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *cases = tcase_create("log");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, has_time_level_pid_and_message);
    tcase_add_test(cases, has_the_name_of_the_process);
    tcase_add_test(cases, drops_what_is_below_the_level);
    tcase_add_test(cases, keeps_a_line_one_line);
    tcase_add_test(cases, shows_nothing_that_steers_a_terminal);
    tcase_add_test(cases, a_line_of_escapes_fits_a_pipe);
    tcase_add_test(cases, counts_lost_lines_of_all_processes);
    tcase_add_test(cases, ends_a_line_that_a_full_disk_cut_off);
    tcase_add_test(cases, cuts_a_long_line);
    tcase_add_test(cases, reopens_after_a_rename);
    tcase_add_test(cases, stays_as_it_was_when_the_file_cannot_be_opened);
    tcase_add_test(cases, leaves_errno_alone);
    tcase_add_test(cases, keeps_lines_of_two_processes_whole);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
