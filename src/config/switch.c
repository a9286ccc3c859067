/*
 * The switches of the command line, and the texts of -h, -v and -V.
 *
 * command_line.c applies the switches. A switch that only sets an option needs a row in the table
 * here and nothing else.
 */

#include "config/switch.h"

#include <stddef.h>
#include <string.h>

#include "config/option.h"
#include "config/version.h"

const struct command_switch switch_table[] = {
    {'c', SWITCH_CONFIG, "config", "FILE", NULL, "-c", "read this configuration", NULL},
    {'p', SWITCH_PORT, "port", "PORT", "listen", "-p",
     "listen on 127.0.0.1:PORT; 0 picks a free port and prints it", NULL},
    {'l', SWITCH_OVERRIDE, "listen", "ADDR", "listen", "-l",
     "listen on HOST:PORT, [IPV6]:PORT, PORT or unix:PATH; may be repeated", NULL},
    {'m', SWITCH_OVERRIDE, "model", "MODEL", "model", "-m", "how connections are served", NULL},
    {'w', SWITCH_OVERRIDE, "workers", "N", "workers", "-w", "number of worker processes, or auto",
     NULL},
    {'o', SWITCH_OPTION, "option", "NAME=VALUE", NULL, "-o",
     "set any option: -o cache.size=1g; one of a rule: -o rule.expires=1d", NULL},
    {'O', SWITCH_OPEN, "open", NULL, NULL, "--open",
     "serve the whole network, and print this machine's addresses", NULL},
    {'L', SWITCH_OVERRIDE, "listing", NULL, "rule.listing", "--listing",
     "show the names in directories that have no index", "on"},
    {'s', SWITCH_OVERRIDE, "spa", NULL, CONFIG_SINGLE_PAGE, "--spa",
     "a path that is no file gets /index.html, unless it ends in a suffix", "on"},
    {'C', SWITCH_OVERRIDE, "cors", "[=ORIGIN]", "rule.cors", "--cors",
     "scripts of this origin, else of all, may read what is served", "*"},
    {'K', SWITCH_OVERRIDE, "cache-control", "VALUE", "rule.cache_control", "--cache-control",
     "send Cache-Control: VALUE with every file", NULL},
    {'t', SWITCH_TEST, "test", NULL, NULL, "-t", "test the configuration, and serve nothing", NULL},
    {'T', SWITCH_PRINT, "print", NULL, NULL, "-T",
     "print the configuration in full, each option explained", NULL},
    {'E', SWITCH_EXPLAIN, "explain", "URL", NULL, "--explain",
     "say how a request would be answered, and why, and serve nothing", NULL},
    {'X', SWITCH_METHOD, "method", "METHOD", NULL, "--method", "the request's method: GET", NULL},
    {'F', SWITCH_FROM, "from", "ADDRESS", NULL, "--from",
     "the address that the request comes from: 127.0.0.1", NULL},
    {'v', SWITCH_VERSION, "version", NULL, NULL, "-v", "print the version", NULL},
    {'V', SWITCH_BUILD, NULL, NULL, NULL, "-V", "print the version and how it was built", NULL},
    {'h', SWITCH_HELP, "help", NULL, NULL, "-h", "print this", NULL},
    {0},
};

const size_t switch_count = sizeof switch_table / sizeof switch_table[0] - 1;

bool switch_may_have(const struct command_switch *one)
{
    return one->argument && one->argument[0] == '[';
}

#define HELP_COLUMN 30 /* the column in which explanations begin */

static void switch_print(const struct command_switch *one, FILE *out)
{
    char text[64];
    bool apart = one->argument && !switch_may_have(one);
    snprintf(text, sizeof text, "  -%c%s%s%s%s", one->letter, one->word ? ", --" : "",
             one->word ? one->word : "", apart ? " " : "", one->argument ? one->argument : "");
    fprintf(out, "%-*s%s\n", HELP_COLUMN, text, one->help);
}

/* A row of one of the lists below. */
struct row {
    const char *left, *right;
};

static void rows_print(const char *title, const struct row *rows, FILE *out)
{
    fprintf(out, "\n%s:\n", title);
    for (; rows->left; rows++)
        fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, rows->left, rows->right);
}

static const struct row examples[] = {
    {"zcserve", "serve as " ZCSERVE_CONFIG_FILE " says, else this directory"},
    {"zcserve -p 0 site", "site, on a free port of this machine"},
    {"zcserve -l 0.0.0.0:80 site", "site, for everyone who can reach this machine"},
    {"zcserve --open -p 8000 site", "the same, and show how to reach it"},
    {"zcserve -c serve.conf -t", "test the configuration"},
    {"zcserve -c serve.conf -w 1", "the configuration, but with one worker"},
    {"zcserve --spa dist", "a single-page application"},
    {"zcserve -c FILE -E URL", "how would FILE have a request for URL answered, and why?"},
    {NULL, NULL},
};

static const struct row exit_codes[] = {
    {"0", "it ended as it was told to"},  {"1", "it failed"}, {"2", "the command line is wrong"},
    {"78", "the configuration is wrong"}, {NULL, NULL},
};

static const struct row signals[] = {
    {"TERM, INT, QUIT", "finish the requests under way, then end; a second one ends at once"},
    {"USR1", "reopen the log files"},
    {NULL, NULL},
};

void switch_help(FILE *out)
{
    fputs("zcserve serves the files of a directory over HTTP.\n"
          "Without DIR and -c it reads " ZCSERVE_CONFIG_FILE " if that exists, else it serves\n"
          "the current directory. With DIR and without -c it reads no configuration.\n\n"
          "usage: zcserve [SWITCHES] [DIR]\n"
          "       zcserve [SWITCHES] [DIR] --explain URL [FIELD]…\n"
          "       zcserve top|report …      see what a server does; each has its own -h\n"
          "       zcserve doctor …          see what of this machine hinders a server\n"
          "       zcserve reload …          read the configuration again, in a running server\n"
          "                                 (a directory of that name is ./top)\n"
          "       zcserve precompress …     write compressed copies beside the files\n\n",
          out);
    for (const struct command_switch *one = switch_table; one->letter; one++)
        switch_print(one, out);
    rows_print("examples", examples, out);
    rows_print("exit codes", exit_codes, out);
    rows_print("signals", signals, out);
}

void switch_version(FILE *out)
{
    fputs("zcserve " ZCSERVE_VERSION "\n", out);
}

/* Prints the words of a CHOICE: they show what was built in, such as the models. */
static void choice_print(const struct config_option *option, FILE *out)
{
    char name[OPTION_NAME_MAX];
    char allowed[OPTION_ALLOWED_MAX];
    option_name(option, name);
    option_allowed(option, allowed);
    fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, name, allowed);
}

void switch_build(FILE *out)
{
    switch_version(out);
    fputs("built with " ZCSERVE_BUILD "\n"
          "configuration " ZCSERVE_CONFIG_FILE "\n"
          "choices:\n",
          out);
    const struct option_set *set = &options_of_config;
    for (const struct config_option *option = set->option; option < set->end; option++)
        if (option->kind == OPTION_CHOICE) choice_print(option, out);
}
