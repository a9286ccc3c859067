/*
 * Makes the rules of a site, one after another. All problems are reported, but only the first of
 * each rule.
 */
#include "start/rules.h"
#include "zcserve/conn.h"
#include "zcserve/token.h"
#include "zcserve/utf8.h"

#include <stdarg.h>
#include <string.h>

#define ORIGIN_MAX 255 /* bytes */
#define PROBLEM_BYTES (RULE_PATH_SHOWN + 256)

bool rule_problem(const struct rules_making *m, const char *option, const void *member,
                  const char *format, ...)
{
    char text[PROBLEM_BYTES];
    const char *place = member ? config_rule_place(m->rule, member) : NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    utf8_print(m->errors, place ? place : m->rule->block.where);
    fputs(option ? ": rule." : ": rule", m->errors);
    fputs(option ? option : "", m->errors);
    fputs(": ", m->errors);
    utf8_print(m->errors, text);
    fputc('\n', m->errors);
    return false;
}

void *rules_take(const struct rules_making *m, size_t size)
{
    void *memory = memory_take(m->memory, size);
    if (!memory) fputs("not enough memory for the rules of sites\n", m->errors);
    return memory;
}

/* ---- single values --------------------------------------------------------------------------- */

static bool methods_make(const struct rules_making *m)
{
    const struct config_list *list = &m->rule->methods;
    static const struct {
        const char *name;
        enum method method;
    } known[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_HEAD}, {"OPTIONS", METHOD_OPTIONS}};
    if (!config_rule_place(m->rule, list)) return true;
    m->made->sets |= 1U << RULE_METHODS;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (list->count == 0 || config_list_has(list, known[i].name))
            m->made->methods |= (uint8_t)(1U << known[i].method);
    return true;
}

/* Returns whether this is an origin as browsers send it (RFC 6454 §6.2), or "*". */
static bool origin_valid(const char *text)
{
    const char *host = strstr(text, "://");
    if (strcmp(text, "*") == 0 || strcmp(text, "null") == 0) return true;
    if (!host || strlen(text) > ORIGIN_MAX || host == text) return false;
    host += strlen("://");
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at > '~' || (*at >= 'A' && *at <= 'Z')) return false;
    return *host && !strpbrk(host, "/?#@,*");
}

static bool origins_make(const struct rules_making *m)
{
    const struct config_list *list = &m->rule->cors;
    if (!config_rule_place(m->rule, list)) return true;
    struct text *origin = rules_take(m, list->count * sizeof(*origin));
    if (!origin) return false;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!origin_valid(list->item[i]) || (list->count > 1 && strcmp(list->item[i], "*") == 0))
            return rule_problem(m, "cors", list,
                                "'%.70s': write origins such as https://example.org, without a "
                                "path and in small letters, or only *",
                                list->item[i]);
        origin[i] = (struct text){list->item[i], strlen(list->item[i])};
    }
    m->made->sets |= 1U << RULE_ORIGINS;
    m->made->origin = origin;
    m->made->origins = list->count;
    return true;
}

/* Returns whether this is "type/subtype", perhaps with parameters (RFC 9110 §8.3.1). */
static bool type_valid(const char *type)
{
    size_t slash = strcspn(type, "/"), end = strcspn(type, "; ");
    for (size_t i = 0; i < end; i++)
        if (i != slash && !is_token_char(type[i])) return false;
    for (const char *at = type + end; *at; at++)
        if (*at < ' ' || *at > '~') return false;
    return slash > 0 && slash + 1 < end;
}

static bool type_make(const struct rules_making *m)
{
    const struct config_rule *rule = m->rule;
    const char *charset = strcmp(rule->charset, "off") == 0 ? "" : rule->charset;
    if (rule->type[0] && !type_valid(rule->type))
        return rule_problem(m, "type", &rule->type, "must be a media type, such as text/plain");
    for (const char *at = charset; *at; at++)
        if (!is_token_char(*at))
            return rule_problem(m, "charset", &rule->charset,
                                "must be the name of a charset, such as utf-8, or off");
    if (config_rule_place(rule, &rule->type)) m->made->sets |= 1U << RULE_TYPE;
    if (rule->charset[0]) m->made->sets |= 1U << RULE_CHARSET;
    m->made->type = (struct text){rule->type, strlen(rule->type)};
    m->made->charset = (struct text){charset, strlen(charset)};
    return true;
}

static bool lists_make(const struct rules_making *m)
{
    if (config_rule_place(m->rule, &m->rule->listing)) m->made->sets |= 1U << RULE_LISTS;
    m->made->lists = m->rule->listing;
    return true;
}

static bool compresses_make(const struct rules_making *m)
{
    if (config_rule_place(m->rule, &m->rule->compress)) m->made->sets |= 1U << RULE_COMPRESSES;
    m->made->compresses = m->rule->compress;
    return true;
}

/* ---- all rules ------------------------------------------------------------------------------- */

static bool rule_make(struct rules_making *m)
{
    return rule_pattern_make(m) && rule_users_make(m) && rule_scheme_make(m) && methods_make(m) &&
           rule_addresses_make(m) && rule_target_make(m) && rule_paths_make(m) &&
           rule_pages_make(m) && compresses_make(m) && lists_make(m) && origins_make(m) &&
           type_make(m) && rule_fields_make(m);
}

static bool redirects_check(struct rules_making *m, const struct config_block *block,
                            const struct site *site)
{
    bool learns_scheme = m->config->forwarded != FORWARDING_OFF;
    bool good = true;
    for (uint32_t i = 0; i < site->rules; i++, block = block->next) {
        m->rule = (const struct config_rule *)block;
        bool moved = m->rule->moved[0] != '\0';
        if (rule_leads_back(site, &site->rule[i], learns_scheme))
            good = rule_problem(
                m, moved ? "moved" : "redirect", moved ? &m->rule->moved : &m->rule->redirect,
                "leads back to this rule, again and again%s",
                site->rule[i].needs_host ? "; is it only for requests of one scheme? "
                                           "Set scheme, too"
                                         : "");
    }
    return good;
}

static uint32_t count_of(const struct config_block *block)
{
    uint32_t count = 0;
    for (; block; block = block->next)
        count++;
    return count;
}

bool rules_make(struct rules_making *m, const struct config_block *first, struct site *site)
{
    uint32_t count = count_of(first);
    struct rule *rule = rules_take(m, count * sizeof(*rule));
    bool good = rule != NULL;
    const struct config_block *block = first;
    for (uint32_t i = 0; rule && i < count; i++, block = block->next) {
        m->rule = (const struct config_rule *)block;
        m->made = &rule[i];
        if (i == SITE_RULES_MAX)
            return rule_problem(m, NULL, NULL, "a site has at most %d rules", SITE_RULES_MAX);
        good = rule_make(m) && good;
    }
    site->rule = rule;
    site->rules = good ? count : 0;
    return good && redirects_check(m, first, site);
}
