/*
 * The sites of a server and the rules of each, as the core reads them. They are made from the
 * configuration when the server starts, are never changed, and all workers share them.
 *
 * A request belongs to the site whose host it names. All rules of that site whose pattern matches
 * the requested path apply, in the order of the file: a later rule replaces single values of
 * earlier ones, and its field lines are added to theirs. www/configure.html says it for operators.
 */
#ifndef ZCSERVE_SITE_H
#define ZCSERVE_SITE_H

#include "zcserve/exchange.h"
#include "zcserve/network.h"
#include "zcserve/users.h"

#define SITE_RULES_MAX 1024       /* of one site */
#define CAPTURES_MAX 9            /* $1 to $9    */
#define LOCATION_WRITTEN_MAX 2048 /* bytes of a redirect's target in the configuration */

/*
 * Which paths a rule is for. In `text`, "*" and "?" stand for bytes and one byte of a segment, "**"
 * for any bytes. Each star is a capture. The text has no "/" at its beginning.
 */
struct pattern {
    struct text text;
    bool anywhere;    /* it may begin at any segment; the path must end with it        */
    bool ends_decide; /* what has its plain beginning and its plain end matches        */
    uint16_t begin;   /* so many bytes at its beginning are neither "*" nor "?"        */
    uint16_t end;     /* so many are neither behind its last "*" or "?"; 0: it has none */
    uint8_t stars;
};

enum field_action { FIELD_SETS, FIELD_ADDS, FIELD_REMOVES };

/* What a rule does with the field lines of one name. */
struct rule_field {
    enum field_action action;
    uint16_t name;         /* the same number for the same name, in any case of letters */
    bool is_expires;       /* its value is computed for each response                   */
    bool always;           /* it is sent with errors and redirects, too                 */
    bool replaceable;      /* a later line of the site sets or removes this name        */
    bool is_cache_control; /* it sets, adds or removes Cache-Control              */
    struct text line;      /* "Name: value" and CRLF; of Expires "Expires: "            */
};

struct error_page {
    uint16_t status;
    struct text path; /* without "/" at its beginning */
};

/* For which requests a rule is, by the scheme in which the client asked. */
enum rule_scheme { SCHEME_ANY, SCHEME_HTTP, SCHEME_HTTPS };

/* The values of a rule of which the last one counts. */
enum rule_value {
    RULE_METHODS,
    RULE_ALLOW,
    RULE_DENY,
    RULE_USERS,
    RULE_TARGET, /* a redirect; an empty one is none                     */
    RULE_PATHS,  /* rewrite and try_files                                */
    RULE_LISTS,
    RULE_COMPRESSES,
    RULE_ORIGINS,
    RULE_TYPE,
    RULE_CHARSET,
    RULE_VALUES
};

struct rule {
    struct pattern pattern;
    enum rule_scheme scheme;
    uint16_t sets;   /* bit 1 << enum rule_value of each value that it sets                    */
    uint8_t methods; /* bit 1 << enum method of each method that is allowed                    */
    bool lists;
    bool compresses;    /* codings may be made on the fly, where the site has any                 */
    uint16_t status;    /* of the redirect                                                        */
    struct text target; /* of the redirect, with $1 … $9, $path, $scheme and $host             */
    bool needs_host;    /* $host is in the target                                              */
    const struct text *path; /* paths to try, with $1 … $9 and $path, without "/" before them  */
    uint32_t paths;
    uint16_t otherwise; /* the status when none of them is there; 0: of the last one           */
    const struct error_page *page;
    uint32_t pages;
    const struct networks *allow, *deny; /* NULL: not set */
    const struct users *users;           /* one of whom must send the request; NULL: everyone may */
    const struct text *origin; /* origins that may read responses (CORS); "*": all             */
    uint32_t origins;
    struct text type, charset; /* an empty charset is none                                     */
    const struct rule_field *field;
    uint32_t fields;
    uint32_t expires_seconds;
};

/* Returns whether the rule is for requests by this scheme. */
static inline bool rule_has_scheme(const struct rule *rule, bool https)
{
    return rule->scheme == SCHEME_ANY || (rule->scheme == SCHEME_HTTPS) == https;
}

struct site {
    uint16_t tree; /* the tree of the store that has its files */
    bool lists;    /* whether directories are listed; rules may say otherwise */
    const struct rule *rule;
    uint32_t rules;
};

struct site_host {
    struct text name; /* in lower case, without a dot at its end; of "*.a" it is ".a" */
    const struct site *site;
};

struct sites {
    const struct site_host *host; /* sorted by name: length, then bytes                       */
    uint32_t hosts;
    const struct site *otherwise; /* of requests with no host or any other host               */
    bool by_address;              /* rules ask for addresses or users: conn_from() must be called */
    bool by_scheme;               /* rules ask for the scheme of a request                     */
    bool by_user;                 /* rules ask for users                                      */
    bool lists;                   /* a site or a rule has listings                            */
    uint64_t check_bytes_max;     /* the most memory that the check of a password needs       */
    uint32_t lines_bytes;         /* the most bytes of field lines that rules add             */
};

/*
 * Returns the site of an authority (RFC 3986 §3.2): "example.org", "EXAMPLE.org.:8080", "[::1]". An
 * absent one has the site of all other hosts. The longest name that fits counts.
 */
const struct site *site_find(const struct sites *sites, struct text authority);

/* Returns the name by which site_find() finds the site; NULL when it is that of all other hosts. */
const struct site_host *site_host_find(const struct sites *sites, struct text authority);

#endif
