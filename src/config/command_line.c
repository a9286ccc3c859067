/*
 * Reads the command line with getopt_long into overrides of the configuration.
 *
 * A switch sets options by name, so that config_load() alone checks the values of options. Only
 * mistakes of the command line itself are reported here: unknown switches, missing arguments, too
 * many directories, and a port that is not a number.
 */

#include "zcserve/command_line.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "config/quantity.h"
#include "config/switch.h"
#include "config/version.h"
#include "zcserve/token.h"
#include "zcserve/utf8.h"

#define EXIT_USAGE 2
#define SWITCHES_MAX 32
#define LOCAL "127.0.0.1:" /* how the value of -p begins */

static int usage_wrong(struct command_line *line, const char *what, const char *which)
{
    line->command = COMMAND_DONE;
    const char *quote = which[0] ? "'" : "";
    fprintf(stderr, "zcserve: %s%s%s", what, which[0] ? " " : "", quote);
    utf8_print(stderr, which);
    fprintf(stderr, "%s\ntry 'zcserve -h'\n", quote);
    return EXIT_USAGE;
}

static int override_add(struct command_line *line, const char *name, const char *value,
                        const char *from)
{
    if (line->override_count == COMMAND_LINE_OVERRIDES_MAX)
        return usage_wrong(line, "too many switches", "");
    line->overrides[line->override_count++] = (struct config_override){name, value, from};
    return 0;
}

static int port_add(struct command_line *line, const struct command_switch *one, const char *port)
{
    uint64_t number;
    if (!quantity_read(port, quantity_plain, &number) || number > UINT16_MAX)
        return usage_wrong(line, "-p takes a port from 0 to 65535, not", port);
    int wrong = override_add(line, one->sets, "", one->told);
    if (wrong) return wrong;
    char *text = line->text[line->override_count - 1];
    snprintf(text, COMMAND_LINE_TEXT_MAX, LOCAL "%u", (unsigned)number);
    line->overrides[line->override_count - 1].value = text;
    return 0;
}

static int option_add(struct command_line *line, char *pair, const char *from)
{
    char *equals = strchr(pair, '=');
    if (!equals || equals == pair) return usage_wrong(line, "-o takes NAME=VALUE, not", pair);
    *equals = '\0';
    return override_add(line, pair, equals + 1, from);
}

static int printed(struct command_line *line, void (*print)(FILE *))
{
    line->command = COMMAND_DONE;
    print(stdout);
    return 0;
}

static int switch_apply(struct command_line *line, const struct command_switch *one, char *argument)
{
    switch (one->kind) {
    case SWITCH_CONFIG:
        if (!argument[0]) return usage_wrong(line, "-c needs a file name that is not empty", "");
        line->config_file = argument;
        return 0;
    case SWITCH_PORT: return port_add(line, one, argument);
    case SWITCH_OVERRIDE:
        return override_add(line, one->sets, argument ? argument : one->value, one->told);
    case SWITCH_OPTION: return option_add(line, argument, one->told);
    case SWITCH_OPEN: line->opens = true; return 0;
    case SWITCH_TEST:
        if (line->command == COMMAND_SERVE) line->command = COMMAND_TEST;
        return 0;
    case SWITCH_PRINT: line->command = COMMAND_PRINT; return 0;
    case SWITCH_EXPLAIN:
        line->command = COMMAND_EXPLAIN;
        line->asked.url = argument;
        return 0;
    case SWITCH_METHOD: line->asked.method = argument; return 0;
    case SWITCH_FROM: line->asked.from = argument; return 0;
    case SWITCH_VERSION: return printed(line, switch_version);
    case SWITCH_BUILD: return printed(line, switch_build);
    case SWITCH_HELP: return printed(line, switch_help);
    }
    return 0;
}

/* ---- getopt ---------------------------------------------------------------------------------- */

struct getopt_tables {
    char letters[3 * SWITCHES_MAX + 2];
    struct option words[SWITCHES_MAX + 1];
};

static void tables_fill(struct getopt_tables *tables)
{
    assert(switch_count <= SWITCHES_MAX);
    char *letter = tables->letters;
    struct option *word = tables->words;
    *letter++ = ':'; /* getopt prints no messages of its own */
    for (const struct command_switch *one = switch_table; one->letter; one++) {
        *letter++ = one->letter;
        if (one->argument) *letter++ = ':';
        if (switch_may_have(one)) *letter++ = ':';
        if (one->word) {
            int takes = one->argument ? required_argument : no_argument;
            if (switch_may_have(one)) takes = optional_argument;
            *word++ = (struct option){.name = one->word, .has_arg = takes, .val = one->letter};
        }
    }
}

static const struct command_switch *switch_find(int letter)
{
    const struct command_switch *one = switch_table;
    while (one->letter && one->letter != letter)
        one++;
    return one->letter ? one : NULL;
}

/*
 * Reports the switch that getopt refused. Of a long switch, optopt is 0 when it is unknown, else
 * its letter.
 */
