/*
 * Which response is planned: methods, what was found, preconditions and ranges, in all
 * combinations.
 */
#include "core_link.h"
#include "http/plan.h"
#include "http/reader.h"

#include <check.h>
#include <stdio.h>

#define DATE_OF_FILES "Sun, 06 Nov 1994 08:49:37 GMT"
#define OLDER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

static struct conn_rules rules;
static char bytes[1024];

/* Returns a request as it is read; `lines` follow Host. */
static struct request request_of(const char *method, const char *lines)
{
    struct reader reader;
    struct request r;
    int length =
        snprintf(bytes, sizeof(bytes), "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, lines);
    reader_begin(&reader, &r, &rules);
    reader_feed(&reader, bytes, (size_t)length);
    ck_assert_int_eq(reader.phase, READER_COMPLETE);
    return r;
}

static void set_up(void)
{
    rules = core_rules();
}

#define RANGES 3 /* the most ranges of a request */

/* Returns the plan. Its parts are valid until the next call. */
static struct plan resolve(const struct request *r, bool may_persist, struct resolution found)
{
    static struct ranges ranges;
    return plan_resolved(r, may_persist, found, 1795348800, RANGES, &ranges);
}

/* ---- without a lookup ------------------------------------------------------------------------ */

static const struct {
    const char *method;
    enum refusal refused;
    uint16_t status; /* 0: needs a lookup */
    bool allow, head_only, keep_alive;
} without[] = {
    {"GET", REFUSAL_NONE, 0, false, false, true},
    {"HEAD", REFUSAL_NONE, 0, false, false, true},
    {"OPTIONS", REFUSAL_NONE, 204, true, false, true},
    {"POST", REFUSAL_NONE, 405, true, false, true},
    {"PUT", REFUSAL_NONE, 405, true, false, true},
    {"DELETE", REFUSAL_NONE, 405, true, false, true},
    {"TRACE", REFUSAL_NONE, 405, true, false, true},
    {"PATCH", REFUSAL_NONE, 405, true, false, true},
    {"PROPFIND", REFUSAL_NONE, 405, true, false, true},
    {"SOURCE", REFUSAL_NONE, 405, true, false, true},
    {"QUERY", REFUSAL_NONE, 405, true, false, true},
    {"CONNECT", REFUSAL_NONE, 405, true, false, false},
    {"GET", REFUSAL_HOST, 400, false, false, false},
    {"GET", REFUSAL_TIMEOUT, 408, false, false, false},
    {"GET", REFUSAL_TARGET_LONG, 414, false, false, false},
    {"OPTIONS", REFUSAL_HOST, 400, false, false, false},
    {"HEAD", REFUSAL_HOST, 400, false, true, false}, /* no content: RFC 9110 §9.3.2 */
    {"HEAD", REFUSAL_HEAD_LARGE, 431, false, true, false},
    {"HEAD", REFUSAL_CODING, 501, false, true, false},  /* RFC 9110 §9.3.2: no content */
    {"HEAD", REFUSAL_METHOD, 501, false, false, false}, /* the method was "HEADER", for example */
};

START_TEST(method_decides)
{
    struct request r = request_of(without[_i].method, "");
    struct plan plan;
    if (without[_i].refused != REFUSAL_NONE) request_refuse(&r, without[_i].refused);
    bool planned = plan_without_lookup(&r, true, &plan);
    ck_assert_int_eq(planned, without[_i].status != 0);
    if (!planned) return;
    ck_assert_uint_eq(plan.status, without[_i].status);
    ck_assert_int_eq(plan.allow, without[_i].allow);
    ck_assert_int_eq(plan.head_only, without[_i].head_only);
    ck_assert_int_eq(plan.keep_alive, without[_i].keep_alive);
    ck_assert_ptr_null(plan.selected);
}
END_TEST

/* ---- after a lookup -------------------------------------------------------------------------- */

static const struct {
    enum resolution_kind kind;
    uint16_t status;
    bool redirect;
} kinds[] = {
    {RESOLUTION_DIRECTORY, 301, true},  {RESOLUTION_NOT_FOUND, 404, false},
    {RESOLUTION_FORBIDDEN, 403, false}, {RESOLUTION_NOT_ACCEPTABLE, 406, false},
    {RESOLUTION_BUSY, 503, false},      {RESOLUTION_BROKEN, 500, false},
};

/* Without a representation there are no preconditions (RFC 9110 §13.2.1) and no ranges. */
START_TEST(what_was_not_found)
{
    struct request r =
        request_of("GET", "If-None-Match: *\r\nIf-Match: \"x\"\r\nRange: bytes=0-0\r\n");
    struct resolution found = {.kind = kinds[_i].kind, .varies = true};
    struct plan plan = resolve(&r, true, found);
    ck_assert_uint_eq(plan.status, kinds[_i].status);
    ck_assert_int_eq(plan.redirect, kinds[_i].redirect);
    ck_assert(plan.varies && plan.keep_alive && !plan.selected && !plan.head_only);
    ck_assert_uint_gt(plan.page.length, 0);
    r = request_of("HEAD", "");
    found.varies = false;
    plan = resolve(&r, true, found);
    ck_assert_uint_eq(plan.status, kinds[_i].status);
    ck_assert(plan.head_only && !plan.varies && plan.page.length > 0);
}
END_TEST

/* Requests for "file", 20000 bytes with the entity-tag "e1", in the order of RFC 9110 §13.2.2. */
static const struct {
    const char *method, *lines;
    uint16_t status;
    uint64_t offset, length;
} table[] = {
    {"GET", "", 200, 0, 20000},
    {"HEAD", "", 200, 0, 20000},
    {"GET", "If-Match: \"e1\"\r\n", 200, 0, 20000},
    {"GET", "If-Match: *\r\n", 200, 0, 20000},
    {"GET", "If-Match: \"e2\"\r\n", 412, 0, 0},
    {"HEAD", "If-Match: \"e2\"\r\n", 412, 0, 0},
    {"GET", "If-Match: W/\"e1\"\r\n", 412, 0, 0},
    {"GET", "If-Unmodified-Since: " DATE_OF_FILES "\r\n", 200, 0, 20000},
    {"GET", "If-Unmodified-Since: " OLDER "\r\n", 412, 0, 0},
    {"GET", "If-Match: \"e1\"\r\nIf-Unmodified-Since: " OLDER "\r\n", 200, 0, 20000},
    {"GET", "If-None-Match: \"e1\"\r\n", 304, 0, 0},
    {"HEAD", "If-None-Match: \"e1\"\r\n", 304, 0, 0},
    {"GET", "If-None-Match: W/\"e1\"\r\n", 304, 0, 0},
    {"GET", "If-None-Match: \"e2\"\r\n", 200, 0, 20000},
    {"GET", "If-Modified-Since: " DATE_OF_FILES "\r\n", 304, 0, 0},
    {"GET", "If-Modified-Since: " LATER "\r\n", 304, 0, 0},
    {"GET", "If-Modified-Since: " OLDER "\r\n", 200, 0, 20000},
    {"GET", "If-Modified-Since: yesterday\r\n", 200, 0, 20000},
    {"GET", "If-None-Match: \"e2\"\r\nIf-Modified-Since: " LATER "\r\n", 200, 0, 20000},
    {"GET", "If-Match: \"e2\"\r\nIf-None-Match: \"e1\"\r\n", 412, 0, 0},
    {"GET", "If-Match: \"e1\"\r\nIf-None-Match: \"e1\"\r\n", 304, 0, 0},
    {"GET", "Range: bytes=0-0\r\n", 206, 0, 1},
    {"GET", "Range: bytes=19999-\r\n", 206, 19999, 1},
    {"GET", "Range: bytes=-5\r\n", 206, 19995, 5},
    {"GET", "Range: bytes=0-\r\n", 206, 0, 20000},
    {"GET", "Range: bytes=20000-\r\n", 416, 0, 0},
    {"GET", "Range: bytes=0-1,2-6\r\n", 206, 0, 7},
    {"GET", "Range: bytes=5-6,20000-\r\n", 206, 5, 2},
    {"GET", "Range: bytes=20000-,30000-\r\n", 416, 0, 0},
    {"GET", "Range: bytes=0-1,5-6,8-9,11-12\r\n", 200, 0, 20000},
    {"GET", "Range: bytes=0-,-1\r\n", 200, 0, 20000},
    {"HEAD", "Range: bytes=0-1,5-6\r\n", 200, 0, 20000},
    {"GET", "Range: bytes=0-1,5-6\r\nIf-Range: \"e2\"\r\n", 200, 0, 20000},
    {"GET", "Range: bytes=0-1,5-6\r\nIf-None-Match: \"e1\"\r\n", 304, 0, 0},
    {"GET", "Range: lines=0-1\r\n", 200, 0, 20000},
    {"HEAD", "Range: bytes=0-0\r\n", 200, 0, 20000}, /* RFC 9110 §14.2 */
    {"HEAD", "Range: bytes=20000-\r\n", 200, 0, 20000},
    {"GET", "Range: bytes=0-0\r\nIf-Range: \"e1\"\r\n", 206, 0, 1},
    {"GET", "Range: bytes=0-0\r\nIf-Range: \"e2\"\r\n", 200, 0, 20000},
    {"GET", "Range: bytes=20000-\r\nIf-Range: \"e2\"\r\n", 200, 0, 20000},
    {"GET", "Range: bytes=0-0\r\nIf-Range: " DATE_OF_FILES "\r\n", 206, 0, 1},
    {"GET", "Range: bytes=0-0\r\nIf-None-Match: \"e1\"\r\n", 304, 0, 0},
    {"GET", "Range: bytes=20000-\r\nIf-None-Match: \"e1\"\r\n", 304, 0, 0},
    {"GET", "Range: bytes=20000-\r\nIf-Match: \"e2\"\r\n", 412, 0, 0},
};

START_TEST(conditions_and_ranges)
{
    struct request r = request_of(table[_i].method, table[_i].lines);
    struct resolution found = {.kind = RESOLUTION_FOUND,
                               .representation = core_representation("file")};
    struct plan plan = resolve(&r, true, found);
    bool content = plan.status == 200 || plan.status == 206;
    ck_assert_msg(plan.status == table[_i].status, "%d: %s%s", plan.status, table[_i].method,
                  table[_i].lines);
    ck_assert_uint_eq(plan.offset, table[_i].offset);
    ck_assert_uint_eq(plan.length, table[_i].length);
    ck_assert_int_eq(plan.head_only, strcmp(table[_i].method, "HEAD") == 0);
    ck_assert_int_eq(plan.selected != NULL, plan.status != 412);
    ck_assert_int_eq(plan.page.length > 0, plan.status == 412 || plan.status == 416);
    ck_assert(!content || plan.length > 0);
    ck_assert(!plan.ranges);
    if (content) ck_assert_uint_eq(plan_content_length(&plan), table[_i].length);
}
END_TEST

START_TEST(several_parts)
{
    static const char *const lines[] = {
        "Range: bytes=7-8,0-1,-5\r\n",
        "Range: bytes=7-8,20000-,0-1\r\n",
        "Range: bytes=7-8,0-1\r\nIf-Range: \"e1\"\r\n",
        "Range: bytes=7-8,0-1\r\nIf-Range: " DATE_OF_FILES "\r\n",
    };
    struct resolution found = {.kind = RESOLUTION_FOUND,
                               .representation = core_representation("file")};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct request r = request_of("GET", lines[i]);
        struct plan plan = resolve(&r, true, found);
        ck_assert_uint_eq(plan.status, 206);
        ck_assert_ptr_nonnull(plan.ranges);
        ck_assert_uint_eq(plan.ranges->count, i == 0 ? 3 : 2);
        ck_assert_uint_eq(plan.ranges->part[0].offset, 7);
        ck_assert_uint_eq(plan.ranges->part[1].offset, 0);
        ck_assert_uint_eq(plan.length, i == 0 ? 9 : 4);
        ck_assert_uint_gt(plan_content_length(&plan), plan.length + 100);
    }
}
END_TEST

