/*
 * Reads the switches of a tool with getopt_long. All tools have switches for the address of the
 * status listener. A switch of another tool is reported as a mistake.
 */
#include "tool/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/tool.h"
#include "zcserve/config.h"

enum { ONCE = 256, JSON };

static const struct option words[] = {
    {"status", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"delay", required_argument, NULL, 'd'},
    {"once", no_argument, NULL, ONCE},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char *const names[] = {
    [TOOL_TOP] = "top",         [TOOL_REPORT] = "report",           [TOOL_RELOAD] = "reload",
    [TOOL_UPGRADE] = "upgrade", [TOOL_HEALTHCHECK] = "healthcheck",
};

static const char top_help[] =
    "zcserve top shows what a running server does, worker by worker.\n\n"
    "usage: zcserve top [-s ADDR:PORT | -c FILE] [-d SECONDS] [--once]\n\n"
    "  -s, --status ADDR:PORT  address of the server's status (" TOOL_ADDRESS_DEFAULT ")\n"
    "  -c, --config FILE       take it from the option 'status' of this configuration\n"
    "  -d, --delay SECONDS     time between two readings, 0.1 to 60 (1)\n"
    "      --once              print one interval as plain text and end; for scripts\n"
    "  -h, --help              print this\n\n"
    "keys: q ends; p pauses; up, down and tab choose a worker or all; left and right (or s) "
    "choose\n"
    "what workers are sorted by; + and - change the interval; ? explains the figures\n\n"
    "exit codes: 0; 1 the server cannot be reached; 2 the command line is wrong\n"
    "environment: NO_COLOR switches colours off; without UTF-8, bars are drawn in ASCII\n";

static const char report_help[] =
    "zcserve report runs a command, such as a load test, and reports what the server did.\n\n"
    "usage: zcserve report [-s ADDR:PORT | -c FILE] [--json] [--] COMMAND [ARGUMENT…]\n\n"
    "  -s, --status ADDR:PORT  address of the server's status (" TOOL_ADDRESS_DEFAULT ")\n"
    "  -c, --config FILE       take it from the option 'status' of this configuration\n"
    "      --json              the report as one JSON object; what COMMAND prints goes to standard "
    "error\n"
    "  -h, --help              print this\n\n"
    "It understands the output of wrk (with --latency), wrk2, ab and h2load, and compares.\n\n"
    "examples:\n"
    "  zcserve report -- wrk -t1 -c64 -d10 --latency http://127.0.0.1:8080/\n"
    "  zcserve report --json -- ab -k -c 8 -n 100000 http://127.0.0.1:8080/ 2>/dev/null\n\n"
    "exit codes: that of COMMAND, 128 + N when signal N ended it, 127 when it does not exist;\n"
    "1 the server cannot be reached or was started again during COMMAND; 2 the command line is "
    "wrong\n";

static const char reload_help[] =
    "zcserve reload makes a running server read its configuration again, and waits for the "
    "result.\n\n"
    "usage: zcserve reload [-s ADDR:PORT | -c FILE]\n\n"
    "  -s, --status ADDR:PORT  address of the server's status (" TOOL_ADDRESS_DEFAULT ")\n"
    "  -c, --config FILE       take it from the option 'status' of this configuration\n"
    "  -h, --help              print this\n\n"
    "The workers of the new configuration start beside the old ones, which finish what they have "
    "and\n"
    "end. No connection is refused or cut. When anything is wrong, nothing changes, and the reason "
    "is\n"
    "printed. It sends the signal HUP to the server, so it needs the same user or root.\n\n"
    "exit codes: 0 the new configuration serves; 1 nothing has changed, or the server cannot be\n"
    "reached; 2 the command line is wrong\n";

static const char upgrade_help[] =
    "zcserve upgrade makes a running server hand over to the program that is installed now, and "
    "waits for\nthe result.\n\n"
    "usage: zcserve upgrade [-s ADDR:PORT | -c FILE]\n\n"
    "  -s, --status ADDR:PORT  address of the server's status (" TOOL_ADDRESS_DEFAULT ")\n"
    "  -c, --config FILE       take it from the option 'status' of this configuration\n"
    "  -h, --help              print this\n\n"
    "The server starts the program from the path by which it was started, with the same arguments, "
    "and\n"
    "hands its listening sockets over. When the new program serves, the old one finishes what it "
    "has and\n"
    "ends. No connection is refused or cut. When anything is wrong, the old one goes on, and the "
    "reason is\n"
    "printed. It sends the signal USR2 to the server, so it needs the same user or root.\n\n"
    "exit codes: 0 the new program serves; 1 the old one goes on, or the server cannot be "
    "reached;\n2 the command line is wrong\n";

static const char healthcheck_help[] =
    "zcserve healthcheck asks the status of a running server whether it is ready.\n\n"
    "usage: zcserve healthcheck [-s ADDR:PORT | -c FILE]\n\n"
    "  -s, --status ADDR:PORT  address of the server's status (" TOOL_ADDRESS_DEFAULT ")\n"
    "  -c, --config FILE       take it from the option 'status' of this configuration\n"
    "  -h, --help              print this\n\n"
    "It is for containers: HEALTHCHECK CMD [\"zcserve\", \"healthcheck\"]\n\n"
    "exit codes: 0 ready; 1 starting, draining, or it cannot be reached; 2 the command line is "
    "wrong\n";

static const char *const helps[] = {
    [TOOL_TOP] = top_help,
    [TOOL_REPORT] = report_help,
    [TOOL_RELOAD] = reload_help,
    [TOOL_UPGRADE] = upgrade_help,
    [TOOL_HEALTHCHECK] = healthcheck_help,
};

static bool usage_wrong(const struct tool_options *options, int *code, const char *what)
{
    fprintf(stderr, "zcserve %s: %s\ntry 'zcserve %s -h'\n", names[options->tool], what,
            names[options->tool]);
    *code = TOOL_USAGE;
    return false;
}

/* ---- the address ----------------------------------------------------------------------------- */

/* A port alone means 127.0.0.1. */
static bool address_set(struct tool_options *out, const char *address, int *code)
{
    size_t length = strlen(address);
    bool is_port = length > 0 && strspn(address, "0123456789") == length;
    bool is_local = strncmp(address, "unix:/", 6) == 0 || strncmp(address, "unix:@", 6) == 0;
    if (length == 0 || length + 16 > sizeof(out->address) ||
        (!is_local && strpbrk(address, "/ \t@?#\\")))
        return usage_wrong(
            out, code,
            "-s takes ADDR:PORT, unix:/PATH or unix:@NAME, such as " TOOL_ADDRESS_DEFAULT);
    snprintf(out->address, sizeof(out->address), "%s%s", is_port ? "127.0.0.1:" : "", address);
    return true;
}

static bool no_address(int *code, const char *file, const char *why)
{
    fprintf(stderr, "zcserve: %s: status %s\n", file, why);
    *code = TOOL_FAILED;
    return false;
}

static bool address_from(struct tool_options *out, const char *file, int *code)
{
    struct config *config = config_load(file, NULL, 0, stderr);
    if (!config) {
        *code = TOOL_FAILED;
        return false;
    }
    const char *status = config->status, *port = strrchr(status, ':');
    bool right = true;
    if (*status == '\0' || strcmp(status, "off") == 0)
        right =
            no_address(code, file, "is off: set it, as in status = \"" TOOL_ADDRESS_DEFAULT "\"");
    else if (port && strcmp(port, ":0") == 0)
        right = no_address(code, file,
                           "has port 0: give the address that is in the server's log with -s");
    else
        right = address_set(out, status, code);
    config_free(config);
    return right;
}

/* ---- switches -------------------------------------------------------------------------------- */

static bool delay_set(struct tool_options *out, const char *text, int *code)
{
    char *end;
    double delay = strtod(text, &end);
    if (end == text || *end || !(delay >= TOOL_DELAY_MIN && delay <= TOOL_DELAY_MAX))
        return usage_wrong(out, code, "-d takes seconds from 0.1 to 60");
    out->delay_seconds = delay;
    return true;
}

static bool switch_apply(struct tool_options *out, int letter, int *code)
{
    bool is_top = out->tool == TOOL_TOP;
    switch (letter) {
    case 's': return address_set(out, optarg, code);
    case 'c': return address_from(out, optarg, code);
    case 'd':
        return is_top ? delay_set(out, optarg, code) : usage_wrong(out, code, "-d is only for top");
    case ONCE: out->once = true; break;
    case JSON: out->json = true; break;
    case 'h':
        fputs(helps[out->tool], stdout);
        *code = TOOL_DONE;
        return false;
    case ':': return usage_wrong(out, code, "an argument is missing after the last switch");
    default: return usage_wrong(out, code, "unknown switch");
    }
    if (out->once && !is_top) return usage_wrong(out, code, "--once is only for top");
    if (out->json && out->tool != TOOL_REPORT)
        return usage_wrong(out, code, "--json is only for report");
    return true;
}

bool tool_arguments_read(int argc, char **argv, struct tool_options *out, int *code)
{
    *out = (struct tool_options){.address = TOOL_ADDRESS_DEFAULT, .delay_seconds = 1};
    while (strcmp(argv[0], names[out->tool]) != 0) /* the caller knows that it is one of them */
        out->tool++;
    optind = 0; /* glibc: starts over */
    for (;;) {
        /* "+": stops at the first word that is not a switch, because COMMAND begins there. */
        int letter = getopt_long(argc, argv, "+:s:c:d:h", words, NULL);
        if (letter == -1) break;
        if (!switch_apply(out, letter, code)) return false;
    }
    out->command = argv + optind;
    if (out->tool != TOOL_REPORT && optind < argc)
        return usage_wrong(out, code, "there must be no argument behind the switches");
    if (out->tool == TOOL_REPORT && optind == argc)
        return usage_wrong(out, code, "COMMAND is missing: zcserve report -- COMMAND");
    return true;
}
