/*
 * Makes what a rule says about paths: its pattern, and the targets and paths that have pieces of the
 * requested path in them.
 */
#include "start/rules.h"
#include "zcserve/conn.h"

#include <stdlib.h>
#include <string.h>

/* ---- the pattern ----------------------------------------------------------------------------- */

/* Returns what is wrong with a title, or NULL. */
static const char *title_fault(const char *title)
{
    size_t stars = 0;
    for (const char *at = title; (at = strchr(at, '*')) != NULL; stars++)
        at += at[1] == '*' ? 2 : 1;
    if (strlen(title) > RULE_PATTERN_MAX) return "is longer than 1023 bytes";
    if (strstr(title, "***")) return "has more than two stars in a row";
    if (stars > CAPTURES_MAX) return "has more than 9 stars";
    if (strstr(title, "//")) return "matches no path: no path has \"//\"";
    for (const char *at = title; at; at = strchr(at, '/')) {
        at += *at == '/';
        size_t length = strcspn(at, "/");
        if ((length == 1 && at[0] == '.') || (length == 2 && memcmp(at, "..", 2) == 0))
            return "matches no path: \".\" and \"..\" are taken out of paths before";
    }
    return NULL;
}

/*
 * "/a/" and "/a/" with a star are for all beneath, "/a/$" is for nothing else. Without "/" at its
 * beginning a pattern may begin at any segment.
 */
bool rule_pattern_make(const struct rules_making *m)
{
    const char *title = m->rule->block.title, *fault = title_fault(title);
    size_t length = strlen(title);
    if (fault) return rule_problem(m, NULL, NULL, "the pattern %s", fault);
    char *text = rules_take(m, length + sizeof("**"));
    if (!text) return false;
    memcpy(text, title, length);
    if (length > 0 && title[length - 1] == '$')
        text[length - 1] = '\0';
    else if (length > 1 && strcmp(title + length - 2, "/*") == 0)
        strcpy(text + length, "*");
    else if (title[length - 1] == '/')
        strcpy(text + length, "**");
    bool anywhere = title[0] != '/';
    text += !anywhere;
    m->made->pattern = pattern_make((struct text){text, strlen(text)}, anywhere);
    return true;
}

/* ---- references ------------------------------------------------------------------------------ */

/* The references of texts, and those that only the target of a redirect may have. */
static const char *const path_words[] = {"path", "$", NULL};
static const char *const target_words[] = {"path", "scheme", "host", "$", NULL};

/* Returns the length of the word that the text begins with, or 0. */
static size_t word_length(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strncmp(text, *words, strlen(*words)) == 0) return strlen(*words);
    return 0;
}

static bool reference_unknown(const struct rules_making *m, const char *option, const void *member,
                              const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    bool redirects = strcmp(option, "moved") == 0 || strcmp(option, "redirect") == 0;
    return rule_problem(m, option, member,
                        "$%.*s is not known; there are $1 to $9, $path%s, and $$ for a $",
                        (int)strspn(text, letters), text, redirects ? ", $scheme, $host" : "");
}

/* Checks "$1" to "$9" and the words behind "$" in a text. */
static bool references_valid(const struct rules_making *m, const char *option, const void *member,
                             const char *text, const char *const *words)
{
    unsigned stars = m->made->pattern.stars;
    for (const char *at = text; (at = strchr(at, '$')) != NULL;) {
        bool numbered = *++at >= '1' && *at <= '9';
        size_t length = numbered ? 1 : word_length(at, words);
        if (numbered && (unsigned)(*at - '0') > stars)
            return rule_problem(m, option, member, "there is no $%c: the pattern has fewer stars",
                                *at);
        if (length == 0) return reference_unknown(m, option, member, at);
        at += length;
    }
    return true;
}

/* Returns whether "$host" is in the text; "$$host" is not. */
static bool has_host(const char *text)
{
    while ((text = strchr(text, '$')) != NULL) {
        if (strncmp(++text, "host", 4) == 0) return true;
        text += *text == '$';
    }
    return false;
}

/* ---- redirects ------------------------------------------------------------------------------- */

/* Returns where the authority of a target begins: behind "//"; or NULL when it is only a path. */
static const char *authority_of(const char *target)
{
    static const char *const begin[] = {"http://", "https://", "$scheme://", "//"};
    for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
        if (strncmp(target, begin[i], strlen(begin[i])) == 0) return target + strlen(begin[i]);
    return NULL;
}

/*
 * Returns the length of the host and the port in a target. "$host" may be a part of it, at the end of the
 * host: a name that goes on behind it would be another reference, such as "$hostname".
 */
static size_t authority_length(const char *authority)
{
    size_t at = 0;
    while (authority[at] && !strchr("/?$", authority[at]))
        at++;
    if (strncmp(authority + at, "$host", 5) != 0) return at;
    at += 5;
    return authority[at] == ':' ? at + 1 + strspn(authority + at + 1, "0123456789") : at;
}

