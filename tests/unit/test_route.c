/*
 * What the rules of a site make of requests, on a connection without a socket: what is looked up,
 * what is answered, and that the room for heads and paths is enough at its limits.
 */
#include "core_link.h"
#include "loaded.h"
#include "start/sites.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "Host: a\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"
#define TIMES9(text) text text text text text text text text text
#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct core_link wire;
static struct config *config;
static struct site_set *set;
static bool open;
static char users_file[64];

static const char *const known =
    "rule / { error_pages = {\"404 403 405 412 416 /zip\", \"406 /small\", \"503 /busy\", "
    "\"500 /none\"} "
    "}\n"
    "rule \"/r/*\" { rewrite = \"/$1\" }\n"
    "rule \"/t/*\" { try_files = {\"/$1\", \"/$1$1$1$1$1$1$1$1$1\", \"/none\", \"/large\"} }\n"
    "rule \"/n/*\" { try_files = {\"/$1\", \"=403\"} }\n"
    "rule \"/long/*\" { rewrite = \"/$1$1$1$1$1$1$1$1\" }\n"
    "rule \"/loop/*\" { redirect = \"/" TIMES9(
        "$1$1$1$1$1") "\" }\n"
                      "rule \"/over/*\" { redirect = \"/" TIMES9(
                          "$1$1$1$1$1") "$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1\" }\n"
                                        "rule \"/far/*\" { redirect = \"/$1\" }\n"
                                        "rule \"/deny/\" { deny = all }\n"
                                        "rule \"/host/*\" { redirect = \"$scheme://$host:8080/$1\" "
                                        "}\n"
                                        "rule \"/up/*\" { redirect = \"https://$host$path\" }\n";

/* What is below these paths, a user may ask for. The file's hash is of no use here: see core_link.c. */
static const char *const known_users =
    "rule \"/p/\" { users = \"%s\" }\n"
    "rule \"/p/r/*\" { rewrite = \"/$1\" }\n"
    "rule \"/p/far/*\" { redirect = \"/$1\" }\n"
    "rule \"/p/deny/\" { deny = all }\n"
    "rule \"/p/get/\" { methods = GET }\n"
    "rule \"/p/kept/\" { cache_control = no-cache\n rewrite = /small }\n"
    "rule \"/p/page/\" { error_pages = \"401 /zip\" }\n"
    "rule \"/p/all/*\" { users = off\n rewrite = \"/$1\" }\n";

static void users_write(void)
{
    snprintf(users_file, sizeof(users_file), "/tmp/zcserve-route-%d", (int)getpid());
    FILE *file = fopen(users_file, "w");
    ck_assert_ptr_nonnull(file);
    fchmod(fileno(file), 0600);
    fputs("u:$2y$05$8kWzaqeS2i6CXkk.ITGyOOgawFhR3uQbuxvMiJm016qSvCHudEwBK\n", file);
    fclose(file);
}

static void set_up(void)
{
    static char text[4096];
    struct conn_rules rules = core_rules();
    users_write();
    size_t length = (size_t)snprintf(text, sizeof(text), "%s", known);
    snprintf(text + length, sizeof(text) - length, known_users, users_file);
    config = load_good(text);
    set = site_set_new(config, stderr);
    ck_assert_ptr_nonnull(set);
    rules.sites = &set->sites;
    core_link_open(&wire, &rules);
    open = true;
}

static void tear_down(void)
{
    if (open) core_link_close(&wire);
    site_set_free(set);
    config_free(config);
    unlink(users_file);
}

static void feed(const char *text)
{
    ck_assert_uint_eq(core_link_feed(&wire, text, strlen(text)), strlen(text));
}

static bool output_has(const char *text)
{
    return memmem(wire.output, wire.output_length, text, strlen(text)) != NULL;
}

