/*
 * Responses as segments: small ones are gathered into one, large contents are pointed to, and
 * wherever a send stops, the next one continues from there.
 */
#include "core_link.h"
#include "http/output.h"
#include "http/status.h"
#include "multipart_read.h"

#include <check.h>
#include <stdlib.h>

static struct conn_rules rules;
static struct output *output;
static struct output_place more[OUTPUT_PLACES(RANGES_MAX) - 1];
static const struct target target = {.form = TARGET_ORIGIN, .path = {"", 0}};
static struct now now;

static void set_up(void)
{
    rules = core_rules();
    now = core_now(0);
    output = malloc(sizeof(*output) + output_size(&rules));
    output_open(output, &rules, more);
    output_begin(output, (char *)(output + 1));
}

static void tear_down(void)
{
    free(output);
}

/* Adds the response `plan`, for which its representation was lent. */
static void plan_add(const struct plan *plan)
{
    output_next_exchange(output)->lent = plan->selected;
    output_add(output, plan, &rules, &target, &now);
}

/* Adds the 200 response of a canned file, or a 404 for NULL. Returns its exchange. */
static const struct exchange *answer_add(const char *file)
{
    struct plan plan = {.status = 404, .page = status_page(404), .keep_alive = true};
    if (file) {
        const struct representation *r = core_representation(file);
        plan = (struct plan){.status = 200, .selected = r, .length = r->length, .keep_alive = true};
    }
    ck_assert(output_has_room(output));
    plan_add(&plan);
    return output_exchange(output, output->planned - 1);
}

/* Sends all that is to be sent, at most `most` bytes at a time. Returns how many bytes it was. */
static size_t drain(char *to, size_t size, uint64_t most)
{
    size_t length = 0;
    while (output_is_pending(output)) {
        struct outgoing out;
        output_next(output, &out);
        uint64_t part = out.length < most ? out.length : most, left = part;
        ck_assert_uint_le(length + part, size);
        for (int i = 0; i < out.count && left > 0; i++) {
            size_t n = left < out.vector[i].iov_len ? (size_t)left : out.vector[i].iov_len;
            memcpy(to + length + (part - left), out.vector[i].iov_base, n);
            left -= n;
        }
        for (; left > 0; left--) /* bytes of the file */
            to[length + (part - left)] = core_content_byte(out.offset + (part - left));
        length += part;
        output_sent(output, part, &now);
    }
    return length;
}

START_TEST(small_answers_leave_together)
{
    struct outgoing out;
    uint64_t sum = 0;
    const char *const files[] = {"", "small", NULL, "inline", "empty"};
    for (size_t i = 0; i < 5; i++) {
        const struct exchange *exchange = answer_add(files[i]);
        ck_assert_uint_eq(exchange->offset, sum);
        sum += exchange->length;
    }
    output_next(output, &out);
    ck_assert_int_eq(out.count, 1);
    ck_assert_int_eq(out.fd, -1);
    ck_assert_uint_eq(out.length, sum);
    ck_assert(!out.more);
    ck_assert_uint_eq(output->segments, 1);
}
END_TEST

START_TEST(facts_are_filled_in)
{
    const struct exchange *exchange = answer_add("zip");
    ck_assert_uint_eq(exchange->status, 200);
    ck_assert_int_eq(exchange->coding, CODING_GZIP);
    ck_assert_int_eq(exchange->source, SOURCE_MEMORY);
    ck_assert_uint_eq(exchange->length, exchange->head_length + 300);
    exchange = answer_add("empty");
    ck_assert_int_eq(exchange->source, SOURCE_NONE);
    ck_assert_uint_eq(exchange->length, exchange->head_length);
    exchange = answer_add(NULL);
    ck_assert_int_eq(exchange->source, SOURCE_NONE);
    ck_assert_uint_eq(exchange->length, exchange->head_length + status_page(404).length);
}
END_TEST

START_TEST(head_only_has_no_content)
{
    const struct representation *r = core_representation("file");
    struct plan plan = {.status = 200, .selected = r, .length = r->length, .head_only = true};
    plan_add(&plan);
    ck_assert_uint_eq(output_exchange(output, 0)->length, output_exchange(output, 0)->head_length);
    plan = (struct plan){.status = 404, .page = status_page(404), .head_only = true};
    plan_add(&plan);
    ck_assert_uint_eq(output_exchange(output, 1)->length, output_exchange(output, 1)->head_length);
    ck_assert_uint_eq(output->segments, 1);
}
END_TEST

