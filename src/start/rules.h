/*
 * Makes the rules of a site from the configuration. What is wrong is reported with the place where
 * it was written. Texts of the configuration are not copied, so the configuration must outlive what
 * is made.
 */
#ifndef ZCSERVE_START_RULES_H
#define ZCSERVE_START_RULES_H

#include "zcserve/config.h"
#include "http/pattern.h"
#include "start/users_files.h"
#include "start/memory.h"

#define RULE_PATTERN_MAX 1023  /* bytes */
#define RULE_PATH_SHOWN 4096   /* bytes of a path in a message */
#define FIELD_NAMES_MAX 256    /* different names of fields in all rules */
#define FIELD_LINES_BYTES 8192 /* most bytes of the field lines of a site's rules */

/* Where rules are made. */
struct rules_making {
    struct memory *memory;
    const struct config *config; /* all of it */
    FILE *errors;
    struct text name[FIELD_NAMES_MAX]; /* of fields, as they were first written */
    uint32_t names;
    struct users_files *files;
    const struct config_rule *rule; /* the rule that is being made; then what it becomes */
    struct rule *made;
};

/* Reports what is wrong with an option of m->rule; `option` NULL: its title. Returns false. */
__attribute__((format(printf, 4, 5))) bool rule_problem(const struct rules_making *m,
                                                        const char *option, const void *member,
                                                        const char *format, ...);

/* Returns memory_take(), or reports that there is no memory and returns NULL. */
void *rules_take(const struct rules_making *m, size_t size);

/*
 * Makes all rules of the list that begins with `block`, and checks that no redirect leads back to
 * its own rule. Returns false after it reported what is wrong.
 */
bool rules_make(struct rules_making *m, const struct config_block *block, struct site *site);

/*
 * Sets which field lines of the rules of this site may be replaced by later ones, and joins those that
 * are always sent together. Returns false after it reported that there is no memory.
 */
bool rules_lines_settle(const struct rules_making *m, const struct site *site);

/*
 * Returns the most bytes of field lines that the rules of this site add to a response. Their lines must
 * not be settled yet.
 */
size_t rules_lines_bytes(const struct rules_making *m, const struct site *site);

/* ---- parts of a rule: each sets members of m->made -------------------------------------------- */

bool rule_pattern_make(const struct rules_making *m);   /* from the title        */
bool rule_target_make(const struct rules_making *m);    /* redirect, moved       */
bool rule_scheme_make(const struct rules_making *m);    /* scheme                */
bool rule_paths_make(const struct rules_making *m);     /* rewrite, try_files    */
bool rule_pages_make(const struct rules_making *m);     /* error_pages           */
bool rule_fields_make(struct rules_making *m);          /* all that become lines */
bool rule_addresses_make(const struct rules_making *m); /* allow, deny           */
bool rule_users_make(const struct rules_making *m);     /* users                 */

/*
 * Returns whether the redirect of `rule` leads to a request that has the same redirect: to the same
 * host, by a scheme for which the rule is. `learns_scheme`: proxies say that requests came by https.
 */
bool rule_leads_back(const struct site *site, const struct rule *rule, bool learns_scheme);

#endif
