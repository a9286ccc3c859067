/*
 * The program: reads the command line and the configuration, and serves (src/start/), checks or
 * prints. `top`, `report`, `reload`, `upgrade`, `healthcheck`, `doctor` and `precompress` are
 * another program.
 */
#include "explain/explain.h"
#include "start/inherited.h"
#include "start/program.h"
#include "start/upgrade.h"
#include "zcserve/command_line.h"
#include "zcserve/confine.h"
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

/* Serves, or says that the configuration is right. Frees the program. */
static int command_run(struct program *p, const struct command_line *line,
                       struct inherited *inherited)
{
    char problem[PATH_MAX + 256];
    const struct config *config = p->config;
    int code = EXIT_SUCCESS, error;
    sink_ignore_signals();
    if (config->sandbox_privileges) confine_supervisor();
    if ((error = log_open(config->error_log, (enum log_level)config->log_level)) != 0) {
        snprintf(problem, sizeof(problem), "cannot open the error log %s: %s", config->error_log,
                 sink_problem(-error));
        program_problem(p, problem);
        code = EXIT_FAILURE;
    } else if (!service_make(p)) {
        code = EXIT_BAD_CONFIGURATION;
    } else if (!model_choose(p, problem, sizeof(problem))) {
        program_problem(p, problem);
        code = EXIT_FAILURE;
    } else if (line->command == COMMAND_SERVE) {
        return server_run(p, line, ZCSERVE_VERSION, inherited);
    } else {
        fprintf(stderr, "%s: the configuration is right\n", p->origin);
    }
    program_free(p);
    return code;
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

/* Makes all that a server has but its processes and sockets, and explains. Frees the program. */
static int request_explain(struct program *p, const struct command_request *asked)
{
    int code = EXPLAIN_BAD_USAGE;
    signal(SIGXFSZ, SIG_IGN);
    if (service_make(p)) code = explain(p, asked, stdout);
    program_free(p);
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    fprintf(stderr, "zcserve: the explanation cannot be written: %s\n", strerror(errno));
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
    static const char *const tools[] = {"top",         "report", "reload",     "upgrade",
                                        "healthcheck", "doctor", "precompress"};
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
        if (strcmp(word, tools[i]) == 0) return true;
    return false;
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

/* Reads the configuration, and does with it what the command line asks for. */
static int config_use(const struct command_line *line, struct inherited *inherited)
{
    struct program *program = program_new(line, inherited->report ? inherited->report : stderr);
    bool explains = line->command == COMMAND_EXPLAIN;
    if (!program) return explains ? EXPLAIN_BAD_USAGE : EXIT_BAD_CONFIGURATION;
    if (explains) return request_explain(program, &line->asked);
    if (line->command != COMMAND_PRINT) return command_run(program, line, inherited);
    int code = config_show(program->config);
    program_free(program);
    return code;
}

int main(int argc, char **argv)
{
    if (!standard_descriptors_hold()) return EXIT_FAILURE; /* there is nowhere to report it */
    if (argc > 1 && is_tool(argv[1])) return tool_become(argv);
    static struct command_line line;
    static struct inherited inherited;
    char problem[512];
    if (!upgrade_remember(argc, argv)) {
        fputs("not enough memory for the configuration\n", stderr);
        return EXIT_BAD_CONFIGURATION;
    }
    int code = command_line_read(argc, argv, &line);
    if (line.command == COMMAND_DONE) return code;
    if (inherited_take(&inherited, problem, sizeof(problem))) {
        code = config_use(&line, &inherited);
    } else {
        fprintf(stderr, "zcserve: %s\n", problem);
        code = EXIT_FAILURE;
    }
    inherited_close(&inherited, NULL);
    return code;
}
