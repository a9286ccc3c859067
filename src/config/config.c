/*
 * Makes a configuration from the defaults, then the file and its includes, then the command line,
 * and checks that its values fit together.
 *
 * Every problem is reported, and one problem is enough for no configuration to be returned. The
 * code that uses an option knows what it means, and checks whether its file or address exists.
 */

#include "zcserve/config.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/loading.h"
#include "config/suggest.h"

void value_apply(struct loading *l, const struct config_option *option,
                 const struct option_value *value)
{
    option_read(option, value, &l->loaded->config, &l->loaded->keep, &l->problems);
    l->set[option - option_table] = value->at;
}

static void defaults_apply(struct loading *l, const char *directory)
{
    for (const struct config_option *option = option_table; option->name; option++) {
        struct option_value value = {.at = {.file = "default"}, .directory = directory};
        if (option->kind == OPTION_LIST)
            option_value_split(&value, option->fallback, &l->scratch);
        else
            option_value_add(&value, option->fallback);
        bool fits = option_read(option, &value, &l->loaded->config, &l->loaded->keep, &l->problems);
        assert(fits); /* else options.def contradicts itself */
    }
}

/* ---- the command line ------------------------------------------------------------------------ */

static void override_join(struct loading *l, const struct config_option *option,
                          const struct config_override *o, struct option_value *value)
{
    if (option->kind == OPTION_LIST) {
        option_value_split(value, o->value, &l->scratch);
    } else {
        value->count = 0; /* the last override counts */
        option_value_add(value, o->value);
    }
    value->at.file = o->from;
}

/* Applies all overrides of one option, which begin with `first`. Those of a list are joined. */
static void overrides_apply_option(struct loading *l, const struct config_option *option,
                                   const struct config_override *first, size_t count)
{
    struct option_value value = {.directory = l->here};
    for (const struct config_override *o = first; o < first + count; o++)
        if (strcmp(o->name, first->name) == 0) override_join(l, option, o, &value);
    value_apply(l, option, &value);
}

static void overrides_apply(struct loading *l, const struct config_override *overrides,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct config_option *option = option_find_dotted(overrides[i].name);
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = strcmp(overrides[j].name, overrides[i].name) == 0;
        if (!option)
            suggest_dotted(&l->problems, (struct place){overrides[i].from, 0}, overrides[i].name);
        else if (!seen)
            overrides_apply_option(l, option, overrides + i, count - i);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Returns the option whose member of `config` this is. */
static const struct config_option *option_of(const struct config *config, const void *field)
{
    size_t offset = (size_t)((const char *)field - (const char *)config);
    const struct config_option *option = option_table;
    while (option->name && option->offset != offset)
        option++;
    assert(option->name);
    return option;
}

/*
 * An index must be a name in the requested directory. A path would be served too, but only that
 * directory is watched, so that changes of the file would not be seen.
 */
static bool is_name(const char *text)
{
    return strlen(text) <= NAME_MAX && !strchr(text, '/') && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

static void index_check(struct loading *l)
{
    const struct config *config = &l->loaded->config;
    struct place at = l->set[option_of(config, &config->index) - option_table];
    for (size_t i = 0; i < config->index.count; i++) {
        const char *name = config->index.item[i];
        if (is_name(name)) continue;
        problem_tell(
            &l->problems, at,
            "index = '%.70s': must be one name, without '/' and of at most %d bytes, and not "
            "'.' or '..'",
            name, NAME_MAX);
    }
}

/* The problem is reported where limits.target was set, else where limits.head was. */
static void target_check(struct loading *l)
{
    const struct config *config = &l->loaded->config;
    if (config->limits_target <= config->limits_head) return;
    const struct config_option *target = option_of(config, &config->limits_target);
    const struct config_option *head = option_of(config, &config->limits_head);
    struct place at = l->set[target - option_table];
    if (!at.file) at = l->set[head - option_table];
    char target_name[OPTION_NAME_MAX];
    char head_name[OPTION_NAME_MAX];
    option_name(target, target_name);
    option_name(head, head_name);
    problem_tell(&l->problems, at, "%s must not be larger than %s, of which it is a part",
                 target_name, head_name);
}

static void whole_check(struct loading *l)
{
    index_check(l);
    target_check(l);
}

static bool loading_begin(struct loading *l, FILE *errors)
{
    l->problems.out = errors;
    char *here = getcwd(NULL, 0);
    if (!here) {
        problem_tell(&l->problems, (struct place){0}, "the current directory is not known: %s",
                     strerror(errno));
        return false;
    }
    l->here = keep_text(&l->scratch, here, strlen(here));
    free(here);
    l->loaded = calloc(1, sizeof *l->loaded + option_count * sizeof(const char *));
    l->set = calloc(option_count, sizeof *l->set);
    if (!l->loaded || !l->set) l->scratch.exhausted = true;
    return !l->scratch.exhausted;
}

static void places_keep(struct loading *l)
{
    for (size_t i = 0; i < option_count; i++) {
        struct place at = l->set[i];
        if (!at.file)
            l->loaded->place[i] = "default";
        else if (at.line > 0)
            l->loaded->place[i] = keep_format(&l->loaded->keep, "%s:%d", at.file, at.line);
        else
            l->loaded->place[i] = keep_format(&l->loaded->keep, "%s", at.file);
    }
}

static struct config *loading_finish(struct loading *l)
{
    if (l->loaded && l->set) places_keep(l);
    if (l->scratch.exhausted || (l->loaded && l->loaded->keep.exhausted))
        problem_tell(&l->problems, (struct place){0}, "not enough memory for the configuration");
    struct config *config = l->loaded ? &l->loaded->config : NULL;
    if (l->problems.count > 0) {
        config_free(config);
        config = NULL;
    }
    free(l->set);
    keep_free(&l->scratch);
    return config;
}

/*
 * Applies the defaults, then `file`: its `bytes`, or what is read from it when `bytes` is NULL.
 * Without a file (both NULL), only the defaults.
 */
static void load(struct loading *l, const char *file, const char *bytes, size_t length)
{
    struct input input = {.directory = l->here};
    if (file) {
        input = input_of(l, file);
        l->loaded->config.file = keep_text(&l->loaded->keep, input.path, strlen(input.path));
    }
    defaults_apply(l, input.directory);
    if (bytes)
        input_apply_bytes(l, &input, bytes, length);
    else if (file)
        input_add(l, &input);
    input_apply_all(l);
}

struct config *config_load_bytes(const char *name, const char *bytes, size_t length,
                                 const struct config_override *overrides, size_t count,
                                 FILE *errors)
{
    struct loading l = {0};
    if (loading_begin(&l, errors)) {
        load(&l, name, bytes, length);
        overrides_apply(&l, overrides, count);
        if (l.problems.count == 0) whole_check(&l);
    }
    return loading_finish(&l);
}

struct config *config_load(const char *file, const struct config_override *overrides, size_t count,
                           FILE *errors)
{
    return config_load_bytes(file, NULL, 0, overrides, count, errors);
}

const char *config_place(const struct config *config, const void *member)
{
    const struct loaded *loaded = (const struct loaded *)config;
    return loaded->place[option_of(config, member) - option_table];
}

void config_free(struct config *config)
{
    if (!config) return;
    struct loaded *loaded = (struct loaded *)config;
    keep_free(&loaded->keep);
    free(loaded);
}
