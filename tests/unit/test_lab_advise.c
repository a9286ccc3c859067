/*
 * Tests of what zclab advise proposes from made-up figures: each outcome gives its proposal, and
 * none is within the noise.
 */
#include "../../bench/lab/advise.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct advise_figures figures;
static struct advise_now now;
static struct site site;
static struct proposal proposal[PROPOSALS_MAX];

#define MIB (UINT64_C(1) << 20)

/* Returns three repetitions around a value, which differ by `noise` percent. */
static struct sample around(double value, double noise)
{
    return (struct sample){3, {value * (1 - noise / 100), value, value * (1 + noise / 100)}};
}

/* Sets a site of 10 files of 100 KiB, a usual configuration, and figures that do not differ. */
static void usual(void)
{
    static struct site_file file[10];
    figures = (struct advise_figures){.sizes = ADVISE_SIZES, .ring_permitted = true};
    for (unsigned i = 0; i < ADVISE_SIZES; i++) {
        figures.size[i].bytes = UINT64_C(8192) << i;
        figures.size[i].memory = around(10 << i, 1);
        figures.size[i].sendfile = around(10 << i, 1);
    }
    figures.hit = around(10, 1);
    figures.miss = around(30, 1);
    figures.by_epoll = around(100, 1);
    figures.by_ring = around(100, 1);
    now = (struct advise_now){.file_max = 256 << 10, .cache_bytes = 64 * MIB, .workers = 2};
    strcpy(now.model, "auto");
    site = (struct site){.count = 10, .file = file};
    for (unsigned i = 0; i < 10; i++)
        file[i] = (struct site_file){100 << 10, NULL};
}

static unsigned propose(void)
{
    memset(proposal, 0, sizeof proposal);
    return advise_propose(&figures, &now, &site, UINT64_C(8192) * MIB, proposal);
}

START_TEST(nothing_differs_nothing_is_proposed)
{
    usual();
    ck_assert_uint_eq(propose(), 0);
}
END_TEST

/* ---- cache.file_max -------------------------------------------------------------------------- */

/* From this size on sendfile costs `times` as much as memory. */
static void sendfile_from(uint64_t bytes, double times, double noise)
{
    for (unsigned i = 0; i < ADVISE_SIZES; i++)
        if (figures.size[i].bytes >= bytes)
            figures.size[i].sendfile = around(10 * times * (1 << i), noise);
}

START_TEST(file_max_is_lowered_to_below_where_sendfile_pays)
{
    usual();
    sendfile_from(128 << 10, 0.7, 1);
    site.file[0].bytes = 200 << 10;
    ck_assert_uint_eq(propose(), 1);
    ck_assert_str_eq(proposal[0].option, "cache.file_max");
    ck_assert_str_eq(proposal[0].value, "64k");
    ck_assert_str_eq(proposal[0].now, "256k");
    ck_assert_double_eq_tol(proposal[0].difference.ratio, 0.7, 0.01);
    ck_assert_ptr_nonnull(strstr(proposal[0].why, "10 of the 10 files are between"));
    ck_assert_ptr_nonnull(strstr(proposal[0].why, "sending 256 KiB by sendfile instead of from"));
}
END_TEST

START_TEST(file_max_stays_where_the_gain_is_noise)
{
    usual();
    sendfile_from(128 << 10, 0.9, 30);
    ck_assert_uint_eq(propose(), 0);
    usual();
    sendfile_from(128 << 10, 0.99, 0.1); /* a difference above the noise, but less than 2 % */
    ck_assert_uint_eq(propose(), 0);
}
END_TEST

START_TEST(file_max_stays_where_no_file_would_be_served_otherwise)
{
    usual();
    sendfile_from(128 << 10, 0.7, 1);
    for (unsigned i = 0; i < site.count; i++)
        site.file[i].bytes = 30 << 10;
    ck_assert_uint_eq(propose(), 0);
}
END_TEST

START_TEST(file_max_stays_where_a_larger_size_contradicts)
{
    usual();
    sendfile_from(64 << 10, 0.7, 1);
    figures.size[ADVISE_SIZES - 1].sendfile = figures.size[ADVISE_SIZES - 1].memory;
    ck_assert_uint_eq(propose(), 0);
}
END_TEST

START_TEST(file_max_is_raised_as_far_as_memory_is_cheaper)
{
    usual();
    now.file_max = 16 << 10;
    sendfile_from(8 << 10, 1.5, 1);
    sendfile_from(512 << 10, 1, 1);
    ck_assert_uint_eq(propose(), 1);
    ck_assert_str_eq(proposal[0].value, "256k");
    ck_assert_str_eq(proposal[0].now, "16k");
    ck_assert_double_eq_tol(proposal[0].difference.ratio, 1 / 1.5, 0.01);
    ck_assert_uint_eq(proposal[0].above, 16 << 10);
    ck_assert_uint_eq(proposal[0].up_to, 256 << 10);
}
END_TEST

/* ---- cache.size ------------------------------------------------------------------------------ */

START_TEST(cache_is_enlarged_for_what_may_be_kept)
{
    usual();
    now.cache_bytes = MIB;
    ck_assert_uint_eq(propose(), 1);
    ck_assert_str_eq(proposal[0].option, "cache.size");
    /* 1,000 KiB for each of 2 workers, and an eighth more. */
    ck_assert_str_eq(proposal[0].value, "3m");
    ck_assert_str_eq(proposal[0].now, "1m");
    ck_assert_double_eq_tol(proposal[0].difference.ratio, 1.0 / 3, 0.01);
}
END_TEST

START_TEST(cache_stays_where_a_miss_costs_no_more)
{
    usual();
    now.cache_bytes = MIB;
    figures.miss = around(11, 40);
    ck_assert_uint_eq(propose(), 0);
    figures.hit = figures.miss = (struct sample){0};
    ck_assert_uint_eq(propose(), 0);
}
END_TEST

