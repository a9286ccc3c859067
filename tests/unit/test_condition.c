/*
 * Preconditions: every single field, their order, which field hides which, lists, and broken
 * values.
 */
#include "http/condition.h"

#include <check.h>
#include <stdlib.h>

#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define MODIFIED_SECONDS 784111777
#define NOW_SECONDS INT64_C(1700000000)

static const struct representation current = {
    .etag = {"\"a,b\\c\"", 7},
    .modified_seconds = MODIFIED_SECONDS,
};
#define OWN "\"a,b\\c\""
#define OTHER "\"x\""

struct one {
    enum field field;
    const char *value;
};

#define M FIELD_IF_MATCH
#define N FIELD_IF_NONE_MATCH
#define S FIELD_IF_MODIFIED_SINCE
#define U FIELD_IF_UNMODIFIED_SINCE
#define PROCEED CONDITION_NONE
#define SAME CONDITION_NOT_MODIFIED
#define FAILED CONDITION_FAILED

static const struct {
    enum condition now; /* the result with a current representation */
    struct one line[4];
    enum condition absent; /* the result without one */
} table[] = {
    {PROCEED, {{FIELD_RANGE, "x"}}, PROCEED},
    /* If-Match, which compares strongly */
    {PROCEED, {{M, OWN}}, FAILED},
    {PROCEED, {{M, "*"}}, FAILED},
    {FAILED, {{M, OTHER}}, FAILED},
    {FAILED, {{M, "W/" OWN}}, FAILED},
    {FAILED, {{M, ""}}, FAILED},
    {FAILED, {{M, " ,, "}}, FAILED},
    {FAILED, {{M, "nonsense"}}, FAILED},
    {FAILED, {{M, "**"}}, FAILED},
    {FAILED, {{M, "\"*\""}}, FAILED},
    {PROCEED, {{M, OTHER ", " OWN}}, FAILED},
    {PROCEED, {{M, OWN "," OTHER}}, FAILED},
    {PROCEED, {{M, ",," OTHER "\t,\t" OWN " ,"}}, FAILED},
    {PROCEED, {{M, OTHER}, {M, OWN}}, FAILED},
    {PROCEED, {{M, ""}, {M, OWN}}, FAILED},
    {FAILED, {{M, "*, " OTHER}}, FAILED},
    {FAILED, {{M, "*"}, {M, OTHER}}, FAILED},
    {PROCEED, {{M, "*, " OWN}}, FAILED},
    /* malformed members match nothing, and do not hide the members after their comma */
    {FAILED, {{M, OWN "x"}}, FAILED},
    {FAILED, {{M, "x" OWN}}, FAILED},
    {FAILED, {{M, OWN OWN}}, FAILED},
    {FAILED, {{M, OWN " " OWN}}, FAILED},
    {FAILED, {{M, "a,b\\c"}}, FAILED},
    {FAILED, {{M, "\"a,b\\c"}}, FAILED},
    {FAILED, {{M, "\"a,b\\c\"\""}}, FAILED},
    {FAILED, {{M, "\" " OWN " \""}}, FAILED},
    {PROCEED, {{M, "junk, " OWN}}, FAILED},
    {PROCEED, {{M, "x\"y,z\"w, " OWN}}, FAILED},
    {PROCEED, {{M, "\"\\\", " OWN}}, FAILED},
    {FAILED, {{M, "\"open, " OWN}}, FAILED},
    {FAILED, {{M, "\"x," OWN ",y\""}}, FAILED},
    {FAILED, {{M, "\"A,B\\C\""}}, FAILED},
    /* If-Unmodified-Since */
    {PROCEED, {{U, MODIFIED}}, PROCEED},
    {PROCEED, {{U, AFTER}}, PROCEED},
    {FAILED, {{U, BEFORE}}, PROCEED},
    {FAILED, {{U, "Sunday, 06-Nov-94 08:49:36 GMT"}}, PROCEED},
    {FAILED, {{U, "Sun Nov  6 08:49:36 1994"}}, PROCEED},
    {PROCEED, {{U, "yesterday"}}, PROCEED},
    {PROCEED, {{U, ""}}, PROCEED},
    {PROCEED, {{U, BEFORE}, {U, BEFORE}}, PROCEED},
    {PROCEED, {{M, OWN}, {U, BEFORE}}, FAILED},
    {FAILED, {{M, OTHER}, {U, AFTER}}, FAILED},
    {FAILED, {{M, "junk"}, {U, AFTER}}, FAILED},
    /* If-None-Match, which compares weakly */
    {SAME, {{N, OWN}}, PROCEED},
    {SAME, {{N, "W/" OWN}}, PROCEED},
    {SAME, {{N, "*"}}, PROCEED},
    {PROCEED, {{N, OTHER}}, PROCEED},
    {PROCEED, {{N, "w/" OWN}}, PROCEED},
    {PROCEED, {{N, "W/ " OWN}}, PROCEED},
    {PROCEED, {{N, "W/W/" OWN}}, PROCEED},
    {PROCEED, {{N, "W/"}}, PROCEED},
    {PROCEED, {{N, "W"}}, PROCEED},
    {PROCEED, {{N, ""}}, PROCEED},
    {SAME, {{N, OTHER ", W/" OWN}}, PROCEED},
    {SAME, {{N, "W/\"y\"," OTHER "," OWN}}, PROCEED},
    {SAME, {{N, OTHER}, {N, OWN}}, PROCEED},
    {PROCEED, {{N, "*"}, {N, OTHER}}, PROCEED},
    {PROCEED, {{N, "\"x,W/" OWN ",\""}}, PROCEED},
    /* If-Modified-Since */
    {SAME, {{S, MODIFIED}}, PROCEED},
    {SAME, {{S, AFTER}}, PROCEED},
    {SAME, {{S, "Fri, 31 Dec 9999 23:59:59 GMT"}}, PROCEED},
    {PROCEED, {{S, BEFORE}}, PROCEED},
    {PROCEED, {{S, "0"}}, PROCEED},
    {PROCEED, {{S, MODIFIED "; length=5"}}, PROCEED},
    {PROCEED, {{S, MODIFIED}, {S, MODIFIED}}, PROCEED},
    {PROCEED, {{N, OTHER}, {S, AFTER}}, PROCEED},
    {PROCEED, {{N, ""}, {S, AFTER}}, PROCEED},
    {SAME, {{N, OWN}, {S, BEFORE}}, PROCEED},
    /* several fields: their order */
    {SAME, {{M, OWN}, {N, OWN}}, FAILED},
    {FAILED, {{N, OWN}, {M, OTHER}}, FAILED},
    {SAME, {{U, MODIFIED}, {S, MODIFIED}}, PROCEED},
    {FAILED, {{S, MODIFIED}, {U, BEFORE}}, PROCEED},
    {FAILED, {{N, OWN}, {U, BEFORE}}, PROCEED},
    {SAME, {{M, OWN}, {U, BEFORE}, {N, OWN}, {S, BEFORE}}, FAILED},
    {PROCEED, {{M, "*"}, {U, BEFORE}, {N, OTHER}, {S, AFTER}}, FAILED},
};

