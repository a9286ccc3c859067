/*
 * Reads the addresses and networks that a rule allows or denies.
 */
#include "start/rules.h"

#include <string.h>

static bool networks_make(const struct rules_making *m, const char *option,
                          const struct config_list *list, const struct networks **made,
                          enum rule_value value)
{
    if (!config_rule_place(m->rule, list)) return true;
    struct networks *networks = rules_take(m, sizeof(*networks));
    if (!networks) return false;
    for (uint32_t i = 0; i < list->count; i++)
        if (!networks_add(networks, (struct text){list->item[i], strlen(list->item[i])}))
            return rule_problem(m, option, list,
                                "'%.70s' must be an address, a network such as 192.0.2.0/24 or "
                                "2001:db8::/32 without bits behind its prefix, unix, or all",
                                list->item[i]);
    *made = networks;
    m->made->sets |= (uint16_t)(1U << value);
    return true;
}

bool rule_addresses_make(const struct rules_making *m)
{
    return networks_make(m, "allow", &m->rule->allow, &m->made->allow, RULE_ALLOW) &&
           networks_make(m, "deny", &m->rule->deny, &m->made->deny, RULE_DENY);
}
