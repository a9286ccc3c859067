/*
 * Experiment 10: Parquet. A library (hyparquet) in a Node process reads it and answers questions over two
 * pipes. Every wait for the process has a limit, and it ends when zclab ends.
 */
#include "formats.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 60000, ANSWER_MS = 30000, LOOK_MS = 100 };

/* The script: the assembler embeds it, as in page_style.c. */
extern char formats_parquet_script[];
__asm__(".pushsection .data\n"
        ".global formats_parquet_script\n.hidden formats_parquet_script\n"
        "formats_parquet_script: .incbin \"bench/lab/experiments/formats_parquet.mjs\"\n.byte 0\n"
        ".popsection\n");

static void child_run(const struct form *form, const char *csv, int in, int out)
{
    char path[300], packing[16], from[340], modules[200];
    snprintf(path, sizeof path, "%s", form->path);
    snprintf(packing, sizeof packing, "%s", form->packing);
    snprintf(from, sizeof from, "%s", csv);
    snprintf(modules, sizeof modules, "%s", form->node_modules);
    char *const words[] = {(char[]){"node"}, (char[]){"--input-type=module"},
                           (char[]){"-e"},   formats_parquet_script,
                           (char[]){"--"},   path,
                           packing,          from,
                           modules,          NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nowhere = open("/dev/null", O_WRONLY);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) _exit(127);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execvp("node", words);
    _exit(127);
}

/*
 * Reads the next line of the child, without its end. Returns 0, -ETIMEDOUT, -EINTR, or -EPIPE when it has
 * ended.
 */
static int line_read(struct node *node, int limit_ms)
{
    size_t used = 0;
    for (int waited = 0; waited < limit_ms;) {
        struct pollfd fd = {node->from, POLLIN, 0};
        int ready = poll(&fd, 1, LOOK_MS);
        if (measure_stopped) return -EINTR;
        if (ready == 0) waited += LOOK_MS;
        if (ready <= 0) continue;
        char c;
        if (read(node->from, &c, 1) != 1) return -EPIPE;
        if (c == '\n') {
            node->line[used] = '\0';
            return 0;
        }
        if (used < sizeof node->line - 1) node->line[used++] = c;
    }
    return -ETIMEDOUT;
}

int node_open(struct node *node, const struct form *form, const char *csv)
{
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    *node = (struct node){.pid = -1, .to = -1, .from = -1};
    if (pipe2(to, O_CLOEXEC) < 0) return -errno;
    if (pipe2(from, O_CLOEXEC) < 0) {
        close(to[0]);
        close(to[1]);
        return -EMFILE;
    }
    node->to = to[1];
    node->from = from[0];
    node->pid = fork();
    if (node->pid == 0) child_run(form, csv, to[0], from[1]);
    int failed = node->pid < 0 ? -errno : 0;
    close(to[0]);
    close(from[1]);
    int result = failed < 0 ? failed : line_read(node, START_MS);
    if (result == -EPIPE) return -ENOPKG; /* it could not even start */
    if (result < 0) return result;
    return !strcmp(node->line, "ready")         ? 0
           : !strcmp(node->line, "unsupported") ? -ENOTSUP
                                                : -ENOPKG;
}

void node_close(struct node *node)
{
    if (node->to >= 0) close(node->to);
    if (node->from >= 0) close(node->from);
    if (node->pid > 0) {
        kill(node->pid, SIGKILL);
        while (waitpid(node->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    *node = (struct node){.pid = -1, .to = -1, .from = -1};
}

int node_ask(struct node *node, const char *question, double *sum, double *user_us,
             double *system_us)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%.60s\n", question);
    if (write(node->to, line, (size_t)length) != length) return -EPIPE;
    int result = line_read(node, ANSWER_MS);
    if (result < 0) return result;
    return sscanf(node->line, "ok %lf %lf %lf", sum, user_us, system_us) == 3 ? 0 : -EBADMSG;
}
