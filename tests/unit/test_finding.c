/* Tests of src/doctor/finding.c: findings are kept in order, and safe to show. */
#include "doctor/finding.h"

#include <check.h>
#include <stdlib.h>

static struct findings findings;

START_TEST(kept_in_order)
{
    findings.check = "a";
    for (int i = 0; i < 100; i++) {
        finding_add(&findings, i % 2 ? SEVERITY_WARN : SEVERITY_HARM, "problem %d", i);
        finding_remedy(&findings, "remedy %d", i);
    }
    findings.check = "b";
    finding_add(&findings, SEVERITY_NOTE, "the last");
    ck_assert_uint_eq(findings.count, 101);
    ck_assert_uint_eq(findings_count(&findings, SEVERITY_HARM), 50);
    ck_assert_uint_eq(findings_count(&findings, SEVERITY_NOTE), 1);
    ck_assert_str_eq(findings.item[99].problem, "problem 99");
    ck_assert_str_eq(findings.item[99].remedy, "remedy 99");
    ck_assert_str_eq(findings.item[99].check, "a");
    ck_assert_str_eq(findings.item[100].check, "b");
    ck_assert_ptr_null(findings.item[100].remedy);
    findings_free(&findings);
    ck_assert_uint_eq(findings.count, 0);
}
END_TEST

START_TEST(safe_to_show)
{
    finding_add(&findings, SEVERITY_NOTE, "%s", "a\x1b]0;b\a \xff ü \xe2\x80\xae");
    finding_remedy(&findings, "%s", "\n");
    ck_assert_str_eq(findings.item[0].problem, "a\\x1b]0;b\\x07 \\xff ü \\xe2\\x80\\xae");
    ck_assert_str_eq(findings.item[0].remedy, "\\x0a");
    findings_free(&findings);
}
END_TEST

START_TEST(named)
{
    ck_assert_str_eq(severity_name(SEVERITY_NOTE), "note");
    ck_assert_str_eq(severity_name(SEVERITY_WARN), "warn");
    ck_assert_str_eq(severity_name(SEVERITY_HARM), "harm");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("finding");
    TCase *tcase = tcase_create("finding");
    tcase_add_test(tcase, kept_in_order);
    tcase_add_test(tcase, safe_to_show);
    tcase_add_test(tcase, named);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