START_TEST(large_content_is_pointed_to)
{
    struct outgoing out;
    const struct exchange *exchange = answer_add("large");
    answer_add("small");
    output_next(output, &out);
    ck_assert_int_eq(out.count, 3);
    ck_assert_uint_eq(out.vector[0].iov_len, exchange->head_length);
    ck_assert_ptr_eq(out.vector[1].iov_base, core_representation("large")->content);
    ck_assert_uint_eq(out.vector[1].iov_len, 5000);
    ck_assert(!out.more);
}
END_TEST

START_TEST(file_follows_its_head)
{
    struct outgoing out;
    uint64_t before = answer_add("small")->length;
    ck_assert(!output_holds_file(output));
    const struct exchange *exchange = answer_add("file");
    ck_assert(output_holds_file(output));
    uint64_t after = answer_add("small")->length;
    output_next(output, &out);
    ck_assert_int_eq(out.count, 1);
    ck_assert(out.more); /* so that head and file share packets */
    ck_assert_uint_eq(out.length, before + exchange->head_length);
    output_sent(output, out.length, &now);
    output_next(output, &out);
    ck_assert_int_eq(out.count, 0);
    ck_assert_int_eq(out.fd, CORE_FILE_FD);
    ck_assert_uint_eq(out.offset, 0);
    ck_assert_uint_eq(out.length, 20000);
    output_sent(output, 19999, &now);
    output_next(output, &out);
    ck_assert_uint_eq(out.offset, 19999);
    ck_assert_uint_eq(out.length, 1);
    output_sent(output, 1, &now);
    output_next(output, &out);
    ck_assert_int_eq(out.count, 1);
    ck_assert_uint_eq(out.length, after);
    ck_assert(!out.more);
    output_sent(output, after, &now);
    ck_assert(!output_is_pending(output));
}
END_TEST

START_TEST(range_begins_at_its_offset)
{
    struct outgoing out;
    const struct representation *r = core_representation("file");
    struct plan plan = {.status = 206, .selected = r, .offset = 7, .length = 11};
    plan_add(&plan);
    output_next(output, &out);
    output_sent(output, out.length, &now);
    output_next(output, &out);
    ck_assert_uint_eq(out.offset, 7);
    ck_assert_uint_eq(out.length, 11);
}
END_TEST

/* ---- several parts --------------------------------------------------------------------------- */

static struct ranges ranges;

/* Adds the 206 of `count` parts of a canned file: `length` bytes each, every `step` bytes. */
static const struct exchange *parts_add(const char *file, uint32_t count, uint64_t step,
                                        uint64_t length)
{
    const struct representation *r = core_representation(file);
    struct plan plan = {.status = 206, .selected = r, .ranges = &ranges, .length = count * length};
    ranges.count = count;
    for (uint32_t i = 0; i < count; i++)
        ranges.part[i] = (struct range){i * step, length};
    ck_assert(output_has_room(output));
    plan_add(&plan);
    return output_exchange(output, output->planned - 1);
}

/* Checks that `sent` is a head and these parts, and nothing else. */
static void parts_check(const char *sent, const struct exchange *exchange, uint64_t step,
                        uint64_t length)
{
    struct text rest = {sent, exchange->head_length}, boundary, before;
    struct text content = {sent + exchange->head_length,
                           (size_t)exchange->length - exchange->head_length};
    struct read_part part[RANGES_MAX];
    uint64_t announced;
    ck_assert(until_take(&rest, TEXT("boundary="), &before));
    ck_assert(until_take(&rest, TEXT("\r\nContent-Length: "), &boundary));
    ck_assert(digits_take(&rest, &announced));
    ck_assert_uint_eq(announced, content.length);
    int count = multipart_read(content, boundary, part, RANGES_MAX);
    ck_assert_int_eq(count, (int)ranges.count);
    for (int i = 0; i < count; i++) {
        ck_assert_uint_eq(part[i].first, (uint64_t)i * step);
        ck_assert_uint_eq(part[i].content.length, length);
        for (uint64_t at = 0; at < length; at++)
            ck_assert_int_eq(part[i].content.base[at], core_content_byte(part[i].first + at));
    }
}

