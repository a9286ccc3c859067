/* Tests of src/doctor/show.c: lines for people, and JSON that is read again. */
#include "doctor/show.h"

#include "examined.h"

#include <jansson.h>

static const char *why_not[CHECKS_MAX];
static struct findings findings;
static struct examination examination = {
    .facts = &facts, .findings = &findings, .why_not = why_not};
static char *shown;
static size_t length;

static void begin(void)
{
    examined_begin("root = site\n");
    facts.survey = (struct survey){.entries = 4, .files = 3, .directories = 1, .seconds = 0.25};
    findings.check = "backlog";
    finding_add(&findings, SEVERITY_WARN, "too short");
    finding_remedy(&findings, "lengthen it");
    findings.check = "root";
    finding_add(&findings, SEVERITY_HARM, "not \"there\"");
    finding_remedy(&findings, "make it");
    why_not[2] = "no address";
    examination.looked = 20;
}

static void end(void)
{
    free(shown);
    shown = NULL;
    findings_free(&findings);
    examined_end();
}

static void text_show(bool verbose)
{
    FILE *out = open_memstream(&shown, &length);
    show_text(&examination, verbose, out);
    ck_assert_int_eq(fclose(out), 0);
}

static unsigned lines(const char *text)
{
    unsigned count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

START_TEST(text)
{
    char expected[512];
    unsigned all = 0;
    while (checks[all].name)
        all++;
    begin();
    text_show(false);
    snprintf(
        expected, sizeof(expected),
        "harm  root          not \"there\". Remedy: make it\n"
        "warn  backlog       too short. Remedy: lengthen it\n"
        "2 findings: 1 harm, 1 warn, 0 note; 20 of %u checks, 3 files in 1 directories, 0.25 s\n",
        all);
    ck_assert_str_eq(shown, expected);
    free(shown);
    text_show(true);
    ck_assert_uint_eq(lines(shown), all + 1); /* one for each check, and the last */
    ck_assert_ptr_nonnull(strstr(shown, "\n-     listen        not looked at: no address\n"));
    ck_assert_ptr_nonnull(strstr(shown, "\nok    clock         "));
    ck_assert_ptr_null(strstr(shown, "ok    root"));
    end();
}
END_TEST

START_TEST(json)
{
    const char *check, *severity, *problem, *remedy, *user, *root, *reason;
    int schema, code, harm, files, looked;
    double seconds;
    json_t *cut, *list;
    begin();
    strcpy(facts.subject.name, "w\xff");
    FILE *out = open_memstream(&shown, &length);
    ck_assert(show_json(&examination, 1, out));
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_uint_eq(lines(shown), 1);
    json_t *object = json_loads(shown, 0, NULL);
    ck_assert_ptr_nonnull(object);
    int wrong = json_unpack(
        object, "{s:i,s:s,s:i,s:[s],s:{s:i},s:[{s:s,s:s,s:s,s:s},o],s:{s:i,s:o,s:f}}", "schema",
        &schema, "user", &user, "exit_code", &code, "roots", &root, "counts", "harm", &harm,
        "findings", "check", &check, "severity", &severity, "problem", &problem, "remedy", &remedy,
        &list, "survey", "files", &files, "cut", &cut, "seconds", &seconds);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(schema, 1);
    ck_assert_int_eq(code, 1);
    ck_assert_int_eq(harm, 1);
    ck_assert_str_eq(check, "root");
    ck_assert_str_eq(severity, "harm");
    ck_assert_str_eq(problem, "not \"there\"");
    ck_assert_str_eq(remedy, "make it");
    ck_assert_str_eq(user, "w\\xff");
    ck_assert_str_eq(root, "/etc/z/site");
    ck_assert_int_eq(files, 3);
    ck_assert(json_is_null(cut));
    ck_assert_double_eq_tol(seconds, 0.25, 1e-9);
    list = json_array_get(json_object_get(object, "checks"), 2);
    ck_assert_int_eq(json_unpack(list, "{s:b,s:s}", "looked", &looked, "why_not", &reason), 0);
    ck_assert(!looked);
    ck_assert_str_eq(reason, "no address");
    list = json_array_get(json_object_get(object, "checks"), 0);
    ck_assert(json_is_null(json_object_get(list, "why_not")));
    json_decref(object);
    end();
}
END_TEST

START_TEST(cannot_be_written)
{
    begin();
    FILE *out = fopen("/dev/full", "w");
    setvbuf(out, NULL, _IONBF, 0);
    ck_assert(!show_json(&examination, 0, out));
    fclose(out);
    end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("show");
    tcase_add_test(tcase, text);
    tcase_add_test(tcase, json);
    tcase_add_test(tcase, cannot_be_written);
    return examined_run(tcase);
}
