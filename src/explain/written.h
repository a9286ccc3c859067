/* Where the sites and rules that the core reads are written in the configuration. */
#ifndef ZCSERVE_EXPLAIN_WRITTEN_H
#define ZCSERVE_EXPLAIN_WRITTEN_H

#include "config/option.h"
#include "start/program.h"
#include "zcserve/site.h"

/* Returns the block of a site, or NULL when it is what is outside of sites. */
const struct config_site *written_site(const struct program *p, const struct site *site);

/* Returns rule `number` (from 0) of the site. */
const struct config_rule *written_rule(const struct program *p, const struct site *site,
                                       uint32_t number);

/* Returns the number of a rule of the site. */
static inline uint32_t written_number(const struct site *site, const struct rule *rule)
{
    return (uint32_t)(rule - site->rule);
}

/*
 * Returns which value of a rule an option sets of which the last one counts, or RULE_VALUES when it
 * sets none: its lines are added to those of other rules.
 */
enum rule_value written_value(const struct config_option *option);

/* Returns where `option` is set in a rule, or NULL. */
const char *written_place(const struct config_rule *rule, const struct config_option *option);

/*
 * Returns the option by which the rule sets this value, or NULL. A rule has at most one of
 * the options that set the same value, or one that is in force.
 */
const struct config_option *written_option(const struct config_rule *rule, enum rule_value value);

/* Returns "cache_control = "no-cache"" as a file may have it; to be freed. NULL without memory. */
char *written_text(const struct config_rule *rule, const struct config_option *option);

#endif
