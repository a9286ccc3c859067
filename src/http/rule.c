/*
 * Every rule of the site is asked once. A rule that matches leaves a bit, for the values that are
 * gathered from all rules (field lines, error pages), and a pointer for each value of which the
 * last one counts.
 */
#include "rule.h"

/* ---- addresses ------------------------------------------------------------------------------- */

/* Where nothing is in `allow`, all are allowed. */
static bool is_refused(const struct verdict *verdict, const struct origin *from)
{
    const struct rule *allow = verdict->by[RULE_ALLOW], *deny = verdict->by[RULE_DENY];
    if (deny && networks_have_origin(deny->deny, from)) return true;
    return allow && allow->allow->count > 0 && !networks_have_origin(allow->allow, from);
}

/* ---- origins --------------------------------------------------------------------------------- */

static struct text origin_of(const struct verdict *verdict, const struct request *r)
{
    const struct rule *rule = verdict->by[RULE_ORIGINS];
    if (!rule) return (struct text){NULL, 0};
    struct text origin = fields_value(&r->fields, FIELD_ORIGIN);
    for (uint32_t i = 0; origin.base && i < rule->origins; i++)
        if (text_equals(rule->origin[i], origin) || text_equals(rule->origin[i], TEXT("*")))
            return text_equals(rule->origin[i], origin) ? origin : TEXT("*");
    return (struct text){NULL, 0};
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void rule_apply(struct verdict *verdict, uint32_t number)
{
    const struct rule *rule = &verdict->site->rule[number];
    verdict->applies[number / 64] |= UINT64_C(1) << number % 64;
    for (unsigned sets = rule->sets; sets != 0; sets &= sets - 1)
        verdict->by[__builtin_ctz(sets)] = rule;
}

void rule_judge(const struct site *site, const struct request *r, struct text path,
                const struct asker *asker, struct verdict *verdict)
{
    verdict->site = site;
    verdict->https = asker->https;
    memset(verdict->applies, 0, (site->rules + 63) / 64 * sizeof(verdict->applies[0]));
    memset(verdict->by, 0, sizeof(verdict->by));
    for (uint32_t i = 0; i < site->rules; i++)
        if (pattern_may_match(&site->rule[i].pattern, path) &&
            pattern_match(&site->rule[i].pattern, path, NULL) &&
            rule_has_scheme(&site->rule[i], asker->https))
            rule_apply(verdict, i);
    const struct rule *methods = verdict->by[RULE_METHODS];
    verdict->methods = methods ? methods->methods : METHODS_ALL;
    verdict->refused = is_refused(verdict, &asker->from);
    verdict->admitted = false;
    verdict->origin = origin_of(verdict, r);
}

const struct rule *verdict_rule(const struct verdict *verdict, uint32_t *cursor)
{
    while (*cursor < verdict->site->rules) {
        uint32_t number = *cursor;
        uint64_t left = verdict->applies[number / 64] >> number % 64;
        if (left == 0) {
            *cursor = (number / 64 + 1) * 64;
            continue;
        }
        number += (uint32_t)__builtin_ctzll(left);
        *cursor = number + 1;
        return &verdict->site->rule[number];
    }
    return NULL;
}

struct text verdict_page(const struct verdict *verdict, uint16_t status)
{
    struct text path = {NULL, 0};
    const struct rule *rule;
    uint32_t cursor = 0;
    while ((rule = verdict_rule(verdict, &cursor)) != NULL)
        for (uint32_t i = 0; i < rule->pages; i++)
            if (rule->page[i].status == status) path = rule->page[i].path;
    return path;
}
