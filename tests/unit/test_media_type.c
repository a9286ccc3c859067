/*
 * Media types: lookup by suffix, both file formats, and every way a file can be wrong.
 */
#include "skip.h"
#include "type/table.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *name, *media_type;
} known[] = {
    {"index.html", "text/html; charset=utf-8"},
    {"a/b.c/INDEX.HTM", "text/html; charset=utf-8"},
    {"a.css", "text/css; charset=utf-8"},
    {"a.min.js", "text/javascript; charset=utf-8"},
    {"a.mjs", "text/javascript; charset=utf-8"},
    {"a.json", "application/json; charset=utf-8"},
    {"a.svg", "image/svg+xml; charset=utf-8"},
    {"a.xml", "application/xml; charset=utf-8"},
    {"a.wasm", "application/wasm"},
    {"a.png", "image/png"},
    {"a.JPeG", "image/jpeg"},
    {"a.woff2", "font/woff2"},
    {"a.tar.gz", "application/gzip"},
    {"a.css.br", "application/x-brotli"},
    {"a.css.zst", "application/zstd"},
    {"a.svgz", "image/svg+xml; charset=utf-8"},
    {"a.m4s", "video/iso.segment"},
    {"a.c", "text/x-csrc; charset=utf-8"},
    {"a.crl", "application/pkix-crl"},
    {"a.kml", "application/vnd.google-earth.kml+xml"},
    {"a.jnlp", "application/x-java-jnlp-file"},
    {"a.docm", "application/vnd.ms-word.document.macroEnabled.12"},
    {"a.3gp", "video/3gpp"},
    {"a.ttml", "application/ttml+xml"},
    {"a.spdx.json", "application/spdx+json"},
    {"a.m3u", "audio/mpegurl"},
    {"a.ts", "video/mp2t"},
    {"a.unknown", "application/octet-stream"},
    {"a.", "application/octet-stream"},
    {"", "application/octet-stream"},
    {"/", "application/octet-stream"},
    {"html", "application/octet-stream"},
    {"x.html/file", "application/octet-stream"},
    {"docs/README", "text/plain; charset=utf-8"},
    {"LICENSE", "text/plain; charset=utf-8"},
    {".well-known/apple-app-site-association", "application/json; charset=utf-8"},
    {"a.0123456789012345678901234567890123456789", "application/octet-stream"},
    {"a.h\xc3\xa9", "application/octet-stream"},
};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

static void check_type(const struct media_types *types, const char *name, const char *wanted)
{
    struct text found = media_type_find(types, text_of(name));
    ck_assert_msg(text_equals(found, text_of(wanted)), "%s: %.*s", name, (int)found.length,
                  found.base);
}

START_TEST(found)
{
    struct media_types *types = media_types_embedded();
    ck_assert_ptr_nonnull(types);
    for (int i = 0; i < COUNT(known); i++)
        check_type(types, known[i].name, known[i].media_type);
    media_types_free(types);
}
END_TEST

/* conf/mime.types and the embedded table have the same types. */
START_TEST(same_as_the_file)
{
    static const char *const rows[] = {
#define MEDIA_TYPE(media_type, suffixes) suffixes,
#include "type/media_type.def"
#undef MEDIA_TYPE
    };
    char problem[256] = "";
    const char *file = access("conf/mime.types", R_OK) == 0 ? "conf/mime.types" : NULL;
    ck_assert_msg(file != NULL, "run from the top of the source tree");
    struct media_types *read = media_types_load(file, problem, sizeof(problem));
    ck_assert_msg(read != NULL, "%s", problem);
    struct media_types *embedded = media_types_embedded();
    for (int i = 0; i < COUNT(rows); i++) {
        char suffixes[256];
        snprintf(suffixes, sizeof(suffixes), "%s", rows[i]);
        for (char *suffix = strtok(suffixes, " "); suffix; suffix = strtok(NULL, " ")) {
            char name[300];
            snprintf(name, sizeof(name), "a.%s", suffix);
            struct text a = media_type_find(read, text_of(name));
            ck_assert_msg(text_equals(a, media_type_find(embedded, text_of(name))), "%s", name);
        }
    }
    media_types_free(read);
    media_types_free(embedded);
}
END_TEST

