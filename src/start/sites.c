/*
 * Sites with the same root and options share a tree. A host has one site: two sites that name the
 * same one are reported with both places.
 */
#define _GNU_SOURCE
#include "start/sites.h"
#include "start/rules.h"
#include "zcserve/utf8.h"

#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX (16 * 1024)

/* A host, and where it was written. */
struct named_host {
    struct site_host host;
    const char *written, *place;
};

struct sites_making {
    struct site_set *set;
    const struct config *config;
    struct rules_making rules;
    struct site *site; /* site 0 has what is outside of sites */
    struct named_host *host;
    uint32_t hosts;
    const char *star; /* where a site has the host "*" */
};

static bool site_problem(const struct sites_making *m, const char *where, const char *option,
                         const char *what, const char *problem)
{
    FILE *errors = m->rules.errors;
    utf8_print(errors, where);
    fprintf(errors, ": site%s: ", option);
    utf8_print(errors, what);
    utf8_print(errors, problem);
    fputc('\n', errors);
    return false;
}

/* ---- trees ----------------------------------------------------------------------------------- */

/* Sets the number of the tree. Returns false when there are too many. */
static bool tree_number(struct sites_making *m, const struct config_site *site, uint16_t *number)
{
    struct site_set *set = m->set;
    struct config_root tree = config_root_of(m->config, site);
    uint32_t i = 0;
    while (i < set->trees && !config_roots_equal(&set->tree[i], &tree))
        i++;
    if (i == SITE_TREES_MAX)
        return site_problem(m, site->block.where, "", "",
                            "the sites have more than 1024 different roots and options");
    if (i == set->trees) set->tree[set->trees++] = tree;
    *number = (uint16_t)i;
    return true;
}

/* An index is a name, as outside of sites. */
static bool index_valid(const struct sites_making *m, const struct config_site *site)
{
    for (uint32_t i = 0; i < site->index.count; i++) {
        const char *name = site->index.item[i];
        if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            strlen(name) > 255)
            return site_problem(m, config_site_place(site, &site->index), ".index", name,
                                ": must be one name, without '/'");
    }
    return true;
}

/* ---- hosts ----------------------------------------------------------------------------------- */

/* Returns what is wrong with a host, or NULL. */
static const char *host_fault(const char *host)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const char *name = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
    size_t length = strlen(name);
    if (host[0] == '[' && host[length - 1] == ']' &&
        strspn(host + 1, "0123456789abcdefABCDEF:.") == length - 2)
        return NULL;
    if (length == 0 || length > 253 || name[0] == '.' || strstr(name, "..") ||
        name[strspn(name, letters)] != '\0')
        return ": a host is a name such as example.org or *.example.org, or *, without a port";
    return NULL;
}

/* Copies the host in lower case; of "*.a" the ".a". */
static bool host_add(struct sites_making *m, const struct site *site, const char *host,
                     const char *place)
{
    const char *fault = host_fault(host);
    if (fault) return site_problem(m, place, ".hosts", host, fault);
    if (m->hosts == HOSTS_MAX) return site_problem(m, place, "", "", "there are too many hosts");
    host += host[0] == '*';
    size_t length = strlen(host);
    char *name = rules_take(&m->rules, length + 1);
    if (!name) return false;
    for (size_t i = 0; i < length; i++)
        name[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 0x20 : host[i]);
    if (length > 1 && name[length - 1] == '.') length--;
    m->host[m->hosts++] = (struct named_host){{{name, length}, site}, host, place};
    return true;
}

static bool otherwise_set(struct sites_making *m, const struct site *site, const char *place)
{
    if (m->star) return site_problem(m, place, ".hosts", "* is a duplicate of ", m->star);
    m->star = place;
    m->set->sites.otherwise = site;
    return true;
}

static bool hosts_make(struct sites_making *m, const struct config_site *config,
                       const struct site *site)
{
    const struct config_list own = {{config->block.title}, 1};
    const struct config_list *hosts = config->hosts.count > 0 ? &config->hosts : &own;
    const char *place = config_site_place(config, &config->hosts);
    if (!place) place = config->block.where;
    bool good = true;
    for (uint32_t i = 0; i < hosts->count; i++)
        good = (strcmp(hosts->item[i], "*") == 0 ? otherwise_set(m, site, place)
                                                 : host_add(m, site, hosts->item[i], place)) &&
               good;
    return good;
}

static int hosts_compare(const void *a, const void *b)
{
    struct text one = ((const struct named_host *)a)->host.name;
    struct text two = ((const struct named_host *)b)->host.name;
    if (one.length != two.length) return one.length < two.length ? -1 : 1;
    return memcmp(one.base, two.base, one.length);
}

