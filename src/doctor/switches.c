/* Reads the switches of doctor with getopt_long, and prints its help. */
#include "doctor/switches.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/check.h"
#include "doctor/doctor.h"

#define ENTRIES_USUAL 100000
#define SECONDS_USUAL 10

enum { PID = 256, JSON, FILES, SECONDS };

static const struct option words[] = {
    {"config", required_argument, NULL, 'c'},
    {"user", required_argument, NULL, 'u'},
    {"pid", required_argument, NULL, PID},
    {"json", no_argument, NULL, JSON},
    {"files", required_argument, NULL, FILES},
    {"seconds", required_argument, NULL, SECONDS},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "zcserve doctor looks at this machine, and says what hinders a server with this "
    "configuration.\n"
    "Each line is a finding and its remedy. It changes nothing.\n\n"
    "usage: zcserve doctor [SWITCHES] -c FILE\n"
    "       zcserve doctor [SWITCHES] DIR\n\n"
    "  -c, --config FILE   the configuration; with DIR, that is served instead of its root\n"
    "  -u, --user USER     look with the rights of this user (only root can look as another)\n"
    "      --pid PID       look with the limits and the user of this process of a running server\n"
    "      --json          one JSON object, as conf/doctor.schema.json says\n"
    "      --files N       look at so many names below the roots at most (100000; 0: all)\n"
    "      --seconds N     look at them for so long at most (10; 0: as long as it takes)\n"
    "  -v, --verbose       also what is in order, and what could not be looked at\n"
    "  -h, --help          print this\n\n"
    "severities:\n"
    "  harm  the server does not start, requests fail, or content is open to others\n"
    "  warn  it is slower than it could be, or fails under load\n"
    "  note  worth knowing; it may be meant so\n\n"
    "exit codes: 0 nothing harms; 1 something does; 2 the command line or the configuration is "
    "wrong\n\n"
    "checks:\n";

static void help_print(void)
{
    fputs(help, stdout);
    for (const struct check *check = checks; check->name; check++)
        printf("  %-14s%s\n", check->name, check->what);
}

static bool usage_wrong(int *code, const char *what)
{
    fprintf(stderr, "zcserve doctor: %s\ntry 'zcserve doctor -h'\n", what);
    *code = DOCTOR_USAGE;
    return false;
}

/* Reads a whole number from `least` on. */
static bool number_read(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    size_t length = strlen(text);
    if (length == 0 || length > 18 || strspn(text, "0123456789") != length) return false;
    *number = strtoull(text, NULL, 10);
    return *number >= least && *number <= most;
}

static bool switch_apply(struct doctor_switches *out, int letter, int *code)
{
    uint64_t number = 0;
    struct facts_wanted *wanted = &out->wanted;
    switch (letter) {
    case 'c': wanted->file = optarg; return true;
    case 'u': wanted->user = optarg; return true;
    case 'v': out->verbose = true; return true;
    case JSON: out->json = true; return true;
    case PID:
        if (!number_read(optarg, 1, INT_MAX, &number))
            return usage_wrong(code, "--pid takes the number of a process");
        wanted->pid = (long)number;
        return true;
    case FILES:
        return number_read(optarg, 0, UINT64_MAX, &wanted->entries_max) ||
               usage_wrong(code, "--files takes a whole number");
    case SECONDS:
        if (!number_read(optarg, 0, INT_MAX, &number))
            return usage_wrong(code, "--seconds takes a whole number");
        wanted->seconds_max = (double)number;
        return true;
    case 'h':
        help_print();
        *code = DOCTOR_WELL;
        return false;
    case ':': return usage_wrong(code, "an argument is missing after the last switch");
    default: return usage_wrong(code, "unknown switch");
    }
}

bool doctor_switches_read(int argc, char **argv, struct doctor_switches *out, int *code)
{
    *out = (struct doctor_switches){
        .wanted = {.entries_max = ENTRIES_USUAL, .seconds_max = SECONDS_USUAL}};
    optind = 0; /* glibc: starts over */
    for (;;) {
        int letter = getopt_long(argc, argv, ":c:u:vh", words, NULL);
        if (letter == -1) break;
        if (!switch_apply(out, letter, code)) return false;
    }
    if (argc - optind > 1) return usage_wrong(code, "only one directory can be looked at");
    if (optind < argc) out->wanted.root = argv[optind];
    if (out->wanted.root && *out->wanted.root == '\0')
        return usage_wrong(code, "the directory's name is empty");
    if (!out->wanted.file && !out->wanted.root)
        return usage_wrong(code, "-c FILE or DIR is missing");
    if (out->wanted.user && out->wanted.pid)
        return usage_wrong(code, "either -u or --pid says who serves");
    return true;
}
