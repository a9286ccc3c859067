/*
 * Judges a request by the rules of its site.
 */
#ifndef ZCSERVE_HTTP_RULE_H
#define ZCSERVE_HTTP_RULE_H

#include "pattern.h"
#include "request.h"

#define RULE_WORDS ((SITE_RULES_MAX + 63) / 64)

/* Which rules apply to a request, and what follows from them. */
struct verdict {
    const struct site *site;
    uint64_t applies[RULE_WORDS];       /* a bit for each rule of the site; see verdict_rule() */
    const struct rule *by[RULE_VALUES]; /* the last rule that sets this value, or NULL         */
    struct text host;   /* of a redirect that needs it: asked for, without its port */
    struct text origin; /* the request's Origin; absent: none that is allowed  */
    uint8_t methods;    /* bit 1 << enum method of each that is allowed        */
    bool refused;       /* the address that asks is not allowed               */
    bool admitted;      /* a user was asked for, and was found                */
    bool https;         /* the scheme in which the client asked: see asker    */
};

/* Which of the methods of this server a request may have when no rule says otherwise. */
#define METHODS_ALL (1U << METHOD_GET | 1U << METHOD_HEAD | 1U << METHOD_OPTIONS)

/* Who sends a request: the peer of the connection, or its client. */
struct asker {
    struct origin from;
    bool https; /* it asked a trusted proxy by https */
};

/*
 * Sets *verdict for a request for `path` (decoded, without "/" before it), but for its host. The
 * texts of the request must outlive the verdict.
 */
void rule_judge(const struct site *site, const struct request *r, struct text path,
                const struct asker *asker, struct verdict *verdict);

/* Returns the next rule that applies, from the number *cursor on, which is 0 at first; else NULL. */
const struct rule *verdict_rule(const struct verdict *verdict, uint32_t *cursor);

/* Returns the page for this status; absent when there is none. */
struct text verdict_page(const struct verdict *verdict, uint16_t status);

#endif
