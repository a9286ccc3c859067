/*
 * Asks for ranges of a representation, and checks what must be true of every result.
 */
#ifndef RANGE_ASK_H
#define RANGE_ASK_H

#include "http/range.h"

#include <check.h>
#include <stdlib.h>

#define NOW_SECONDS INT64_C(1700000000)
#define MOST 16 /* ranges, unless a test says otherwise */

struct answer {
    enum range_kind kind;
    struct ranges ranges; /* empty but for RANGE_PARTS */
};

static inline struct answer ask(const struct fields *fields, const struct representation *r,
                                uint32_t most, int64_t now_seconds)
{
    struct answer answer;
    memset(&answer, 0xa5, sizeof(answer));
    answer.kind = range_select(fields, r, most, now_seconds, &answer.ranges);
    if (answer.kind != RANGE_PARTS) answer.ranges.count = 0;
    ck_assert_uint_le(answer.ranges.count, most);
    return answer;
}

static inline struct answer select_most(const char *value, size_t size, uint64_t length,
                                        uint32_t most)
{
    struct representation r = {.length = length, .etag = {"\"e\"", 3}};
    struct fields fields = {0};
    char *copy = malloc(size);
    if (size > 0) memcpy(copy, value, size);
    fields_add(&fields, FIELD_RANGE, (struct text){copy, size});
    struct answer answer = ask(&fields, &r, most, NOW_SECONDS);
    free(copy);
    return answer;
}

static inline void parts_check(const struct answer *answer, uint64_t length)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < answer->ranges.count; i++) {
        struct range a = answer->ranges.part[i];
        ck_assert(a.length > 0 && a.offset < length && a.length <= length - a.offset);
        ck_assert(!__builtin_add_overflow(sum, a.length, &sum) && sum <= length);
        for (uint32_t j = 0; j < i; j++) {
            struct range b = answer->ranges.part[j];
            ck_assert(a.offset > b.offset + b.length || b.offset > a.offset + a.length);
        }
    }
}

static uint64_t random_state = UINT64_C(0xd1b54a32d192ed03);

static inline uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

#endif