static const struct {
    const char *text, *name, *media_type;
} good[] = {
    {"types {\n  text/html html htm;\n}\n", "a.htm", "text/html; charset=utf-8"},
    {"types{text/html html;text/css css;}", "a.css", "text/css; charset=utf-8"},
    {"# said\ntypes # {\n{ # x; }\n text/css\n\tcss ; }\n# end", "a.css",
     "text/css; charset=utf-8"},
    {"types { a/b x; c/d x; }", "a.x", "c/d"},
    {"types { }", "a.x", "application/octet-stream"},
    {"", "a.x", "application/octet-stream"},
    {"# only this", "a.x", "application/octet-stream"},
    {"text/html html htm\ntext/css\tcss\n", "a.css", "text/css; charset=utf-8"},
    {"text/html html # htm\n#a/b css\n\n \napplication/x\nimage/png PNG", "a.png", "image/png"},
    {"text/html html # htm\n", "a.htm", "application/octet-stream"},
    {"text/html html\r\nimage/png png\r\n", "a.html", "text/html; charset=utf-8"},
    {"application/no-suffix\nimage/png png\n", "a.png", "image/png"},
    /* files as editors on other systems save them */
    {"\xef\xbb\xbftypes { image/png png; }", "a.png", "image/png"},
    {"\xef\xbb\xbf# said\nimage/png png\n", "a.png", "image/png"},
    {"\xef\xbb\xbfimage/png png\n", "a.png", "image/png"},
    {"types {\r\n  image/png\tpng\r\n  apng;\r\n}\r\n", "a.apng", "image/png"},
    {"# said\r\n\r\nimage/png png apng\r\nimage/gif\r\n", "a.apng", "image/png"},
    /* suffixes as in the tables of distributions */
    {"a/b tar.gz\nc/d gz", "x.tar.gz", "a/b"},
    {"a/b tar.gz\nc/d gz", "x.gz", "c/d"},
    {"a/b tar.gz\nc/d gz", "x.y.tar.gz", "a/b"},
    {"a/b tar.gz\nc/d gz", "tar.gz", "c/d"},
    {"a/b tar.gz\nc/d gz", "x.TAR.GZ", "a/b"},
    {"a/b tar.gz\nc/d gz", "x.tar.gz/y.gz", "c/d"},
    {"a/b a.b.c\nc/d b.c\ne/f c", "x.a.b.c", "a/b"},
    {"a/b a.b.c\nc/d b.c\ne/f c", "x.z.b.c", "c/d"},
    {"a/b a.b.c\nc/d b.c\ne/f c", "x.a.z.c", "e/f"},
    {"a/b a.b.c\nc/d b.c\ne/f c", "x.a.b", "application/octet-stream"},
    {"types { a/b tar.gz; c/d gz; }", "x.tar.gz", "a/b"},
    {"a/b ~ % bak", "x.~", "a/b"},
    {"a/b ~ % bak", "x.%", "a/b"},
    {"a/b c++ h++ x_b a-b 1905.1", "x.1905.1", "a/b"},
    {"a/b c++ h++ x_b a-b 1905.1", "x.C++", "a/b"},
    {"a/b \xc3\xa9t\xc3\xa9", "x.\xc3\xa9t\xc3\xa9", "a/b"},
    {"a/b .x .tar.gz", "a.x", "a/b"},
    {"a/b .x .tar.gz", "a.tar.gz", "a/b"},
    {"a/b c#", "x.c#", "a/b"},
    /* suffixes that have two types */
    {"a/b x\nc/d X\n", "a.x", "c/d"},
    {"a/b x x\na/b x", "a.x", "a/b"},
    {"a/b tar.gz\nc/d TAR.GZ", "a.tar.gz", "c/d"},
    /* types with parameters, in quotes or not */
    {"text/plain;format=flowed txt", "a.txt", "text/plain;format=flowed; charset=utf-8"},
    {"text/plain;charset=latin1 txt", "a.txt", "text/plain;charset=latin1"},
    {"\"text/plain; Charset=latin1\" txt", "a.txt", "text/plain; Charset=latin1"},
    {"'text/plain; charset=\"latin1\"' txt", "a.txt", "text/plain; charset=\"latin1\""},
    {"types { \"text/plain; charset=latin1\" txt; }", "a.txt", "text/plain; charset=latin1"},
    {"types { 'text/html' \"html\" 'htm'; }", "a.htm", "text/html; charset=utf-8"},
    {"text/plain;xcharset=latin1 txt", "a.txt", "text/plain;xcharset=latin1; charset=utf-8"},
    {"image/png;a=b;c=\"d\\\"e;\" png", "a.png", "image/png;a=b;c=\"d\\\"e;\""},
    {"audio/x;codecs=1; y", "a.y", "audio/x;codecs=1;"},
};