START_TEST(evaluated)
{
    struct fields fields = {0};
    char *copy[4] = {NULL};
    for (int i = 0; i < 4 && table[_i].line[i].value != NULL; i++) {
        size_t length = strlen(table[_i].line[i].value);
        copy[i] = malloc(length);
        if (length > 0) memcpy(copy[i], table[_i].line[i].value, length);
        ck_assert(fields_add(&fields, table[_i].line[i].field, (struct text){copy[i], length}));
    }
    const char *first = table[_i].line[0].value;
    enum condition now = condition_evaluate(&fields, &current, NOW_SECONDS);
    ck_assert_msg(now == table[_i].now, "%s…: %d, not %d", first, (int)now, (int)table[_i].now);
    enum condition absent = condition_evaluate(&fields, NULL, NOW_SECONDS);
    ck_assert_msg(absent == table[_i].absent, "%s… (absent): %d, not %d", first, (int)absent,
                  (int)table[_i].absent);
    for (int i = 0; i < 4; i++)
        free(copy[i]);
}
END_TEST

/* A representation without validators: only "*" matches, and dates are ignored. */
static const struct {
    enum condition now;
    struct one line[2];
} withheld[] = {
    {PROCEED, {{M, "*"}}},
    {FAILED, {{M, OWN}}},
    {FAILED, {{M, "\"\""}}},
    {FAILED, {{M, ""}}},
    {FAILED, {{M, ","}}},
    {SAME, {{N, "*"}}},
    {PROCEED, {{N, OWN}}},
    {PROCEED, {{N, "\"\""}}},
    {PROCEED, {{N, ""}}},
    {PROCEED, {{N, "W/"}}},
    {PROCEED, {{N, "W/\"\""}}},
    {PROCEED, {{N, ",,"}}},
    {PROCEED, {{S, MODIFIED}}},
    {PROCEED, {{S, AFTER}}},
    {PROCEED, {{S, "Fri, 31 Dec 9999 23:59:59 GMT"}}},
    {PROCEED, {{U, MODIFIED}}},
    {PROCEED, {{U, "Thu, 01 Jan 1970 00:00:00 GMT"}}},
    {FAILED, {{M, OTHER}, {U, AFTER}}},
    {PROCEED, {{N, OTHER}, {S, AFTER}}},
};

START_TEST(validators_withheld)
{
    static const struct representation young = {.modified_seconds = MODIFIED_UNKNOWN};
    struct fields fields = {0};
    for (int i = 0; i < 2 && withheld[_i].line[i].value != NULL; i++) {
        const char *value = withheld[_i].line[i].value;
        ck_assert(
            fields_add(&fields, withheld[_i].line[i].field, (struct text){value, strlen(value)}));
    }
    ck_assert_int_eq(condition_evaluate(&fields, &young, NOW_SECONDS), withheld[_i].now);
}
END_TEST

START_TEST(unconditional)
{
    struct fields fields = {0};
    ck_assert_int_eq(condition_evaluate(&fields, &current, NOW_SECONDS), CONDITION_NONE);
    ck_assert_int_eq(condition_evaluate(&fields, NULL, NOW_SECONDS), CONDITION_NONE);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("condition");
    TCase *cases = tcase_create("condition");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, evaluated, 0, COUNT(table));
    tcase_add_loop_test(cases, validators_withheld, 0, COUNT(withheld));
    tcase_add_test(cases, unconditional);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
