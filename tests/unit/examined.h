/*
 * For tests of checks: facts of a made-up machine, and what a check finds there as text. The facts begin as
 * those of a server that has nothing to complain about: tests then change them.
 */
#ifndef ZCSERVE_TEST_EXAMINED_H
#define ZCSERVE_TEST_EXAMINED_H

#include "doctor/check.h"
#include "loaded.h"
#include "made_up.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct facts facts;

/* Makes the machine, with this text as the configuration /etc/z/serve.conf. */
static inline void examined_begin(const char *configuration)
{
    made_up_open();
    facts = (struct facts){.tree = made_up_tree()};
    ck_assert_int_eq(facts_of_config(&facts, load_good(configuration)), 0);
    facts.subject = (struct subject){.directory = "/proc/self",
                                     .name = "www-data",
                                     .user = 33,
                                     .files = {SUBJECT_UNLIMITED, SUBJECT_UNLIMITED},
                                     .locked = {SUBJECT_UNLIMITED, SUBJECT_UNLIMITED}};
    facts.survey.directories = 1;
}

static inline void examined_end(void)
{
    config_free((struct config *)(uintptr_t)facts.config);
    made_up_close();
}

/*
 * Returns all that the check finds, "harm: PROBLEM. Remedy: REMEDY\n" for each; "(WHY)" when it cannot look.
 * Valid until the next call.
 */
static inline const char *examined(check_function *check)
{
    static char text[8192];
    size_t used = 0;
    struct findings findings = {.check = "test"};
    const char *why_not = check(&facts, &findings);
    ck_assert(!findings.exhausted);
    text[0] = '\0';
    if (why_not) used = (size_t)snprintf(text, sizeof(text), "(%s)", why_not);
    for (unsigned i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.item[i];
        ck_assert_ptr_nonnull(finding->remedy);
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s: %s. Remedy: %s\n",
                             severity_name(finding->severity), finding->problem, finding->remedy);
    }
    findings_free(&findings);
    return text;
}

/* Fails the test unless the check finds exactly this. */
#define examined_is(check, text) ck_assert_str_eq(examined(check), text)

/* Runs a suite of one test case. Returns the exit code. */
static inline int examined_run(TCase *tcase)
{
    Suite *suite = suite_create("doctor");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