START_TEST(formats)
{
    char problem[256] = "";
    struct media_types *types = media_types_new();
    bool read = media_types_parse(types, "f", text_of(good[_i].text), problem, sizeof(problem));
    ck_assert_msg(read, "%s", problem);
    check_type(types, good[_i].name, good[_i].media_type);
    media_types_free(types);
}
END_TEST

static const struct {
    const char *text, *problem;
} bad[] = {
    {"types {\n text/html html\n text/css css;\n}", "f:3: not a suffix: 'text/css'"},
    {"types {\n text/html html;\n", "f:3: no '}' after 'types {'"},
    {"types {\n text/html html }", "f:2: no ';' after 'text/html'"},
    {"types {\n text/html html", "f:2: no ';' after 'text/html'"},
    {"types text/html html;", "f:1: no '{' after 'types'"},
    {"types", "f:1: no '{' after 'types'"},
    {"types {\n html text/html;\n}", "f:2: not a media type: 'html'"},
    {"types { a/b x; }\nmore", "f:2: unexpected after '}': 'more'"},
    {"html text/html", "f:1: not a media type: 'html'"},
    {"a/b x\n\na/b/c x", "f:3: not a media type: 'a/b/c'"},
    {"/b x", "f:1: not a media type: '/b'"},
    {"a/ x", "f:1: not a media type: 'a/'"},
    {"a/b ..x", "f:1: not a suffix: '..x'"},
    {"a/b .", "f:1: not a suffix: '.'"},
    {"a/b x/y", "f:1: not a suffix: 'x/y'"},
    {"a/b 01234567890123456789012345678901234567890123456789012345678901234",
     "f:1: not a suffix: "},
    {"a/b x;", "f:1: not a suffix: 'x;'"},
    {"a/b \"\"", "f:1: not a suffix: ''"},
    {"\n\"a/b x\n", "f:2: not a media type: '\"a/b x'"},
    {"types { a/b \"x; }", "f:1: not a suffix: '\"x; }'"},
    {"a/b;c x", "f:1: not a media type: 'a/b;c'"},
    {"a/b;c= x", "f:1: not a media type: 'a/b;c='"},
    {"'a/b;c=\"d' x", "f:1: not a media type: 'a/b;c=\"d'"},
    {"'a/b c/d' x", "f:1: not a media type: 'a/b c/d'"},
    {"a/b, x", "f:1: not a media type: 'a/b,'"},
    {"\xef\xbb\xbf\xef\xbb\xbfimage/png png", "f:1: not a media type: "},
    {"\xff\xfe"
     "a/b x",
     "f:1: not a media type: "},
    {"a/b {", "f:1: not a suffix: '{'"},
    {"a/b\x01 x", "f:1: not a media type: "},
    {"a/\x80 x", "f:1: not a media type: "},
    {"application/"
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
     "0123456789012345678901234567890 x",
     "f:1: not a media type: 'application/0123"},
};

