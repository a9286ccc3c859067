/*
 * Makes what a rule says about paths: its pattern, and the targets and paths that have pieces of the
 * requested path in them.
 */
#include "start/rules.h"

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
    struct pattern *pattern = &m->made->pattern;
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
    pattern->anywhere = title[0] != '/';
    text += title[0] == '/';
    pattern->text = (struct text){text, strlen(text)};
    pattern->plain = (uint16_t)strcspn(text, "*?");
    for (const char *at = text; (at = strchr(at, '*')) != NULL; pattern->stars++)
        at += at[1] == '*' ? 2 : 1;
    return true;
}

/* ---- references ------------------------------------------------------------------------------ */

/* Checks "$1" to "$9", "$path" and "$$" in a text. */
static bool references_valid(const struct rules_making *m, const char *option, const void *member,
                             const char *text)
{
    unsigned stars = m->made->pattern.stars;
    for (const char *at = text; (at = strchr(at, '$')) != NULL;) {
        at++;
        if (*at >= '1' && *at <= '9' && (unsigned)(*at - '0') > stars)
            return rule_problem(m, option, member, "there is no $%c: the pattern has fewer stars",
                                *at);
        if (*at >= '1' && *at <= '9')
            at++;
        else if (strncmp(at, "path", 4) == 0)
            at += 4;
        else if (*at == '$')
            at++;
        else
            return rule_problem(m, option, member,
                                "behind $ must follow a number, path, or another $");
    }
    return true;
}

/* ---- redirects ------------------------------------------------------------------------------- */

/* Returns where the authority of a target begins: behind "//"; or NULL when it is only a path. */
static const char *authority_of(const char *target)
{
    static const char *const begin[] = {"http://", "https://", "//"};
    for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
        if (strncmp(target, begin[i], strlen(begin[i])) == 0) return target + strlen(begin[i]);
    return NULL;
}

/* A client could choose the host if a piece of the path were a part of its name. */
static bool authority_fixed(const char *authority)
{
    size_t length = strcspn(authority, "/?$");
    const char *end = authority + length;
    return length > 0 && !memchr(authority, '@', length) &&
           (*end != '$' || strncmp(end, "$path", 5) == 0);
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
        return rule_problem(m, option, member, "must begin with /, http:// or https://");
    if (authority && !authority_fixed(authority))
        return rule_problem(m, option, member,
                            "the host must be written out, with / or $path behind it");
    return references_valid(m, option, member, target);
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

/* Returns the last rule that has a redirect for this path, or NULL. */
static const struct rule *redirect_of(const struct site *site, struct text path)
{
    const struct rule *last = NULL;
    for (uint32_t i = 0; i < site->rules; i++)
        if (site->rule[i].sets & 1U << RULE_TARGET &&
            pattern_match(&site->rule[i].pattern, path, NULL))
            last = &site->rule[i];
    return last;
}

bool rule_leads_back(const struct site *site, const struct rule *rule)
{
    char sample[RULE_PATTERN_MAX + 2], space[LOCATION_WRITTEN_MAX * 4];
    struct captures captures;
    struct text target = rule->target, path;
    if (target.length == 0 || authority_of(target.base)) return false;
    const char *query = memchr(target.base, '?', target.length);
    if (query) target.length = (size_t)(query - target.base);
    if (!pattern_match(&rule->pattern, sample_of(&rule->pattern, sample), &captures) ||
        !path_expand(target, &captures, space, sizeof(space), &path))
        return false;
    return redirect_of(site, path) == rule;
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
    return references_valid(m, option, member, path);
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

#define PAGE_STATUSES 7

static bool page_status_valid(long status)
{
    static const uint16_t known[PAGE_STATUSES] = {401, 403, 404, 405, 406, 500, 503};
    for (int i = 0; i < PAGE_STATUSES; i++)
        if (status == known[i]) return true;
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
            return rule_problem(m, "error_pages", list,
                                "'%.70s': only 401, 403, 404, 405, 406, 500 and 503 have pages",
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
