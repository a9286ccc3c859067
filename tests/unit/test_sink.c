/*
 * Tests of src/base/sink.c: every kind of file that lines go to, full, without a reader, and opened
 * by us or by others. Check's time limit would end a write that waits.
 */
#define _GNU_SOURCE
#include "zcserve/sink.h"

#include "forbid.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char directory[] = "/tmp/zcserve-sink-XXXXXX";
static char path[64];
static char line[PIPE_BUF];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/log", directory);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    sink_ignore_signals();
}

static void tear_down(void)
{
    unlink(path);
    rmdir(directory);
}

static bool waits(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

/* Writes until nothing more is taken. Returns how many bytes were. `whole`: no line may be cut. */
static size_t write_all(const struct sink *sink, bool whole)
{
    size_t total = 0;
    for (int i = 0; i < 100000; i++) {
        ssize_t taken = sink_write(sink, line, sizeof(line));
        if (taken == -EAGAIN) return total;
        ck_assert_int_gt(taken, 0);
        if (whole) ck_assert_int_eq(taken, sizeof(line));
        total += (size_t)taken;
    }
    ck_abort_msg("it takes everything");
    return 0;
}

static void take(int fd, size_t length)
{
    char bytes[4096];
    while (length > 0) {
        ssize_t got = read(fd, bytes, length < sizeof(bytes) ? length : sizeof(bytes));
        ck_assert_int_gt(got, 0);
        length -= (size_t)got;
    }
}

/*
 * A full pipe, written to in each of three ways: by a description of our own, with a flag of the
 * call, by a move.
 */
static void expect_pipe(enum sink_kind kind)
{
    int ends[2];
    struct sink sink;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(sink_share(&sink, ends[1]), 0);
    sink.kind = kind;
    if (kind == SINK_PIPE) { /* as if it could not be opened a second time */
        close(sink.fd);
        sink.fd = dup(ends[1]);
    }
    size_t room = write_all(&sink, true);
    ck_assert_uint_ge(room, sizeof(line));
    ck_assert(waits(ends[1]));
    take(ends[0], room);
    ck_assert_int_eq(sink_write(&sink, "again\n", 6), 6);
    take(ends[0], 6);
    close(ends[0]);
    ck_assert_int_eq(sink_write(&sink, "gone\n", 5), -EPIPE);
    close(ends[1]);
    close(sink.fd);
}

START_TEST(pipe_of_our_own)
{
    int ends[2];
    struct sink sink;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(sink_share(&sink, ends[1]), 0);
    ck_assert_int_eq(sink.kind, SINK_DIRECT);
    ck_assert(!waits(sink.fd) && waits(ends[1]));
    expect_pipe(SINK_DIRECT);
}
END_TEST

START_TEST(pipe_of_another_user)
{
    expect_pipe(SINK_PIPE);
}
END_TEST

/* EOPNOTSUPP is returned before Linux 6.4; ENOSYS and EINVAL mean the same. */
START_TEST(pipe_where_the_call_has_no_flag)
{
    static const int errors[] = {EOPNOTSUPP, ENOSYS, EINVAL};
    ck_assert_int_eq(forbid_call(SYS_pwritev2, errors[_i]), 0);
    expect_pipe(SINK_PIPE);
}
END_TEST

START_TEST(pipe_without_a_reader_at_first)
{
    int ends[2];
    struct sink sink;
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(sink_share(&sink, ends[1]), 0);
    ck_assert_int_eq(sink_write(&sink, "gone\n", 5), -EPIPE);
}
END_TEST

START_TEST(socket_of_somebody)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    int pair[2];
    struct sink sink;
    ck_assert_int_eq(socketpair(AF_UNIX, types[_i], 0, pair), 0);
    ck_assert_int_eq(sink_share(&sink, pair[1]), 0);
    ck_assert_int_eq(sink.kind, SINK_SOCKET);
    ck_assert_uint_gt(write_all(&sink, false), 0);
    ck_assert(waits(pair[1]));
    close(pair[0]);
    ssize_t taken = sink_write(&sink, "gone\n", 5);
    ck_assert(taken == -EPIPE || taken == -ECONNREFUSED || taken == -ECONNRESET);
}
END_TEST

/* A terminal that was stopped by ^S, and one whose window takes no bytes. */
static void expect_terminal(bool own)
{
    int window, terminal;
    struct sink sink;
    ck_assert_int_eq(openpty(&window, &terminal, NULL, NULL, NULL), 0);
    ck_assert_int_eq(sink_share(&sink, terminal), 0);
    ck_assert_int_eq(sink.kind, SINK_DIRECT);
    if (!own) {
        close(sink.fd);
        sink = (struct sink){dup(terminal), SINK_TERMINAL};
    }
    ck_assert_int_eq(sink_write(&sink, "one\n", 4), 4);
    take(window, 5); /* with "\r\n" */
    ck_assert_int_eq(tcflow(terminal, TCOOFF), 0);
    ck_assert_int_eq(sink_write(&sink, "two\n", 4), -EAGAIN);
    ck_assert_int_eq(tcflow(terminal, TCOON), 0);
    ck_assert_int_eq(sink_write(&sink, "three\n", 6), 6);
    if (own) ck_assert_uint_gt(write_all(&sink, false), 0);
    ck_assert(waits(terminal));
}

