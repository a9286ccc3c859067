/* The request, the site of its host, and the rules of this site. */
#include "page.h"
#include "say.h"
#include "start/sites.h"
#include "written.h"
#include "zcserve/refusal.h"

#include <stdlib.h>

/* ---- the request ----------------------------------------------------------------------------- */

static const char *refusal_help(enum refusal refusal)
{
    static const char *const help[] = {
#define REFUSAL(name, status, word, help) help,
#include "zcserve/refusal.def"
#undef REFUSAL
    };
    return help[refusal];
}

/* Prints each line of what was sent but the empty one. */
void say_request(const struct trial *t, FILE *out)
{
    const struct asking *asking = t->asking;
    const char *label = "Request";
    for (const char *at = asking->bytes, *end; (end = strchr(at, '\r')) > at; at = end + 2) {
        page_line(out, label, "%.*s", (int)(end - at), at);
        label = "";
    }
    page_line(out, "", "(from %s)", asking->from_text);
    if (t->conn.peer_trusted && t->exchange->client.base)
        page_line(out, "", "(this proxy is trusted; the client that it names is %.*s)",
                  (int)t->exchange->client.length, t->exchange->client.base);
    if (t->is_judged && t->stream->verdict.https)
        page_line(out, "", "(this proxy is trusted; the client asked it by https)");
    if (asking->fragment)
        page_line(out, "", "(%s is not sent: it is for the client itself)", asking->fragment);
    if (t->exchange->refused != REFUSAL_NONE)
        page_line(out, "", "It is refused before any rule is asked: %s.",
                  refusal_help(t->exchange->refused));
}

/* ---- the site -------------------------------------------------------------------------------- */

static struct text authority_of(const struct trial *t)
{
    const struct target *target = &t->stream->target;
    return target->form == TARGET_ABSOLUTE ? target->authority : t->exchange->host;
}

static void site_name(const struct trial *t, const struct site *site, FILE *out)
{
    struct text authority = authority_of(t);
    const struct sites *sites = t->p->service.rules.sites;
    const struct site_host *host = site_host_find(sites, authority);
    const struct config_site *written = written_site(t->p, site);
    const char *star = host && host->name.base[0] == '.' ? "*" : "";
    if (host)
        page_line(out, "Site", "site \"%s\" (%s): \"%.*s\" is its host %s%.*s",
                  written->block.title, written->block.where, (int)authority.length, authority.base,
                  star, (int)host->name.length, host->name.base);
    else if (written)
        page_line(out, "Site",
                  "site \"%s\" (%s): it has all hosts of no other site, and no other "
                  "has \"%.*s\"",
                  written->block.title, written->block.where, (int)authority.length,
                  authority.base ? authority.base : "");
    else
        page_line(out, "Site", "no site has the host \"%.*s\": what is outside of sites counts",
                  (int)authority.length, authority.base ? authority.base : "");
}

void say_site(const struct trial *t, FILE *out)
{
    uint16_t tree = 0;
    if (t->exchange->refused != REFUSAL_NONE) return;
    if (t->is_judged) {
        site_name(t, t->stream->verdict.site, out);
        tree = t->stream->verdict.site->tree;
    } else if (t->p->service.rules.sites) {
        page_line(out, "Site", "none: the request is for the server, and not for a path");
        return;
    } else {
        page_line(out, "Site", "there are no sites and no rules");
    }
    const struct config_root *root = &t->p->sites->tree[tree];
    page_line(out, "", "root %s (%s)", root->root, root->place);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static bool applies(const struct verdict *verdict, uint32_t number)
{
    return (verdict->applies[number / 64] >> number % 64 & 1) != 0;
}

/* Prints an option of a rule that applies, and whether a later rule sets the same value. */
static void option_say(const struct trial *t, const struct rule *rule,
                       const struct config_rule *written, const struct config_option *option,
                       FILE *out)
{
    const struct verdict *verdict = &t->stream->verdict;
    enum rule_value value = written_value(option);
    char *text = written_text(written, option);
    bool counts = value == RULE_VALUES || verdict->by[value] == rule;
    page_line(out, "    ", "%s (%s)%s", text ? text : option->name, written_place(written, option),
              counts ? "" : ", but a later rule replaces it");
    free(text);
}

static void rule_say(const struct trial *t, uint32_t number, FILE *out)
{
    const struct verdict *verdict = &t->stream->verdict;
    const struct config_rule *written = written_rule(t->p, verdict->site, number);
    const struct option_set *set = &options_of_rule;
    bool does = applies(verdict, number);
    const struct rule *rule = &verdict->site->rule[number];
    bool other = !rule_has_scheme(rule, verdict->https);
    page_line(out, does ? "  applies" : "  no", "rule \"%s\" (%s)%s", written->block.title,
              written->block.where, other ? ", which is for the other scheme" : "");
    for (const struct config_option *option = set->option; does && option < set->end; option++)
        if (written_place(written, option))
            option_say(t, rule, written, option, out);
}

void say_rules(const struct trial *t, FILE *out)
{
    if (!t->is_judged) return;
    const struct site *site = t->stream->verdict.site;
    struct text path = t->stream->target.path;
    page_line(out, "Rules",
              site->rules > 0 ? "which are for the path /%.*s"
                              : "none that could be for the path /%.*s",
              (int)path.length, path.base);
    for (uint32_t i = 0; i < site->rules; i++)
        rule_say(t, i, out);
}
