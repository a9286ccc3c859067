/*
 * Reads the switches of `zcserve precompress` with getopt_long. Options of the configuration, such
 * as `sidecars`, are checked by config_load().
 */
#include "precompress/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config/quantity.h"
#include "tool/tool.h"
#include "zcserve/utf8.h"

enum { CHECK = 256, PRUNE, TYPES, LEAST, MOST, LEVELS, JSON };

static const struct option words[] = {
    {"config", required_argument, NULL, 'c'},
    {"option", required_argument, NULL, 'o'},
    {"jobs", required_argument, NULL, 'j'},
    {"levels", required_argument, NULL, LEVELS},
    {"types", required_argument, NULL, TYPES},
    {"min-size", required_argument, NULL, LEAST},
    {"max-size", required_argument, NULL, MOST},
    {"check", no_argument, NULL, CHECK},
    {"dry-run", no_argument, NULL, 'n'},
    {"prune", no_argument, NULL, PRUNE},
    {"json", no_argument, NULL, JSON},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "zcserve precompress writes compressed copies of files beside them (style.css.br), which\n"
    "the server sends to clients that accept them.\n\n"
    "usage: zcserve precompress [SWITCHES] DIR\n"
    "       zcserve precompress [SWITCHES] -c FILE [DIR]\n\n"
    "  -c, --config FILE         read this configuration: root, sidecars, mime_types, hidden, "
    "symlinks\n"
    "  -o, --option NAME=VALUE   set an option of the configuration: -o sidecars=br,gz\n"
    "  -j, --jobs N              files compressed at the same time (one for each usable CPU)\n"
    "      --levels LIST         br 0 to 11, zst 1 to 22, gz 1 to 12 (br=11,zst=19,gz=12)\n"
    "      --types LIST          media types to compress: default, type/subtype, type/* (default)\n"
    "      --min-size SIZE       smaller files are left alone (256)\n"
    "      --max-size SIZE       larger files are left alone (256m)\n"
    "      --check               write nothing; report what is missing, stale or different\n"
    "  -n, --dry-run             write nothing; report what would be done\n"
    "      --prune               remove sidecars that are wrong, or do not save enough, when none\n"
    "                            is made in their place\n"
    "      --json                the summary as one JSON object; lines go to standard error\n"
    "  -v, --verbose             a line for each sidecar that is written or removed\n"
    "  -h, --help                print this\n\n"
    "A sidecar gets the time of its original. One that has this time already is left alone; one\n"
    "with another time and the right content only gets the time. It is not written unless it "
    "saves\n"
    "5 % and 64 bytes. The types \"default\" are text, JavaScript, JSON, XML, SVG, WebAssembly "
    "and\n"
    "the like.\n\n"
    "examples:\n"
    "  zcserve precompress -v public\n"
    "  zcserve precompress --types default,font/ttf -o sidecars=br,gz public\n"
    "  zcserve precompress --check -c serve.conf\n\n"
    "exit codes: 0; 1 something failed, or is wrong (--check); 2 the command line or the\n"
    "configuration is wrong, or DIR cannot be opened; when a signal ends it, that signal\n";

static const struct precompress_wishes wishes_default = {
    .types = "default",
    .size_min = 256,
    .size_max = UINT64_C(256) << 20,
    .level = {[CODING_GZIP] = 12, [CODING_BR] = 11, [CODING_ZSTD] = 19},
};

static bool usage_wrong(int *code, const char *what, const char *which)
{
    const char *quote = which[0] ? "'" : "";
    fprintf(stderr, "zcserve precompress: %s%s%s", what, which[0] ? " " : "", quote);
    utf8_print(stderr, which);
    fprintf(stderr, "%s\ntry 'zcserve precompress -h'\n", quote);
    *code = TOOL_USAGE;
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool override_add(struct precompress_switches *out, const char *name, const char *value,
                         const char *from, int *code)
{
    if (out->override_count == PRECOMPRESS_OVERRIDES_MAX)
        return usage_wrong(code, "too many switches", "");
    out->overrides[out->override_count++] = (struct config_override){name, value, from};
    return true;
}

static bool option_add(struct precompress_switches *out, char *pair, int *code)
{
    char *equals = strchr(pair, '=');
    if (!equals || equals == pair) return usage_wrong(code, "-o takes NAME=VALUE, not", pair);
    *equals = '\0';
    return override_add(out, pair, equals + 1, "-o", code);
}

static bool jobs_set(struct precompress_switches *out, const char *text, int *code)
{
    uint64_t jobs;
    if (!quantity_read(text, quantity_plain, &jobs) || jobs < 1 || jobs > PRECOMPRESS_JOBS_MAX)
        return usage_wrong(code, "-j takes a number from 1 to 256, not", text);
    out->jobs = (uint32_t)jobs;
    return true;
}

static bool size_set(uint64_t *size, const char *name, const char *text, int *code)
{
    char what[64];
    if (quantity_read(text, quantity_bytes, size) && *size <= PRECOMPRESS_SIZE_MAX) return true;
    snprintf(what, sizeof(what), "%s takes a size up to 1t, such as 512 or 64k, not", name);
    return usage_wrong(code, what, text);
}

static bool types_set(struct precompress_switches *out, const char *list, int *code)
{
    if (!types_are_valid(list))
        return usage_wrong(code, "--types takes a list of media types, not", list);
    out->wishes.types = list;
    return true;
}

static bool levels_set(struct precompress_switches *out, const char *list, int *code)
{
    return levels_read(list, out->wishes.level) ||
           usage_wrong(code, "--levels takes a list such as br=11,zst=19,gz=12, not", list);
}

/* ---- switches -------------------------------------------------------------------------------- */

/* Returns how a switch that getopt refused was written. */
static const char *switch_written(char **argv)
{
    static char letter[] = "-?";
    letter[1] = (char)optopt;
    bool is_word = strncmp(argv[optind - 1], "--", 2) == 0;
    return is_word || !optopt ? argv[optind - 1] : letter;
}

static bool switch_apply(struct precompress_switches *out, int letter, char **argv, int *code)
{
    switch (letter) {
    case 'c': out->config_file = optarg; return true;
    case 'o': return option_add(out, optarg, code);
    case 'j': return jobs_set(out, optarg, code);
    case LEVELS: return levels_set(out, optarg, code);
    case TYPES: return types_set(out, optarg, code);
    case LEAST: return size_set(&out->wishes.size_min, "--min-size", optarg, code);
    case MOST: return size_set(&out->wishes.size_max, "--max-size", optarg, code);
    case CHECK: out->wishes.check = true; return true;
    case 'n': out->wishes.dry_run = true; return true;
    case PRUNE: out->wishes.prune = true; return true;
    case JSON: out->json = true; return true;
    case 'v': out->wishes.verbose = true; return true;
    case 'h':
        fputs(help, stdout);
        *code = TOOL_DONE;
        return false;
    case ':': return usage_wrong(code, "an argument is missing after", switch_written(argv));
    default: return usage_wrong(code, "unknown switch", switch_written(argv));
    }
}

/* DIR is the root, whatever the configuration says. */
static bool directory_take(int argc, char **argv, struct precompress_switches *out, int *code)
{
    if (argc - optind > 1)
        return usage_wrong(code, "only one directory can be given, not also", argv[optind + 1]);
    if (optind < argc && argv[optind][0] == '\0')
        return usage_wrong(code, "the directory's name is empty", "");
    if (optind < argc) return override_add(out, "root", argv[optind], "DIR", code);
    return out->config_file || usage_wrong(code, "DIR is missing", "");
}

bool precompress_arguments_read(int argc, char **argv, struct precompress_switches *out, int *code)
{
    *out = (struct precompress_switches){.wishes = wishes_default};
    optind = 0; /* glibc: starts over */
    for (;;) {
        int letter = getopt_long(argc, argv, ":c:o:j:nvh", words, NULL);
        if (letter == -1) break;
        if (!switch_apply(out, letter, argv, code)) return false;
    }
    if (out->wishes.check && (out->wishes.dry_run || out->wishes.prune))
        return usage_wrong(code, "--check writes nothing: it goes with neither -n nor --prune", "");
    return directory_take(argc, argv, out, code);
}
