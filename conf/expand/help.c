/* Reads help texts line by line. */
#include "help.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LINE_MAX_BYTES 1024
#define COMMAND_MAX 4096 /* bytes of the path of a program and its words, with the NUL */
#define USAGE "usage: "
#define USAGE_INDENT 7   /* spaces before each usage but the first */
#define ROW_INDENT_MAX 8 /* a deeper line continues the right column */

/* ---- lines ------------------------------------------------------------------------------------ */

/* Appends `text` with a space before it. Returns false when it does not fit. */
static bool text_add(char *to, size_t room, const char *text)
{
    size_t used = strlen(to);
    int length = snprintf(to + used, room - used, "%s%s", used ? " " : "", text);
    return length >= 0 && (size_t)length < room - used;
}

/* Splits "left  right" at the first two spaces; `right` is "" when there are none. */
static bool columns_read(const char *line, struct help_part *part)
{
    const char *gap = strstr(line, "  ");
    size_t length = gap ? (size_t)(gap - line) : strlen(line);
    if (length >= sizeof(part->left)) return false;
    memcpy(part->left, line, length);
    part->left[length] = '\0';
    return !gap || text_add(part->right, sizeof(part->right), gap + strspn(gap, " "));
}

static struct help_part *part_new(struct help *help, enum help_kind kind)
{
    if (help->count == HELP_PARTS_MAX) return NULL;
    struct help_part *part = &help->part[help->count++];
    *part = (struct help_part){.kind = kind};
    return part;
}

/* Returns whether a text begins with a name, as "exit codes: 0; 1 …" does. */
static bool is_named(const char *line)
{
    size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz ");
    return name > 0 && strncmp(line + name, ": ", 2) == 0;
}

static bool columns_add(struct help *help, enum help_kind kind, const char *line)
{
    struct help_part *part = part_new(help, kind);
    return part && columns_read(line, part);
}

/* A line that is not indented: a title, a text that begins, or one that goes on (`last`). */
static bool text_read(struct help *help, struct help_part *last, char *line)
{
    size_t length = strlen(line);
    bool is_title = !last && line[length - 1] == ':';
    if (is_title) line[length - 1] = '\0';
    struct help_part *part = last && last->kind == HELP_TEXT && !is_named(line) ? last : NULL;
    if (!part) part = part_new(help, is_title ? HELP_TITLE : HELP_TEXT);
    return part && text_add(part->right, sizeof(part->right), line);
}

/* `last` is the part that the line before belongs to; NULL: that line was empty. */
static bool line_read(struct help *help, struct help_part *last, char *line)
{
    size_t indent = strspn(line, " ");
    bool is_usage = last && last->kind == HELP_USAGE;
    if (strncmp(line, USAGE, strlen(USAGE)) == 0)
        return columns_add(help, HELP_USAGE, line + strlen(USAGE));
    if (is_usage && indent == USAGE_INDENT) return columns_add(help, HELP_USAGE, line + indent);
    if (last && indent > ROW_INDENT_MAX)
        return text_add(last->right, HELP_RIGHT_MAX, line + indent);
    if (indent > 0) return columns_add(help, HELP_ROW, line + indent);
    return text_read(help, last, line);
}

static bool lines_read(struct help *help, FILE *from)
{
    char line[LINE_MAX_BYTES];
    bool was_empty = true;
    while (fgets(line, sizeof(line), from)) {
        size_t length = strlen(line);
        if (length == 0 || line[length - 1] != '\n') return false;
        line[length - 1] = '\0';
        struct help_part *last = was_empty ? NULL : &help->part[help->count - 1];
        was_empty = line[0] == '\0';
        if (!was_empty && !line_read(help, last, line)) return false;
    }
    return !ferror(from);
}

int help_of(const char *programs, const char *words, struct help *out)
{
    char command[COMMAND_MAX];
    int length = snprintf(command, sizeof(command), "'%s'/%s -h", programs, words);
    out->count = 0;
    FILE *from = (size_t)length < sizeof(command) ? popen(command, "r") : NULL;
    bool right = from && lines_read(out, from);
    int status = from ? pclose(from) : -1;
    if (right && status == 0 && out->count > 0) return 0;
    fprintf(stderr, "expand: the help of %s cannot be read (exit status %d)\n", words, status);
    return -1;
}

void help_tools(const struct help *help, char names[HELP_LEFT_MAX])
{
    char word[HELP_LEFT_MAX];
    names[0] = '\0';
    for (size_t i = 0; i < help->count; i++) {
        const struct help_part *part = &help->part[i];
        if (part->kind != HELP_USAGE || sscanf(part->left, "%*s %127[a-z|]", word) != 1) continue;
        for (char *rest, *one = strtok_r(word, "|", &rest); one; one = strtok_r(NULL, "|", &rest))
            text_add(names, HELP_LEFT_MAX, one);
    }
}

/* ---- switches --------------------------------------------------------------------------------- */

static bool word_copy(const char **from, char *to, size_t room)
{
    size_t length = strcspn(*from, ", ");
    if (length >= room) return false;
    memcpy(to, *from, length);
    to[length] = '\0';
    *from += length + strspn(*from + length, ", ");
    return true;
}

int help_switch_read(const struct help_part *part, struct help_switch *out)
{
    const char *at = part->left;
    *out = (struct help_switch){0};
    if (part->kind != HELP_ROW || at[0] != '-') return -1;
    bool right = true;
    if (isalnum((unsigned char)at[1])) right = word_copy(&at, out->letter, sizeof(out->letter));
    if (right && at[0] == '-') right = word_copy(&at, out->word, sizeof(out->word));
    char *may_have = strstr(out->word, "[=");
    if (may_have) {
        memcpy(out->argument, may_have, strlen(may_have) + 1);
        *may_have = '\0';
        return at[0] == '\0' ? 0 : -1;
    }
    if (right) right = word_copy(&at, out->argument, sizeof(out->argument));
    return right && at[0] == '\0' ? 0 : -1;
}
