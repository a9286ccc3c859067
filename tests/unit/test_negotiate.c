/*
 * Accept-Encoding: a table of values, and the four weights that follow from each.
 */
#include "http/negotiate.h"

#include <check.h>
#include <stdlib.h>

/* Lines end with a newline; NULL: there is no field. Weights: identity, gzip, br, zstd. */
static const struct {
    const char *lines;
    int weight[CODING_COUNT];
} cases_table[] = {
    {NULL, {1000, 0, 0, 0}},
    {"", {1, 0, 0, 0}},
    {" , ,", {1, 0, 0, 0}},
    {"gzip", {1, 1000, 0, 0}},
    {"GZip", {1, 1000, 0, 0}},
    {"x-gzip", {1, 1000, 0, 0}},
    {"X-GZIP;q=0.5", {1, 500, 0, 0}},
    {"gzip, deflate, br", {1, 1000, 1000, 0}},
    {"gzip, deflate, br, zstd", {1, 1000, 1000, 1000}},
    {"gzip,deflate,br,zstd", {1, 1000, 1000, 1000}},
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", {1, 800, 1000, 100}},
    {"identity", {1000, 0, 0, 0}},
    {"identity;q=0.5, gzip;q=0.2", {500, 200, 0, 0}},
    {"identity;q=0", {0, 0, 0, 0}},
    {"identity;q=0, gzip", {0, 1000, 0, 0}},
    {"*", {1, 1000, 1000, 1000}},
    {"*;q=0", {0, 0, 0, 0}},
    {"*;q=0, identity", {1000, 0, 0, 0}},
    {"*;q=0, identity;q=0.3", {300, 0, 0, 0}},
    {"identity;q=0, *;q=0.5", {0, 500, 500, 500}},
    {"gzip, *;q=0", {0, 1000, 0, 0}},
    {"*;q=0, gzip", {0, 1000, 0, 0}},
    {"gzip;q=0, *", {1, 0, 1000, 1000}},
    {"*, br;q=0", {1, 1000, 0, 1000}},
    {"deflate, compress, dcb, dcz", {1, 0, 0, 0}},
    /* weights */
    {"gzip;q=1", {1, 1000, 0, 0}},
    {"gzip;q=1.", {1, 1000, 0, 0}},
    {"gzip;q=1.000", {1, 1000, 0, 0}},
    {"gzip;q=0", {1, 0, 0, 0}},
    {"gzip;q=0.", {1, 0, 0, 0}},
    {"gzip;q=0.000", {1, 0, 0, 0}},
    {"gzip;q=0.001", {1, 1, 0, 0}},
    {"gzip;q=0.01", {1, 10, 0, 0}},
    {"gzip;q=0.999", {1, 999, 0, 0}},
    {"gzip;Q=0.5", {1, 500, 0, 0}},
    {"gzip ; q=0.5", {1, 500, 0, 0}},
    {"gzip\t;\tq=0.5\t", {1, 500, 0, 0}},
    /* members that cannot be read are ignored, and the others count */
    {"gzip;q=1.001, br", {1, 0, 1000, 0}},
    {"gzip;q=2, br", {1, 0, 1000, 0}},
    {"gzip;q=1.5, br", {1, 0, 1000, 0}},
    {"gzip;q=0.1234, br", {1, 0, 1000, 0}},
    {"gzip;q=, br", {1, 0, 1000, 0}},
    {"gzip;q, br", {1, 0, 1000, 0}},
    {"gzip;, br", {1, 0, 1000, 0}},
    {"gzip;q=.5, br", {1, 0, 1000, 0}},
    {"gzip;q=-1, br", {1, 0, 1000, 0}},
    {"gzip;q=00, br", {1, 0, 1000, 0}},
    {"gzip;q=0,5, br", {1, 0, 1000, 0}},
    {"gzip;q= 1, br", {1, 0, 1000, 0}},
    {"gzip;q =1, br", {1, 0, 1000, 0}},
    {"gzip;q=0.x, br", {1, 0, 1000, 0}},
    {"gzip;q=0.5;x=1, br", {1, 0, 1000, 0}},
    {"gzip;level=9, br", {1, 0, 1000, 0}},
    {"gzip;q=\"0.5\", br", {1, 0, 1000, 0}},
    {"\"gzip\", br", {1, 0, 1000, 0}},
    {"gzip br", {1, 0, 0, 0}},
    {"gzip, br\"", {1, 1000, 0, 0}},
    {";q=1, br", {1, 0, 1000, 0}},
    {"=, br", {1, 0, 1000, 0}},
    {"**, gzi, gzipp, brr, b, zst, identit, br", {1, 0, 1000, 0}},
    {"*;q=nothing, br", {1, 0, 1000, 0}},
    {"*;q=0;x, br", {1, 0, 1000, 0}},
    /* codings that are named twice, and several lines */
    {"gzip;q=0.5, gzip;q=0.2", {1, 200, 0, 0}},
    {"gzip;q=0, x-gzip", {1, 1000, 0, 0}},
    {"gzip\nbr", {1, 1000, 1000, 0}},
    {"gzip\n*;q=0", {0, 1000, 0, 0}},
    {"\ngzip", {1, 1000, 0, 0}},
};

START_TEST(weights)
{
    struct fields fields = {0};
    const char *at = cases_table[_i].lines;
    char *copy = NULL;
    if (at != NULL) {
        size_t left = strlen(at);
        copy = malloc(left);
        if (left > 0) memcpy(copy, at, left);
        for (at = copy;;) {
            const char *newline = left > 0 ? memchr(at, '\n', left) : NULL;
            size_t length = newline == NULL ? left : (size_t)(newline - at);
            ck_assert(fields_add(&fields, FIELD_HOST, TEXT("gzip")));
            ck_assert(fields_add(&fields, FIELD_ACCEPT_ENCODING, (struct text){at, length}));
            if (newline == NULL) break;
            left -= length + 1;
            at = newline + 1;
        }
    }
    struct accepted accepted = negotiate_accepted(&fields);
    for (int i = 0; i < CODING_COUNT; i++)
        ck_assert_msg(accepted.weight[i] == cases_table[_i].weight[i], "%s: %s has %d, not %d",
                      cases_table[_i].lines, coding_name((enum coding)i), accepted.weight[i],
                      cases_table[_i].weight[i]);
    free(copy);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("negotiate");
    TCase *cases = tcase_create("negotiate");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, weights, 0, COUNT(cases_table));
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
