/*
 * Suggests what was meant by a name that no option has.
 *
 * When the name is right but in the wrong block, the right block is suggested. Otherwise the most
 * similar name is suggested, if it differs in a few letters (missing, added, changed or swapped).
 * When no name is similar there is no suggestion: a wrong one is worse than none.
 */

#include "config/suggest.h"

#include <string.h>

#define SLIPS_MAX 3

/* ---- the nearest name ------------------------------------------------------------------------ */

/*
 * Returns whether one name becomes the other when at most `slips` letters are changed, added,
 * removed, or swapped with their neighbour.
 */
static bool is_near(const char *one, const char *other, size_t slips)
{
    for (; *one && *one == *other; one++)
        other++;
    if (!*one && !*other) return true;
    if (slips-- == 0) return false;
    bool swapped = one[0] && one[1] && one[1] == other[0] && one[0] == other[1];
    return (*one && is_near(one + 1, other, slips)) || (*other && is_near(one, other + 1, slips)) ||
           (*one && *other && is_near(one + 1, other + 1, slips)) ||
           (swapped && is_near(one + 2, other + 2, slips));
}

struct nearest {
    const char *wanted;
    size_t slips;               /* only a name with fewer slips is nearer */
    char name[OPTION_NAME_MAX]; /* empty: no name is near enough          */
};

/* A third of the letters may be wrong, but at most SLIPS_MAX; in a short name, one. */
static struct nearest nearest_begin(const char *wanted)
{
    size_t third = strlen(wanted) / 3;
    size_t slips = third > SLIPS_MAX ? SLIPS_MAX : third > 0 ? third : 1;
    return (struct nearest){.wanted = wanted, .slips = slips + 1};
}

static void nearest_try(struct nearest *nearest, const char *name)
{
    while (nearest->slips > 0 && is_near(nearest->wanted, name, nearest->slips - 1)) {
        nearest->slips--;
        snprintf(nearest->name, sizeof(nearest->name), "%s", name);
    }
}

static void nearest_tell(const struct nearest *nearest, struct problems *problems,
                         const char *where)
{
    const char *name = nearest->name;
    problem_tell(problems, where, "unknown option '%.70s'%s%s%s", nearest->wanted,
                 name[0] ? " (did you mean '" : "", name, name[0] ? "'?)" : "");
}

/* ---- names that belong elsewhere ------------------------------------------------------------- */

/* Each of these reports where the name belongs. It returns false if it does not know the name. */

static bool outside_tell(struct problems *problems, const char *where, const char *name)
{
    const struct option_set *set = &options_of_config;
    bool right = option_find(set, "", name) || option_is_section(name) ||
                 strcmp(name, set->inner->name) == 0 || strcmp(name, "include") == 0;
    if (right) problem_tell(problems, where, "'%s' belongs outside of any block", name);
    return right;
}

/* Reports the blocks that have an option or a block of this name, as "'limits' or 'timeouts'". */
static bool blocks_tell(struct problems *problems, const char *where, const char *name)
{
    char blocks[256] = "";
    size_t used = 0;
    for (const struct option_set *set = &options_of_config; set; set = set->inner) {
        for (const struct config_option *option = set->option; option < set->end; option++) {
            int length = option_section_length(option);
            bool has = length > 0 && strcmp(option->name, name) == 0 && used < sizeof(blocks);
            if (has)
                used += (size_t)snprintf(blocks + used, sizeof(blocks) - used, "%s'%.*s'",
                                         used > 0 ? " or " : "", length, option->section);
        }
    }
    if (strcmp(name, options_of_rule.name) == 0)
        snprintf(blocks, sizeof(blocks), "'site' or outside of any block");
    if (blocks[0]) problem_tell(problems, where, "'%s' belongs in the block %s", name, blocks);
    return blocks[0];
}

/* Reports how a file writes what is the command line's or the structure's name of an option. */
static bool written_tell(struct problems *problems, const char *where, const struct option_set *set,
                         const char *name)
{
    for (const struct config_option *option = set->option; option < set->end; option++) {
        int length = option_section_length(option);
        bool begins = length > 0 && strncmp(name, option->section, (size_t)length) == 0 &&
                      (name[length] == '.' || name[length] == '_');
        if (!begins || strcmp(name + length + 1, option->name) != 0) continue;
        problem_tell(problems, where, "'%s' is written %.*s %s{ %s = ... }", name, length,
                     option->section, set->title, option->name);
        return true;
    }
    return set->inner && written_tell(problems, where, set->inner, name);
}

/* ---- what is reported ------------------------------------------------------------------------ */

void suggest_option(struct problems *problems, const char *where, const struct option_set *set,
                    const char *section, const char *name)
{
    /* In a site or a rule, look first for the options of sites and rules. */
    if (set != &options_of_config && blocks_tell(problems, where, name)) return;
    if (outside_tell(problems, where, name) || blocks_tell(problems, where, name) ||
        written_tell(problems, where, &options_of_config, name))
        return;
    struct nearest nearest = nearest_begin(name);
    for (const struct config_option *option = set->option; option < set->end; option++) {
        char block[OPTION_NAME_MAX];
        snprintf(block, sizeof(block), "%.*s", option_section_length(option), option->section);
        if (option_is_in(option, section)) nearest_try(&nearest, option->name);
        if (section[0] == '\0') nearest_try(&nearest, block);
    }
    if (set->inner && strcmp(section, set->name) == 0) nearest_try(&nearest, set->inner->name);
    if (section[0] == '\0') nearest_try(&nearest, options_of_rule.name);
    if (section[0] == '\0') nearest_try(&nearest, "include");
    nearest_tell(&nearest, problems, where);
}

void suggest_dotted(struct problems *problems, const char *where, const char *dotted)
{
    struct nearest nearest = nearest_begin(dotted);
    const struct option_set *set = &options_of_config;
    if (written_tell(problems, where, set->inner, dotted)) return;
    for (const struct config_option *option = set->option; option < set->end; option++) {
        char name[OPTION_NAME_MAX];
        option_name(option, name);
        nearest_try(&nearest, name);
        /* Only the block is missing. */
        if (nearest.slips > 0 && option->section[0] && strcmp(option->name, dotted) == 0) {
            nearest.slips = 0;
            snprintf(nearest.name, sizeof(nearest.name), "%s", name);
        }
    }
    nearest_tell(&nearest, problems, where);
}
