/*
 * Writes what the rules of a site change in the head of a response: field lines, the media type,
 * Vary, Allow and WWW-Authenticate.
 */
#ifndef ZCSERVE_HTTP_ADDED_H
#define ZCSERVE_HTTP_ADDED_H

#include "plan.h"
#include "rule.h"
#include "zcserve/now.h"

#define CHARSET_ADDED_MAX (sizeof("; charset=") + 24) /* bytes that a rule adds to a media type */

/*
 * Each function writes at `at`, where there must be room, and returns where the next line goes.
 *
 * put_type() writes Content-Type of the plan's representation, put_vary() Vary and put_allow()
 * Allow, also when there are no rules.
 */
char *put_type(char *at, const struct plan *plan);
char *put_vary(char *at, const struct plan *plan);
char *put_allow(char *at, const struct plan *plan);

/*
 * Returns whether the rules leave the fields of a representation as they are in its prepared head: none
 * changes Content-Type or Vary.
 */
static inline bool head_is_kept(const struct verdict *verdict)
{
    return !verdict ||
           !(verdict->by[RULE_TYPE] || verdict->by[RULE_CHARSET] || verdict->by[RULE_ORIGINS]);
}

/* Writes what a 401 asks for (RFC 9110 §11.6.1). The plan must have a verdict, with users. */
char *put_challenge(char *at, const struct plan *plan);

/*
 * Writes the field lines of the rules that apply; and that only this user may keep the response
 * (RFC 9111 §5.2.2.7), when it needed one and no rule says otherwise. The plan must have a verdict.
 */
char *put_added(char *at, const struct plan *plan, const struct now *now);

/* Returns how many bytes put_type() writes. */
size_t type_length(const struct plan *plan);

#endif
