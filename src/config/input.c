/*
 * Applies configuration files: the first one and those that it includes.
 *
 * An included file is read after the file that includes it. No option may be set twice, so that
 * this order does not matter. Each file is read once, so that files that include each other are
 * reported.
 */

#include "config/loading.h"

#include <stdlib.h>
#include <string.h>

#include "config/grammar.h"
#include "config/suggest.h"

/* ---- paths ----------------------------------------------------------------------------------- */

static const char *path_join(struct keep *keep, const char *directory, const char *path)
{
    bool alone = path[0] == '/' || directory[0] == '\0';
    const char *between = alone || directory[strlen(directory) - 1] == '/' ? "" : "/";
    return keep_format(keep, "%s%s%s", alone ? "" : directory, between, path);
}

/* Returns the directory: "conf" of "conf/serve.conf", "" of "serve.conf", "/" of "/x". */
static const char *path_directory(struct keep *keep, const char *path)
{
    const char *slash = strrchr(path, '/');
    return keep_text(keep, path, slash ? (size_t)(slash - path) + (slash == path) : 0);
}

struct input input_of(struct loading *l, const char *name)
{
    const char *path = path_join(&l->scratch, l->here, name);
    return (struct input){
        .name = name, .path = path, .directory = path_directory(&l->scratch, path)};
}

/* A list of one empty text means the empty list. source_clean() also writes {} this way. */
static bool value_is_empty_list(const struct config_option *option,
                                const struct option_value *value)
{
    return option->kind == OPTION_LIST && value->count == 1 && value->item[0][0] == '\0';
}

void input_add(struct loading *l, const struct input *input)
{
    if (l->input_count == LOADING_FILES_MAX) {
        problem_tell(&l->problems, input->asked, "more than %d files are included",
                     LOADING_FILES_MAX - 1);
        return;
    }
    l->input[l->input_count++] = *input;
}

static void include_apply(struct loading *l, const struct input *from, const struct statement *s)
{
    struct place at = {from->name, s->line};
    if (s->value[0] == '\0') {
        problem_tell(&l->problems, at, "include needs the name of a file");
        return;
    }
    const char *path = path_join(&l->scratch, from->directory, s->value);
    const char *beside = path_directory(&l->scratch, from->name);
    struct input input = {.name = path_join(&l->scratch, beside, s->value),
                          .path = path,
                          .directory = path_directory(&l->scratch, path),
                          .asked = at};
    input_add(l, &input);
}

/* Applies the statements of one option, which begin with `s`. Returns how many there are. */
static size_t statement_apply(struct loading *l, const struct input *from,
                              const struct statement *s, size_t count)
{
    const struct config_option *option = option_find(s->block, s->name);
    struct option_value value = {.at = {from->name, s->line}, .directory = from->directory};
    size_t taken = 0;
    do {
        option_value_add(&value, s[taken++].value);
    } while (taken < count && !s[taken].first);
    if (!option) {
        suggest_option(&l->problems, value.at, s->block, s->name);
        return taken;
    }
    struct place before = l->set[option - option_table];
    if (before.file) {
        char name[OPTION_NAME_MAX];
        option_name(option, name);
        problem_tell(&l->problems, value.at, "%s is a duplicate: %s:%d sets it already", name,
                     before.file, before.line);
        return taken;
    }
    if (value_is_empty_list(option, &value)) value.count = 0;
    value_apply(l, option, &value);
    return taken;
}

static void statements_apply(struct loading *l, const struct input *from,
                             const struct grammar *grammar)
{
    for (size_t i = 0; i < grammar->count;) {
        const struct statement *s = grammar->statements + i;
        if (s->block[0] == '\0' && strcmp(s->name, "include") == 0) {
            include_apply(l, from, s);
            i++;
        } else {
            i += statement_apply(l, from, s, grammar->count - i);
        }
    }
}

/* Statements before a fault are applied too: they may have problems of their own. */
void input_apply_bytes(struct loading *l, const struct input *from, const char *bytes,
                       size_t length)
{
    struct source source = source_clean(bytes, length);
    struct grammar grammar = {0};
    if (source.text) {
        grammar = grammar_read(source.text, &l->scratch);
        statements_apply(l, from, &grammar);
    }
    if (source.variable[0]) {
        problem_tell(&l->problems, (struct place){from->name, source.line},
                     "the environment variable %s is not set: set it, or give a default, as in "
                     "\"${%s:-value}\"",
                     source.variable, source.variable);
    } else if (source.fault) {
        problem_tell(&l->problems, (struct place){from->name, source.line}, "%s", source.fault);
    } else if (grammar.fault) {
        problem_tell(&l->problems, (struct place){from->name, grammar.line}, "%s", grammar.fault);
    }
    grammar_free(&grammar);
    free(source.text);
}

static bool input_is_new(const struct loading *l, const struct input *input)
{
    for (const struct input *other = l->input; other < input; other++)
        if (other->file.device == input->file.device && other->file.inode == input->file.inode)
            return false;
    return true;
}

static void input_apply(struct loading *l, struct input *input)
{
    const char *why = source_read(input->path, &input->file);
    if (why) {
        problem_tell(&l->problems, input->asked, "cannot read %s: %s", input->name, why);
        return;
    }
    if (input_is_new(l, input))
        input_apply_bytes(l, input, input->file.bytes, input->file.length);
    else
        problem_tell(&l->problems, input->asked, "%s is included already", input->name);
    free(input->file.bytes);
    input->file.bytes = NULL;
}

void input_apply_all(struct loading *l)
{
    for (size_t i = 0; i < l->input_count; i++)
        input_apply(l, l->input + i);
}
