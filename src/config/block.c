/*
 * The blocks that have options: the configuration itself, its sites, and their rules.
 */

#include "config/loading.h"

#include <assert.h>

void block_begin(struct loading *l, const struct option_set *set, struct config_block *block,
                 const char *directory)
{
    block->place = keep_zeroed(l->keep, (size_t)(set->end - set->option) * sizeof(*block->place));
    for (const struct config_option *option = set->option; option < set->end; option++) {
        struct option_value value = {.where = "default", .directory = directory};
        if (option->kind == OPTION_LIST)
            option_value_split(&value, option->fallback, l->keep);
        else
            option_value_add(&value, option->fallback);
        bool fits = option_read(option, &value, block, l->keep, &l->problems);
        assert(fits); /* else the table contradicts itself */
    }
}

void block_set(struct loading *l, const struct option_set *set, struct config_block *block,
               const struct config_option *option, const struct option_value *value)
{
    option_read(option, value, block, l->keep, &l->problems);
    block->place[option - set->option] = value->where;
}

/* Returns whether both blocks have one title, and the same choice in the option set->apart. */
static bool are_alike(const struct option_set *set, const struct config_block *a,
                      const struct config_block *b)
{
    if (strcmp(a->title, b->title) != 0) return false;
    if (!set->apart) return true;
    size_t offset = option_find(set, set->name, set->apart)->offset;
    return memcmp((const char *)a + offset, (const char *)b + offset, sizeof(int)) == 0;
}

void block_check_title(struct loading *l, const struct option_set *set,
                       const struct config_block *block)
{
    const char *fault = option_text_fault(block->title);
    if (block->title[0] == '\0')
        problem_tell(&l->problems, block->where, "%s needs a title, as in %s %s{ ... }", set->name,
                     set->name, set->title);
    else if (fault)
        problem_tell(&l->problems, block->where, "the title of %s %s", set->name, fault);
}

void block_check_alone(struct loading *l, const struct option_set *set,
                       const struct config_block *parent, const struct config_block *block)
{
    const struct config_block *other = parent->inner;
    while (other && (other == block || !are_alike(set, other, block)))
        other = other->next;
    if (other && block->title[0] != '\0')
        problem_tell(&l->problems, block->where, "%s \"%.70s\" is a duplicate: %s has it already",
                     set->name, block->title, other->where);
}

struct config_block *block_new(struct loading *l, const struct option_set *set, const char *title,
                               const char *where, const char *directory)
{
    struct config_block *block = keep_zeroed(l->keep, set->size);
    block->title = title;
    block->where = where;
    block_begin(l, set, block, directory);
    return block;
}

struct config_block *block_add(struct loading *l, const struct option_set *set,
                               struct config_block *parent, const char *title, const char *where,
                               const char *directory)
{
    struct config_block *block = block_new(l, set, title, where, directory);
    struct config_block **end = &parent->inner;
    while (*end)
        end = &(*end)->next;
    *end = block;
    return block;
}