static int switch_wrong(struct command_line *line, int result, char **argv)
{
    const char short_switch[] = {'-', (char)optopt, '\0'};
    const char *word = argv[optind - 1];
    bool is_word = strncmp(word, "--", 2) == 0;
    const char *which = is_word || !optopt ? word : short_switch;
    if (result == ':') return usage_wrong(line, "an argument is missing after", which);
    const struct command_switch *known = is_word && optopt ? switch_find(optopt) : NULL;
    return usage_wrong(line, known ? "no argument is taken by" : "unknown switch", which);
}

static int switches_read(int argc, char **argv, struct command_line *line)
{
    struct getopt_tables tables = {0};
    tables_fill(&tables);
    optind = 0; /* glibc: starts over; tests read several command lines */
    for (;;) {
        int letter = getopt_long(argc, argv, tables.letters, tables.words, NULL);
        if (letter == -1) return 0;
        const struct command_switch *one = switch_find(letter);
        int wrong = one ? switch_apply(line, one, optarg) : switch_wrong(line, letter, argv);
        if (wrong || line->command == COMMAND_DONE) return wrong;
    }
}

/* ---- the request of --explain ---------------------------------------------------------------- */

/* Returns whether a word begins as a field line does: with a token and ":" (RFC 9110 §5.1). */
static bool is_field(const char *word)
{
    const char *at = word;
    while (is_token_char(*at))
        at++;
    return at > word && *at == ':';
}

/* Takes the words that are fields out of the rest of the arguments. Returns 0 or an exit code. */
static int fields_take(struct command_line *line, int *argc, char **argv)
{
    struct command_request *asked = &line->asked;
    int kept = optind;
    if (line->command != COMMAND_EXPLAIN && (asked->method || asked->from))
        return usage_wrong(line, "only for --explain:", asked->method ? "--method" : "--from");
    if (line->command != COMMAND_EXPLAIN) return 0;
    for (int i = optind; i < *argc; i++)
        if (!is_field(argv[i]))
            argv[kept++] = argv[i];
        else if (asked->fields < COMMAND_LINE_FIELDS_MAX)
            asked->field[asked->fields++] = argv[i];
        else
            return usage_wrong(line, "too many fields", "");
    *argc = kept;
    return 0;
}

/* ---- what is served -------------------------------------------------------------------------- */

static bool is_root_set(const struct command_line *line)
{
    for (size_t i = 0; i < line->override_count; i++)
        if (strcmp(line->overrides[i].name, "root") == 0) return true;
    return false;
}

/* A file that exists but cannot be read is chosen too: to ignore it would hide the mistake. */
static void config_choose(struct command_line *line, const char *directory)
{
    if (line->config_file) {
        line->reason = "the configuration given with -c";
    } else if (directory) {
        line->reason = "no configuration: serving the directory given";
    } else if (access(ZCSERVE_CONFIG_FILE, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)) {
        line->config_file = ZCSERVE_CONFIG_FILE;
        line->reason = "the configuration of this machine, " ZCSERVE_CONFIG_FILE;
    } else if (is_root_set(line)) {
        line->reason = "no " ZCSERVE_CONFIG_FILE ": serving the root given";
    } else {
        line->reason = "no " ZCSERVE_CONFIG_FILE ": serving the current directory";
    }
}

/*
 * --open: the ports of -p are for all addresses. When nothing says where to listen, and no
 * configuration can, adds the default port.
 */
static int opening_apply(struct command_line *line)
{
    bool listens = line->config_file;
    for (size_t i = 0; i < line->override_count; i++) {
        struct config_override *one = &line->overrides[i];
        listens = listens || strcmp(one->name, "listen") == 0;
        if (one->value != line->text[i]) continue;
        size_t length = strlen(line->text[i]) + 1 - strlen(LOCAL);
        memmove(line->text[i] + 2, line->text[i] + strlen(LOCAL), length);
        memcpy(line->text[i], "*:", 2);
    }
    return listens ? 0 : override_add(line, "listen", "*:8080", "--open");
}

int command_line_read(int argc, char **argv, struct command_line *out)
{
    *out = (struct command_line){.command = COMMAND_SERVE};
    int wrong = switches_read(argc, argv, out);
    if (wrong || out->command == COMMAND_DONE) return wrong;
    if ((wrong = fields_take(out, &argc, argv)) != 0) return wrong;
    const char *directory = optind < argc ? argv[optind] : NULL;
    if (argc - optind > 1)
        return usage_wrong(out, "only one directory can be served, not also", argv[optind + 1]);
    if (directory && directory[0] == '\0')
        return usage_wrong(out, "the directory's name is empty", "");
    config_choose(out, directory);
    if (!out->config_file && !directory && !is_root_set(out)) directory = ".";
    if (directory && (wrong = override_add(out, "root", directory, "DIR")) != 0) return wrong;
    return out->opens ? opening_apply(out) : 0;
}
