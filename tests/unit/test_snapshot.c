/*
 * Tests of src/tool/snapshot.c: the figures of a server are read exactly, and a status that is
 * wrong, hostile or huge is refused.
 */
#include "tool/snapshot.h"

#include "recorded.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "{\"schema\":1,\"unit_seconds\":1.6e-08,\"sub_buckets\":64,\"exact_below\":128,"

static int parse(const char *text, struct snapshot *out, char *problem)
{
    return snapshot_parse(text, strlen(text), out, problem);
}

START_TEST(recorded)
{
    struct snapshot snapshot;
    char problem[SNAPSHOT_PROBLEM_MAX] = "";
    size_t length;
    char *text = recorded_read("status.json", &length);
    ck_assert_msg(snapshot_parse(text, length, &snapshot, problem) == 0, "%s", problem);
    free(text);
    ck_assert_str_eq(snapshot.model, "epoll");
    ck_assert_str_eq(snapshot.state, "serving");
    ck_assert_str_eq(snapshot.root, "/srv/www");
    ck_assert_uint_eq(snapshot.workers, 1);
    ck_assert_uint_eq(snapshot.processes, 3);
    ck_assert_str_eq(snapshot.process[2].name, "worker");
    ck_assert_uint_eq(snapshot.process[2].pid, snapshot.worker[0].process);
    ck_assert_double_eq_tol(snapshot.process[2].system_seconds, 0.27, 1e-9);
    const struct slot_snapshot *total = &snapshot.total;
    ck_assert_uint_eq(total->requests, 39892);
    ck_assert_uint_eq(total->answers_2xx, 39892);
    ck_assert_uint_eq(total->calls[CALL_WAIT], snapshot.worker[0].calls[CALL_WAIT]);
    ck_assert_ptr_nonnull(total->latency[PHASE_TOTAL][SOURCE_MEMORY]);
    ck_assert_ptr_null(total->latency[PHASE_TOTAL][SOURCE_DISK]);
    struct distribution all = {0};
    slot_snapshot_latency(total, PHASE_TOTAL, SOURCE_COUNT, &all);
    ck_assert_uint_eq(all.count, 39892);
    /* The values that the server computed from the same buckets and printed. */
    ck_assert_double_eq_tol(distribution_percentile(&all, 0.5) * 16e-9, 1.2728e-05, 1e-9);
    ck_assert_double_eq_tol(distribution_percentile(&all, 0.99) * 16e-9, 4.2232e-05, 1e-9);
    ck_assert_uint_eq(total->measure[MEASURE_TURN]->count, 20001);
    snapshot_free(&snapshot);
    ck_assert_ptr_null(snapshot.worker);
}
END_TEST

/* A status that is cut anywhere is refused, and leaks nothing (the sanitizer checks that). */
START_TEST(cut_anywhere)
{
    struct snapshot snapshot;
    char problem[SNAPSHOT_PROBLEM_MAX];
    size_t length;
    char *text = recorded_read("status.json", &length);
    while (length > 0 && text[length - 1] != '}')
        length--; /* its last newline is not needed */
    for (size_t cut = 0; cut < length; cut += cut < 4000 ? 7 : 701) {
        ck_assert_int_eq(snapshot_parse(text, cut, &snapshot, problem), -1);
        ck_assert_ptr_null(snapshot.worker);
        ck_assert_ptr_null(snapshot.process);
    }
    free(text);
}
END_TEST

static const char *const refused[] = {
    "",
    "null",
    "[]",
    "7",
    "\"text\"",
    "{",
    "{}",
    "\xff\xfe",
    "{\"schema\":1}",
    "{\"schema\":2,\"unit_seconds\":1.6e-08,\"sub_buckets\":64,\"exact_below\":128,\"total\":{}}",
    "{\"schema\":1,\"unit_seconds\":1.6e-07,\"sub_buckets\":64,\"exact_below\":128,\"total\":{}}",
    "{\"schema\":1,\"unit_seconds\":1.6e-08,\"sub_buckets\":32,\"exact_below\":128,\"total\":{}}",
    HEAD "\"total\":[]}",
    HEAD "\"total\":{\"counters\":[]}}",
    HEAD "\"total\":{\"counters\":{\"requests\":-1}}}",
    HEAD "\"total\":{\"counters\":{\"requests\":1.5}}}",
    HEAD "\"total\":{\"counters\":{\"requests\":\"1\"}}}",
    HEAD "\"total\":{\"counters\":{\"requests\":99999999999999999999}}}",
    HEAD "\"total\":{\"counters\":{\"requests\":1,\"requests\":2}}}",
    HEAD "\"total\":{\"turn\":{\"count\":1,\"sum_seconds\":1}}}",
    HEAD "\"total\":{\"turn\":{\"count\":1,\"sum_seconds\":1e300,\"buckets\":[]}}}",
    HEAD "\"total\":{\"turn\":{\"count\":1,\"sum_seconds\":1,\"buckets\":[[1792,1]]}}}",
    HEAD "\"total\":{\"turn\":{\"count\":1,\"sum_seconds\":1,\"buckets\":[[-1,1]]}}}",
    HEAD "\"total\":{\"turn\":{\"count\":1,\"sum_seconds\":1,\"buckets\":[[1]]}}}",
    HEAD "\"total\":{\"turn\":{\"count\":1,\"sum_seconds\":1,\"buckets\":[7]}}}",
    HEAD "\"total\":{\"latency\":{\"total\":[]}}}",
    HEAD "\"total\":{},\"workers\":{}}",
    HEAD "\"total\":{},\"workers\":[3]}",
    HEAD "\"total\":{},\"server\":{\"model\":7}}",
    HEAD "\"total\":{},\"processes\":[{\"cpu_user_seconds\":-1}]}",
    HEAD "\"total\":{}} and more",
};

