/*
 * Sites and rules made from a configuration: what the core gets, and the exact words for what is
 * wrong.
 */
#include "loaded.h"
#include "start/rules.h"
#include "start/sites.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct config *config;
static struct site_set *set;
static char *wrong;

/* Makes the sites of a text. What is wrong with them is in `wrong`. */
static void make(const char *text)
{
    size_t length;
    config = load_good(text);
    FILE *errors = open_memstream(&wrong, &length);
    ck_assert_ptr_nonnull(errors);
    set = site_set_new(config, errors);
    fclose(errors);
}

static void forget(void)
{
    site_set_free(set);
    config_free(config);
    free(wrong);
    set = NULL;
    config = NULL;
    wrong = NULL;
}

static void make_good(const char *text)
{
    make(text);
    ck_assert_msg(set != NULL, "%s\nrefused: %s", text, wrong);
    ck_assert_str_eq(wrong, "");
}

static const struct site *found(const char *host)
{
    return site_find(&set->sites, (struct text){host, strlen(host)});
}

static void text_is(struct text text, const char *expected)
{
    ck_assert_msg(text.length == strlen(expected) && memcmp(text.base, expected, text.length) == 0,
                  "%.*s is not %s", (int)text.length, text.base, expected);
}

/* ---- sites ----------------------------------------------------------------------------------- */

START_TEST(none)
{
    make_good("root = main");
    ck_assert(!set->used && !set->sites.by_address);
    ck_assert_uint_eq(set->trees, 1);
    ck_assert_str_eq(set->tree[0].root, "/etc/z/main");
    ck_assert_uint_eq(set->sites.lines_bytes, 0);
}
END_TEST

START_TEST(hosts)
{
    make_good("site A.org. { } site two { hosts = {\"*.A.org\", \"[::1]\"} }");
    ck_assert(set->used);
    ck_assert_ptr_ne(found("a.org"), set->sites.otherwise);
    ck_assert_ptr_ne(found("x.a.org"), set->sites.otherwise);
    ck_assert_ptr_ne(found("x.a.org"), found("a.org"));
    ck_assert_ptr_eq(found("x.a.org"), found("[::1]:80"));
    ck_assert_ptr_eq(found("two"), set->sites.otherwise);
}
END_TEST

START_TEST(otherwise)
{
    make_good("site a { } site b { hosts = {\"*\", b} }");
    ck_assert_ptr_eq(found("b"), set->sites.otherwise);
    ck_assert_ptr_eq(found("c"), set->sites.otherwise);
    ck_assert_ptr_ne(found("a"), set->sites.otherwise);
}
END_TEST

/* What a site does not set is as outside of sites. Sites that are alike share a tree. */
START_TEST(trees)
{
    make_good("root = main\nhidden = on\nlisting = on\nindex = start.html\n"
              "site a { } site b { root = b } site c { hidden = off\nlisting = off } site d { root "
              "= b }\n"
              "site e { root = main\nindex = start.html } site f { sidecars = gz }\n");
    ck_assert_uint_eq(found("a")->tree, 0);
    ck_assert_uint_eq(found("b")->tree, 1);
    ck_assert_uint_eq(found("c")->tree, 2);
    ck_assert_uint_eq(found("d")->tree, 1);
    ck_assert_uint_eq(found("e")->tree, 0);
    ck_assert_uint_eq(found("f")->tree, 3);
    ck_assert_uint_eq(set->trees, 4);
    ck_assert(set->tree[1].hidden && !set->tree[2].hidden);
    ck_assert_str_eq(set->tree[1].place, "/etc/z/serve.conf:5");
    ck_assert_str_eq(set->tree[1].index->item[0], "start.html");
    ck_assert(found("a")->lists && !found("c")->lists);
}
END_TEST

/* ---- rules ----------------------------------------------------------------------------------- */

START_TEST(patterns)
{
    static const struct {
        const char *title, *text;
        bool anywhere;
        int stars;
    } known[] = {
        {"/a", "a", false, 0},           {"/a/", "a/**", false, 1},    {"/a/*", "a/**", false, 1},
        {"/", "**", false, 1},           {"/*", "**", false, 1},       {"/$", "", false, 0},
        {"/a/$", "a/", false, 0},        {"*.js", "*.js", true, 1},    {"img/", "img/**", true, 1},
        {"/a/*/b*", "a/*/b*", false, 2}, {"/**/x?", "**/x?", false, 1}};
    for (int i = 0; i < COUNT(known); i++) {
        char text[64];
        snprintf(text, sizeof(text), "rule \"%s\" { }", known[i].title);
        make_good(text);
        const struct pattern *pattern = &set->sites.otherwise->rule[0].pattern;
        text_is(pattern->text, known[i].text);
        ck_assert_int_eq(pattern->anywhere, known[i].anywhere);
        ck_assert_int_eq(pattern->stars, known[i].stars);
        forget();
    }
    make_good("");
}
END_TEST

