/*
 * Runs a child with two pipes for its outputs; it shares our input. What it writes is passed on at
 * once, and kept. When the terminal sends INT to the whole foreground group, this process goes on,
 * to report what was measured. The exit code is that of the command.
 */
#include "tool/child.h"
#include "zcserve/now.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES 65536
#define CODE_NO_PROGRAM 127
#define CODE_NOT_STARTED 126

/* ---- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t child_pid;

/*
 * Passes a signal to the child, except one of the terminal (SI_KERNEL), which the child gets
 * itself.
 */
static void signal_pass(int number, siginfo_t *info, void *context)
{
    (void)context;
    int saved = errno;
    if (info->si_code != SI_KERNEL && child_pid > 0) kill((pid_t)child_pid, number);
    errno = saved;
}

static const int passed_on[] = {SIGINT, SIGTERM, SIGQUIT};
enum { PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]) };

/* The signal actions and the mask from before signals_take(). */
struct signals {
    struct sigaction action[PASSED_ON], pipe, size;
    sigset_t mask;
};

/* Installs the handlers, and blocks the signals until the pid of the child is known. */
static void signals_take(struct signals *before)
{
    struct sigaction pass = {.sa_sigaction = signal_pass, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&pass.sa_mask);
    for (int i = 0; i < PASSED_ON; i++)
        sigaddset(&pass.sa_mask, passed_on[i]);
    sigprocmask(SIG_BLOCK, &pass.sa_mask, &before->mask);
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &pass, &before->action[i]);
    pass = (struct sigaction){.sa_handler = SIG_IGN}; /* a closed pipe must not end the program */
    sigaction(SIGPIPE, &pass, &before->pipe);
    sigaction(SIGXFSZ, &pass, &before->size); /* nor must a file at its size limit */
}

static void signals_give_back(const struct signals *before)
{
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &before->action[i], NULL);
    sigaction(SIGPIPE, &before->pipe, NULL);
    sigaction(SIGXFSZ, &before->size, NULL);
}

/* ---- output ---------------------------------------------------------------------------------- */

/*
 * Keeps at least the last CHILD_KEPT_MAX bytes. When the buffer, twice as large, is full, old bytes
 * go.
 */
static void output_keep(struct child *child, const char *bytes, size_t length)
{
    if (child->length + length > 2 * CHILD_KEPT_MAX) {
        size_t leaves = child->length - CHILD_KEPT_MAX;
        memmove(child->output, child->output + leaves, CHILD_KEPT_MAX);
        child->length = CHILD_KEPT_MAX;
    }
    memcpy(child->output + child->length, bytes, length);
    child->length += length;
}

/*
 * Passes output on. An error is ignored, so that the command goes on when nobody reads its output.
 */
static void output_pass(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes += written;
        length -= (size_t)written;
    }
}

/* Copies what is in a pipe. Returns false at its end. */
static bool pipe_copy(struct child *child, int from, int to)
{
    static char bytes[CHUNK_BYTES];
    ssize_t length = read(from, bytes, sizeof(bytes));
    if (length < 0) return errno == EINTR || errno == EAGAIN;
    if (length == 0) return false;
    output_pass(to, bytes, (size_t)length);
    output_keep(child, bytes, (size_t)length);
    return true;
}

static void outputs_copy(struct child *child, const int from[2], const int to[2])
{
    struct pollfd pipes[2] = {{.fd = from[0], .events = POLLIN}, {.fd = from[1], .events = POLLIN}};
    while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
        if (poll(pipes, 2, -1) < 0) continue;
        for (int i = 0; i < 2; i++)
            if (pipes[i].fd >= 0 && pipes[i].revents && !pipe_copy(child, pipes[i].fd, to[i]))
                pipes[i].fd = -1;
    }
}

/* ---- the child ------------------------------------------------------------------------------- */

static void child_become(char *const *command, int out, int err, const struct signals *before)
{
    signals_give_back(before);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) _exit(CODE_NOT_STARTED);
    execvp(command[0], command);
    int code = errno == ENOENT ? CODE_NO_PROGRAM : CODE_NOT_STARTED;
    fprintf(stderr, "zcserve report: cannot start '%s': %s\n", command[0], strerror(errno));
    _exit(code);
}

static double now_seconds(void)
{
    return (double)now_monotonic_ns() / NS_PER_SECOND;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void child_wait(pid_t pid, struct child *child)
{
    int status = 0;
    struct rusage usage = {0};
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    child->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    child->user_seconds = seconds_of(usage.ru_utime);
    child->system_seconds = seconds_of(usage.ru_stime);
}

static void close_pair(const int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

static int pipes_open(int out[2], int err[2])
{
    if (pipe2(out, O_CLOEXEC) != 0) return -errno;
    if (pipe2(err, O_CLOEXEC) == 0) return 0;
    int error = -errno;
    close_pair(out);
    return error;
}

/* Runs the command with the pipes `out` and `err`, and closes them. Returns 0 or -errno. */
static int child_watch(char *const *command, int to, struct child *child, const int out[2],
                       const int err[2])
{
    struct signals before;
    double began = now_seconds();
    fflush(NULL);
    signals_take(&before);
    pid_t pid = fork();
    int error = pid < 0 ? -errno : 0;
    if (pid == 0) child_become(command, out[1], err[1], &before);
    child_pid = pid > 0 ? pid : 0;
    sigprocmask(SIG_SETMASK, &before.mask, NULL);
    close(out[1]);
    close(err[1]);
    if (pid > 0) {
        outputs_copy(child, (int[2]){out[0], err[0]}, (int[2]){to, STDERR_FILENO});
        child_wait(pid, child);
    }
    child_pid = 0;
    child->seconds = now_seconds() - began;
    signals_give_back(&before);
    close(out[0]);
    close(err[0]);
    return error;
}

int child_run(char *const *command, int out, struct child *child)
{
    int out_pipe[2] = {-1, -1}, err_pipe[2] = {-1, -1};
    *child = (struct child){.output = malloc(2 * CHILD_KEPT_MAX + 1)};
    if (!child->output) return -ENOMEM;
    int error = pipes_open(out_pipe, err_pipe);
    if (error == 0) error = child_watch(command, out, child, out_pipe, err_pipe);
    child->output[child->length] = '\0';
    if (error != 0) child_free(child);
    return error;
}

void child_free(struct child *child)
{
    free(child->output);
    child->output = NULL;
}
