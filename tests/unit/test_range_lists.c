/*
 * Lists of ranges: how many and how much may be asked for, attacks, and how they merge.
 */
#include "range_ask.h"

#include <inttypes.h>
#include <stdio.h>

/* Adds "first-last" to a list; UNSAID leaves one of them out. */
#define UNSAID UINT64_MAX

struct list {
    char value[100000];
    size_t size;
};

static void list_add(struct list *list, uint64_t first, uint64_t last)
{
    char *at = list->value, *end = at + sizeof(list->value);
    if (list->size == 0) list->size = (size_t)sprintf(at, "bytes=");
    at += list->size;
    if (at[-1] != '=') *at++ = ',';
    if (first != UNSAID) at += snprintf(at, (size_t)(end - at), "%" PRIu64, first);
    *at++ = '-';
    if (last != UNSAID) at += snprintf(at, (size_t)(end - at), "%" PRIu64, last);
    list->size = (size_t)(at - list->value);
    ck_assert_uint_lt(list->size, sizeof(list->value) - 50);
}

/* As many as are allowed and one more, whether they touch, do not, or cannot be satisfied. */
START_TEST(number_is_limited)
{
    const uint64_t step = (uint64_t)_i + 1, begin = _i == 2 ? 5000 : 0;
    for (uint32_t most = 1; most <= RANGES_MAX; most += most < 4 ? 1 : 5) {
        static struct list list;
        list.size = 0;
        for (uint32_t asked = 1; asked <= most + 1; asked++) {
            list_add(&list, begin + asked * step, begin + asked * step);
            struct answer answer = select_most(list.value, list.size, 5000, most);
            if (asked > most)
                ck_assert_int_eq(answer.kind, RANGE_WHOLE);
            else if (_i == 2)
                ck_assert_int_eq(answer.kind, RANGE_UNSATISFIABLE);
            else
                ck_assert_uint_eq(answer.ranges.count, _i == 0 ? 1 : asked);
        }
    }
}
END_TEST

/* Attacks: thousands of ranges, overlapping, nested, tiny, backwards. Each is the whole. */
START_TEST(storm_is_the_whole)
{
    static struct list list;
    list.size = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        const uint64_t kinds[][2] = {{0, UNSAID},   {5, i},           {2 * i, 2 * i},
                                     {0, i},        {UNSAID, i + 1},  {i, UNSAID},
                                     {i, 6000 - i}, {6000 - i, 6000}, {UNSAID, UNSAID}};
        list_add(&list, kinds[_i][0], kinds[_i][1]);
    }
    ck_assert_int_eq(select_most(list.value, list.size, 1 << 20, MOST).kind, RANGE_WHOLE);
    ck_assert_int_eq(select_most(list.value, list.size, 1 << 20, RANGES_MAX).kind, RANGE_WHOLE);
}
END_TEST

/* What an operator may allow is what there is room for. */
START_TEST(option_has_the_same_limit)
{
    uint64_t most_allowed = 0;
#define OPTION(kind, section, name, fallback, least, most, ...) \
    if (strcmp(#section #name, "limits_ranges") == 0) most_allowed = most;
#include "zcserve/options.def"
#undef OPTION
    ck_assert_uint_eq(most_allowed, RANGES_MAX);
}
END_TEST

/* ---- held against a second way to see them: a byte map and flood fill ------------------------- */

#define MAP 24

struct asked {
    unsigned first, last;
};

/* What is due: bytes that belong together have the number of the first range that reaches them. */
static void map_fill(const struct asked *asked, unsigned count, unsigned length, unsigned map[MAP])
{
    memset(map, 0, MAP * sizeof(map[0]));
    for (unsigned i = 0; i < count; i++)
        for (unsigned at = asked[i].first; at <= asked[i].last && at < length; at++)
            if (map[at] == 0) map[at] = i + 1;
    for (unsigned begin = 0, end; begin < length; begin = end + 1) {
        unsigned least = count + 1;
        for (end = begin; end < length && map[end] > 0; end++)
            least = map[end] < least ? map[end] : least;
        for (unsigned at = begin; at < end; at++)
            map[at] = least;
    }
}

static void list_check(const struct asked *asked, unsigned count, unsigned length)
{
    static struct list list;
    list.size = 0;
    unsigned map[MAP], bytes = 0, before = 0;
    for (unsigned i = 0; i < count; i++) {
        list_add(&list, asked[i].first, asked[i].last);
        for (unsigned at = asked[i].first; at <= asked[i].last; at++)
            bytes += at < length;
    }
    struct answer answer = select_most(list.value, list.size, length, MOST);
    parts_check(&answer, length);
    ck_assert_int_eq(answer.kind, bytes > length ? RANGE_WHOLE
                                  : bytes == 0   ? RANGE_UNSATISFIABLE
                                                 : RANGE_PARTS);
    if (answer.kind != RANGE_PARTS) return;
    map_fill(asked, count, length, map);
    for (uint32_t i = 0; i < answer.ranges.count; i++) {
        struct range part = answer.ranges.part[i];
        unsigned number = map[part.offset];
        ck_assert_msg(number > before, "%s of %u: part %u is out of place", list.value, length, i);
        before = number;
        for (uint64_t at = part.offset; at < part.offset + part.length; at++) {
            ck_assert_msg(map[at] == number, "%s of %u: part %u", list.value, length, i);
            map[at] = 0;
        }
    }
    for (unsigned at = 0; at < length; at++)
        ck_assert_msg(map[at] == 0, "%s of %u: byte %u is missing", list.value, length, at);
}

static unsigned below(unsigned limit)
{
    return (unsigned)(random_number() % limit);
}

START_TEST(random_lists)
{
    for (int i = 0; i < 20000; i++) {
        struct asked asked[6];
        unsigned count = 1 + below(6), length = 1 + below(MAP), longest = 1 + below(5);
        for (unsigned j = 0; j < count; j++) {
            asked[j].first = below(MAP + 3);
            asked[j].last = asked[j].first + below(longest);
        }
        list_check(asked, count, length);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("range_lists");
    TCase *cases = tcase_create("range_lists");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, number_is_limited, 0, 3);
    tcase_add_loop_test(cases, storm_is_the_whole, 0, 9);
    tcase_add_test(cases, option_has_the_same_limit);
    tcase_add_test(cases, random_lists);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
