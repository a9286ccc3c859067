/*
 * What follows from the field lines of all rules of a site together.
 */
#include "start/rules.h"

void rules_lines_settle(const struct site *site)
{
    bool later[FIELD_NAMES_MAX] = {false};
    for (uint32_t i = site->rules; i-- > 0;)
        for (uint32_t k = site->rule[i].fields; k-- > 0;) {
            struct rule_field *field = (struct rule_field *)(uintptr_t)&site->rule[i].field[k];
            field->replaceable = later[field->name];
            later[field->name] |= field->action != FIELD_ADDS;
        }
}

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