/* What asks for the scheme of requests, and which targets need a host. */
START_TEST(schemes)
{
    static const struct {
        const char *rule;
        bool by_scheme, needs_host;
    } known[] = {{"moved = /a", false, false},
                 {"moved = \"https://$host/a\"", false, true},
                 {"moved = \"$scheme://a.org/\"", true, false},
                 {"moved = \"/$$host\"", false, false},
                 {"moved = \"/$$$host\"", false, true},
                 {"scheme = http", true, false}};
    for (int i = 0; i < COUNT(known); i++) {
        char text[128];
        snprintf(text, sizeof(text), "forwarded = forwarded\nrule /x { %s }", known[i].rule);
        make_good(text);
        ck_assert_int_eq(set->sites.by_scheme, known[i].by_scheme);
        ck_assert_int_eq(set->sites.otherwise->rule[0].needs_host, known[i].needs_host);
        forget();
    }
    make_good("");
}
END_TEST

/* Sites with other codings have trees of their own. */
START_TEST(codings)
{
    make_good("compress { codings = {gz} }\nsite a { }\nsite b { compress = {gz} }\n"
              "site c { compress = {br, gz} }\nsite d { compress = {} }");
    ck_assert_uint_eq(set->trees, 3);
    ck_assert_uint_eq(set->tree[1].compress->count, 2);
    ck_assert_str_eq(set->tree[1].compress->item[0], "br");
    ck_assert_uint_eq(set->tree[2].compress->count, 0);
}
END_TEST

START_TEST(values)
{
    make_good("rule \"/old/*\" {\n methods = {GET, OPTIONS}\n allow = {\"10.0.0.0/8\", "
              "\"2001:db8::/32\"}\n"
              "deny = all\n moved = \"/new/$1\"\n try_files = {\"$path\", \"=403\"}\n"
              "error_pages = \"404 403 /e.html\"\n cors = {https://a.org}\n charset = off\n"
              "compress = off\n}");
    const struct rule *rule = &set->sites.otherwise->rule[0];
    ck_assert_uint_eq(rule->methods, 1U << METHOD_GET | 1U << METHOD_OPTIONS);
    ck_assert_uint_eq(rule->allow->count, 2);
    ck_assert_uint_eq(rule->allow->member[0].bits, 104);
    ck_assert_uint_eq(rule->allow->member[1].bits, 32);
    ck_assert_uint_eq(rule->deny->member[0].bits, 0);
    ck_assert_uint_eq(rule->status, 301);
    ck_assert_uint_eq(rule->paths, 1);
    ck_assert_uint_eq(rule->otherwise, 403);
    ck_assert_uint_eq(rule->pages, 2);
    ck_assert_uint_eq(rule->page[0].status, 404);
    text_is(rule->page[1].path, "e.html");
    text_is(rule->origin[0], "https://a.org");
    text_is(rule->charset, "");
    ck_assert_uint_eq(rule->sets, (1U << RULE_VALUES) - 1 - (1U << RULE_USERS) -
                                      (1U << RULE_LISTS) - (1U << RULE_TYPE));
    ck_assert(!rule->compresses && rule->scheme == SCHEME_ANY && !rule->needs_host);
    ck_assert(set->sites.by_address && !set->sites.by_scheme);
}
END_TEST

