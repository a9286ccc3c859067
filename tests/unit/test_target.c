/*
 * Targets: a table of what each becomes, authorities, every short string of the special characters,
 * and random targets made mostly of these, whose paths must always be safe.
 */
#include "http/target.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST 64

struct target_case {
    const char *raw;
    enum target_form form;
    const char *path;
    const char *query; /* NULL: it is absent */
};

#define GOOD(raw, path)                \
    {                                  \
        raw, TARGET_ORIGIN, path, NULL \
    }
#define BAD(raw)                  \
    {                             \
        raw, TARGET_BAD, "", NULL \
    }

static const struct target_case target_cases[] = {
    GOOD("/", ""),
    GOOD("/a", "a"),
    GOOD("/index.html", "index.html"),
    GOOD("/a/b/c.css", "a/b/c.css"),
    GOOD("/a/", "a/"),
    GOOD("/a:b@c!$&'()*+,;=-._~", "a:b@c!$&'()*+,;=-._~"),
    GOOD("/<\"^`{|}>", "<\"^`{|}>"),
    /* empty and dot segments */
    GOOD("//", ""),
    GOOD("//a", "a"),
    GOOD("//example.org/a", "example.org/a"),
    GOOD("/a//b", "a/b"),
    GOOD("/a////b//", "a/b/"),
    GOOD("/.", ""),
    GOOD("/./", ""),
    GOOD("/././a", "a"),
    GOOD("/a/.", "a/"),
    GOOD("/a/./", "a/"),
    GOOD("/a/./b", "a/b"),
    GOOD("/a/..", ""),
    GOOD("/a/../", ""),
    GOOD("/a/../b", "b"),
    GOOD("/a/b/..", "a/"),
    GOOD("/a/b/../", "a/"),
    GOOD("/a/b/../c", "a/c"),
    GOOD("/a/b/../../c", "c"),
    GOOD("/a/b/c/../../d", "a/d"),
    GOOD("/a//../b", "b"),
    GOOD("/a/.//../b", "b"),
    GOOD("/...", "..."),
    GOOD("/.../a", ".../a"),
    GOOD("/..a/a../.a/a.", "..a/a../.a/a."),
    GOOD("/.well-known/x", ".well-known/x"),
    GOOD("/a/..;/b", "a/..;/b"),
    BAD("/.."),
    BAD("/../"),
    BAD("/../a"),
    BAD("//.."),
    BAD("/./.."),
    BAD("/a/../.."),
    BAD("/a/../../a/b"),
    BAD("/a/b/../../../c/d/e"),
    /* percent-encodings */
    GOOD("/%61%62", "ab"),
    GOOD("/a%20b", "a b"),
    GOOD("/%23%25%3F%3f", "#%??"),
    GOOD("/%2561", "%61"),
    GOOD("/%252e%252e/a", "%2e%2e/a"),
    GOOD("/%252f", "%2f"),
    GOOD("/a/%2e", "a/"),
    GOOD("/a/%2E/b", "a/b"),
    GOOD("/a/%2e%2e/b", "b"),
    GOOD("/a/%2e./b", "b"),
    GOOD("/a/.%2E/b", "b"),
    GOOD("/a/%2e%2e%2e", "a/..."),
    BAD("/%2e%2e"),
    BAD("/%2e%2E/etc/passwd"),
    BAD("/.%2e/"),
    BAD("/a%2fb"),
    BAD("/..%2fa"),
    GOOD("/a%5cb", "a\\b"),
    GOOD("/a%5Cb", "a\\b"),
    GOOD("/a\\b", "a\\b"),
    GOOD("/..\\a", "..\\a"),
    GOOD("/..%5c..%5ca", "..\\..\\a"),
    GOOD("/a/..\\/b", "a/..\\/b"),
    BAD("/%"),
    BAD("/%4"),
    BAD("/%zz"),
    BAD("/%4g"),
    BAD("/%g4"),
    BAD("/% 1"),
    BAD("/%+1"),
    BAD("/%0x41"),
    BAD("/%%41"),
    BAD("/a%"),
    BAD("/%2?5"),
    BAD("/%u0041"),
    /* controls and spaces */
    BAD("/%00"),
    BAD("/a%00.html"),
    BAD("/\xff%00"),
    GOOD("/%01", "\x01"),
    GOOD("/%0a", "\n"),
    GOOD("/a%0D%0Ab", "a\r\nb"),
    GOOD("/a%09b", "a\tb"),
    GOOD("/%1f", "\x1f"),
    GOOD("/%7f", "\x7f"),
    BAD("/\x01"),
    BAD("/a\tb"),
    BAD("/a\r\nb"),
    BAD("/\x1f"),
    BAD("/\x7f"),
    BAD("/a b"),
    /* UTF-8 */
    GOOD("/%c3%a4", "\xc3\xa4"),
    GOOD("/\xc3\xa4", "\xc3\xa4"),
    GOOD("/\xc3%a4", "\xc3\xa4"),
    GOOD("/%df%bf", "\xdf\xbf"),
    GOOD("/%e0%a0%80", "\xe0\xa0\x80"),
    GOOD("/%ed%9f%bf", "\xed\x9f\xbf"),
    GOOD("/%ee%80%80", "\xee\x80\x80"),
    GOOD("/%ef%bf%bf", "\xef\xbf\xbf"),
    GOOD("/%f0%90%80%80", "\xf0\x90\x80\x80"),
    GOOD("/%f4%8f%bf%bf", "\xf4\x8f\xbf\xbf"),
    GOOD("/%c3%a4/x/%e2%82%ac", "\xc3\xa4/x/\xe2\x82\xac"),
    /* bytes that are not UTF-8 */
    GOOD("/%80", "\x80"),
    GOOD("/%bf", "\xbf"),
    GOOD("/%c0%ae%c0%ae/a", "\xc0\xae\xc0\xae/a"),
    GOOD("/%c0%af", "\xc0\xaf"),
    GOOD("/%c0%80", "\xc0\x80"),
    GOOD("/%c1%bf", "\xc1\xbf"),
    GOOD("/%c3", "\xc3"),
    GOOD("/%c3x", "\xc3x"),
    GOOD("/%c3/%a4", "\xc3/\xa4"),
    GOOD("/%c3%c3", "\xc3\xc3"),
    GOOD("/%e0%80%af", "\xe0\x80\xaf"),
    GOOD("/%e0%9f%bf", "\xe0\x9f\xbf"),
    GOOD("/%e2%82", "\xe2\x82"),
    GOOD("/%ed%a0%80", "\xed\xa0\x80"),
    GOOD("/%ed%bf%bf", "\xed\xbf\xbf"),
    GOOD("/%f0%80%80%af", "\xf0\x80\x80\xaf"),
    GOOD("/%f0%8f%bf%bf", "\xf0\x8f\xbf\xbf"),
    GOOD("/%f0%90%80", "\xf0\x90\x80"),
    GOOD("/%f4%90%80%80", "\xf4\x90\x80\x80"),
    GOOD("/%f5%80%80%80", "\xf5\x80\x80\x80"),
    GOOD("/%f8%88%80%80%80", "\xf8\x88\x80\x80\x80"),
    GOOD("/%fe", "\xfe"),
    GOOD("/%ff", "\xff"),
    GOOD("/\xff", "\xff"),
    GOOD("/%ff/../a", "a"),
    {"/%ff?a", TARGET_ORIGIN, "\xff", "a"},
    /* query and fragment */
    {"/?", TARGET_ORIGIN, "", ""},
    {"/a?", TARGET_ORIGIN, "a", ""},
    {"/a?b=c&d", TARGET_ORIGIN, "a", "b=c&d"},
    {"/a?b?c", TARGET_ORIGIN, "a", "b?c"},
    {"/a?/../%2e%zz%00//\\", TARGET_ORIGIN, "a", "/../%2e%zz%00//\\"},
    {"/a/..?b", TARGET_ORIGIN, "", "b"},
    {"/a%3fb?c", TARGET_ORIGIN, "a?b", "c"},
    {"/a?\xff\xfe", TARGET_ORIGIN, "a", "\xff\xfe"},
    BAD("/..?a"),
    BAD("/#"),
    BAD("/a#b"),
    BAD("/a?b#c"),
    BAD("/a?b c"),
    BAD("/a?\x01"),
    BAD("/a?\r\nx"),
    BAD("/a?\x7f"),
    /* other forms */
    {"*", TARGET_ASTERISK, "", NULL},
    {"http://example.org", TARGET_ABSOLUTE, "", NULL},
    {"http://example.org/", TARGET_ABSOLUTE, "", NULL},
    {"http://example.org/a/../b?c", TARGET_ABSOLUTE, "b", "c"},
    {"HTTPS://EXAMPLE.org:443/%61", TARGET_ABSOLUTE, "a", NULL},
    {"hTtP://[::1]:8080?q", TARGET_ABSOLUTE, "", "q"},
    {"http://example.org://a", TARGET_ABSOLUTE, "a", NULL},
    BAD(""),
    BAD("a"),
    BAD("a/b"),
    BAD("?a"),
    BAD("**"),
    BAD("*/"),
    BAD("*?a"),
    BAD("http:"),
    BAD("http:/"),
    BAD("http:/a"),
    BAD("http://"),
    BAD("http:///a"),
    BAD("http://?a"),
    BAD("http://:80/"),
    BAD("http://user@example.org/"),
    BAD("http://user:secret@example.org/"),
    BAD("http://exa mple.org/"),
    BAD("http://example.org\\a"),
    BAD("http://example.org:x/"),
    BAD("http://example.org:65536/"),
    BAD("http://example.org/.."),
    BAD("http://example.org#a"),
    BAD("http://[::1/"),
    BAD("ftp://example.org/"),
    BAD("httpss://example.org/"),
    BAD("file:///etc/passwd"),
    BAD("example.org:443"),
    BAD("example.org"),
};