START_TEST(wrong_is_refused)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct snapshot snapshot;
        char problem[SNAPSHOT_PROBLEM_MAX] = "";
        ck_assert_msg(parse(refused[i], &snapshot, problem) == -1, "taken: %s", refused[i]);
        ck_assert_msg(problem[0] && strlen(problem) < SNAPSHOT_PROBLEM_MAX, "no reason: %s",
                      refused[i]);
        ck_assert_ptr_null(snapshot.worker);
    }
}
END_TEST

START_TEST(what_is_missing_is_nothing)
{
    struct snapshot snapshot;
    char problem[SNAPSHOT_PROBLEM_MAX] = "";
    ck_assert_msg(parse(HEAD
                        "\"new\":[1],\"total\":{\"newer\":{},\"turn\":null,\"batch\":{\"count\":0},"
                        "\"counters\":{\"later\":-3,\"requests\":5}}}",
                        &snapshot, problem) == 0,
                  "%s", problem);
    ck_assert_uint_eq(snapshot.total.requests, 5);
    ck_assert_uint_eq(snapshot.total.accepted, 0);
    ck_assert_ptr_null(snapshot.total.measure[MEASURE_TURN]);
    ck_assert_ptr_null(snapshot.total.measure[MEASURE_BATCH]);
    ck_assert_uint_eq(snapshot.workers, 0);
    snapshot_free(&snapshot);
}
END_TEST

/* A text could control the terminal, or be too long for its space. */
START_TEST(texts_are_tame)
{
    struct snapshot snapshot;
    char problem[SNAPSHOT_PROBLEM_MAX] = "", text[3000], name[1001];
    memset(name, 'n', 1000);
    name[1000] = '\0';
    snprintf(text, sizeof(text),
             HEAD "\"total\":{},\"server\":{\"model\":\"a\\u001b[2Jb\\n\\u007f\","
                  "\"version\":\"%s\",\"listen\":[\"%s\"]}}",
             name, name);
    ck_assert_msg(parse(text, &snapshot, problem) == 0, "%s", problem);
    ck_assert_str_eq(snapshot.model, "a?[2Jb??");
    ck_assert_uint_eq(strlen(snapshot.version), SNAPSHOT_TEXT_MAX - 1);
    snapshot_free(&snapshot);
}
END_TEST

/* A problem is reported with bytes of the other side. */
START_TEST(a_problem_cannot_steer_a_terminal)
{
    static const char *const texts[] = {"{\"a\":\x1b[31m", "{\"a\":\"b\" \"\xc2\x9b[2J\"}",
                                        "\"\xe2\x80\xae\" x", "{\"\\u009b\":1 \xe2\x80\xae"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct snapshot snapshot;
        char problem[SNAPSHOT_PROBLEM_MAX] = "";
        ck_assert_int_eq(parse(texts[i], &snapshot, problem), -1);
        for (const char *at = problem; *at; at++)
            ck_assert_msg(*at >= ' ' && *at < 0x7f, "%zu: %s", i, problem);
    }
}
END_TEST

static char *repeated(const char *before, const char *each, size_t count, const char *after)
{
    size_t length = strlen(each);
    char *text = malloc(strlen(before) + count * length + strlen(after) + 1), *at = text;
    ck_assert_ptr_nonnull(text);
    at = stpcpy(at, before);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, each);
    strcpy(at, after);
    return text;
}

START_TEST(huge)
{
    struct snapshot snapshot;
    char problem[SNAPSHOT_PROBLEM_MAX] = "";
    char *deep = repeated("", "[", 1000000, "");
    ck_assert_int_eq(parse(deep, &snapshot, problem), -1);
    free(deep);
    char *many = repeated(HEAD "\"total\":{},\"workers\":[", "{},", SNAPSHOT_WORKERS_MAX, "{}]}");
    ck_assert_int_eq(parse(many, &snapshot, problem), -1);
    free(many);
    /* So many values in one bucket that their sum would overflow. */
    char *full = repeated(HEAD "\"total\":{\"turn\":{\"count\":1,\"sum_seconds\":1,\"buckets\":[",
                          "[5,9223372036854775807],", 3, "[6,1]]}}}");
    ck_assert_int_eq(parse(full, &snapshot, problem), -1);
    free(full);
    char *workers = repeated(HEAD "\"total\":{},\"workers\":[", "{\"index\":1},",
                             SNAPSHOT_WORKERS_MAX - 1, "{\"index\":2}]}");
    ck_assert_msg(parse(workers, &snapshot, problem) == 0, "%s", problem);
    ck_assert_uint_eq(snapshot.workers, SNAPSHOT_WORKERS_MAX);
    snapshot_free(&snapshot);
    free(workers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *cases = tcase_create("snapshot");
    tcase_add_test(cases, a_problem_cannot_steer_a_terminal);
    tcase_add_test(cases, recorded);
    tcase_add_test(cases, cut_anywhere);
    tcase_add_test(cases, wrong_is_refused);
    tcase_add_test(cases, what_is_missing_is_nothing);
    tcase_add_test(cases, texts_are_tame);
    tcase_add_test(cases, huge);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