static const struct {
    const char *name, *request;
    uint16_t status;
    const char *has; /* in the response */
} rows[] = {
    {"as it is", GET("/small"), 200, "Content-Length: 100\r\n"},
    {"rewritten", GET("/r/large"), 200, "Content-Length: 5000\r\n"},
    {"rewritten to nothing", GET("/r/nothing"), 404, "<h1>404"},
    {"rewritten to a directory, which gets its slash", GET("/r/dir"), 404, "<h1>404"},
    {"a directory itself is redirected", GET("/dir"), 301, "Location: dir/\r\n"},
    {"the first path", GET("/t/small"), 200, "Content-Length: 100\r\n"},
    {"the last path", GET("/t/nothing"), 200, "Content-Length: 5000\r\n"},
    {"a path that is broken ends the tries", GET("/t/broken"), 500, "<h1>500"},
    {"a status at the end", GET("/n/nothing"), 403, "<h1>403"},
    {"a path that becomes too long", GET("/long/123456789"), 404, "<h1>404"},
    {"a long Location", GET("/loop/%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff"), 302,
     "Location: /%FF"},
    {"a Location that is too long", GET("/over/%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff%ff"), 414,
     "<h1>414"},
    {"a page that is busy, too", GET("/busy"), 503, "<h1>503"},
    {"a page that is not there", GET("/broken"), 500, "<h1>500"},
    {"a page that is not acceptable", GET("/secret"), 403, "<h1>403"},
    {"refused", GET("/deny/x"), 403, "<h1>403"},
    {"HEAD refused", "HEAD /deny/x HTTP/1.1\r\n" HOST "\r\n", 403, "Content-Length: "},
    {"method", "DELETE /small HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET, HEAD, OPTIONS\r\n"},
    {"OPTIONS", "OPTIONS /small HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: GET, HEAD, OPTIONS\r\n"},
    {"the query goes on", GET("/far/x?y=%7a"), 302, "Location: /x?y=%7a\r\n"},
    {"$scheme and $host", "GET /host/x HTTP/1.1\r\nHost: EX.a.:90\r\n\r\n", 302,
     "Location: http://ex.a:8080/x\r\n"},
    {"$host of an absolute target", "GET http://B/up/x HTTP/1.1\r\nHost: a\r\n\r\n", 302,
     "Location: https://b/up/x\r\n"},
    {"no host", "GET /up/x HTTP/1.0\r\n\r\n", 400, "<h1>400"},
    {"an empty host", "GET /up/x HTTP/1.1\r\nHost:\r\n\r\n", 400, "<h1>400"},
    {"412 whose page is not acceptable", "GET /small HTTP/1.1\r\n" HOST "If-Match: \"x\"\r\n\r\n",
     412, "<h1>412"},
    {"416 whose page is not acceptable",
     "GET /large HTTP/1.1\r\n" HOST "Range: bytes=5000-\r\n\r\n", 416,
     "Content-Range: bytes */5000\r\n"},
    {"HEAD has no ranges", "HEAD /large HTTP/1.1\r\n" HOST "Range: bytes=5000-\r\n\r\n", 200,
     "Content-Length: 5000\r\n"},
    {"no rule is for what is refused", GET("/../deny"), 400, "<h1>400"},
};

#define ASK(method, target, fields) method " " target " HTTP/1.1\r\n" HOST fields "\r\n"
#define BASIC(credentials) "Authorization: Basic " credentials "\r\n"
#define RIGHT BASIC("dTpyaWdodA==") /* u:right */
#define CHALLENGE "WWW-Authenticate: Basic realm=\"zcserve\", charset=\"UTF-8\"\r\n"
#define PRIVATE "Cache-Control: private\r\n"

/* RFC 9110 §11.6.1, §11.6.2; RFC 7617 §2 */
static const struct {
    const char *name, *request;
    uint16_t status;
    const char *has, *has_not;
} users_rows[] = {
    {"no credentials", GET("/p/r/small"), 401, CHALLENGE, PRIVATE},
    {"nor is it told what is there", GET("/p/r/nothing"), 401, CHALLENGE, "404"},
    {"nor where it leads", GET("/p/far/x"), 401, CHALLENGE, "Location"},
    {"HEAD", ASK("HEAD", "/p/r/small", ""), 401, CHALLENGE, "<h1>"},
    {"right", ASK("GET", "/p/r/small", RIGHT), 200, PRIVATE, CHALLENGE},
    {"the scheme in any case", ASK("GET", "/p/r/small", "authorization: bAsIc  dTpyaWdodA==\r\n"),
     200, PRIVATE, CHALLENGE},
    {"right, HEAD", ASK("HEAD", "/p/r/small", RIGHT), 200, PRIVATE, CHALLENGE},
    {"right, and nothing is there", ASK("GET", "/p/r/nothing", RIGHT), 404, PRIVATE, CHALLENGE},
    {"right, and a redirect", ASK("GET", "/p/far/x", RIGHT), 302, PRIVATE, CHALLENGE},
    {"wrong", ASK("GET", "/p/r/small", BASIC("dTp3cm9uZw==")), 401, CHALLENGE, PRIVATE},
    {"the address has its checks", ASK("GET", "/p/r/small", BASIC("dTpsaW1pdGVk")), 429,
     "Retry-After: 1\r\n", CHALLENGE},
    {"no check is possible", ASK("GET", "/p/r/small", BASIC("dTpidXN5")), 503, "Retry-After: 1\r\n",
     CHALLENGE},
    {"another scheme", ASK("GET", "/p/r/small", "Authorization: Bearer dTpyaWdodA==\r\n"), 401,
     CHALLENGE, PRIVATE},
    {"no base64", ASK("GET", "/p/r/small", BASIC("dTpyaWdodA=")), 401, CHALLENGE, PRIVATE},
    {"two lines", ASK("GET", "/p/r/small", RIGHT RIGHT), 401, CHALLENGE, PRIVATE},
    {"a rule's Cache-Control counts", ASK("GET", "/p/kept/", RIGHT), 200,
     "Cache-Control: no-cache\r\n", PRIVATE},
    {"off opens again", GET("/p/all/small"), 200, "Content-Length: 100\r\n", PRIVATE},
    {"the address comes first", GET("/p/deny/x"), 403, "<h1>403", CHALLENGE},
    {"the method too", ASK("HEAD", "/p/get/x", ""), 405, "Allow: GET\r\n", CHALLENGE},
    {"OPTIONS", ASK("OPTIONS", "/p/x", ""), 401, CHALLENGE, "Allow"},
    {"OPTIONS, right", ASK("OPTIONS", "/p/x", RIGHT), 204, "Allow: ", CHALLENGE},
    {"a preflight has no credentials",
     ASK("OPTIONS", "/p/x", "Access-Control-Request-Method: GET\r\n"), 204, "Allow: ", PRIVATE},
    {"credentials where none are asked for", ASK("GET", "/r/small", RIGHT), 200,
     "Content-Length: 100\r\n", PRIVATE},
};