/* Parses a copy that has exactly the right size, so that a sanitizer sees reading too far. */
static struct target parse(const char *raw, size_t length, char **copy, char **space)
{
    *copy = malloc(length);
    *space = malloc(length + 1);
    ck_assert_ptr_nonnull(*space);
    if (length > 0) memcpy(*copy, raw, length);
    memset(*space, '#', length + 1);
    return target_parse((struct text){*copy, length}, *space);
}

START_TEST(target_table)
{
    const struct target_case *c = &target_cases[_i];
    char *copy, *space;
    struct target t = parse(c->raw, strlen(c->raw), &copy, &space);
    ck_assert_msg(t.form == c->form, "%s: form %d", c->raw, (int)t.form);
    ck_assert_ptr_eq(t.path.base, space);
    ck_assert_uint_eq(t.path.length, strlen(space));
    ck_assert_msg(strcmp(space, c->path) == 0, "%s gave %s", c->raw, space);
    ck_assert_int_eq(t.query.base != NULL, c->query != NULL);
    if (c->query != NULL)
        ck_assert(text_equals(t.query, (struct text){c->query, strlen(c->query)}));
    free(copy);
    free(space);
}
END_TEST

static void expect_text(struct text text, const char *expected)
{
    ck_assert_msg(text_equals(text, (struct text){expected, strlen(expected)}), "%.*s, not %s",
                  (int)text.length, text.base == NULL ? "" : text.base, expected);
}

