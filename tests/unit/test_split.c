/*
 * Split invariance: a stream of bytes has one meaning, wherever it was cut on its way. Every row is
 * given whole, byte by byte, cut in two at every place, and cut at random places. The bytes of the
 * responses and the state at the end must be the same as for the whole stream.
 */
#include "core_streams.h"
#include "core_link.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define RANDOM_CUTS 200

/* The results that must not depend on the cuts. */
struct result {
    char *output;
    size_t length;
    uint64_t settled;
    enum conn_step step;
    enum close_reason reason;
    bool closing, lingering, half_closed, idle;
};

/* Each piece is in a block of exactly its size, so that a sanitizer sees reading too far. */
static void piece_feed(struct core_link *link, const char *bytes, size_t length)
{
    char *piece = malloc(length);
    memcpy(piece, bytes, length);
    core_link_feed(link, piece, length);
    free(piece);
}

static struct result result_take(struct core_link *link)
{
    const struct conn *c = &link->conn;
    struct result result = {
        .output = malloc(link->output_length + 1),
        .length = link->output_length,
        .settled = link->settled,
        .step = conn_next(c),
        .reason = conn_close_reason(c),
        .closing = c->closing,
        .lingering = c->lingering,
        .half_closed = c->half_closed,
        .idle = conn_idle(c),
    };
    if (result.length > 0) memcpy(result.output, link->output, result.length);
    core_link_close(link);
    return result;
}

/* Bytes after a request that ends the connection keep it open for a while, if they have come. */
static bool state_equals(const struct result *a, const struct result *b, bool more_behind)
{
    if (a->settled != b->settled || a->closing != b->closing || a->reason != b->reason)
        return false;
    return more_behind || (a->step == b->step && a->lingering == b->lingering &&
                           a->half_closed == b->half_closed && a->idle == b->idle);
}

static void result_compare(const struct core_stream *stream, const struct result *whole,
                           struct result cut, const char *how, size_t where)
{
    bool same = cut.length == whole->length && memcmp(cut.output, whole->output, cut.length) == 0 &&
                state_equals(whole, &cut, stream->more_behind);
    free(cut.output);
    ck_assert_msg(same, "%s: not the same when cut %s %zu", stream->name, how, where);
}

static struct result stream_whole(const struct core_stream *stream)
{
    struct core_link link;
    struct conn_rules rules = core_rules();
    core_link_open(&link, &rules);
    piece_feed(&link, stream->bytes, stream->length);
    return result_take(&link);
}

static struct result stream_pieces(const struct core_stream *stream, size_t size)
{
    struct core_link link;
    struct conn_rules rules = core_rules();
    core_link_open(&link, &rules);
    for (size_t at = 0; at < stream->length; at += size) {
        size_t left = stream->length - at;
        piece_feed(&link, stream->bytes + at, left < size ? left : size);
        core_link_rest(&link);
    }
    return result_take(&link);
}

static struct result stream_cut(const struct core_stream *stream, size_t at)
{
    struct core_link link;
    struct conn_rules rules = core_rules();
    core_link_open(&link, &rules);
    piece_feed(&link, stream->bytes, at);
    piece_feed(&link, stream->bytes + at, stream->length - at);
    return result_take(&link);
}

static struct result stream_random(const struct core_stream *stream, unsigned seed)
{
    struct core_link link;
    struct conn_rules rules = core_rules();
    core_link_open(&link, &rules);
    for (size_t at = 0; at < stream->length;) {
        size_t left = stream->length - at;
        size_t size = 1 + (size_t)rand_r(&seed) % (1 + (size_t)rand_r(&seed) % left);
        piece_feed(&link, stream->bytes + at, size);
        at += size;
    }
    return result_take(&link);
}

static void statuses_compare(const struct core_stream *stream)
{
    struct core_link link;
    struct conn_rules rules = core_rules();
    core_link_open(&link, &rules);
    piece_feed(&link, stream->bytes, stream->length);
    uint64_t expected = 0;
    while (expected < CORE_STREAM_STATUSES && stream->status[expected] != 0)
        expected++;
    for (uint64_t i = 0; i < link.settled && i < expected; i++)
        ck_assert_msg(link.status[i] == stream->status[i], "%s: answer %d is %d, not %d",
                      stream->name, (int)i, link.status[i], stream->status[i]);
    ck_assert_msg(link.settled == expected, "%s: %d answers, not %d", stream->name,
                  (int)link.settled, (int)expected);
    ck_assert_msg(link.conn.closing == stream->closes, "%s: closes: %d", stream->name,
                  link.conn.closing);
    core_link_close(&link);
}

START_TEST(stream_is_answered)
{
    struct core_stream stream = core_stream(_i);
    snprintf(core_link_story, sizeof(core_link_story), "%s", stream.name);
    statuses_compare(&stream);
    core_stream_free(&stream);
}
END_TEST

START_TEST(stream_is_split)
{
    struct core_stream stream = core_stream(_i);
    snprintf(core_link_story, sizeof(core_link_story), "%s", stream.name);
    struct result whole = stream_whole(&stream);
    for (size_t size = 1; size <= 9; size++)
        result_compare(&stream, &whole, stream_pieces(&stream, size), "into pieces of", size);
    for (size_t at = 1; at < stream.length; at++)
        result_compare(&stream, &whole, stream_cut(&stream, at), "in two at", at);
    for (unsigned seed = 1; seed <= RANDOM_CUTS; seed++)
        result_compare(&stream, &whole, stream_random(&stream, seed), "with seed", seed);
    free(whole.output);
    core_stream_free(&stream);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("split");
    TCase *answers = tcase_create("answers"), *split = tcase_create("split");
    tcase_add_loop_test(answers, stream_is_answered, 0, core_streams_count());
    tcase_add_loop_test(split, stream_is_split, 0, core_streams_count());
    suite_add_tcase(suite, answers);
    suite_add_tcase(suite, split);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
