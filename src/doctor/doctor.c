/* Gathers, checks and shows, with progress on a terminal meanwhile. */
#include "doctor/doctor.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "doctor/check.h"
#include "doctor/show.h"
#include "doctor/switches.h"
#include "tool/format.h"

static bool progress_shown;

static void progress_show(const struct survey *survey)
{
    format_space count;
    fprintf(stderr, "\rlooked at %s names below the roots\033[K",
            format_count(count, (double)survey->entries));
    progress_shown = true;
}

static void progress_clear(void)
{
    if (progress_shown) fputs("\r\033[K", stderr);
    progress_shown = false;
}

static int failed(const char *what)
{
    fprintf(stderr, "zcserve doctor: %s\n", what);
    return DOCTOR_USAGE;
}

static int examine(const struct facts *facts, const struct doctor_switches *switches)
{
    const char *why_not[CHECKS_MAX] = {NULL};
    struct findings findings = {0};
    struct examination examination = {.facts = facts, .findings = &findings, .why_not = why_not};
    bool written = true;
    examination.looked = checks_run(facts, &findings, why_not);
    int code = findings_count(&findings, SEVERITY_HARM) > 0 ? DOCTOR_HARM : DOCTOR_WELL;
    signal(SIGXFSZ, SIG_IGN); /* a full file is an ordinary error */
    if (switches->json)
        written = show_json(&examination, code, stdout);
    else
        show_text(&examination, switches->verbose, stdout);
    if (fflush(stdout) != 0 || ferror(stdout) || !written)
        code = failed("what was found cannot be written");
    else if (findings.exhausted)
        code = failed("not enough memory: some findings are missing");
    findings_free(&findings);
    return code;
}

int doctor_run(int argc, char **argv)
{
    static struct facts facts;
    struct doctor_switches switches;
    int code = DOCTOR_USAGE;
    format_locale();
    if (!doctor_switches_read(argc, argv, &switches, &code)) return code;
    if (isatty(STDERR_FILENO)) switches.wanted.progress = progress_show;
    int gathered = facts_gather(&facts, &switches.wanted);
    progress_clear();
    code = gathered == 0 ? examine(&facts, &switches) : DOCTOR_USAGE;
    facts_free(&facts);
    return code;
}