START_TEST(target_parts)
{
    char space[100];
    struct target t = target_parse(TEXT("http://u:1/a/../%62?c?d"), space);
    expect_text(t.authority, "u:1");
    expect_text(t.query, "c?d");
    t = target_parse(TEXT("/a/../%62?"), space);
    ck_assert_ptr_null(t.authority.base);
    ck_assert_ptr_nonnull(t.query.base);
    t = target_parse(TEXT("http://u"), space);
    t = target_parse(TEXT("/a/%zz?b"), space);
    ck_assert_ptr_null(t.query.base);
    ck_assert_int_eq(space[0], '\0');
    t = target_parse((struct text){"/a\0b", 4}, space);
    ck_assert_int_eq(t.form, TARGET_BAD);
    t = target_parse((struct text){"/a?\0", 4}, space);
    ck_assert_int_eq(t.form, TARGET_BAD);
    t = target_parse((struct text){NULL, 0}, space);
    ck_assert_int_eq(t.form, TARGET_BAD);
}
END_TEST

static const char *const authorities_good[] = {
    "",
    "a",
    "example.org",
    "EXAMPLE.ORG.",
    "a-b_c~d",
    "127.0.0.1",
    "1.2.3",
    "999.1.1.1",
    "example.org:",
    "example.org:0",
    "example.org:80",
    "example.org:65535",
    "example.org:00080",
    ":80",
    ":",
    "%41b",
    "a%20b:1",
    "!$&'()*+,;=",
    "[::]",
    "[::1]",
    "[::1]:80",
    "[::1]:",
    "[1:2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:7::]",
    "[::2:3:4:5:6:7:8]",
    "[1::8]",
    "[1:2::7:8]",
    "[ABCD:ef01::]",
    "[::ffff:127.0.0.1]",
    "[1:2:3:4:5:6:127.0.0.1]",
    "[::1.2.3.4]",
    "[1::5:1.2.3.4]",
    "[2001:db8::1]:65535",
    "[0000::0]",
};