START_TEST(users)
{
    snprintf(core_link_story, sizeof(core_link_story), "users: %s", users_rows[_i].name);
    feed(users_rows[_i].request);
    ck_assert_msg(wire.settled == 1 && wire.status[0] == users_rows[_i].status &&
                      output_has(users_rows[_i].has) && !output_has(users_rows[_i].has_not),
                  "%s: %u\n%.*s", users_rows[_i].name, wire.status[0], (int)wire.output_length,
                  wire.output);
}
END_TEST

START_TEST(users_page)
{
    snprintf(core_link_story, sizeof(core_link_story), "users: page");
    wire.pages_are_files = true;
    feed("GET /p/page/x HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    ck_assert_uint_eq(wire.status[0], 401);
    ck_assert(output_has(CHALLENGE) && output_has("Content-Length: 300\r\n"));
}
END_TEST

static struct text users_seen[4];
static char users_names[4][8];

static void user_see(struct core_link *link, const struct exchange *exchange)
{
    char *name = users_names[link->settled - 1];
    struct text *seen = &users_seen[link->settled - 1];
    if (exchange->user.length > 0) memcpy(name, exchange->user.base, exchange->user.length);
    *seen = (struct text){exchange->user.base ? name : NULL, exchange->user.length};
}

/* Each exchange tells its own user, until it is settled. The check of the second one waits. */
START_TEST(users_pipelined)
{
    static const char requests[] =
        ASK("GET", "/p/r/small", RIGHT) ASK("GET", "/p/r/large", BASIC("YWI6cmlnaHQ="))
            GET("/p/r/small") ASK("GET", "/r/small", RIGHT);
    static const uint16_t expected[] = {200, 200, 401, 200};
    snprintf(core_link_story, sizeof(core_link_story), "users: pipelined");
    wire.on_settle = user_see;
    feed(requests);
    ck_assert_uint_eq(wire.settled, COUNT(expected));
    for (int i = 0; i < COUNT(expected); i++)
        ck_assert_uint_eq(wire.status[i], expected[i]);
    ck_assert(text_equals(users_seen[0], TEXT("u")) && text_equals(users_seen[1], TEXT("ab")));
    ck_assert(!users_seen[2].base && !users_seen[3].base);
}
END_TEST

static bool always(void *of)
{
    (void)of;
    return true;
}

/* The check waits, and then the lookup: two waits. */
START_TEST(users_wait)
{
    static const char request[] = ASK("GET", "/p/r/small", RIGHT);
    int waits = 0;
    snprintf(core_link_story, sizeof(core_link_story), "users: wait");
    wire.parks = always;
    core_link_receive(&wire, request, strlen(request));
    while (core_link_advance(&wire) == CONN_PARKED) {
        core_link_unpark(&wire);
        wire.parks = ++waits < 2 ? always : NULL;
    }
    while (conn_next(&wire.conn) == CONN_SEND) {
        core_link_send(&wire, UINT64_MAX);
        core_link_advance(&wire);
    }
    ck_assert_int_eq(waits, 2);
    ck_assert_uint_eq(wire.status[0], 200);
}
END_TEST

START_TEST(answered)
{
    snprintf(core_link_story, sizeof(core_link_story), "%s", rows[_i].name);
    feed(rows[_i].request);
    ck_assert_msg(wire.settled == 1 && wire.status[0] == rows[_i].status, "%s: %u", rows[_i].name,
                  wire.status[0]);
    ck_assert_msg(output_has(rows[_i].has), "%s: %.*s", rows[_i].name, (int)wire.output_length,
                  wire.output);
}
END_TEST

/* A page in a coding is for those who accept it, and is sent with the status and its coding. */
START_TEST(page_with_coding)
{
    snprintf(core_link_story, sizeof(core_link_story), "page with coding");
    wire.pages_are_files = true;
    feed("GET /nothing HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\nIf-None-Match: *\r\n\r\n");
    ck_assert_uint_eq(wire.status[0], 404);
    ck_assert(output_has("Content-Encoding: gzip\r\n") && output_has("Content-Length: 300\r\n"));
    ck_assert(output_has("Vary: Accept-Encoding\r\n"));
    ck_assert(!output_has("ETag") && !output_has("Last-Modified") && !output_has("Accept-Ranges"));
    ck_assert_uint_eq(wire.lent_count, wire.returned_count);
}
END_TEST

/* The file that was found is given back before its error's page is lent. */
START_TEST(page_of_a_found_file)
{
    static const char *const fields[] = {"If-Match: \"x\"\r\n", "Range: bytes=90000-\r\n"};
    static const char *const paths[] = {"small", "large", "file", "zip"};
    static const char *const lengths[] = {"100", "5000", "20000", "300"};
    char request[256], expected[64];
    snprintf(core_link_story, sizeof(core_link_story), "page of a found file");
    wire.pages_are_files = true;
    for (int i = 0; i < 8; i++) {
        snprintf(request, sizeof(request),
                 "GET /%s HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n%s\r\n", paths[i / 2],
                 fields[i % 2]);
        wire.output_length = wire.settled_bytes = 0;
        feed(request);
        ck_assert_uint_eq(wire.status[i], i % 2 == 0 ? 412 : 416);
        ck_assert(output_has("Content-Encoding: gzip\r\n") &&
                  output_has("Content-Length: 300\r\n"));
        snprintf(expected, sizeof(expected), "Content-Range: bytes */%s\r\n", lengths[i / 2]);
        ck_assert_int_eq(output_has(expected), i % 2 == 1);
        ck_assert_uint_eq(wire.lent_count, wire.returned_count);
    }
}
END_TEST

/* Each path that is tried may wait for the disk. */
START_TEST(each_try_waits)
{
    snprintf(core_link_story, sizeof(core_link_story), "each try waits");
    int waits = 0;
    wire.parks = always;
    core_link_receive(&wire, GET("/t/nothing"), strlen(GET("/t/nothing")));
    while (core_link_advance(&wire) == CONN_PARKED) {
        waits++;
        core_link_unpark(&wire);
        wire.parks = waits < 3 ? always : NULL;
    }
    ck_assert_int_eq(waits, 3);
    while (conn_next(&wire.conn) == CONN_SEND) {
        core_link_send(&wire, UINT64_MAX);
        core_link_advance(&wire);
    }
    ck_assert_uint_eq(wire.status[0], 200);
}
END_TEST

/* Requests that are pipelined keep their own paths, whatever rules make of the next one. */
START_TEST(pipelined)
{
    static const uint16_t expected[] = {200, 404, 200, 302, 200, 403, 200};
    snprintf(core_link_story, sizeof(core_link_story), "pipelined");
    feed(GET("/t/small") GET("/r/nothing") GET("/r/large") GET("/far/x") GET("/t/no") GET("/deny/a")
             GET("/r/small"));
    ck_assert_uint_eq(wire.settled, COUNT(expected));
    for (int i = 0; i < COUNT(expected); i++)
        ck_assert_uint_eq(wire.status[i], expected[i]);
}
END_TEST

/* Only who is told to the core counts; see conn_from(). */
START_TEST(address)
{
    static const struct origin here = {.ip = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}}};
    struct config *other = load_good("rule / { allow = 127.0.0.1 }");
    struct site_set *sites = site_set_new(other, stderr);
    ck_assert(sites->sites.by_address);
    wire.rules.sites = &sites->sites;
    feed(GET("/small"));
    core_link_rest(&wire);
    conn_lend_work(&wire.conn, malloc(conn_work_size(&wire.rules)));
    conn_from(&wire.conn, &here);
    feed(GET("/small"));
    ck_assert_uint_eq(wire.status[0], 403);
    ck_assert_uint_eq(wire.status[1], 200);
    core_link_close(&wire);
    open = false;
    site_set_free(sites);
    config_free(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *tcase = tcase_create("route");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, answered, 0, COUNT(rows));
    tcase_add_test(tcase, page_with_coding);
    tcase_add_test(tcase, page_of_a_found_file);
    tcase_add_test(tcase, each_try_waits);
    tcase_add_test(tcase, pipelined);
    tcase_add_loop_test(tcase, users, 0, COUNT(users_rows));
    tcase_add_test(tcase, users_page);
    tcase_add_test(tcase, users_pipelined);
    tcase_add_test(tcase, users_wait);
    tcase_add_test(tcase, address);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
