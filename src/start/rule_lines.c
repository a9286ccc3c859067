/*
 * What follows from the field lines of all rules of a site together.
 */
#include "start/rules.h"

/* How often the rules of a site name a field. */
struct uses {
    uint32_t of[FIELD_NAMES_MAX];
};

static struct rule_field *field_of(const struct rule *rule, uint32_t number)
{
    return (struct rule_field *)(uintptr_t)&rule->field[number];
}

/* Sets which lines a later one may replace, and counts all. */
static void replaceable_set(const struct site *site, struct uses *uses)
{
    bool later[FIELD_NAMES_MAX] = {false};
    for (uint32_t i = site->rules; i-- > 0;)
        for (uint32_t k = site->rule[i].fields; k-- > 0;) {
            struct rule_field *field = field_of(&site->rule[i], k);
            field->replaceable = later[field->name];
            later[field->name] |= field->action != FIELD_ADDS;
            uses->of[field->name]++;
        }
}

/* ---- lines that are always sent together ------------------------------------------------------- */

static bool is_alone(const struct rule_field *field, const struct uses *uses)
{
    return uses->of[field->name] == 1 && field->action != FIELD_REMOVES && !field->is_expires;
}

/* Adds the lines of `next` to those of `field`. */
static bool line_append(const struct rules_making *m, struct rule_field *field,
                        const struct rule_field *next)
{
    char *lines = rules_take(m, field->line.length + next->line.length);
    if (!lines) return false;
    memcpy(lines, field->line.base, field->line.length);
    memcpy(lines + field->line.length, next->line.base, next->line.length);
    field->line = (struct text){lines, field->line.length + next->line.length};
    field->is_cache_control |= next->is_cache_control;
    return true;
}

/* Lines of a rule become one when no other line of the site has their names. */
static bool lines_join(const struct rules_making *m, struct rule *rule, const struct uses *uses)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rule->fields; i++) {
        const struct rule_field *field = &rule->field[i];
        struct rule_field *last = kept > 0 ? field_of(rule, kept - 1) : NULL;
        if (last && is_alone(last, uses) && is_alone(field, uses) &&
            last->always == field->always) {
            if (!line_append(m, last, field)) return false;
        } else {
            *field_of(rule, kept++) = *field;
        }
    }
    rule->fields = kept;
    return true;
}

bool rules_lines_settle(const struct rules_making *m, const struct site *site)
{
    struct uses uses = {{0}};
    replaceable_set(site, &uses);
    for (uint32_t i = 0; i < site->rules; i++)
        if (!lines_join(m, (struct rule *)(uintptr_t)&site->rule[i], &uses)) return false;
    return true;
}

/* ---- room ------------------------------------------------------------------------------------ */

#define OTHER_LINES 1024 /* CORS, and longer lines of Content-Type, Vary and Allow */

/* A field that is set has one line in a response, the longest at worst; those that are added all. */
size_t rules_lines_bytes(const struct rules_making *m, const struct site *site)
{
    size_t longest[FIELD_NAMES_MAX] = {0}, sum = site->rules > 0 ? OTHER_LINES : 0;
    for (uint32_t i = 0; i < site->rules; i++)
        for (uint32_t k = 0; k < site->rule[i].fields; k++) {
            const struct rule_field *field = &site->rule[i].field[k];
            if (field->action == FIELD_ADDS) sum += field->line.length;
            if (field->action == FIELD_SETS && field->line.length > longest[field->name])
                longest[field->name] = field->line.length;
        }
    for (uint32_t i = 0; i < m->names; i++)
        sum += longest[i];
    return sum;
}