START_TEST(terminal_of_our_own)
{
    expect_terminal(true);
}
END_TEST

START_TEST(terminal_of_another_user)
{
    expect_terminal(false);
}
END_TEST

START_TEST(fifo_without_a_reader)
{
    struct sink sink;
    char text[8] = "";
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(sink_open(&sink, path), 0);
    ck_assert_int_eq(sink_write(&sink, "waits\n", 6), 6);
    int reader = open(path, O_RDONLY);
    ck_assert_int_eq(read(reader, text, sizeof(text)), 6);
    ck_assert_str_eq(text, "waits\n");
    close(reader);
    size_t room = write_all(&sink, true);
    reader = open(path, O_RDONLY);
    take(reader, room);
    ck_assert_int_eq(sink_write(&sink, "again\n", 6), 6);
}
END_TEST

/* Root may read everything, so another user tries it. */
START_TEST(fifo_that_may_only_be_written_to)
{
    struct sink sink = {.fd = -1};
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(chmod(directory, 0711), 0);
    ck_assert_int_eq(chmod(path, 0222), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) _exit(1);
        int without = sink_open(&sink, path);
        bool untouched = sink.fd == -1;
        int reader = open("/dev/null", O_RDONLY);
        _exit(without == -ENXIO && untouched && reader >= 0 ? 0 : 2);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_nonnull(strstr(sink_problem(ENXIO), "nobody reads"));
    ck_assert_str_eq(sink_problem(EACCES), strerror(EACCES));
}
END_TEST

START_TEST(files)
{
    struct sink sink;
    struct stat file;
    ck_assert_int_eq(sink_open(&sink, path), 0);
    ck_assert_int_eq(sink_write(&sink, "one\n", 4), 4);
    close(sink.fd);
    ck_assert_int_eq(sink_open(&sink, path), 0);
    ck_assert_int_eq(sink_write(&sink, "two\n", 4), 4);
    ck_assert_int_eq(fstat(sink.fd, &file), 0);
    ck_assert_int_eq(file.st_size, 8);
    ck_assert_uint_eq(file.st_mode & 0137, 0); /* not readable for all users */
    ck_assert_int_eq(fcntl(sink.fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(sink_open(&sink, "/nonexistent/log"), -ENOENT);
    ck_assert_int_eq(sink_open(&sink, directory), -EISDIR);
    ck_assert_int_eq(sink_share(&sink, 999), -EBADF);
    ck_assert_int_eq(sink_open(&sink, "/dev/full"), 0);
    ck_assert_int_eq(sink_write(&sink, "no\n", 3), -ENOSPC);
}
END_TEST

START_TEST(file_at_its_size_limit)
{
    struct sink sink;
    struct rlimit limit = {.rlim_cur = 6, .rlim_max = RLIM_INFINITY};
    ck_assert_int_eq(sink_open(&sink, path), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(sink_write(&sink, "1234\n", 5), 5);
    ck_assert_int_eq(sink_write(&sink, "5678\n", 5), 1);
    ck_assert_int_eq(sink_write(&sink, "9\n", 2), -EFBIG);
}
END_TEST

/* A socket that has these names cannot be opened by name. */
START_TEST(standard_names)
{
    static const char *const names[] = {"/dev/stdout", "/dev/stderr"};
    static const int numbers[] = {STDOUT_FILENO, STDERR_FILENO};
    int pair[2];
    char text[8] = "";
    struct sink sink;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int before = dup(numbers[_i]);
    ck_assert_int_eq(dup2(pair[1], numbers[_i]), numbers[_i]);
    int result = sink_open(&sink, names[_i]);
    dup2(before, numbers[_i]);
    ck_assert_int_eq(result, 0);
    ck_assert_int_eq(sink_write(&sink, "here\n", 5), 5);
    ck_assert_int_eq(read(pair[0], text, sizeof(text)), 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sink");
    TCase *cases = tcase_create("sink");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, pipe_of_our_own);
    tcase_add_test(cases, pipe_of_another_user);
    tcase_add_loop_test(cases, pipe_where_the_call_has_no_flag, 0, 3);
    tcase_add_test(cases, pipe_without_a_reader_at_first);
    tcase_add_loop_test(cases, socket_of_somebody, 0, 3);
    tcase_add_test(cases, terminal_of_our_own);
    tcase_add_test(cases, terminal_of_another_user);
    tcase_add_test(cases, fifo_without_a_reader);
    tcase_add_test(cases, fifo_that_may_only_be_written_to);
    tcase_add_test(cases, files);
    tcase_add_test(cases, file_at_its_size_limit);
    tcase_add_loop_test(cases, standard_names, 0, 2);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
