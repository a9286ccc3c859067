/*
 * Tests of src/tool/load_client.c: what wrk, wrk2, ab and h2load print is found, and nothing else
 * is.
 */
#include "tool/load_client.h"

#include "recorded.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct load_client read_recorded(const char *name)
{
    struct load_client client;
    size_t length;
    char *text = recorded_read(name, &length);
    load_client_read(text, &client);
    free(text);
    return client;
}

static struct load_client read_text(const char *text)
{
    struct load_client client;
    load_client_read(text, &client);
    return client;
}

/* Returns the number in the text after `after`, so that a new recording needs no new test. */
static double said(const char *file, const char *after, double unit)
{
    size_t length;
    char *text = recorded_read(file, &length);
    const char *at = strstr(text, after);
    ck_assert_msg(at != NULL, "%s does not say %s", file, after);
    double value = strtod(at + strlen(after), NULL) * unit;
    free(text);
    return value;
}

START_TEST(wrk)
{
    struct load_client client = read_recorded("wrk.txt");
    ck_assert_str_eq(client.name, "wrk");
    ck_assert_double_eq(client.figure[CLIENT_CONNECTIONS], 16);
    ck_assert_double_gt(client.figure[CLIENT_REQUESTS], 1000);
    ck_assert_double_eq_tol(client.figure[CLIENT_SECONDS], 1, 0.05);
    ck_assert_double_eq_tol(client.figure[CLIENT_P50_NS], said("wrk.txt", "50%", 1e3), 1);
    ck_assert_double_eq_tol(client.figure[CLIENT_P99_NS], said("wrk.txt", "99%", 1e6), 1);
    ck_assert_double_eq_tol(client.figure[CLIENT_MEAN_NS], said("wrk.txt", "Latency", 1e3), 1);
    ck_assert_double_gt(client.figure[CLIENT_MAX_NS], client.figure[CLIENT_P99_NS]);
    ck_assert(isnan(client.figure[CLIENT_FAILED]));
}
END_TEST

START_TEST(ab)
{
    struct load_client client = read_recorded("ab.txt");
    ck_assert_str_eq(client.name, "ab");
    ck_assert_double_eq(client.resolution_ns, 1e6);
    ck_assert_double_eq(client.figure[CLIENT_REQUESTS], 2000);
    ck_assert_double_eq(client.figure[CLIENT_FAILED], 0);
    ck_assert_double_eq(client.figure[CLIENT_CONNECTIONS], 4);
    ck_assert_double_eq_tol(client.figure[CLIENT_SECONDS],
                            said("ab.txt", "Time taken for tests:", 1), 1e-9);
    ck_assert_double_eq_tol(client.figure[CLIENT_MEAN_NS], said("ab.txt", "Time per request:", 1e6),
                            1);
    ck_assert_double_eq(client.figure[CLIENT_P50_NS], said("ab.txt", " 50%", 1e6));
    ck_assert_double_eq(client.figure[CLIENT_P99_NS], said("ab.txt", " 99%", 1e6));
    ck_assert_double_eq(client.figure[CLIENT_MAX_NS], said("ab.txt", "100% ", 1e6));
}
END_TEST

START_TEST(h2load)
{
    struct load_client client = read_recorded("h2load.txt");
    ck_assert_str_eq(client.name, "h2load");
    ck_assert_double_eq(client.figure[CLIENT_REQUESTS], 2000);
    ck_assert_double_eq(client.figure[CLIENT_FAILED], 0);
    ck_assert_double_eq_tol(client.figure[CLIENT_SECONDS], said("h2load.txt", "finished in ", 1e-3),
                            1e-9);
    ck_assert_double_gt(client.figure[CLIENT_MEAN_NS], 0);
    ck_assert_double_gt(client.figure[CLIENT_MAX_NS], client.figure[CLIENT_MEAN_NS]);
    ck_assert(isnan(client.figure[CLIENT_P50_NS])); /* this client prints none */
}
END_TEST

START_TEST(wrk2_and_units)
{
    struct load_client client =
        read_text("Running 10s test @ http://a/\n"
                  "  2 threads and 100 connections\n"
                  "    Latency     1.25s    0.00us   2.00m    97.70%\n"
                  " 50.000%  812.00us\n 90.000%    1.50ms\n 99.000%    3.00s \n"
                  "  4000 requests in 1.00m, 1.00MB read\n"
                  "  Non-2xx or 3xx responses: 17\n");
    ck_assert_double_eq(client.figure[CLIENT_MEAN_NS], 1.25e9);
    ck_assert_double_eq(client.figure[CLIENT_MAX_NS], 120e9);
    ck_assert_double_eq(client.figure[CLIENT_P50_NS], 812e3);
    ck_assert_double_eq(client.figure[CLIENT_P90_NS], 1.5e6);
    ck_assert_double_eq(client.figure[CLIENT_P99_NS], 3e9);
    ck_assert_double_eq(client.figure[CLIENT_SECONDS], 60);
    ck_assert_double_eq(client.figure[CLIENT_FAILED], 17);
    ck_assert_double_eq(client.figure[CLIENT_CONNECTIONS], 100);
}
END_TEST

/* With words instead of a number, an unknown unit, or an incomplete line, no figure is found. */
START_TEST(what_is_no_figure_stays_unknown)
{
    struct load_client client =
        read_text("Running 1s test @ http://a/\n 50%  12.00xs\n 99%\n  many requests in 1.00s\n"
                  "    Latency     nan    inf   -1.00us    97.70%\n 90%  1.00e\n");
    ck_assert_str_eq(client.name, "wrk");
    for (int i = 0; i < CLIENT_FIGURES; i++)
        ck_assert_msg(isnan(client.figure[i]) || i == CLIENT_SECONDS, "figure %d is %f", i,
                      client.figure[i]);
}
END_TEST

START_TEST(nobody)
{
    static const char *const texts[] = {"", "\n\n", "50% 3\n99% 4\nComplete requests: 9\n",
                                        "requests: 5 total, 5 started, 5 done, 5 succeeded"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct load_client client = read_text(texts[i]);
        ck_assert_ptr_null(client.name);
        for (int figure = 0; figure < CLIENT_FIGURES; figure++)
            ck_assert(isnan(client.figure[figure]));
    }
}
END_TEST

START_TEST(a_line_without_end)
{
    char *text = malloc(200001);
    memset(text, '9', 200000);
    text[200000] = '\0';
    memcpy(text, "Running 1s test @ ", 18);
    struct load_client client = read_text(text);
    ck_assert_str_eq(client.name, "wrk");
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load_client");
    TCase *cases = tcase_create("load_client");
    tcase_add_test(cases, wrk);
    tcase_add_test(cases, ab);
    tcase_add_test(cases, h2load);
    tcase_add_test(cases, wrk2_and_units);
    tcase_add_test(cases, what_is_no_figure_stays_unknown);
    tcase_add_test(cases, nobody);
    tcase_add_test(cases, a_line_without_end);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