START_TEST(problems)
{
    char problem[256] = "";
    struct media_types *types = media_types_new();
    ck_assert(!media_types_parse(types, "f", text_of(bad[_i].text), problem, sizeof(problem)));
    ck_assert_msg(strncmp(problem, bad[_i].problem, strlen(bad[_i].problem)) == 0, "%s", problem);
    media_types_free(types);
}
END_TEST

START_TEST(bounds)
{
    struct media_types *types = media_types_new();
    int type = media_types_add_type(types, TEXT("a/b"));
    ck_assert_int_eq(media_types_add_type(types, TEXT("a b")), -EINVAL);
    for (int i = 0; i < MEDIA_TYPES_MAX; i++) {
        char suffix[16];
        snprintf(suffix, sizeof(suffix), "s%d", i);
        ck_assert_int_eq(media_types_add_suffix(types, text_of(suffix), type), 0);
    }
    ck_assert_int_eq(media_types_add_suffix(types, TEXT("more"), type), -ENOSPC);
    int other = media_types_add_type(types, TEXT("a/c"));
    ck_assert_int_eq(media_types_add_suffix(types, TEXT("S17"), other), 0); /* replaces its type */
    check_type(types, "x.s17", "a/c");
    check_type(types, "x.s4095", "a/b");
    for (int i = 2; i < MEDIA_TYPES_MAX; i++)
        ck_assert_int_eq(media_types_add_type(types, TEXT("a/d")), i);
    ck_assert_int_eq(media_types_add_type(types, TEXT("a/e")), -ENOSPC);
    media_types_free(types);
    media_types_free(NULL);
}
END_TEST

#define OCTETS "application/octet-stream"

/* Suffixes that are often served, from both tables. */
static const char *const usual[] = {
    "html", "css",     "js",   "svgz", "m4s", "c",   "crl",  "kml",  "kmz",  "mml",  "jad",
    "wml",  "htc",     "wbmp", "jng",  "hqx", "odg", "jnlp", "run",  "pl",   "pm",   "swf",
    "sit",  "tcl",     "der",  "pem",  "crt", "xpi", "xspf", "kar",  "ra",   "3gp",  "3gpp",
    "flv",  "mng",     "asf",  "wmv",  "asx", "m3u", "aiff", "mka",  "mk3d", "docm", "xlsb",
    "ppsx", "torrent", "ttml", "p12",  "cer", "sig", "asc",  "rdf",  "wsdl", "xul",  "djvu",
    "psd",  "srt",     "ttl",  "n3",   "py",  "h",   "cpp",  "java", "tex",  "bib",  "diff",
    "stl",  "obj",     "usdz", "jp2",  "hdr", "mid", NULL};

/* The tables of nginx and Apache in Debian: their types are known also without a file. */
START_TEST(tables_of_distributions)
{
    static const char *const files[] = {"/etc/mime.types", "/etc/nginx/mime.types"};
    char problem[256] = "";
    SKIP_IF(access(files[_i], R_OK) != 0, "that table is not installed");
    struct media_types *types = media_types_load(files[_i], problem, sizeof(problem));
    ck_assert_msg(types != NULL, "%s", problem);
    check_type(types, "a.html", "text/html; charset=utf-8");
    check_type(types, "a.svgz", "image/svg+xml; charset=utf-8");
    struct media_types *embedded = media_types_embedded();
    size_t known_to_both = 0;
    for (const char *const *suffix = usual; *suffix != NULL; suffix++) {
        char name[64];
        snprintf(name, sizeof(name), "a.%s", *suffix);
        if (text_equals(media_type_find(types, text_of(name)), TEXT(OCTETS))) continue;
        known_to_both++;
        ck_assert_msg(!text_equals(media_type_find(embedded, text_of(name)), TEXT(OCTETS)), "%s",
                      name);
    }
    ck_assert_uint_gt(known_to_both, 30);
    media_types_free(types);
    media_types_free(embedded);
}
END_TEST