/* A file is read once, whatever rules name it; an inner rule may open again. */
START_TEST(users)
{
    static const char line[] = "u:$2y$05$8kWzaqeS2i6CXkk.ITGyOOgawFhR3uQbuxvMiJm016qSvCHudEwBK\n";
    char directory[] = "/tmp/zcserve-users-XXXXXX", text[512], one[64], two[64];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(one, sizeof(one), "%s/one", directory);
    snprintf(two, sizeof(two), "%s/two", directory);
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(i == 0 ? one : two, "w");
        ck_assert(file && fchmod(fileno(file), 0600) == 0 && fputs(line, file) > 0);
        fclose(file);
    }
    snprintf(text, sizeof(text),
             "rule / { users = \"%s\" } rule /b { users = \"%s\" } rule /c { users = off }\n"
             "site a { rule / { users = \"%s\" } }",
             one, two, one);
    make_good(text);
    unlink(one);
    unlink(two);
    rmdir(directory);
    const struct rule *rule = set->sites.otherwise->rule;
    ck_assert(set->sites.by_user && set->sites.by_address);
    ck_assert_uint_eq(rule[0].sets, 1U << RULE_USERS);
    ck_assert(rule[0].users && rule[1].users && rule[0].users != rule[1].users);
    ck_assert_uint_ne(rule[0].users->number, rule[1].users->number);
    ck_assert(rule[2].sets == 1U << RULE_USERS && !rule[2].users);
    ck_assert_ptr_eq(found("a")->rule[0].users, rule[0].users);
}
END_TEST

START_TEST(fields)
{
    make_good(
        "rule / {\n preset = secure\n expires = 2d\n cache_control = \"\"\n always = on\n"
        "fields_set = \"x-frame-options:  DENY  \"\n fields_remove = A\n fields_add = \"B: c\" }");
    const struct rule *rule = &set->sites.otherwise->rule[0];
    ck_assert_uint_eq(rule->fields, 8); /* the third and the fourth line of the preset are one */
    text_is(rule->field[0].line, "X-Content-Type-Options: nosniff\r\n");
    ck_assert(rule->field[1].replaceable);
    ck_assert_int_eq(rule->field[3].action, FIELD_REMOVES);
    ck_assert(rule->field[4].is_expires && rule->field[4].always);
    ck_assert_uint_eq(rule->expires_seconds, 2 * 86400);
    text_is(rule->field[5].line, "x-frame-options: DENY\r\n");
    ck_assert_uint_eq(rule->field[5].name, rule->field[1].name);
    ck_assert(!rule->field[5].replaceable);
    ck_assert_int_eq(rule->field[7].action, FIELD_ADDS);
    ck_assert_uint_gt(set->sites.lines_bytes, 1024);
}
END_TEST