static bool hosts_sort(struct sites_making *m)
{
    struct site_host *host = rules_take(&m->rules, m->hosts * sizeof(*host));
    bool good = host != NULL;
    qsort(m->host, m->hosts, sizeof(*m->host), hosts_compare);
    for (uint32_t i = 0; host && i < m->hosts; i++) {
        host[i] = m->host[i].host;
        if (i > 0 && hosts_compare(&m->host[i - 1], &m->host[i]) == 0) {
            site_problem(m, m->host[i].place, ".hosts", m->host[i].written, " is a duplicate");
            good = site_problem(m, m->host[i - 1].place, ".hosts", m->host[i - 1].written,
                                " is here, too");
        }
    }
    m->set->sites.host = host;
    m->set->sites.hosts = m->hosts;
    return good;
}

/* ---- sites ----------------------------------------------------------------------------------- */

/* Checks of passwords are bounded for each address. */
static void rule_needs_add(struct sites *sites, const struct rule *rule)
{
    sites->by_user |= rule->users != NULL;
    sites->lists |= rule->lists;
    sites->by_address |= rule->users || (rule->sets & (1U << RULE_ALLOW | 1U << RULE_DENY)) != 0;
    sites->by_scheme |= rule->scheme != SCHEME_ANY ||
                        (rule->target.length > 0 && strstr(rule->target.base, "$scheme"));
    if (rule->users && rule->users->check_bytes_max > sites->check_bytes_max)
        sites->check_bytes_max = rule->users->check_bytes_max;
}

/* Adds what the rules of a site need to what all sites need, and settles their lines. */
static bool needs_add(struct sites_making *m, const struct site *site, const char *where)
{
    struct sites *sites = &m->set->sites;
    size_t bytes = rules_lines_bytes(&m->rules, site);
    if (bytes > FIELD_LINES_BYTES)
        return site_problem(m, where, "", "",
                            "the fields of its rules have together more than 8192 bytes");
    if (bytes > sites->lines_bytes) sites->lines_bytes = (uint32_t)bytes;
    for (uint32_t i = 0; i < site->rules; i++)
        rule_needs_add(sites, &site->rule[i]);
    return rules_lines_settle(&m->rules, site);
}

static bool site_make(struct sites_making *m, const struct config_site *config, struct site *site)
{
    bool lists = config_site_place(config, &config->listing) ? config->listing : m->config->listing;
    *site = (struct site){.lists = lists};
    m->set->sites.lists |= lists;
    bool good = index_valid(m, config) && tree_number(m, config, &site->tree);
    good = hosts_make(m, config, site) && good;
    return rules_make(&m->rules, config->block.inner, site) &&
           needs_add(m, site, config->block.where) && good;
}

static bool outside_make(struct sites_making *m)
{
    const struct config_block *rules = m->config->outside.inner;
    *m->site = (struct site){.lists = m->config->listing};
    m->set->tree[m->set->trees++] = config_root_outside(m->config);
    m->set->sites.otherwise = m->site;
    return rules_make(&m->rules, rules, m->site) && (!rules || needs_add(m, m->site, rules->where));
}

/* Rules outside of sites are for hosts of no site. A site with the host * leaves none of those. */
static bool outside_used(const struct sites_making *m)
{
    const struct config_block *rules = m->config->outside.inner;
    if (!rules || !m->star) return true;
    return site_problem(m, m->star, ".hosts",
                        "* leaves no request to the rules outside of sites, at ", rules->where);
}

static bool sites_make(struct sites_making *m)
{
    uint32_t count = 1;
    for (const struct config_block *block = m->config->block.inner; block; block = block->next)
        count++;
    m->site = rules_take(&m->rules, count * sizeof(*m->site));
    m->host = rules_take(&m->rules, HOSTS_MAX * sizeof(*m->host));
    if (!m->site || !m->host) return false;
    m->set->site = m->site;
    bool good = outside_make(m);
    struct site *site = m->site + 1;
    for (const struct config_block *block = m->config->block.inner; block; block = block->next)
        good = site_make(m, (const struct config_site *)block, site++) && good;
    return outside_used(m) && hosts_sort(m) && good;
}

struct site_set *site_set_new(const struct config *config, FILE *errors)
{
    struct site_set *set = calloc(1, sizeof(*set));
    struct sites_making *m = calloc(1, sizeof(*m));
    bool good = false;
    if (set && m) {
        *m = (struct sites_making){.set = set, .config = config};
        m->rules =
            (struct rules_making){.memory = &set->memory, .config = config, .errors = errors, .files = &set->files};
        set->used = config->block.inner || config->outside.inner;
        good = sites_make(m);
    } else {
        fputs("not enough memory for the sites\n", errors);
    }
    free(m);
    if (good) return set;
    site_set_free(set);
    return NULL;
}

void site_set_free(struct site_set *set)
{
    if (!set) return;
    users_files_free(&set->files);
    memory_free(&set->memory);
    free(set);
}