START_TEST(charsets)
{
    struct media_types *types = media_types_embedded();
    ck_assert(media_types_set_charset(types, "iso-8859-1"));
    check_type(types, "a.html", "text/html; charset=iso-8859-1");
    check_type(types, "a.svg", "image/svg+xml; charset=iso-8859-1");
    check_type(types, "README", "text/plain; charset=iso-8859-1");
    check_type(types, "a.png", "image/png");
    ck_assert(!media_types_set_charset(types, "a b"));
    ck_assert(!media_types_set_charset(types, "a\r\nX: y"));
    ck_assert(!media_types_set_charset(types, "\"a\""));
    ck_assert(!media_types_set_charset(types, "0123456789012345678901234"));
    check_type(types, "a.html", "text/html; charset=iso-8859-1");
    ck_assert(media_types_set_charset(types, ""));
    check_type(types, "a.html", "text/html");
    check_type(types, "README", "text/plain");
    check_type(types, "apple-app-site-association", "application/json");
    int type = media_types_add_type(types, TEXT("text/x"));
    ck_assert_int_eq(media_types_add_suffix(types, TEXT("x"), type), 0);
    check_type(types, "a.x", "text/x");
    ck_assert(media_types_set_charset(types, "utf-8"));
    check_type(types, "a.x", "text/x; charset=utf-8");
    media_types_free(types);
}
END_TEST

START_TEST(own_codings)
{
    struct text svg = TEXT("image/svg+xml; charset=utf-8");
    ck_assert_int_eq(media_type_own_coding(TEXT("a/b.svgz"), svg), CODING_GZIP);
    ck_assert_int_eq(media_type_own_coding(TEXT("B.SVGZ"), TEXT("image/svg+xml")), CODING_GZIP);
    ck_assert_int_eq(media_type_own_coding(TEXT("b.svg"), svg), CODING_IDENTITY);
    ck_assert_int_eq(media_type_own_coding(TEXT("bsvgz"), svg), CODING_IDENTITY);
    ck_assert_int_eq(media_type_own_coding(TEXT("b.svg.gz"), svg), CODING_IDENTITY);
    ck_assert_int_eq(media_type_own_coding(TEXT("b.svgz"), TEXT("application/gzip")),
                     CODING_IDENTITY);
}
END_TEST

START_TEST(files)
{
    char problem[256] = "";
    ck_assert_ptr_null(media_types_load("/nonexistent", problem, sizeof(problem)));
    ck_assert_str_eq(problem, "/nonexistent: No such file or directory");
    ck_assert_ptr_null(media_types_load("/", problem, sizeof(problem)));
    ck_assert_str_eq(problem, "/: Is a directory");
    ck_assert_ptr_null(media_types_load("/dev/zero", problem, sizeof(problem)));
    ck_assert_str_eq(problem, "/dev/zero: File too large");
}
END_TEST

START_TEST(compressible)
{
    ck_assert(media_type_is_compressible(TEXT("text/html; charset=utf-8")));
    ck_assert(media_type_is_compressible(TEXT("application/json; charset=utf-8")));
    ck_assert(media_type_is_compressible(TEXT("image/svg+xml; charset=utf-8")));
    ck_assert(media_type_is_compressible(TEXT("application/wasm")));
    ck_assert(!media_type_is_compressible(TEXT("image/png")));
    ck_assert(!media_type_is_compressible(TEXT("application/octet-stream")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("media_type");
    TCase *cases = tcase_create("media_type");
    tcase_add_test(cases, found);
    tcase_add_test(cases, same_as_the_file);
    tcase_add_loop_test(cases, formats, 0, COUNT(good));
    tcase_add_loop_test(cases, problems, 0, COUNT(bad));
    tcase_add_test(cases, bounds);
    tcase_add_test(cases, files);
    tcase_add_loop_test(cases, tables_of_distributions, 0, 2);
    tcase_add_test(cases, charsets);
    tcase_add_test(cases, own_codings);
    tcase_add_test(cases, compressible);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