START_TEST(cache_takes_a_quarter_of_memory_at_most)
{
    usual();
    site.file[9].bytes = 250 << 10;
    now.workers = 40000;
    ck_assert_uint_eq(propose(), 1);
    ck_assert_str_eq(proposal[0].value, "2048m");
    ck_assert_ptr_nonnull(strstr(proposal[0].why, "a quarter of memory"));
    now.cache_bytes = 4096 * MIB;
    ck_assert_uint_eq(propose(), 0);
}
END_TEST

/* ---- model ----------------------------------------------------------------------------------- */

START_TEST(model_follows_the_cheaper_calls)
{
    static const struct {
        const char *now;
        double by_ring, noise;
        const char *proposed;
    } row[] = {
        {"epoll", 70, 1, "io_uring"}, {"epoll", 97, 30, NULL},       {"epoll", 130, 1, NULL},
        {"auto", 130, 1, "epoll"},    {"io_uring", 130, 1, "epoll"}, {"auto", 70, 1, NULL},
        {"io_uring", 70, 1, NULL},    {"prefork", 70, 1, NULL},      {"threadpool", 130, 1, NULL}};
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        usual();
        strcpy(now.model, row[i].now);
        figures.by_ring = around(row[i].by_ring, row[i].noise);
        ck_assert_uint_eq(propose(), row[i].proposed != NULL);
        if (row[i].proposed) ck_assert_str_eq(proposal[0].value, row[i].proposed);
        if (row[i].proposed) ck_assert_str_eq(proposal[0].now, row[i].now);
    }
}
END_TEST

START_TEST(ring_that_is_not_permitted)
{
    usual();
    figures.ring_permitted = false;
    figures.by_ring = figures.by_epoll = (struct sample){0};
    ck_assert_uint_eq(propose(), 0);
    strcpy(now.model, "epoll");
    ck_assert_uint_eq(propose(), 0);
    strcpy(now.model, "io_uring");
    ck_assert_uint_eq(propose(), 1);
    ck_assert_str_eq(proposal[0].value, "auto");
    ck_assert_ptr_nonnull(strstr(proposal[0].why, "would not start"));
}
END_TEST

START_TEST(nothing_measured_nothing_proposed)
{
    usual();
    figures = (struct advise_figures){.ring_permitted = true};
    now.cache_bytes = 0;
    ck_assert_uint_eq(propose(), 0);
}
END_TEST

START_TEST(all_three_at_once)
{
    usual();
    sendfile_from(8 << 10, 0.5, 1);
    strcpy(now.model, "epoll");
    figures.by_ring = around(50, 1);
    now.cache_bytes = MIB;
    ck_assert_uint_eq(propose(), 3);
    ck_assert_str_eq(proposal[0].value, "8k");
    ck_assert_str_eq(proposal[1].option, "cache.size");
    ck_assert_str_eq(proposal[2].option, "model");
}
END_TEST

/* ---- what is read ---------------------------------------------------------------------------- */

START_TEST(configuration_is_read_by_section)
{
    static const char *const line[] = {"# model = prefork",
                                       "model = io_uring",
                                       "workers = 3",
                                       "threadpool {",
                                       "    size = 9",
                                       "}",
                                       "cache {",
                                       "    # file_max = 1",
                                       "    size = 128m",
                                       "    file_max = 64k",
                                       "}",
                                       "size = 7",
                                       "workers = auto",
                                       "root = \"/srv/{ = }\"",
                                       "model_of_nothing = 1",
                                       ""};
    char section[32] = "";
    now = (struct advise_now){.workers = 2};
    for (unsigned i = 0; i < sizeof line / sizeof *line; i++)
        advise_now_line(&now, section, line[i]);
    ck_assert_str_eq(now.model, "io_uring");
    ck_assert_uint_eq(now.workers, 3);
    ck_assert_uint_eq(now.cache_bytes, 128 * MIB);
    ck_assert_uint_eq(now.file_max, 64 << 10);
}
END_TEST

START_TEST(sizes_are_written_as_serve_conf_does)
{
    char size[24];
    ck_assert_str_eq(advise_size(size, 0), "0");
    ck_assert_str_eq(advise_size(size, 1000), "1000");
    ck_assert_str_eq(advise_size(size, 1536), "1536");
    ck_assert_str_eq(advise_size(size, 65536), "64k");
    ck_assert_str_eq(advise_size(size, 3 * MIB), "3m");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_advise");
    TCase *cases = tcase_create("proposals");
    tcase_add_test(cases, nothing_differs_nothing_is_proposed);
    tcase_add_test(cases, file_max_is_lowered_to_below_where_sendfile_pays);
    tcase_add_test(cases, file_max_stays_where_the_gain_is_noise);
    tcase_add_test(cases, file_max_stays_where_no_file_would_be_served_otherwise);
    tcase_add_test(cases, file_max_stays_where_a_larger_size_contradicts);
    tcase_add_test(cases, file_max_is_raised_as_far_as_memory_is_cheaper);
    tcase_add_test(cases, cache_is_enlarged_for_what_may_be_kept);
    tcase_add_test(cases, cache_stays_where_a_miss_costs_no_more);
    tcase_add_test(cases, cache_takes_a_quarter_of_memory_at_most);
    tcase_add_test(cases, model_follows_the_cheaper_calls);
    tcase_add_test(cases, ring_that_is_not_permitted);
    tcase_add_test(cases, nothing_measured_nothing_proposed);
    tcase_add_test(cases, all_three_at_once);
    tcase_add_test(cases, configuration_is_read_by_section);
    tcase_add_test(cases, sizes_are_written_as_serve_conf_does);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