static const char *const authorities_bad[] = {
    "a b",
    "a/b",
    "a@b",
    "@",
    "a:b",
    "a:1:2",
    "a:65536",
    "a:99999999999999999999",
    "a:-1",
    "a:+1",
    "a: 1",
    "%",
    "%4",
    "%4g",
    "a%",
    "a\\b",
    "a?b",
    "a#b",
    "\x7f",
    "\x01",
    "\xc3\xa4",
    "a\"b",
    "<a>",
    "::1",
    "[",
    "]",
    "[]",
    "[]:80",
    "[::1",
    "::1]",
    "[::1]x",
    "[::1]x:80",
    "[::1]80",
    "[::1]:x",
    "[::1]:65536",
    "[:]",
    "[:1]",
    "[1:]",
    "[:::]",
    "[1:::2]",
    "[1::2::3]",
    "[::1::]",
    "[1]",
    "[1:2:3:4:5:6:7]",
    "[1:2:3:4:5:6:7:8:9]",
    "[1:2:3:4:5:6:7:8::]",
    "[::1:2:3:4:5:6:7:8]",
    "[1:2:3:4::5:6:7:8]",
    "[12345::]",
    "[g::]",
    "[::1.2.3]",
    "[::1.2.3.4.5]",
    "[::1.2.3.256]",
    "[::01.2.3.4]",
    "[::1.2.3.]",
    "[::.1.2.3]",
    "[::1..2.3]",
    "[1.2.3.4]",
    "[1.2.3.4::]",
    "[1:2:3:4:5:6:7:1.2.3.4]",
    "[1:2:3:4:5:1.2.3.4]",
    "[1:2:3:4:5:6::1.2.3.4]",
    "[::1.2.3.4:5]",
    "[::1%25eth0]",
    "[::1%eth0]",
    "[v1.a]",
    "[[::1]]",
    "[ ::1]",
    "[::1 ]",
    "[::a.1.1.1]",
};

static void expect_authority(const char *authority, bool valid)
{
    size_t length = strlen(authority);
    char *copy = malloc(length);
    if (length > 0) memcpy(copy, authority, length);
    ck_assert_msg(authority_valid((struct text){copy, length}) == valid, "'%s'", authority);
    free(copy);
}

START_TEST(authority_good)
{
    expect_authority(authorities_good[_i], true);
}
END_TEST

START_TEST(authority_bad)
{
    expect_authority(authorities_bad[_i], false);
}
END_TEST

START_TEST(authority_edges)
{
    ck_assert(authority_valid((struct text){NULL, 0}));
    ck_assert(!authority_valid((struct text){"a\0b", 3}));
    ck_assert(!authority_valid((struct text){"a:1\0", 4}));
}
END_TEST

/* Checks what the contract promises of any path. Returns NULL, or what does not hold. */
static const char *path_fault(struct text path)
{
    size_t segment = 0;
    if (path.base[path.length] != '\0') return "no NUL after it";
    if (memchr(path.base, '\0', path.length) != NULL) return "NUL inside";
    for (size_t at = 0; at <= path.length; at++) {
        if (at < path.length && path.base[at] != '/') continue;
        if (at == segment && at < path.length) return "empty segment";
        if (at - segment == 1 && path.base[segment] == '.') return "dot segment";
        if (at - segment == 2 && memcmp(path.base + segment, "..", 2) == 0) return "two dots";
        segment = at + 1;
    }
    return NULL;
}

/* Each byte of `path` but "/" is written as "%XX": when this is read, the path must be the same. */
static void expect_same_again(struct text path)
{
    char raw[3 * LONGEST + 2] = "/", space[sizeof(raw) + 1];
    size_t length = 1;
    for (size_t i = 0; i < path.length; i++)
        if (path.base[i] == '/')
            raw[length++] = '/';
        else
            length += (size_t)snprintf(raw + length, 4, "%%%02x", (unsigned char)path.base[i]);
    struct target again = target_parse((struct text){raw, length}, space);
    ck_assert_int_eq(again.form, TARGET_ORIGIN);
    ck_assert(text_equals(again.path, path));
}