START_TEST(empty_has_no_ranges)
{
    struct request r = request_of("GET", "Range: bytes=0-\r\n");
    struct resolution found = {.kind = RESOLUTION_FOUND,
                               .representation = core_representation("empty")};
    ck_assert_uint_eq(resolve(&r, true, found).status, 416);
    r = request_of("GET", "");
    ck_assert_uint_eq(resolve(&r, true, found).length, 0);
}
END_TEST

START_TEST(variants_vary)
{
    static const char *const lines[] = {"", "If-None-Match: \"e1\"\r\n", "Range: bytes=0-0\r\n",
                                        "Range: bytes=0-0,2-2\r\n", "Range: bytes=999-\r\n"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct request r = request_of("GET", lines[i]);
        struct resolution zip = {.kind = RESOLUTION_FOUND,
                                 .representation = core_representation("zip")};
        struct resolution file = {.kind = RESOLUTION_FOUND,
                                  .representation = core_representation("small")};
        ck_assert(resolve(&r, true, zip).varies);
        ck_assert(!resolve(&r, true, file).varies);
    }
}
END_TEST

/* ---- whether the connection lives on --------------------------------------------------------- */

START_TEST(operator_decides_too)
{
    struct resolution missing = {.kind = RESOLUTION_NOT_FOUND};
    struct request r = request_of("GET", "");
    ck_assert(resolve(&r, true, missing).keep_alive);
    ck_assert(!resolve(&r, false, missing).keep_alive);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tcase = tcase_create("plan");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_loop_test(tcase, method_decides, 0, sizeof(without) / sizeof(without[0]));
    tcase_add_loop_test(tcase, what_was_not_found, 0, sizeof(kinds) / sizeof(kinds[0]));
    tcase_add_loop_test(tcase, conditions_and_ranges, 0, sizeof(table) / sizeof(table[0]));
    tcase_add_test(tcase, several_parts);
    tcase_add_test(tcase, empty_has_no_ranges);
    tcase_add_test(tcase, variants_vary);
    tcase_add_test(tcase, operator_decides_too);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