/* A client could choose the host if a piece of the path were a part of its name. */
static bool authority_fixed(const char *authority)
{
    size_t length = authority_length(authority);
    const char *end = authority + length;
    return length > 0 && !memchr(authority, '@', length) &&
           (*end == '\0' || strchr("/?", *end) || strncmp(end, "$path", 5) == 0);
}

static bool target_valid(const struct rules_making *m, const char *option, const void *member,
                         const char *target)
{
    const char *authority = authority_of(target);
    for (const char *at = target; *at; at++)
        if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}#", *at))
            return rule_problem(m, option, member,
                                "a target has only characters of a URI, and no fragment");
    if (!authority && target[0] != '/')
        return rule_problem(m, option, member,
                            "must begin with /, http://, https:// or $scheme://");
    if (authority && !authority_fixed(authority))
        return rule_problem(m, option, member,
                            "the host must be written out, or end with $host; behind it must "
                            "follow a port, / or $path");
    return references_valid(m, option, member, target, target_words);
}

bool rule_target_make(const struct rules_making *m)
{
    const struct config_rule *rule = m->rule;
    bool moved = config_rule_place(rule, &rule->moved) != NULL;
    const char *const *target = moved ? &rule->moved : &rule->redirect;
    if (!config_rule_place(rule, target)) return true;
    if (moved && config_rule_place(rule, &rule->redirect))
        return rule_problem(m, "moved", &rule->moved, "the rule has redirect, too");
    m->made->sets |= 1U << RULE_TARGET;
    m->made->status = moved ? 301 : 302;
    m->made->target = (struct text){*target, strlen(*target)};
    m->made->needs_host = has_host(*target);
    return **target == '\0' || target_valid(m, moved ? "moved" : "redirect", target, *target);
}

/* Writes a path that matches the pattern: with "x" for each star and each "?". */
static struct text sample_of(const struct pattern *pattern, char *space)
{
    size_t length = 0;
    for (size_t i = 0; i < pattern->text.length; i++) {
        char c = pattern->text.base[i];
        bool second = c == '*' && i > 0 && pattern->text.base[i - 1] == '*';
        if (!second) space[length++] = c == '*' || c == '?' ? 'x' : c;
    }
    return (struct text){space, length};
}

/* Returns the last rule that has a redirect for this path and scheme, or NULL. */
static const struct rule *redirect_of(const struct site *site, struct text path, bool https)
{
    const struct rule *last = NULL;
    for (uint32_t i = 0; i < site->rules; i++)
        if (site->rule[i].sets & 1U << RULE_TARGET && rule_has_scheme(&site->rule[i], https) &&
            pattern_match(&site->rule[i].pattern, path, NULL))
            last = &site->rule[i];
    return last;
}

/* Returns what of a target is the path on the same host; absent when it names another one. */
static struct text own_path_of(struct text target)
{
    const char *path = authority_of(target.base), *end = target.base + target.length;
    if (!path) path = target.base;
    if (path != target.base) {
        if (strncmp(path, "$host", 5) != 0 || path[5] == ':') return (struct text){NULL, 0};
        path += 5;
    }
    const char *query = memchr(path, '?', (size_t)(end - path));
    return (struct text){path, (size_t)((query ? query : end) - path)};
}

/* Returns the scheme of the target for a request by this one. */
static bool leads_to_https(const char *target, bool https)
{
    if (strncmp(target, "https:", 6) == 0) return true;
    return strncmp(target, "http:", 5) == 0 ? false : https;
}

bool rule_leads_back(const struct site *site, const struct rule *rule, bool learns_scheme)
{
    char sample[RULE_PATTERN_MAX + 2], space[LOCATION_WRITTEN_MAX * 4];
    struct captures captures;
    struct text target, path;
    if (rule->target.length == 0) return false;
    target = own_path_of(rule->target);
    if (!target.base ||
        !pattern_match(&rule->pattern, sample_of(&rule->pattern, sample), &captures) ||
        !path_expand(target, &captures, space, sizeof(space), &path))
        return false;
    for (int https = 0; https <= learns_scheme; https++) {
        bool to_https = leads_to_https(rule->target.base, https);
        if (rule_has_scheme(rule, https) && (!to_https || learns_scheme) &&
            redirect_of(site, path, to_https) == rule)
            return true;
    }
    return false;
}

/* Without a proxy that says more, all requests came by http. */
bool rule_scheme_make(const struct rules_making *m)
{
    m->made->scheme = (enum rule_scheme)m->rule->scheme;
    return m->made->scheme == SCHEME_ANY || m->config->forwarded != FORWARDING_OFF ||
           rule_problem(m, "scheme", &m->rule->scheme,
                        "only proxies tell the scheme of a request: set forwarded, too");
}

