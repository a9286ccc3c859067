/*
 * Expands a template: expand PROGRAMS VERSION SECONDS <TEMPLATE >RESULT
 *
 * PROGRAMS is the directory of the programs whose help is read, VERSION their version, and SECONDS
 * the time of the newest change, in Unix time. A line of the template that begins with "@" is a
 * directive: its name and its words. What a table or a help text says takes its place. All other
 * lines are copied.
 */
#include "directive.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 1024

/* The header of a manual page; `words` are its name and its section. */
static int expand_header(const struct expansion *e, const char *words)
{
    fprintf(e->out, ".TH %s %s \"zcserve %s\" \"zcserve manual\"\n", words, e->date, e->version);
    return 0;
}

static const struct {
    const char *name;
    int (*expand)(const struct expansion *e, const char *words);
} directives[] = {
    {"header", expand_header},
    {"usage", expand_usage},
    {"before", expand_before},
    {"switches", expand_switches},
    {"after", expand_after},
    {"tools", expand_tools},
    {"options", expand_options},
    {"metrics", expand_metrics},
    {"tool_names", expand_tool_names},
    {"completion", expand_completion},
    {"option_names", expand_option_names},
    {"option_words", expand_option_words},
};

/* `line` begins behind the "@". */
static int directive_expand(const struct expansion *e, char *line)
{
    size_t name = strcspn(line, " ");
    const char *words = line + name + (line[name] == ' ');
    line[name] = '\0';
    for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
        if (strcmp(line, directives[i].name) == 0) return directives[i].expand(e, words);
    fprintf(stderr, "expand: there is no directive '@%s'\n", line);
    return -1;
}

static int template_expand(const struct expansion *e, FILE *from)
{
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof(line), from)) {
        size_t length = strlen(line);
        if (line[length - 1] != '\n') {
            fputs("expand: a line is too long or has no end\n", stderr);
            return -1;
        }
        if (line[0] != '@') {
            fputs(line, e->out);
            continue;
        }
        line[length - 1] = '\0';
        if (directive_expand(e, line + 1) != 0) return -1;
    }
    return ferror(from) ? -1 : 0;
}

int main(int argc, char **argv)
{
    char date[32];
    struct tm day;
    if (argc != 4) {
        fputs("usage: expand PROGRAMS VERSION SECONDS <TEMPLATE >RESULT\n", stderr);
        return 2;
    }
    time_t seconds = (time_t)strtoll(argv[3], NULL, 10);
    if (!gmtime_r(&seconds, &day) || !strftime(date, sizeof(date), "%Y-%m-%d", &day)) return 1;
    struct expansion e = {stdout, argv[1], argv[2], date};
    if (template_expand(&e, stdin) != 0) return 1;
    return fflush(stdout) == 0 ? 0 : 1;
}