/* A line is looked for only where a later one may replace it; those with names of their own are joined. */
START_TEST(fields_settled)
{
    make_good("rule / { fields_set = {\"A: 1\", \"B: 2\", \"C: 3\"} }\n"
              "rule /x { fields_set = \"b: 4\"\n fields_add = {\"D: 5\", \"E: 6\", \"D: 7\"} }\n"
              "rule /y { fields_set = {\"F: 8\", \"G: 9\"}\n fields_remove = H\n fields_add = \"I: "
              "10\" }");
    const struct rule *rule = set->sites.otherwise->rule;
    ck_assert_uint_eq(rule[0].fields, 3);
    ck_assert(!rule[0].field[0].replaceable && rule[0].field[1].replaceable);
    ck_assert_uint_eq(rule[1].fields, 4);
    ck_assert(!rule[1].field[0].replaceable && !rule[1].field[1].replaceable);
    ck_assert_uint_eq(rule[2].fields, 3);
    text_is(rule[2].field[0].line, "F: 8\r\nG: 9\r\n");
    ck_assert_int_eq(rule[2].field[1].action, FIELD_REMOVES);
    text_is(rule[2].field[2].line, "I: 10\r\n");
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------- */

#define C "/etc/z/serve.conf:"

static const struct {
    const char *text, *words;
} bad[] = {
    {"site \"a:80\" { }", C "1: site.hosts: a:80: a host is a name such as example.org or "
                            "*.example.org, or *, without a port\n"},
    {"site a { hosts = \"*.\" }", C "1: site.hosts: *.: a host is a name such as example.org or "
                                    "*.example.org, or *, without a port\n"},
    {"site a { }\nsite b { hosts = A }",
     C "2: site.hosts: A is a duplicate\n" C "1: site.hosts: a is here, too\n"},
    {"site a { hosts = \"*\" }\nsite \"*\" { }", C "2: site.hosts: * is a duplicate of " C "1\n"},
    {"rule / { }\nsite a { hosts = \"*\" }",
     C "2: site.hosts: * leaves no request to the rules outside of sites, at " C "1\n"},
    {"site a { index = \"b/c\" }", C "1: site.index: b/c: must be one name, without '/'\n"},
    {"rule \"/a***\" { }", C "1: rule: the pattern has more than two stars in a row\n"},
    {"rule \"*.*.*.*.*.*.*.*.*.*\" { }", C "1: rule: the pattern has more than 9 stars\n"},
    {"rule /a//b { }", C "1: rule: the pattern matches no path: no path has \"//\"\n"},
    {"rule /a/../b { }",
     C "1: rule: the pattern matches no path: \".\" and \"..\" are taken out of paths before\n"},
    {"rule / {\n users = x }", C "2: rule.users: /etc/z/x: No such file or directory\n"},
    {"rule / {\n allow = 10.0.0.1/8 }",
     C "2: rule.allow: '10.0.0.1/8' must be an address, a network such as 192.0.2.0/24 or "
       "2001:db8::/32 without bits behind its prefix, unix, or all\n"},
    {"rule / { deny = 10.0.0.0/33 }",
     C "1: rule.deny: '10.0.0.0/33' must be an address, a network such as 192.0.2.0/24 or "
       "2001:db8::/32 without bits behind its prefix, unix, or all\n"},
    {"rule / { deny = example.org }",
     C "1: rule.deny: 'example.org' must be an address, a network such as 192.0.2.0/24 or "
       "2001:db8::/32 without bits behind its prefix, unix, or all\n"},
    {"rule / { redirect = /a\n moved = /b }", C "2: rule.moved: the rule has redirect, too\n"},
    {"rule / { redirect = a }",
     C "1: rule.redirect: must begin with /, http://, https:// or $scheme://\n"},
    {"rule / { redirect = \"/a b\" }",
     C "1: rule.redirect: a target has only characters of a URI, and no fragment\n"},
    {"rule / { redirect = \"/a#b\" }",
     C "1: rule.redirect: a target has only characters of a URI, and no fragment\n"},
    {"rule / { redirect = \"https://$1/\" }",
     C "1: rule.redirect: the host must be written out, or end with $host; behind it must "
       "follow a port, / or $path\n"},
    {"rule / { redirect = \"https://a.org$1\" }",
     C "1: rule.redirect: the host must be written out, or end with $host; behind it must "
       "follow a port, / or $path\n"},
    {"rule / { redirect = \"//a@$path\" }",
     C "1: rule.redirect: the host must be written out, or end with $host; behind it must "
       "follow a port, / or $path\n"},
    {"rule /a { moved = \"/b/$1\" }",
     C "1: rule.moved: there is no $1: the pattern has fewer stars\n"},
    {"rule \"/a/*\" { moved = \"/b/$2\" }",
     C "1: rule.moved: there is no $2: the pattern has fewer stars\n"},
    {"rule / { moved = \"/b/$x\" }",
     C "1: rule.moved: $x is not known; there are $1 to $9, $path, $scheme, $host, and $$ for a "
       "$\n"},
    {"rule /a { moved = /a }", C "1: rule.moved: leads back to this rule, again and again\n"},
    {"rule \"/old/*\" {\n redirect = \"/old/x/$1\" }",
     C "2: rule.redirect: leads back to this rule, again and again\n"},
    {"rule / { rewrite = /a/../b }",
     C "1: rule.rewrite: '/a/../b': a path begins with / or $path, and has no //, . or ..\n"},
    {"rule / { rewrite = a }",
     C "1: rule.rewrite: 'a': a path begins with / or $path, and has no //, . or ..\n"},
    {"rule / { rewrite = /a\n try_files = /b }",
     C "2: rule.try_files: the rule has rewrite, too\n"},
    {"rule / { try_files = {\"=404\", /a} }",
     C "1: rule.try_files: '=404': only =404 or =403 may be the last\n"},
    {"rule / { try_files = \"=200\" }",
     C "1: rule.try_files: '=200': only =404 or =403 may be the last\n"},
    {"rule / { error_pages = \"404\" }", C "1: rule.error_pages: '404': write \"404 /path\"\n"},
    {"rule / { error_pages = \"429 /a\" }", C
     "1: rule.error_pages: '429 /a': only 400, 401, 403, 404, 405, 406, 412, 414, 416, 500 and 503 "
     "have pages\n"},
    {"rule / { moved = \"https://$hosts/\" }",
     C "1: rule.moved: the host must be written out, or end with $host; behind it must follow a "
       "port, / or $path\n"},
    {"rule / { rewrite = \"/$host\" }",
     C "1: rule.rewrite: $host is not known; there are $1 to $9, $path, and $$ for a $\n"},
    {"rule / { moved = \"http://$host$path\" }",
     C "1: rule.moved: leads back to this rule, again and again; is it only for requests of one "
       "scheme? Set scheme, too\n"},
    {"rule / { scheme = http }",
     C "1: rule.scheme: only proxies tell the scheme of a request: set forwarded, too\n"},
    {"rule / { error_pages = \"404/a\" }", C
     "1: rule.error_pages: '404/a': only 400, 401, 403, 404, 405, 406, 412, 414, 416, 500 and 503 "
     "have pages\n"},
    {"rule / { fields_set = \"A b\" }", C "1: rule.fields_set: 'A b': write \"Name: value\"\n"},
    {"rule / { fields_add = \"A b: c\" }", C "1: rule.fields_add: 'A b' is no name of a field\n"},
    {"rule / { fields_add = \": c\" }", C "1: rule.fields_add: '' is no name of a field\n"},
    {"rule / { fields_set = \"content-length: 3\" }",
     C "1: rule.fields_set: the server itself writes Content-Length\n"},
    {"rule / { fields_remove = \"etag\" }",
     C "1: rule.fields_remove: the server itself writes ETag\n"},
    {"rule / { fields_set = \"www-authenticate: Basic\" }",
     C "1: rule.fields_set: the server itself writes WWW-Authenticate: set users\n"},
    {"rule / { fields_set = \"Content-Type: a/b\" }",
     C "1: rule.fields_set: the server itself writes Content-Type: set type or charset\n"},
    {"rule / { cors = {\"*\", http://a} }",
     C "1: rule.cors: '*': write origins such as https://example.org, without a path and in small "
       "letters, or only *\n"},
    {"rule / { cors = http://a/ }",
     C "1: rule.cors: 'http://a/': write origins such as https://example.org, without a path and "
       "in small letters, or only *\n"},
    {"rule / { type = text }", C "1: rule.type: must be a media type, such as text/plain\n"},
    {"rule / { charset = \"a b\" }",
     C "1: rule.charset: must be the name of a charset, such as utf-8, or off\n"},
    {"rule /a { type = text }\nrule /b { type = text }",
     C "1: rule.type: must be a media type, such as text/plain\n" C
       "2: rule.type: must be a media type, such as text/plain\n"},
};

START_TEST(is_refused)
{
    make(bad[_i].text);
    ck_assert_ptr_null(set);
    ck_assert_msg(strcmp(wrong, bad[_i].words) == 0, "%s\nsaid: %s", bad[_i].text, wrong);
}
END_TEST

/* A later rule may take a path out of a redirect, so this leads nowhere back. */
START_TEST(redirect_with_exception)
{
    make_good("rule / { redirect = /closed.html }\nrule /closed.html { redirect = \"\" }");
    ck_assert_uint_eq(set->sites.otherwise->rules, 2);
}
END_TEST

START_TEST(limits)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    for (int i = 0; i <= SITE_RULES_MAX; i++)
        fprintf(out, "rule /%d { }\n", i);
    fclose(out);
    make(text);
    ck_assert_ptr_null(set);
    ck_assert_str_eq(wrong, C "1025: rule: a site has at most 1024 rules\n");
    forget();
    free(text);
    out = open_memstream(&text, &length);
    for (int i = 0; i < 50; i++)
        fprintf(out, "rule /%d { fields_add = \"A: %0200d\" }\n", i, i);
    fclose(out);
    make(text);
    ck_assert_ptr_null(set);
    ck_assert_str_eq(wrong,
                     C "1: site: the fields of its rules have together more than 8192 bytes\n");
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sites");
    TCase *tcase = tcase_create("sites");
    tcase_add_checked_fixture(tcase, NULL, forget);
    tcase_add_test(tcase, none);
    tcase_add_test(tcase, hosts);
    tcase_add_test(tcase, otherwise);
    tcase_add_test(tcase, trees);
    tcase_add_test(tcase, patterns);
    tcase_add_test(tcase, values);
    tcase_add_test(tcase, schemes);
    tcase_add_test(tcase, codings);
    tcase_add_test(tcase, fields);
    tcase_add_test(tcase, fields_settled);
    tcase_add_test(tcase, users);
    tcase_add_loop_test(tcase, is_refused, 0, COUNT(bad));
    tcase_add_test(tcase, redirect_with_exception);
    tcase_add_test(tcase, limits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
