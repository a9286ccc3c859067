/*
 * The program: reads the command line and the configuration, and serves (src/start/), checks or
 * prints. `top` and `report` are another program.
 */
#include "start/program.h"
#include "zcserve/command_line.h"
#include "zcserve/log.h"
#include "zcserve/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_BAD_CONFIGURATION = 78 }; /* EX_CONFIG of sysexits.h */

static int command_run(struct program *p, enum command command)
{
    const struct config *config = p->config;
    sink_ignore_signals();
    int error = log_open(config->error_log, (enum log_level)config->log_level);
    if (error != 0) {
        log_error("cannot open the error log %s: %s", config->error_log, sink_problem(-error));
        return EXIT_FAILURE;
    }
    if (!service_make(p)) return EXIT_BAD_CONFIGURATION;
    if (!model_choose(p)) return EXIT_FAILURE;
    if (command == COMMAND_SERVE) return server_run(p);
    fprintf(stderr, "%s: the configuration is right\n", p->origin);
    return EXIT_SUCCESS;
}

/* Ignores SIGXFSZ, so that a file at its size limit is reported as an error, as a full disk is. */
static int config_show(const struct config *config)
{
    signal(SIGXFSZ, SIG_IGN);
    config_print(config, stdout);
    if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_SUCCESS;
    fprintf(stderr, "zcserve: the configuration cannot be written: %s\n", strerror(errno));
    return EXIT_FAILURE;
}

/*
 * Opens the standard descriptors that are closed. Otherwise a connection could get the number of
 * standard error, and its peer would receive the log. Begins with the lowest, because open()
 * returns the lowest free number. Returns false when this fails.
 */
static bool standard_descriptors_hold(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
    return true;
}

/* ---- the tools ------------------------------------------------------------------------------- */

/* Only the first argument counts. A directory with such a name can be served as ./top. */
static bool is_tool(const char *word)
{
    return strcmp(word, "top") == 0 || strcmp(word, "report") == 0;
}

/* Executes zcserve-tool, a program beside this one, whose libraries the server need not load. */
static int tool_become(char **argv)
{
    static const char name[] = "zcserve-tool";
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
    while (length > 0 && path[length - 1] != '/')
        length--;
    memcpy(path + (length > 0 ? length : 0), name, sizeof(name));
    execv(path, argv);
    fprintf(stderr, "zcserve %s: cannot start %s: %s\n", argv[1], path, strerror(errno));
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (!standard_descriptors_hold()) return EXIT_FAILURE; /* there is nowhere to report it */
    if (argc > 1 && is_tool(argv[1])) return tool_become(argv);
    static struct command_line line;
    int code = command_line_read(argc, argv, &line);
    if (line.command == COMMAND_DONE) return code;
    struct config *config =
        config_load(line.config_file, line.overrides, line.override_count, stderr);
    if (!config) return EXIT_BAD_CONFIGURATION;
    struct program program = {.config = config,
                              .version = ZCSERVE_VERSION,
                              .reason = line.reason,
                              .origin = line.reason,
                              .status = {.fd = -1, .alive = {-1, -1}}};
    if (line.config_file) program.origin = line.config_file;
    code =
        line.command == COMMAND_PRINT ? config_show(config) : command_run(&program, line.command);
    program_close(&program);
    config_free(config);
    return code;
}
