/*
 * Makes the field lines of a rule: presets, Cache-Control and Expires first, then what the operator
 * sets, removes and adds, in this order. So fields_set can change a preset of the same rule.
 *
 * Fields that frame a message, or that describe the content, belong to the server. A rule cannot
 * change them.
 */
#include "start/rules.h"
#include "zcserve/token.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define RULE_FIELDS_MAX (3 * CONFIG_LIST_MAX + 10)

static const struct {
    const char *name, *instead;
    bool with_id; /* only where request_id is set */
} guarded[] = {
    {"Content-Length", "", false},
    {"Transfer-Encoding", "", false},
    {"Connection", "", false},
    {"Keep-Alive", "", false},
    {"Proxy-Connection", "", false},
    {"Upgrade", "", false},
    {"Trailer", "", false},
    {"TE", "", false},
    {"Date", "", false},
    {"Content-Range", "", false},
    {"Content-Encoding", "", false},
    {"ETag", "", false},
    {"Last-Modified", "", false},
    {"Accept-Ranges", "", false},
    {"Vary", "", false},
    {"Allow", ": set methods", false},
    {"Location", ": set redirect or moved", false},
    {"WWW-Authenticate", ": set users", false},
    {"Server", ": set server outside of sites", false},
    {"Content-Type", ": set type or charset", false},
    {"Access-Control-Allow-Origin", ": set cors", false},
    {"X-Request-Id", ", because request_id is on", true},
};

static const char *const secure[] = {
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: SAMEORIGIN",
    "Content-Security-Policy: frame-ancestors 'self'",
    "Referrer-Policy: strict-origin-when-cross-origin",
};

/* ---- names ----------------------------------------------------------------------------------- */

static bool names_equal(struct text one, struct text two)
{
    return one.length == two.length && strncasecmp(one.base, two.base, one.length) == 0;
}

static bool name_valid(const struct rules_making *m, const char *option, const void *member,
                       struct text name)
{
    bool valid = name.length > 0;
    for (size_t i = 0; i < name.length; i++)
        valid = valid && is_token_char(name.base[i]);
    if (!valid)
        return rule_problem(m, option, member, "'%.*s' is no name of a field", (int)name.length,
                            name.base);
    for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++)
        if (names_equal((struct text){guarded[i].name, strlen(guarded[i].name)}, name) &&
            (!guarded[i].with_id || m->config->request_id))
            return rule_problem(m, option, member, "the server itself writes %s%s", guarded[i].name,
                                guarded[i].instead);
    return true;
}

/* Sets the number of a name. Returns false after it reported that there are too many. */
static bool name_number(struct rules_making *m, struct text name, uint16_t *number)
{
    uint32_t i = 0;
    while (i < m->names && !names_equal(m->name[i], name))
        i++;
    if (i == FIELD_NAMES_MAX)
        return rule_problem(m, NULL, NULL, "all rules together have more than %d names of fields",
                            FIELD_NAMES_MAX);
    if (i == m->names) m->name[m->names++] = name;
    *number = (uint16_t)i;
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Adds "Name: value" to the fields of the rule. */
static bool field_add(struct rules_making *m, enum field_action action, struct text name,
                      struct text value, bool always)
{
    struct rule_field *field = (struct rule_field *)(uintptr_t)&m->made->field[m->made->fields++];
    size_t length = name.length + value.length + sizeof(": \r\n") - 1;
    char *line = rules_take(m, length + 1);
    if (!line) return false;
    snprintf(line, length + 1, "%.*s: %.*s\r\n", (int)name.length, name.base, (int)value.length,
             value.base);
    *field = (struct rule_field){.action = action, .always = always, .line = {line, length}};
    field->is_cache_control = names_equal(name, TEXT("Cache-Control"));
    return name_number(m, name, &field->name);
}

/* Adds a line that is written as a whole, as "Name: value". The name is checked already. */
static bool line_add(struct rules_making *m, enum field_action action, const char *line,
                     bool always)
{
    size_t name = strcspn(line, ":"), skipped = name + 1;
    skipped += strspn(line + skipped, " \t");
    struct text value = {line + skipped, strlen(line + skipped)};
    while (value.length > 0 && strchr(" \t", value.base[value.length - 1]))
        value.length--;
    return field_add(m, action, (struct text){line, name}, value, always);
}

/* Returns whether there is no byte that a value must not have (RFC 9110 §5.5). */
static bool value_valid(const char *value)
{
    for (; *value; value++)
        if (iscntrl((unsigned char)*value) && *value != '\t') return false;
    return true;
}

static bool lines_make(struct rules_making *m, enum field_action action, const char *option,
                       const struct config_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const char *line = list->item[i];
        const char *colon = strchr(line, ':');
        if (!colon) return rule_problem(m, option, list, "'%.70s': write \"Name: value\"", line);
        if (!name_valid(m, option, list, (struct text){line, (size_t)(colon - line)})) return false;
        if (!value_valid(colon))
            return rule_problem(m, option, list, "a value must not have control characters");
        if (!line_add(m, action, line, m->rule->always)) return false;
    }
    return true;
}

