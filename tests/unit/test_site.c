/*
 * Which site a host has, which paths a pattern matches, and what is made of captures.
 */
#include "http/pattern.h"
#include "http/rule.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct text text_of(const char *text)
{
    return (struct text){text, strlen(text)};
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static const struct site site[5]; /* their addresses tell them apart */

/* Sorted by length, then by bytes. */
static const struct site_host host[] = {
    {{"a", 1}, &site[4]},      {{"[::1]", 5}, &site[3]},    {{"b.org", 5}, &site[1]},
    {{".b.org", 6}, &site[2]}, {{".x.b.org", 8}, &site[3]},
};
static const struct sites sites = {.host = host, .hosts = COUNT(host), .otherwise = &site[0]};

static const struct {
    const char *authority;
    int site;
} hosts[] = {
    {"b.org", 1},
    {"B.Org", 1},
    {"b.org:8080", 1},
    {"b.org.", 1},
    {"b.org.:80", 1},
    {"b.org:", 1},
    {"a.b.org", 2},
    {"a.a.b.org", 2},
    {"x.b.org", 2},
    {"y.x.b.org", 3},
    {"z.y.x.b.org", 3},
    {"xb.org", 0},
    {"b.org.evil.org", 0},
    {"org", 0},
    {"", 0},
    {".", 0},
    {"a", 4},
    {"a:1", 4},
    {"[::1]", 3},
    {"[::1]:80", 3},
    {"[::2]", 0},
    {"80", 0},
    {":80", 0},
    {".b.org", 2},
};

START_TEST(site_of_host)
{
    const struct site *found = site_find(&sites, text_of(hosts[_i].authority));
    ck_assert_msg(found == &site[hosts[_i].site], "%s: site %td", hosts[_i].authority,
                  found - site);
    const struct site_host *by = site_host_find(&sites, text_of(hosts[_i].authority));
    ck_assert_ptr_eq(by ? by->site : &site[0], found);
}
END_TEST

START_TEST(no_host)
{
    char longest[300];
    memset(longest, 'b', sizeof(longest));
    ck_assert_ptr_eq(site_find(&sites, (struct text){NULL, 0}), &site[0]);
    ck_assert_ptr_eq(site_find(&sites, (struct text){longest, sizeof(longest)}), &site[0]);
    const struct sites none = {.otherwise = &site[4]};
    ck_assert_ptr_eq(site_find(&none, TEXT("b.org")), &site[4]);
}
END_TEST

/* ---- patterns -------------------------------------------------------------------------------- */

static const struct {
    const char *pattern;
    bool anywhere;
    const char *path, *captures; /* with "|" between them; NULL: no match */
} patterns[] = {
    {"a", false, "a", ""},
    {"a", false, "a/", NULL},
    {"a", false, "b/a", NULL},
    {"", false, "", ""},
    {"", false, "a", NULL},
    {"**", false, "", "|"},
    {"**", false, "a/b", "a/b|"},
    {"a/**", false, "a/", "|"},
    {"a/**", false, "a/b/c", "b/c|"},
    {"a/**", false, "a", NULL},
    {"a/**", false, "ab/c", NULL},
    {"*.js", true, "x.js", "x|"},
    {"*.js", true, "a/b/x.js", "x|"},
    {"*.js", true, "x.js/y", NULL},
    {"*.js", true, "x.jsx", NULL},
    {"b/*.js", true, "a/b/x.js", "x|"},
    {"b/*.js", true, "ab/x.js", NULL},
    {"img/*/x?.png", false, "img/a/x1.png", "a|"},
    {"img/*/x?.png", false, "img/a/b/x1.png", NULL},
    {"img/*/x?.png", false, "img/a/x.png", NULL},
    {"img/*/x?.png", false, "img/a/x/.png", NULL},
    {"img/**/x", false, "img/a/b/x", "a/b|"},
    {"img/**/x", false, "img/x", NULL},
    {"*-*", false, "a-b-c", "a|b-c|"},
    {"*/**/c", false, "a/b/b/c", "a|b/b|"},
    {"**a*b", false, "xa/ayb", "xa/|y|"},
    {"**x/a*b", false, "xx/acxx/acb", "xx/acx|c|"},
    {"*a*a", false, "aaaa", "|aa|"},
    {"a?", false, "a/", NULL},
    {"a?", false, "ab", ""},
    {"*.js", true, ".js", "|"},
    {"*.js", true, "a/.js", "|"},
    {"*.js", true, "js", NULL},
    {"*.js", false, "a/x.js", NULL},
    {"*/x.js", true, "a/b/x.js", "b|"},
    {"*/x.js", true, "x.js", NULL},
    {"*", true, "a/", NULL},
    {"**.js", true, "a/b/x.js", "a/b/x|"},
    {"a/**.js", false, "a/b/x.js", "b/x|"},
    {"a/**/a", false, "a/a", NULL},
    {"ab**b", false, "ab", NULL},
    {"ab**b", true, "c/abb", "|"},
    {"ab**b", true, "c/xabb", NULL},
};

START_TEST(pattern_captures)
{
    struct pattern pattern = pattern_make(text_of(patterns[_i].pattern), patterns[_i].anywhere);
    struct captures captures;
    char got[256] = "";
    bool matches = pattern_match(&pattern, text_of(patterns[_i].path), &captures);
    for (uint32_t i = 0; matches && i < captures.count; i++)
        sprintf(got + strlen(got), "%.*s|", (int)captures.star[i].length, captures.star[i].base);
    ck_assert_msg(matches == (patterns[_i].captures != NULL), "%s %s: %d", patterns[_i].pattern,
                  patterns[_i].path, matches);
    if (matches) ck_assert_str_eq(got, patterns[_i].captures);
    ck_assert_int_eq(matches, pattern_match(&pattern, text_of(patterns[_i].path), NULL));
}
END_TEST

/* Matches in the plainest way: tries everything. */
static bool tries(const char *pattern, const char *path)
{
    if (*pattern == '\0') return *path == '\0';
    if (pattern[0] == '*' && pattern[1] == '*')
        return tries(pattern + 2, path) || (*path && tries(pattern, path + 1));
    if (pattern[0] == '*')
        return tries(pattern + 1, path) || (*path && *path != '/' && tries(pattern, path + 1));
    return *path && (*pattern == *path || (*pattern == '?' && *path != '/')) &&
           tries(pattern + 1, path + 1);
}

static void fill(char *text, size_t most, const char *letters)
{
    size_t length = (size_t)rand() % (most + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = letters[(size_t)rand() % strlen(letters)];
    text[length] = '\0';
}

/* What the captures and the pattern say together must be the path. */
static bool captures_fit(const char *pattern, const char *path, const struct captures *captures)
{
    struct text rest = text_of(path);
    uint32_t number = 0;
    for (; *pattern; pattern++) {
        size_t length = *pattern == '*' ? captures->star[number].length : 1;
        if (length > rest.length) return false;
        if (*pattern == '*' && captures->star[number].base != rest.base) return false;
        if (*pattern == '*') number++;
        if (*pattern == '*' && pattern[1] == '*') pattern++;
        rest.base += length;
        rest.length -= length;
    }
    return rest.length == 0;
}

START_TEST(pattern_as_by_trying)
{
    char pattern[10], path[16];
    srand(1);
    for (int i = 0; i < 300000; i++) {
        fill(pattern, sizeof(pattern) - 1, "ab/**?");
        fill(path, sizeof(path) - 1, "ab/");
        if (strstr(pattern, "***")) continue;
        struct pattern made = pattern_make(text_of(pattern), false);
        struct captures captures;
        bool matches = pattern_match(&made, text_of(path), &captures);
        ck_assert_msg(matches == tries(pattern, path), "%s %s: %d", pattern, path, matches);
        if (matches) ck_assert_msg(captures_fit(pattern, path, &captures), "%s %s", pattern, path);
    }
}
END_TEST

/* Rules are found in a shorter way than captures, and it must find the same ones. */
static void ways_agree(const char *pattern, const char *path, bool anywhere)
{
    struct pattern made = pattern_make(text_of(pattern), anywhere);
    struct captures captures;
    bool tried = tries(pattern, path);
    for (const char *at = path; anywhere && *at; at++)
        tried |= *at == '/' && at[1] && tries(pattern, at + 1);
    bool found =
        pattern_may_match(&made, text_of(path)) && pattern_match(&made, text_of(path), NULL);
    ck_assert_msg(found == tried, "%s %s %d: %d", pattern, path, anywhere, found);
    ck_assert_int_eq(found, pattern_match(&made, text_of(path), &captures));
}

START_TEST(pattern_in_both_ways)
{
    char pattern[7], path[9];
    srand(2);
    for (int i = 0; i < 30000; i++) {
        fill(pattern, sizeof(pattern) - 1, "ab/**?");
        fill(path, sizeof(path) - 1, "ab/");
        if (strstr(pattern, "***")) continue;
        ways_agree(pattern, path, i % 2);
    }
}
END_TEST

/* A long path cannot make a pattern with many stars slow: this ends at once. */
START_TEST(pattern_of_many_stars)
{
    static char path[65536];
    static const char *const slow[] = {"**a*a*a*a*b", "*a*a*a*a*a*b", "**/a*a*b", "**a**a**a**b",
                                       "**a*/a*b"};
    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = i % 1024 == 1023 ? '/' : 'a';
    for (int i = 0; i < COUNT(slow); i++) {
        struct pattern pattern = pattern_make(text_of(slow[i]), false);
        ck_assert(!pattern_match(&pattern, (struct text){path, sizeof(path)}, NULL));
    }
}
END_TEST

/* ---- texts with captures --------------------------------------------------------------------- */

static const struct {
    const char *text, *path; /* NULL: none can be made */
} expansions[] = {
    {"/x/$1", "x/one"},
    {"/$2/$1", "two/2/one"},
    {"$path", "one/two/2"},
    {"/a$path", "a/one/two/2"},
    {"/$9/x", "x"},
    {"//a//", "a/"},
    {"/", ""},
    {"/$$", "$"},
    {"/$", "$"},
    {"/$p", "$p"},
    {"/$1/", "one/"},
    {"/a/..", NULL},
    {"/../a", NULL},
    {"/./a", NULL},
    {"/a/.", NULL},
    {"/...", "..."},
    {"/..a/.b", "..a/.b"},
    {"/$1$1$1$1$1$1", NULL},
};

START_TEST(path_is_made)
{
    struct pattern pattern = pattern_make(text_of("*/**"), false);
    struct captures captures;
    struct text path;
    char space[16];
    ck_assert(pattern_match(&pattern, TEXT("one/two/2"), &captures));
    bool made = path_expand(text_of(expansions[_i].text), &captures, space, sizeof(space), &path);
    ck_assert_msg(made == (expansions[_i].path != NULL), "%s", expansions[_i].text);
    if (!made) return;
    ck_assert_str_eq(path.base, expansions[_i].path);
    ck_assert_uint_eq(path.length, strlen(expansions[_i].path));
}
END_TEST

/* A star takes no "..", but with what stands beside it there could be one. */
START_TEST(path_never_climbs)
{
    struct pattern pattern = pattern_make(text_of("a*b"), false);
    struct captures captures;
    struct text path;
    char space[16];
    ck_assert(pattern_match(&pattern, TEXT("a.b"), &captures));
    ck_assert(!path_expand(TEXT("/x/$1."), &captures, space, sizeof(space), &path));
    ck_assert(!path_expand(TEXT("/x/.$1/y"), &captures, space, sizeof(space), &path));
    ck_assert(!path_expand(TEXT("$1"), &captures, space, sizeof(space), &path));
}
END_TEST

/* ---- addresses ------------------------------------------------------------------------------- */

START_TEST(networks)
{
    struct networks all = {.count = 0}, first = {.count = 0}, none = {.count = 0};
    ck_assert(networks_add(&first, TEXT("10.0.0.0/8")) && networks_add(&all, TEXT("10.0.0.0/8")));
    ck_assert(networks_add(&all, TEXT("2001:db8:8000::/33")) &&
              networks_add(&all, TEXT("127.0.0.1")));
    struct origin ten = {.ip = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9}}};
    struct origin eleven = {.ip = {{[10] = 0xff, [11] = 0xff, [12] = 11}}};
    struct origin in = {.ip = {{0x20, 0x01, 0x0d, 0xb8, 0xff, [15] = 1}}};
    struct origin out = {.ip = {{0x20, 0x01, 0x0d, 0xb8, 0x7f, [15] = 1}}};
    const struct origin local = {.local = true};
    ck_assert(networks_have_origin(&all, &ten) && !networks_have_origin(&all, &eleven));
    ck_assert(networks_have_origin(&all, &in) && !networks_have_origin(&all, &out));
    ck_assert(networks_have_origin(&all, &local) && !networks_have_origin(&first, &local));
    ck_assert(!networks_have_origin(&none, &ten) && !networks_have_origin(&none, &local));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("site");
    TCase *tcase = tcase_create("site");
    tcase_add_loop_test(tcase, site_of_host, 0, COUNT(hosts));
    tcase_add_test(tcase, no_host);
    tcase_add_loop_test(tcase, pattern_captures, 0, COUNT(patterns));
    tcase_add_test(tcase, pattern_as_by_trying);
    tcase_add_test(tcase, pattern_in_both_ways);
    tcase_add_test(tcase, pattern_of_many_stars);
    tcase_add_loop_test(tcase, path_is_made, 0, COUNT(expansions));
    tcase_add_test(tcase, path_never_climbs);
    tcase_add_test(tcase, networks);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
