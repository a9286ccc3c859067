/* Tables for the completion of a shell, as lines of that shell's program. */
#include "directive.h"
#include "help.h"

#include "config/option.h"

#include <stdbool.h>
#include <string.h>

/* ---- switches of a command -------------------------------------------------------------------- */

int expand_tool_names(const struct expansion *e, const char *words)
{
    static struct help help;
    char names[HELP_LEFT_MAX];
    if (help_of(e->programs, words, &help) != 0) return -1;
    help_tools(&help, names);
    fprintf(e->out, "    tools='%s'\n", names);
    return 0;
}

/* The switches: "-c:FILE --config:FILE -h: --help:". A switch without an argument ends in ":". */
static void switches_write(FILE *out, const struct help *help)
{
    struct help_switch one;
    const char *space = "";
    for (size_t i = 0; i < help->count; i++) {
        if (help_switch_read(&help->part[i], &one) != 0) continue;
        const char *const names[] = {one.letter, one.word};
        bool next_is_its = one.argument[0] != '[';
        for (int k = 0; k < 2; k++) {
            if (!names[k][0]) continue;
            fprintf(out, "%s%s:%s", space, names[k], next_is_its ? one.argument : "");
            space = " ";
        }
    }
}

static int command_write(const struct expansion *e, const char *program, const char *shown)
{
    static struct help help;
    if (help_of(e->programs, program, &help) != 0) return -1;
    fprintf(e->out, "    '%s') switches='", shown);
    switches_write(e->out, &help);
    fputs("' ;;\n", e->out);
    return 0;
}

/* A case for the command, and one for each of its tools. */
int expand_completion(const struct expansion *e, const char *words)
{
    static struct help help;
    char names[HELP_LEFT_MAX], program[HELP_LEFT_MAX + 32], shown[HELP_LEFT_MAX + 32];
    if (help_of(e->programs, words, &help) != 0 || command_write(e, words, words) != 0) return -1;
    help_tools(&help, names);
    for (char *rest, *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        snprintf(program, sizeof(program), "%s-tool %s", words, name);
        snprintf(shown, sizeof(shown), "%s %s", words, name);
        if (command_write(e, program, shown) != 0) return -1;
    }
    return 0;
}

/* ---- options ---------------------------------------------------------------------------------- */

int expand_option_names(const struct expansion *e, const char *words)
{
    char name[OPTION_NAME_MAX];
    const char *space = "";
    fprintf(e->out, "    %s='", words);
    for (const struct config_option *option = options_of_config.option;
         option < options_of_config.end; option++) {
        option_name(option, name);
        fprintf(e->out, "%s%s", space, name);
        space = " ";
    }
    fputs("'\n", e->out);
    return 0;
}

/* The words that an option allows: those of a CHOICE, on and off, and others such as auto. */
int expand_option_words(const struct expansion *e, const char *words)
{
    char name[OPTION_NAME_MAX];
    if (words[0]) return -1;
    for (const struct config_option *option = options_of_config.option;
         option < options_of_config.end; option++) {
        const char *allowed = option->kind == OPTION_FLAG ? "on|off" : option->words;
        if (!allowed[0]) continue;
        option_name(option, name);
        fprintf(e->out, "    %s) words='", name);
        for (; *allowed; allowed++)
            putc(*allowed == '|' ? ' ' : *allowed, e->out);
        fputs("' ;;\n", e->out);
    }
    return 0;
}
