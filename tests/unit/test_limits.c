/*
 * How a limit on descriptors is shared: never more descriptors can be open than the limit allows,
 * and with the pools that are left the server can serve.
 */
#include "start/limits.h"

#include <check.h>
#include <stdlib.h>

#define OPEN_AT_FIRST 5

static struct service loops(uint32_t workers, uint32_t connections, uint32_t kept)
{
    return (struct service){.workers = workers,
                            .processes = workers,
                            .addresses = 2,
                            .connections_max = connections,
                            .fetches_max = 256,
                            .store = {.trees = 1, .descriptors_max = kept}};
}

static struct service threads(uint32_t count)
{
    return (struct service){.workers = count,
                            .processes = 1,
                            .addresses = 1,
                            .connections_max = 1,
                            .queue_max = 256,
                            .drain_max = 4096,
                            .listeners_shared = true,
                            .store = {.trees = 1, .descriptors_max = 1024}};
}

static struct service processes(uint32_t count)
{
    return (struct service){.workers = count,
                            .processes = count,
                            .addresses = 3,
                            .connections_max = 1,
                            .drain_max = 64,
                            .listeners_shared = true,
                            .store = {.trees = 1, .descriptors_max = 1024}};
}

/* Returns what the worst peers can have open in one process: the sum of all pools. */
static uint64_t at_worst(const struct service *s)
{
    uint64_t stores = s->workers / s->processes;
    uint64_t listeners = (s->listeners_shared ? 1 : s->workers) * s->addresses;
    uint64_t accepted = stores * s->connections_max + s->queue_max + s->drain_max;
    uint64_t files = stores * (s->store.descriptors_max + s->store.descriptors_lent_max);
    return OPEN_AT_FIRST + listeners + accepted + files + stores * s->fetches_max;
}

static const uint64_t limits[] = {48,    64,    100,   128,    200,     256,
                                  400,   512,   700,   1024,   2000,    4096,
                                  10000, 20000, 65536, 524288, 1048576, UINT64_MAX};

START_TEST(never_more_than_there_are)
{
    const struct service asked[] = {loops(1, 16384, 1024), loops(1, 16, 0), loops(4, 100, 1000000),
                                    loops(8, 1000000, 1),  threads(1),      threads(64),
                                    threads(4096),         processes(8),    processes(4096)};
    uint64_t descriptors = limits[_i];
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct service s = asked[i];
        bool fewer = descriptors_share(&s, OPEN_AT_FIRST, descriptors);
        ck_assert_uint_le(descriptors_needed(&s, OPEN_AT_FIRST), descriptors);
        ck_assert_uint_lt(at_worst(&s), descriptors);
        ck_assert(s.workers >= 1 && s.connections_max >= 1 && s.store.descriptors_lent_max >= 1);
        ck_assert(asked[i].fetches_max == 0 || s.fetches_max >= 1);
        ck_assert_uint_le(s.store.descriptors_lent_max, s.connections_max);
        ck_assert(fewer ==
                  (s.workers != asked[i].workers || s.connections_max != asked[i].connections_max ||
                   s.store.descriptors_max != asked[i].store.descriptors_max));
    }
}
END_TEST

/* What the defaults ask for, and what is left of it. */
static const struct {
    uint64_t descriptors;
    uint32_t connections, kept, lent;
} left[] = {
    {UINT64_MAX, 16384, 1024, 16384}, /* each connection may be lent its own file */
    {40000, 16384, 1024, 16384},
    {20000, 16384, 1024, 2302},
    {2000, 1310, 500, 125},
};

START_TEST(what_is_left)
{
    struct service s = loops(1, 16384, 1024);
    bool fewer = descriptors_share(&s, OPEN_AT_FIRST, left[_i].descriptors);
    ck_assert_uint_eq(s.connections_max, left[_i].connections);
    ck_assert_uint_eq(s.store.descriptors_max, left[_i].kept);
    ck_assert_uint_eq(s.store.descriptors_lent_max, left[_i].lent);
    ck_assert(fewer == (left[_i].connections < 16384));
}
END_TEST

/* With few descriptors there are still enough to serve some connections. */
START_TEST(with_few)
{
    struct service s = loops(1, 16384, 1024), t = threads(32);
    ck_assert(descriptors_share(&s, OPEN_AT_FIRST, 64));
    ck_assert_uint_ge(s.connections_max, 16);
    ck_assert(descriptors_share(&t, OPEN_AT_FIRST, 64));
    ck_assert_uint_ge(t.workers, 5);
    ck_assert_uint_ge(t.queue_max, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("limits");
    TCase *tcase = tcase_create("limits");
    tcase_add_loop_test(tcase, never_more_than_there_are, 0,
                        (int)(sizeof(limits) / sizeof(limits[0])));
    tcase_add_loop_test(tcase, what_is_left, 0, (int)(sizeof(left) / sizeof(left[0])));
    tcase_add_test(tcase, with_few);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
