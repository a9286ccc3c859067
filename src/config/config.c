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
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/loading.h"

/* ---- the whole ------------------------------------------------------------------------------- */

static const char *place_of(const struct option_set *set, const struct config_block *block,
                            const void *member)
{
    size_t offset = (size_t)((const char *)member - (const char *)block);
    const struct config_option *option = set->option;
    while (option < set->end && option->offset != offset)
        option++;
    assert(option < set->end);
    return block->place[option - set->option];
}

const char *config_place(const struct config *config, const void *member)
{
    const char *where = place_of(&options_of_config, &config->block, member);
    return where ? where : "default";
}

const char *config_site_place(const struct config_site *site, const void *member)
{
    return place_of(&options_of_site, &site->block, member);
}

const char *config_rule_place(const struct config_rule *rule, const void *member)
{
    return place_of(&options_of_rule, &rule->block, member);
}

bool config_list_has(const struct config_list *list, const char *word)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->item[i], word) == 0) return true;
    return false;
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

static void whole_check(struct loading *l)
{
    const struct config *config = &l->loaded->config;
    for (const char *const *name = config->index.item; *name; name++)
        if (!is_name(*name))
            problem_tell(
                &l->problems, config_place(config, &config->index),
                "index = '%.70s': must be one name, without '/' and of at most %d bytes, and not "
                "'.' or '..'",
                *name, NAME_MAX);
    if (config->limits_target <= config->limits_head) return;
    /* The problem is reported where limits.target was set, else where limits.head was. */
    const char *where = config_place(config, &config->limits_target);
    if (strcmp(where, "default") == 0) where = config_place(config, &config->limits_head);
    problem_tell(&l->problems, where,
                 "limits.target must not be larger than limits.head, of which it is a part");
}

/* ---- loading --------------------------------------------------------------------------------- */

static bool here_find(struct loading *l)
{
    char here[PATH_MAX];
    if (getcwd(here, sizeof(here)))
        l->here = keep_format(l->keep, "%s", here);
    else
        problem_tell(&l->problems, NULL, "the current directory is not known: %s", strerror(errno));
    return l->here;
}

/* Reads every file that was added. Each may add those that it includes. */
static void inputs_parse(struct loading *l)
{
    for (struct input *input = l->input; input < l->input + l->input_count; input++)
        if (input_read(l, input)) parse(l, input, input->bytes, input->length);
}

/*
 * Applies the defaults, then `file`: its `bytes`, or what is read from it when `bytes` is NULL.
 * Without a file (both NULL), only the defaults.
 */
static void file_apply(struct loading *l, const char *file, const char *bytes, size_t length)
{
    struct input start = {.name = "", .directory = l->here};
    struct input input = file ? input_of(l, &start, file, NULL) : start;
    l->loaded->config.file = input.path;
    block_begin(l, &options_of_config, &l->loaded->config.block, input.directory);
    if (bytes)
        parse(l, &input, bytes, length);
    else if (file)
        input_add(l, &start, file, NULL);
    inputs_parse(l);
}

/* An obstack calls this when it gets no memory. It must not return, so it jumps to load(). */
static _Thread_local jmp_buf load_stopped;

static void memory_exhausted(void)
{
    longjmp(load_stopped, 1);
}

static void load(struct loading *l, const char *file, const char *bytes, size_t length,
                 const struct config_override *overrides, size_t count)
{
    obstack_alloc_failed_handler = memory_exhausted;
    if (setjmp(load_stopped) != 0) {
        problem_tell(&l->problems, NULL, "not enough memory for the configuration");
        return;
    }
    obstack_init(l->keep);
    if (!here_find(l)) return;
    file_apply(l, file, bytes, length);
    given_apply(l, overrides, count);
    if (l->problems.count == 0) whole_check(l);
}

struct config *config_load_bytes(const char *name, const char *bytes, size_t length,
                                 const struct config_override *overrides, size_t count,
                                 FILE *errors)
{
    struct loading l = {.problems.out = errors};
    l.loaded = calloc(1, sizeof(*l.loaded));
    if (!l.loaded) {
        problem_tell(&l.problems, NULL, "not enough memory for the configuration");
        return NULL;
    }
    l.keep = &l.loaded->keep;
    load(&l, name, bytes, length, overrides, count);
    for (size_t i = 0; i < l.input_count; i++)
        free(l.input[i].bytes);
    if (l.problems.count == 0) return &l.loaded->config;
    config_free(&l.loaded->config);
    return NULL;
}

struct config *config_load(const char *file, const struct config_override *overrides, size_t count,
                           FILE *errors)
{
    return config_load_bytes(file, NULL, 0, overrides, count, errors);
}

void config_free(struct config *config)
{
    struct loaded *loaded = (struct loaded *)config;
    if (!loaded) return;
    obstack_free(&loaded->keep, NULL);
    free(loaded);
}
