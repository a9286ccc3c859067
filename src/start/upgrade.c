/*
 * The predecessor's part in an upgrade. The successor is started by the path by which this program
 * was started, so that it is the program that is installed there now, not the one that runs. It has
 * the listeners from the beginning, and reports through a pipe: that it serves, or what is wrong.
 */
#include "start/upgrade.h"
#include "start/inherited.h"
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REPORT_BYTES_MAX 4096 /* of what the successor reports; the rest is lost */

static char **arguments; /* as this program got them; NULL after the last one */

/* The upgrade that is under way; there is one at a time. */
static struct {
    pid_t successor;
    int report; /* the reading end of the pipe; valid while there is a successor */
    char text[REPORT_BYTES_MAX];
    size_t length;
} upgrade;

bool upgrade_remember(int argc, char **argv)
{
    arguments = calloc((size_t)argc + 1, sizeof(*arguments));
    for (int i = 0; arguments && i < argc; i++)
        if (!(arguments[i] = strdup(argv[i]))) return false;
    return arguments;
}

/* ---- the end ---------------------------------------------------------------------------------- */

/* The upgrade failed. Whoever asked for it finds the problem in the status. */
static void problem_tell(struct server *server, const char *problem)
{
    struct status_shared *shared = server->shared;
    snprintf(shared->upgrade_problem, sizeof(shared->upgrade_problem), "%s", problem);
    shared->upgrades_failed++; /* last: then the problem can be read */
    log_error("upgrade failed, nothing has changed: %s", problem);
}

/* ---- the beginning ---------------------------------------------------------------------------- */

static void keep_open(int fd)
{
    if (fd >= 0) fcntl(fd, F_SETFD, 0);
}

/* In the new process: becomes the program that is at the path now. */
static void become(const struct program *now, const char *handed, int report)
{
    for (uint32_t i = 0; i < now->service.listeners; i++)
        keep_open(now->service.listener[i].fd);
    keep_open(now->status.fd);
    keep_open(report);
    setenv(INHERITED_VARIABLE, handed, 1);
    unsetenv("WATCHDOG_PID"); /* it names this server's process */
    execvp(arguments[0], arguments);
    dprintf(report, "cannot start %s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

/* Returns the pid, or -errno. */
static pid_t successor_start(const struct program *now, int report[2])
{
    char *handed = inherited_format(now, report[1]);
    if (!handed) return -ENOMEM;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) become(now, handed, report[1]);
    int error = errno;
    free(handed);
    return pid > 0 ? pid : -error;
}

pid_t upgrade_begin(const void *of)
{
    struct server *server = server_of(of);
    int report[2];
    log_notice("upgrade: starting %s", arguments[0]);
    if (getpid() == 1) {
        problem_tell(server, "this is the first process of its container, which ends with it: "
                             "start a new container instead");
        return 0;
    }
    int error = pipe2(report, O_CLOEXEC) == 0 ? 0 : errno;
    pid_t pid = error == 0 ? successor_start(server->now, report) : -error;
    if (error == 0) close(report[1]);
    if (pid < 0) {
        char problem[128];
        snprintf(problem, sizeof(problem), "cannot start a process: %s", strerror((int)-pid));
        problem_tell(server, problem);
        if (error == 0) close(report[0]);
        return 0;
    }
    fcntl(report[0], F_SETFL, O_NONBLOCK);
    upgrade.successor = pid;
    upgrade.report = report[0];
    upgrade.length = 0;
    return pid;
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* Reads what the successor has reported. What does not fit is read and ignored. */
static void report_read(void)
{
    char beyond[256];
    for (;;) {
        size_t room = sizeof(upgrade.text) - 1 - upgrade.length;
        ssize_t n = room > 0 ? read(upgrade.report, upgrade.text + upgrade.length, room)
                             : read(upgrade.report, beyond, sizeof(beyond));
        if (n <= 0) break;
        if (room > 0) upgrade.length += (size_t)n;
    }
    upgrade.text[upgrade.length] = '\0';
}

/* The successor answers at the addresses now, the status included; the service manager follows it. */
bool upgrade_succeeded(const void *of)
{
    struct server *server = server_of(of);
    report_read();
    if (!strchr(upgrade.text, INHERITED_SERVES)) return false;
    close(upgrade.report);
    log_notice("upgrade: process %d serves now; draining", (int)upgrade.successor);
    notify_send(&server->notify, "MAINPID=%d\nSTATUS=serving since an upgrade",
                (int)upgrade.successor);
    server->notify = (struct notify){.length = 0};
    server->succeeded = true;
    status_end(server);
    return true;
}

void upgrade_failed(const void *of, const char *why)
{
    char problem[STATUS_PROBLEM_MAX], *rest = upgrade.text, *line;
    report_read();
    close(upgrade.report);
    line = upgrade.length > 0 ? strsep(&rest, "\n") : NULL;
    if (line && *line)
        snprintf(problem, sizeof(problem), "%s (the new program %s)", line, why);
    else
        snprintf(problem, sizeof(problem), "the new program %s; the error log may say more", why);
    while (rest && (line = strsep(&rest, "\n")) != NULL)
        if (*line) log_error("upgrade: %s", line);
    problem_tell(server_of(of), problem);
}
