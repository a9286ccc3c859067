/*
 * Tests of bench/lab/statistics.c: middle and spread, whether two samples differ, bends, the best
 * point.
 */
#include "../../bench/lab/statistics.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static struct sample of(unsigned count, const double *values)
{
    struct sample sample = {.count = count};
    for (unsigned i = 0; i < count; i++)
        sample.value[i] = values[i];
    return sample;
}
#define SAMPLE(...) of(sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})

START_TEST(summary_of_known_values)
{
    struct sample sample = SAMPLE(4, 2, 8, 6);
    struct summary s = summarise(&sample);
    ck_assert_double_eq_tol(s.mean, 5, 1e-12);
    ck_assert_double_eq_tol(s.median, 5, 1e-12);
    ck_assert_double_eq_tol(s.sd, 2.5819888974716, 1e-9);
    ck_assert_double_eq(s.least, 2);
    ck_assert_double_eq(s.most, 8);
    ck_assert_double_eq_tol(s.spread, 1.2, 1e-12);
    struct sample none = {0};
    ck_assert(isnan(summarise(&none).median));
}
END_TEST

START_TEST(difference_beyond_noise)
{
    struct sample a = SAMPLE(200, 202, 198), b = SAMPLE(100, 101, 99);
    ck_assert_int_eq(compare(&a, &b).verdict, MORE);
    ck_assert_int_eq(compare(&b, &a).verdict, LESS);
    ck_assert_double_eq_tol(compare(&a, &b).ratio, 2, 1e-3);
    ck_assert(compare(&a, &b).low < 2 && compare(&a, &b).high > 2);
}
END_TEST

START_TEST(difference_within_noise_is_none)
{
    struct sample a = SAMPLE(100, 110, 90), b = SAMPLE(105, 95, 108);
    ck_assert_int_eq(compare(&a, &b).verdict, SAME);
    struct sample c = SAMPLE(100, 100.1, 99.9), d = SAMPLE(101, 101.1, 100.9);
    ck_assert_int_eq(compare(&c, &d).verdict, SAME); /* a small difference, however certain */
    struct sample e = SAMPLE(7, 7, 7);
    ck_assert_int_eq(compare(&e, &e).verdict, SAME);
}
END_TEST

START_TEST(too_noisy_is_unknown)
{
    struct sample a = SAMPLE(10, 1000), b = SAMPLE(100, 120);
    ck_assert_int_eq(compare(&a, &b).verdict, UNKNOWN);
    ck_assert(!isnan(compare(&a, &b).low));
    struct sample once = SAMPLE(1), zero = SAMPLE(0, 0), empty = {0};
    ck_assert_int_eq(compare(&once, &b).verdict, UNKNOWN);
    ck_assert_int_eq(compare(&zero, &b).verdict, UNKNOWN);
    ck_assert_int_eq(compare(&empty, &b).verdict, UNKNOWN);
    ck_assert(isnan(compare(&once, &b).low));
}
END_TEST

/* Samples of one distribution are called different in about 5 % of cases, as the test promises. */
START_TEST(false_alarms_are_as_rare_as_promised)
{
    enum { TRIALS = 4000 };
    unsigned alarms = 0;
    srandom(1);
    for (int t = 0; t < TRIALS; t++) {
        struct sample side[2] = {{.count = 5}, {.count = 5}};
        for (int i = 0; i < 10; i++) {
            double sum = 0;
            for (int k = 0; k < 12; k++)
                sum += (double)random() / RAND_MAX;
            side[i / 5].value[i % 5] = exp(0.1 * (sum - 6));
        }
        enum verdict v = compare(&side[0], &side[1]).verdict;
        alarms += v == MORE || v == LESS;
    }
    ck_assert_uint_ge(alarms, TRIALS / 100);
    ck_assert_uint_le(alarms, TRIALS * 6 / 100);
}
END_TEST

static struct curve curve_make(unsigned count, double (*f)(double), double noise)
{
    struct curve curve = {.count = count};
    for (unsigned i = 0; i < count; i++) {
        curve.x[i] = pow(2, i);
        double y = f(curve.x[i]);
        curve.y[i] = SAMPLE(y * (1 - noise), y, y * (1 + noise));
    }
    return curve;
}

static double saturating(double x)
{
    return x <= 16 ? 100 * x : 1600;
}

static double straight(double x)
{
    return 3 * pow(x, 0.9);
}

static double flat(double x)
{
    return 5 + 0 * x;
}

static double wavy(double x)
{
    return 100 * (1 + 0.05 * sin(x));
}

START_TEST(bend_is_found_where_it_is)
{
    struct curve curve = curve_make(9, saturating, 0.01);
    struct bend bend = bend_find(&curve);
    ck_assert(bend.found);
    ck_assert_double_eq_tol(bend.x, 16, 1e-6);
    ck_assert_double_eq_tol(bend.before, 1, 0.01);
    ck_assert_double_eq_tol(bend.after, 0, 0.01);
}
END_TEST

START_TEST(no_bend_in_a_line_or_in_noise)
{
    struct curve curve = curve_make(9, straight, 0.01);
    struct bend bend = bend_find(&curve);
    ck_assert(!bend.found);
    ck_assert_double_eq_tol(bend.slope, 0.9, 1e-6);
    curve = curve_make(9, flat, 0.01);
    ck_assert(!bend_find(&curve).found);
    curve = curve_make(9, wavy, 0.05);
    ck_assert(!bend_find(&curve).found);
    curve = curve_make(3, saturating, 0.01); /* too few points */
    ck_assert(!bend_find(&curve).found);
    curve = curve_make(0, flat, 0);
    ck_assert(!bend_find(&curve).found);
}
END_TEST

START_TEST(best_and_first_as_good)
{
    struct curve curve = curve_make(9, saturating, 0.01);
    int best, first;
    best_find(&curve, true, &best, &first);
    ck_assert_int_eq(first, 4);
    best_find(&curve, false, &best, &first);
    ck_assert_int_eq(best, 0);
    ck_assert_int_eq(first, 0);
    curve.count = 0;
    best_find(&curve, true, &best, &first);
    ck_assert_int_eq(best, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_statistics");
    TCase *cases = tcase_create("statistics");
    tcase_add_test(cases, summary_of_known_values);
    tcase_add_test(cases, difference_beyond_noise);
    tcase_add_test(cases, difference_within_noise_is_none);
    tcase_add_test(cases, too_noisy_is_unknown);
    tcase_add_test(cases, false_alarms_are_as_rare_as_promised);
    tcase_add_test(cases, bend_is_found_where_it_is);
    tcase_add_test(cases, no_bend_in_a_line_or_in_noise);
    tcase_add_test(cases, best_and_first_as_good);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
