/*
 * Suggests what was meant by a name that no option has.
 *
 * When the name is right but in the wrong block, the right block is suggested. Otherwise the most
 * similar name is suggested, if it differs in a few letters (missing, added, changed or swapped).
 * When no name is similar there is no suggestion: a wrong one is worse than none.
 */

#include "config/suggest.h"

#include <stdio.h>
#include <string.h>

#include "config/option.h"

#define NAME_COMPARED_MAX 40 /* a longer name is similar to none */

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Returns how many letters must be changed, added, removed, or swapped with their neighbour to turn
 * one name into the other; SIZE_MAX when a name is too long.
 */
static size_t names_distance(const char *one, const char *other)
{
    size_t row[3][NAME_COMPARED_MAX + 1];
    size_t one_length = strlen(one);
    size_t other_length = strlen(other);
    if (one_length > NAME_COMPARED_MAX || other_length > NAME_COMPARED_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= other_length; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= one_length; i++) {
        size_t *now = row[i % 3];
        const size_t *above = row[(i + 2) % 3];
        const size_t *two_above = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= other_length; j++) {
            size_t changed = above[j - 1] + (one[i - 1] != other[j - 1]);
            now[j] = least_of(changed, least_of(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                now[j] = least_of(now[j], two_above[j - 2] + 1);
        }
    }
    return row[one_length % 3][other_length];
}

struct nearest {
    const char *wanted;
    size_t distance;
    char name[OPTION_NAME_MAX]; /* empty: no name is similar enough */
};

static struct nearest nearest_begin(const char *wanted)
{
    /* A third of the letters may be wrong; in a name of less than four letters, one. */
    size_t length = strlen(wanted);
    return (struct nearest){.wanted = wanted, .distance = 1 + (length < 4 ? 1 : length / 3)};
}

static void nearest_try(struct nearest *nearest, const char *name)
{
    size_t distance = names_distance(nearest->wanted, name);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        snprintf(nearest->name, sizeof nearest->name, "%s", name);
    }
}

static void unknown_tell(struct problems *problems, struct place at, const struct nearest *nearest)
{
    if (nearest->name[0]) {
        problem_tell(problems, at, "unknown option '%.70s' (did you mean '%s'?)", nearest->wanted,
                     nearest->name);
    } else {
        problem_tell(problems, at, "unknown option '%.70s'", nearest->wanted);
    }
}

/* Writes the blocks that have an option of this name, as "'limits' or 'timeouts'". */
static void blocks_of(const char *name, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (const struct config_option *option = option_table; option->name; option++) {
        size_t length = strlen(option->section);
        if (length == 0 || strcmp(option->name, name) != 0 || used >= room) continue;
        used += (size_t)snprintf(text + used, room - used, "%s'%.*s'", used > 0 ? " or " : "",
                                 (int)length - 1, option->section);
    }
}

/*
 * Reports a name that an option has in another block, on the command line, or in struct config.
 * Returns false when there is no such option.
 */
static bool elsewhere_tell(struct problems *problems, struct place at, const char *name)
{
    char blocks[128];
    blocks_of(name, blocks, sizeof blocks);
    if (blocks[0]) {
        problem_tell(problems, at, "'%s' belongs in the block %s", name, blocks);
        return true;
    }
    if (option_find("", name)) {
        problem_tell(problems, at, "'%s' belongs outside of any block", name);
        return true;
    }
    for (const struct config_option *option = option_table; option->name; option++) {
        char dotted[OPTION_NAME_MAX];
        char joined[OPTION_NAME_MAX];
        option_name(option, dotted);
        snprintf(joined, sizeof joined, "%s%s", option->section, option->name);
        if (strcmp(name, dotted) == 0 || strcmp(name, joined) == 0) {
            problem_tell(problems, at, "'%s' is written %.*s { %s = ... }", name,
                         (int)strlen(option->section) - 1, option->section, option->name);
            return true;
        }
    }
    return false;
}

void suggest_option(struct problems *problems, struct place at, const char *block, const char *name)
{
    struct nearest nearest = nearest_begin(name);
    if (elsewhere_tell(problems, at, name)) return;
    for (const struct config_option *option = option_table; option->name; option++)
        if (option_is_in(option, block)) nearest_try(&nearest, option->name);
    /* Then compare with the blocks: the name may be a misspelt block. */
    for (const struct config_option *option = option_table; option->name && !nearest.name[0];
         option++) {
        char section[OPTION_NAME_MAX];
        size_t length = strlen(option->section);
        snprintf(section, sizeof section, "%.*s", length > 0 ? (int)length - 1 : 0,
                 option->section);
        nearest_try(&nearest, section);
    }
    if (!nearest.name[0] && block[0] == '\0') nearest_try(&nearest, "include");
    unknown_tell(problems, at, &nearest);
}

void suggest_dotted(struct problems *problems, struct place at, const char *dotted)
{
    struct nearest nearest = nearest_begin(dotted);
    for (const struct config_option *option = option_table; option->name; option++) {
        char name[OPTION_NAME_MAX];
        option_name(option, name);
        nearest_try(&nearest, name);
        if (strcmp(option->name, dotted) == 0 && option->section[0]) {
            /* Only the block is missing. */
            nearest.distance = 0;
            snprintf(nearest.name, sizeof nearest.name, "%s", name);
        }
    }
    unknown_tell(problems, at, &nearest);
}