/* ---- paths that are looked up ---------------------------------------------------------------- */

/* Returns whether a path is normal: no segment is empty, "." or "..". It begins with a "/". */
static bool path_normal(const char *path)
{
    if (path[0] != '/') return false;
    while (*path) {
        size_t length = strcspn(++path, "/");
        if ((length == 0 && *path) || (length == 1 && path[0] == '.') ||
            (length == 2 && memcmp(path, "..", 2) == 0))
            return false;
        path += length;
    }
    return true;
}

static bool path_add(const struct rules_making *m, const char *option, const void *member,
                     const char *path)
{
    if (strncmp(path, "$path", 5) != 0 && !path_normal(path))
        return rule_problem(m, option, member,
                            "'%.70s': a path begins with / or $path, and has no //, . or ..", path);
    struct text *text = (struct text *)(uintptr_t)&m->made->path[m->made->paths++];
    *text = (struct text){path, strlen(path)};
    return references_valid(m, option, member, path, path_words);
}

/* "=404" at the end of try_files says the status when no path is there. */
static bool status_add(const struct rules_making *m, uint32_t index)
{
    const struct config_list *list = &m->rule->try_files;
    const char *text = list->item[index];
    int status = atoi(text + 1);
    if (index + 1 < list->count || strlen(text) != 4 || (status != 404 && status != 403))
        return rule_problem(m, "try_files", list, "'%.70s': only =404 or =403 may be the last",
                            text);
    m->made->otherwise = (uint16_t)status;
    return true;
}

bool rule_paths_make(const struct rules_making *m)
{
    const struct config_rule *rule = m->rule;
    const struct config_list *list = &rule->try_files;
    bool rewrites = config_rule_place(rule, &rule->rewrite), tries = config_rule_place(rule, list);
    if (!rewrites && !tries) return true;
    if (rewrites && tries) return rule_problem(m, "try_files", list, "the rule has rewrite, too");
    m->made->sets |= 1U << RULE_PATHS;
    m->made->path = rules_take(m, (CONFIG_LIST_MAX + 1) * sizeof(struct text));
    if (!m->made->path) return false;
    if (rewrites)
        return rule->rewrite[0] == '\0' || path_add(m, "rewrite", &rule->rewrite, rule->rewrite);
    for (uint32_t i = 0; i < list->count; i++)
        if (!(list->item[i][0] == '=' ? status_add(m, i)
                                      : path_add(m, "try_files", list, list->item[i])))
            return false;
    return true;
}

/* ---- error pages ----------------------------------------------------------------------------- */

/*
 * The statuses of requests that rules judge. Others refuse a request before its site and path are
 * known (400, 408, 414, 417, 431, 501, 505), or are to cost nothing (429). A rule itself makes a 400 for
 * $host without a host, and a 414 for a target that becomes too long.
 */
static const uint16_t page_status[] = {400, 401, 403, 404, 405, 406, 412, 414, 416, 500, 503};
#define PAGE_STATUSES (sizeof(page_status) / sizeof(page_status[0]))

static bool page_status_valid(long status)
{
    for (size_t i = 0; i < PAGE_STATUSES; i++)
        if (page_status[i] == status) return true;
    return false;
}

/* Reads "404 /absent.html", with one status or more. */
static bool page_add(const struct rules_making *m, const char *text)
{
    const struct config_list *list = &m->rule->error_pages;
    const char *path = strchr(text, '/');
    char *end = (char *)(uintptr_t)text;
    if (!path || path == text || !path_normal(path) || strchr(path, '$'))
        return rule_problem(m, "error_pages", list, "'%.70s': write \"404 /path\"", text);
    while (end < path) {
        long status = strtol(end, &end, 10);
        if (!page_status_valid(status) || *end != ' ')
            return rule_problem(
                m, "error_pages", list,
                "'%.70s': only 400, 401, 403, 404, 405, 406, 412, 414, 416, 500 and 503 have pages",
                text);
        end += strspn(end, " ");
        if (m->made->pages == PAGE_STATUSES * CONFIG_LIST_MAX)
            return rule_problem(m, "error_pages", list, "there are too many statuses");
        struct error_page *page = (struct error_page *)(uintptr_t)&m->made->page[m->made->pages++];
        *page = (struct error_page){(uint16_t)status, {path + 1, strlen(path + 1)}};
    }
    return true;
}

bool rule_pages_make(const struct rules_making *m)
{
    const struct config_list *list = &m->rule->error_pages;
    if (list->count == 0) return true;
    m->made->page = rules_take(m, PAGE_STATUSES * CONFIG_LIST_MAX * sizeof(struct error_page));
    for (uint32_t i = 0; m->made->page && i < list->count; i++)
        if (!page_add(m, list->item[i])) return false;
    return m->made->page != NULL;
}