static bool removals_make(struct rules_making *m)
{
    const struct config_list *list = &m->rule->fields_remove;
    for (uint32_t i = 0; i < list->count; i++) {
        struct text name = {list->item[i], strlen(list->item[i])};
        if (!name_valid(m, "fields_remove", list, name) ||
            !field_add(m, FIELD_REMOVES, name, (struct text){"", 0}, true))
            return false;
    }
    return true;
}

/* ---- what has an option of its own ----------------------------------------------------------- */

static bool cache_make(struct rules_making *m)
{
    const struct config_rule *rule = m->rule;
    struct text name = TEXT("Cache-Control"),
                value = {rule->cache_control, strlen(rule->cache_control)};
    if (!config_rule_place(rule, &rule->cache_control)) return true;
    if (!value_valid(value.base))
        return rule_problem(m, "cache_control", &rule->cache_control,
                            "a value must not have control characters");
    return field_add(m, value.length > 0 ? FIELD_SETS : FIELD_REMOVES, name, value, rule->always);
}

static bool expires_make(struct rules_making *m)
{
    const struct config_rule *rule = m->rule;
    if (!config_rule_place(rule, &rule->expires)) return true;
    m->made->expires_seconds = (uint32_t)(rule->expires / UINT64_C(1000000000));
    enum field_action action = rule->expires > 0 ? FIELD_SETS : FIELD_REMOVES;
    if (!field_add(m, action, TEXT("Expires"), TEXT("Thu, 01 Jan 1970 00:00:00 GMT"), rule->always))
        return false;
    struct rule_field *last = (struct rule_field *)(uintptr_t)&m->made->field[m->made->fields - 1];
    last->is_expires = true;
    return true;
}

enum preset { PRESET_NONE, PRESET_IMMUTABLE, PRESET_SECURE }; /* as in rule.def */

static bool preset_make(struct rules_making *m)
{
    if (m->rule->preset == PRESET_IMMUTABLE)
        return line_add(m, FIELD_SETS, "Cache-Control: public, max-age=31536000, immutable",
                        m->rule->always);
    for (size_t i = 0; m->rule->preset == PRESET_SECURE && i < sizeof(secure) / sizeof(secure[0]);
         i++)
        if (!line_add(m, FIELD_SETS, secure[i], true)) return false;
    return true;
}

bool rule_fields_make(struct rules_making *m)
{
    m->made->field = rules_take(m, RULE_FIELDS_MAX * sizeof(struct rule_field));
    return m->made->field && preset_make(m) && cache_make(m) && expires_make(m) &&
           lines_make(m, FIELD_SETS, "fields_set", &m->rule->fields_set) && removals_make(m) &&
           lines_make(m, FIELD_ADDS, "fields_add", &m->rule->fields_add);
}
