/* Help texts as parts of a manual page. */
#include "directive.h"
#include "roff.h"

#include <stdbool.h>
#include <string.h>

/* ---- parts ------------------------------------------------------------------------------------ */

static bool is_switch(const struct help_part *part)
{
    return part->kind == HELP_ROW && part->left[0] == '-';
}

static void usages_write(const struct expansion *e, const struct help *help)
{
    fputs(".nf\n", e->out);
    for (size_t i = 0; i < help->count; i++) {
        if (help->part[i].kind != HELP_USAGE) continue;
        fputs("\\fB", e->out);
        roff_literal(e->out, help->part[i].left);
        fputs("\\fP\n", e->out);
    }
    fputs(".fi\n", e->out);
}

static int switch_write(const struct expansion *e, const struct help_part *part)
{
    struct help_switch one;
    if (help_switch_read(part, &one) != 0) {
        fprintf(stderr, "expand: this is not understood as a switch: %s\n", part->left);
        return -1;
    }
    fputs(".TP\n", e->out);
    roff_switch(e->out, &one);
    roff_text(e->out, part->right);
    return 0;
}

/* Rows without an explanation are examples: they keep their lines. */
static void row_write(const struct expansion *e, const struct help_part *part, bool is_first)
{
    if (part->right[0]) {
        roff_entry(e->out, part->left);
        roff_text(e->out, part->right);
        return;
    }
    fputs(is_first ? ".PP\n" : ".br\n", e->out);
    fputs("\\fB", e->out);
    roff_literal(e->out, part->left);
    fputs("\\fP\n", e->out);
}

static void title_write(const struct expansion *e, const char *title)
{
    fputs(".PP\n\\fB", e->out);
    roff_literal(e->out, title);
    fputs(":\\fP\n", e->out);
}

static int part_write(const struct expansion *e, const struct help_part *part, bool is_first)
{
    switch (part->kind) {
    case HELP_TEXT: roff_text(e->out, part->right); return 0;
    case HELP_TITLE: title_write(e, part->right); return 0;
    case HELP_USAGE: return 0; /* usages_write() has written all of them */
    case HELP_ROW: break;
    }
    if (is_switch(part)) return switch_write(e, part);
    row_write(e, part, is_first);
    return 0;
}

/*
 * Writes the parts from `first` on, up to the one before `end`. What begins a help text begins its
 * section, too.
 */
static int parts_write(const struct expansion *e, const struct help *help, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        bool is_first = i == first || help->part[i - 1].kind != HELP_ROW;
        if (help->part[i].kind == HELP_TEXT && i > 0) fputs(".PP\n", e->out);
        if (part_write(e, &help->part[i], is_first) != 0) return -1;
    }
    return 0;
}

/* Returns the index of the first switch, or behind the last part. */
static size_t switches_begin(const struct help *help)
{
    size_t i = 0;
    while (i < help->count && !is_switch(&help->part[i]))
        i++;
    return i;
}

static size_t switches_end(const struct help *help)
{
    size_t i = switches_begin(help);
    while (i < help->count && is_switch(&help->part[i]))
        i++;
    return i;
}

/* ---- directives ------------------------------------------------------------------------------- */

int expand_usage(const struct expansion *e, const char *words)
{
    static struct help help;
    if (help_of(e->programs, words, &help) != 0) return -1;
    usages_write(e, &help);
    return 0;
}

int expand_switches(const struct expansion *e, const char *words)
{
    static struct help help;
    if (help_of(e->programs, words, &help) != 0) return -1;
    return parts_write(e, &help, switches_begin(&help), switches_end(&help));
}

int expand_before(const struct expansion *e, const char *words)
{
    static struct help help;
    if (help_of(e->programs, words, &help) != 0) return -1;
    return parts_write(e, &help, 0, switches_begin(&help));
}

int expand_after(const struct expansion *e, const char *words)
{
    static struct help help;
    if (help_of(e->programs, words, &help) != 0) return -1;
    return parts_write(e, &help, switches_end(&help), help.count);
}

/* What the tool is for, how it is called, its switches, and all that follows. */
static int tool_write(const struct expansion *e, const char *name)
{
    static struct help help;
    char words[HELP_LEFT_MAX];
    snprintf(words, sizeof(words), "zcserve-tool %s", name);
    if (help_of(e->programs, words, &help) != 0) return -1;
    fprintf(e->out, ".SS zcserve %s\n", name);
    size_t first = 0;
    for (; first < help.count && help.part[first].kind == HELP_TEXT; first++)
        roff_text(e->out, help.part[first].right);
    fputs(".PP\n", e->out);
    usages_write(e, &help);
    return parts_write(e, &help, first, help.count);
}

int expand_tools(const struct expansion *e, const char *words)
{
    static struct help help;
    char names[HELP_LEFT_MAX];
    if (help_of(e->programs, words, &help) != 0) return -1;
    help_tools(&help, names);
    for (char *rest, *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        if (tool_write(e, name) != 0) return -1;
    return 0;
}