/* Returns whether the target was good. */
static bool check_safe(const char *raw, size_t length)
{
    char *copy, *space;
    struct target t = parse(raw, length, &copy, &space);
    bool good = t.form != TARGET_BAD;
    const char *fault = path_fault(t.path);
    ck_assert_msg(fault == NULL, "%.*s gave %s: %s", (int)length, raw, space, fault);
    if (good)
        expect_same_again(t.path);
    else
        ck_assert_uint_eq(t.path.length, 0);
    free(copy);
    free(space);
    return good;
}

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % bound;
}

START_TEST(target_random)
{
    static const char *const pieces[] = {
        "/",   "/",   "/",   ".",   ".",   "..",     "a",      "bc",  "/../", "/./", "//",
        "%2e", "%2E", "%2f", "%5c", "%00", "%c3%a4", "%e2%82", "%80", "%25",  "%",   "?",
        "#",   "\\",  "%61", "%7e", "%20", "\xc3",   "\xa4",   ":",   "@",    "*",   "http://",
    };
    unsigned good = 0, bad = 0;
    for (int i = 0; i < 200000; i++) {
        char raw[LONGEST] = "/";
        size_t length = random_below(20) > 0 ? 1 : 0;
        for (uint32_t left = random_below(10); left > 0 && length + 8 < sizeof(raw); left--) {
            const char *piece = pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];
            if (random_below(40) == 0) {
                raw[length++] = (char)random_below(256);
            } else {
                memcpy(raw + length, piece, strlen(piece));
                length += strlen(piece);
            }
        }
        if (check_safe(raw, length))
            good++;
        else
            bad++;
    }
    /* Many targets of both kinds must have been tried. */
    ck_assert_uint_gt(good, 20000);
    ck_assert_uint_gt(bad, 20000);
}
END_TEST

/* Makes the path in another way: cuts at every "/", and keeps a stack of segments. */
static bool path_slowly(const char *raw, size_t length, char *path)
{
    size_t lengths[LONGEST], depth = 0, out = 0;
    bool slash = true;
    for (size_t at = 1, next; at <= length; at = next + 1) {
        for (next = at; next < length && raw[next] != '/'; next++)
            ;
        size_t size = next - at;
        bool dot = size == 1 && raw[at] == '.';
        bool dots = size == 2 && raw[at] == '.' && raw[at + 1] == '.';
        slash = size == 0 || dot || dots || next < length;
        if (dots && depth == 0) return false;
        if (dots) {
            out -= lengths[--depth];
        } else if (size > 0 && !dot) {
            memcpy(path + out, raw + at, size);
            path[out + size] = '/';
            lengths[depth++] = size + 1;
            out += size + 1;
        }
    }
    if (!slash && out > 0) out--;
    path[out] = '\0';
    return true;
}

/* Compares all strings of up to nine of "/", "." and "a" behind a "/" with the slow way. */
START_TEST(target_exhaustive)
{
    for (size_t length = 1; length <= 10; length++) {
        unsigned count = 1;
        for (size_t i = 1; i < length; i++)
            count *= 3;
        for (unsigned number = 0; number < count; number++) {
            char raw[16] = "/", path[32], space[16];
            unsigned left = number;
            for (size_t i = 1; i < length; i++, left /= 3)
                raw[i] = "/.a"[left % 3];
            struct target t = target_parse((struct text){raw, length}, space);
            bool good = path_slowly(raw, length, path);
            ck_assert_msg((t.form == TARGET_ORIGIN) == good, "%s", raw);
            if (good) ck_assert_msg(strcmp(space, path) == 0, "%s: %s, not %s", raw, space, path);
        }
    }
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("target");
    TCase *cases = tcase_create("target");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, target_table, 0, COUNT(target_cases));
    tcase_add_test(cases, target_parts);
    tcase_add_loop_test(cases, authority_good, 0, COUNT(authorities_good));
    tcase_add_loop_test(cases, authority_bad, 0, COUNT(authorities_bad));
    tcase_add_test(cases, authority_edges);
    tcase_add_test(cases, target_random);
    tcase_add_test(cases, target_exhaustive);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