/* The bytes of a file are not copied: each part is a segment of the file, between segments of memory. */
START_TEST(parts_of_a_file)
{
    static char sent[12000];
    const struct exchange *exchange = parts_add("file", 3, 7000, 3000);
    ck_assert_uint_eq(output->segments, 7);
    for (uint32_t i = 0; i < output->segments; i++) {
        const struct segment *s = output_segment(output, i);
        ck_assert_int_eq(s->fd, i % 2 == 1 ? CORE_FILE_FD : -1);
        if (i % 2 == 1) ck_assert(s->offset == i / 2 * 7000 && s->length == 3000);
    }
    ck_assert(output_holds_file(output));
    ck_assert_int_eq(exchange->source, SOURCE_PAGE_CACHE);
    ck_assert_uint_eq(drain(sent, sizeof(sent), UINT64_MAX), exchange->length);
    parts_check(sent, exchange, 7000, 3000);
}
END_TEST

START_TEST(parts_of_memory)
{
    struct outgoing out;
    static char sent[12000];
    const uint64_t length = INLINE_BYTES_MAX + 1;
    const struct exchange *exchange = parts_add("large", 3, 1500, length);
    output_next(output, &out);
    ck_assert_int_eq(out.count, 7);
    ck_assert_ptr_eq(out.vector[3].iov_base, core_representation("large")->content + 1500);
    ck_assert(!out.more && !output_holds_file(output));
    ck_assert_int_eq(exchange->source, SOURCE_MEMORY);
    ck_assert_uint_eq(drain(sent, sizeof(sent), UINT64_MAX), exchange->length);
    parts_check(sent, exchange, 1500, length);
}
END_TEST

/* Small parts are copied behind their heads, INLINE_BYTES_MAX bytes in all: then no segment is needed. */
START_TEST(small_parts_are_copied)
{
    struct outgoing out;
    static char sent[12000];
    const struct exchange *exchange = parts_add("large", 4, 1001, INLINE_BYTES_MAX / 4);
    ck_assert_uint_eq(output->segments, 1);
    ck_assert_uint_eq(drain(sent, sizeof(sent), UINT64_MAX), exchange->length);
    parts_check(sent, exchange, 1001, INLINE_BYTES_MAX / 4);
    output_clear(output);
    exchange = parts_add("large", 4, 1001, INLINE_BYTES_MAX / 4 + 1);
    output_next(output, &out);
    ck_assert_int_eq(out.count, 3);
    ck_assert_ptr_eq(out.vector[1].iov_base, core_representation("large")->content + 3003);
    ck_assert_uint_eq(drain(sent, sizeof(sent), UINT64_MAX), exchange->length);
    parts_check(sent, exchange, 1001, INLINE_BYTES_MAX / 4 + 1);
}
END_TEST

/* Adds as many responses as fit when one more is to fit behind them. */
static void output_fill(const char *file)
{
    uint32_t count = 0;
    for (; output->planned < EXCHANGES_MAX && output_has_room(output); count++)
        answer_add(file);
    output_clear(output);
    while (output->planned < count - 1)
        answer_add(file);
}

/* The most responses with the most segments or bytes, and behind them the most parts. */
static const struct {
    const char *before, *file;
    uint64_t length;
} fullest[] = {
    {"large", "large", INLINE_BYTES_MAX + 1},
    {"inline", "large", INLINE_BYTES_MAX / 16}, /* so many are copied */
    {"inline", "file", 60},
};

START_TEST(most_parts_fit)
{
    static char sent[300000];
    rules.ranges_max = RANGES_MAX;
    output = realloc(output, sizeof(*output) + output_size(&rules));
    output_open(output, &rules, more);
    output_begin(output, (char *)(output + 1));
    output_fill(fullest[_i].before);
    const struct exchange *exchange =
        parts_add(fullest[_i].file, RANGES_MAX, 60, fullest[_i].length);
    if (_i == 0) ck_assert_uint_eq(output->segments, SEGMENTS_MAX(RANGES_MAX));
    ck_assert_uint_eq(drain(sent, sizeof(sent), 1000), output->planned_bytes);
    parts_check(sent + exchange->offset, exchange, 60, fullest[_i].length);
}
END_TEST

/* However small it is, no response is added behind it. The next output has room again. */
START_TEST(parts_come_last)
{
    answer_add("small");
    parts_add("small", 2, 9, 1);
    ck_assert(!output_has_room(output));
    ck_assert_uint_eq(output->planned, 2);
    output_clear(output);
    ck_assert(output_has_room(output));
}
END_TEST

