/*
 * How a listing is asked for: the parameters of the query, and Accept.
 */
#include "http/view_asked.h"

#include <check.h>
#include <string.h>

static struct view asked(const char *query, const char *accept)
{
    struct fields fields = {0};
    if (accept) fields_add(&fields, FIELD_ACCEPT, (struct text){accept, strlen(accept)});
    return view_asked((struct text){query, query ? strlen(query) : 0}, &fields);
}

static const struct {
    const char *query;
    struct view view;
} queries[] = {
    {NULL, {.negotiated = true}},
    {"", {.negotiated = true}},
    {"format=json", {.format = VIEW_JSON}},
    {"format=html&sort=size", {.sort = VIEW_BY_SIZE}},
    {"sort=time&order=desc", {.sort = VIEW_BY_TIME, .descending = true, .negotiated = true}},
    {"order=desc&order=asc", {.negotiated = true}},
    {"sort=name&sort=size&&x=y&", {.sort = VIEW_BY_SIZE, .negotiated = true}},
    {"sort=", {.negotiated = true}},
    {"sort=sizes&Order=desc&format=xml&format", {.negotiated = true}},
    {"format=json&format=nothing", {.format = VIEW_JSON}},
};

START_TEST(query)
{
    struct view view = asked(queries[_i].query, NULL);
    ck_assert_uint_eq(view_number(view), view_number(queries[_i].view));
    ck_assert_uint_lt(view_number(view), VIEWS);
}
END_TEST

static const struct {
    const char *accept;
    enum view_format format;
} accepts[] = {
    {"application/json", VIEW_JSON},
    {"Application/JSON;charset=utf-8", VIEW_JSON},
    {"*/*", VIEW_HTML},
    {"application/*", VIEW_HTML},
    {"application/json, text/plain, */*", VIEW_JSON},
    {"application/json;q=0.5, */*", VIEW_HTML},
    {"application/json;q=0.5, */*;q=0.4", VIEW_JSON},
    {"text/html, application/json", VIEW_HTML},
    {"text/html;q=0.5, application/json", VIEW_JSON},
    {"text/html;q=0.5 , application/json ; q=0.6", VIEW_JSON},
    {"text/*;q=0.9, application/json;q=0.8", VIEW_HTML},
    {"text/*, application/json, */*;q=0.1", VIEW_JSON},
    {"application/json;q=0", VIEW_HTML},
    {"application/json;q=x", VIEW_HTML},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", VIEW_HTML},
    {"", VIEW_HTML},
    {";;,=,q=1", VIEW_HTML},
};

START_TEST(accept)
{
    struct view view = asked(NULL, accepts[_i].accept);
    ck_assert_uint_eq(view.format, accepts[_i].format);
    ck_assert(view.negotiated);
    view = asked("format=html", accepts[_i].accept);
    ck_assert_uint_eq(view.format, VIEW_HTML);
    ck_assert(!view.negotiated);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("view_asked");
    TCase *cases = tcase_create("view_asked");
    tcase_add_loop_test(cases, query, 0, (int)(sizeof(queries) / sizeof(queries[0])));
    tcase_add_loop_test(cases, accept, 0, (int)(sizeof(accepts) / sizeof(accepts[0])));
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