START_TEST(parts_are_not_sent_with_a_head_only)
{
    struct plan plan = {.status = 206,
                        .selected = core_representation("file"),
                        .ranges = &ranges,
                        .length = 2,
                        .head_only = true};
    ranges = (struct ranges){.count = 2, .part = {{0, 1}, {5, 1}}};
    plan_add(&plan);
    ck_assert_uint_eq(output_exchange(output, 0)->length, output_exchange(output, 0)->head_length);
    ck_assert_int_eq(output_exchange(output, 0)->source, SOURCE_NONE);
}
END_TEST

/* ---- sends ----------------------------------------------------------------------------------- */

/* The bytes sent do not depend on how much one send takes. */
START_TEST(sends_of_any_size)
{
    const char *const files[] = {"small", "file", "large", NULL, "empty", "inline"};
    static char whole[40000], parts[40000];
    size_t whole_length = 0;
    for (uint64_t most = 40000; most > 0; most = most > 600 ? most - 599 : most - 1) {
        output_clear(output);
        for (size_t i = 0; i < 6; i++)
            answer_add(files[i]);
        size_t length = drain(whole_length == 0 ? whole : parts, sizeof(whole), most);
        if (whole_length == 0) {
            whole_length = length;
            continue;
        }
        ck_assert_uint_eq(length, whole_length);
        ck_assert_int_eq(memcmp(whole, parts, length), 0);
    }
    ck_assert_uint_gt(whole_length, 26000);
}
END_TEST

START_TEST(a_send_may_stop_at_any_byte)
{
    static char whole[12000], parts[12000];
    answer_add("large");
    answer_add("small");
    size_t length = drain(whole, sizeof(whole), UINT64_MAX);
    for (size_t at = 1; at < length; at++) {
        output_clear(output);
        answer_add("large");
        answer_add("small");
        struct outgoing out;
        output_next(output, &out);
        uint64_t left = at;
        size_t copied = 0;
        for (int i = 0; left > 0; i++) {
            size_t n = left < out.vector[i].iov_len ? (size_t)left : out.vector[i].iov_len;
            memcpy(parts + copied, out.vector[i].iov_base, n);
            copied += n;
            left -= n;
        }
        output_sent(output, at, &now);
        ck_assert_uint_eq(at + drain(parts + at, sizeof(parts) - at, UINT64_MAX), length);
        ck_assert_int_eq(memcmp(whole, parts, length), 0);
    }
}
END_TEST

START_TEST(as_many_as_there_is_room_for)
{
    struct outgoing out;
    int count = 0;
    while (output_has_room(output)) {
        answer_add("empty");
        count++;
    }
    ck_assert_int_eq(count, EXCHANGES_MAX);
    output_clear(output);
    for (count = 0; output_has_room(output); count++)
        answer_add("inline");
    ck_assert_int_gt(count, 8);
    ck_assert_int_lt(count, EXCHANGES_MAX);
    ck_assert_uint_le(output->used, output->size);
    output_clear(output);
    for (count = 0; output_has_room(output); count++)
        answer_add("large");
    ck_assert_uint_eq(output->segments, 2 * EXCHANGES_MAX);
    output_next(output, &out);
    ck_assert_int_eq(out.count, OUTGOING_VECTORS_MAX);
    ck_assert(out.more);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("output");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, small_answers_leave_together);
    tcase_add_test(tcase, facts_are_filled_in);
    tcase_add_test(tcase, head_only_has_no_content);
    tcase_add_test(tcase, large_content_is_pointed_to);
    tcase_add_test(tcase, file_follows_its_head);
    tcase_add_test(tcase, range_begins_at_its_offset);
    tcase_add_test(tcase, parts_of_a_file);
    tcase_add_test(tcase, parts_of_memory);
    tcase_add_test(tcase, small_parts_are_copied);
    tcase_add_loop_test(tcase, most_parts_fit, 0, sizeof(fullest) / sizeof(fullest[0]));
    tcase_add_test(tcase, parts_come_last);
    tcase_add_test(tcase, parts_are_not_sent_with_a_head_only);
    tcase_add_test(tcase, sends_of_any_size);
    tcase_add_test(tcase, a_send_may_stop_at_any_byte);
    tcase_add_test(tcase, as_many_as_there_is_room_for);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
