/* Tests of src/doctor/check_files.c: the text of what a made-up survey saw. */
#include "examined.h"

/* So many of a kind, and the paths of the first. */
static void saw(enum survey_kind kind, uint64_t count, const char *a, const char *b, const char *c)
{
    facts.survey.group[kind] = (struct survey_group){
        .count = count,
        .example = {(char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)(uintptr_t)c}};
}

START_TEST(nothing)
{
    examined_begin("");
    examined_is(check_survey, "");
    examined_is(check_readable, "");
    examined_is(check_owners, "");
    examined_is(check_own, "");
    examined_is(check_links, "");
    examined_is(check_sidecars, "");
    examined_end();
}
END_TEST

START_TEST(cut)
{
    examined_begin("");
    facts.survey.cut = "files";
    facts.survey.entries = 100000;
    facts.survey.seconds = 1.25;
    examined_is(
        check_survey,
        "note: only 100,000 names below the roots were looked at, in 1.2 s; there are more. "
        "Remedy: look at more with --files; 0 is no limit\n");
    facts.survey.exhausted = true;
    examined_is(check_survey, "(not enough memory to look at all files)");
    examined_end();
}
END_TEST

START_TEST(readable)
{
    examined_begin("");
    saw(SURVEY_UNREADABLE, 1, "/w/a", NULL, NULL);
    saw(SURVEY_CLOSED, 2, "/w/b", "/w/c", NULL);
    saw(SURVEY_UNLISTED, 1234, "/w/d", "/w/e", "/w/f");
    examined_is(check_readable,
                "harm: files that the user may not read get status 403: /w/a. Remedy: "
                "chmod o+r, or give them to a group of www-data\n"
                "harm: directories that the user may not enter get status 403: /w/b and /w/c. "
                "Remedy: chmod o+rx, or give them to a group of www-data\n"
                "note: directories that the user may not list cannot be watched, so that files in "
                "them are compared on each request: 1,234, such as /w/d, /w/e and /w/f. Remedy: "
                "chmod o+r, or give them to a group of www-data\n");
    examined_end();
}
END_TEST

/* What a name could do to a terminal is not done. */
START_TEST(owners)
{
    examined_begin("");
    saw(SURVEY_OPEN, 1, "/w/a\x1b[2J\n", NULL, NULL);
    saw(SURVEY_OWN, 1, "/w/ü", NULL, NULL);
    examined_is(check_owners, "harm: every user of this machine may change files and "
                              "directories: /w/a\\x1b[2J\\x0a. Remedy: chmod o-w\n");
    examined_is(check_own,
                "note: the server's user may change files and directories, and so may a fault in "
                "the server: /w/ü. Remedy: give them to another user than "
                "www-data, who may only read them\n");
    examined_end();
}
END_TEST

START_TEST(links)
{
    examined_begin("");
    saw(SURVEY_LOST, 1, "/w/a", NULL, NULL);
    examined_is(
        check_links,
        "note: symbolic links that lead nowhere or out of the root, or are absolute, are not "
        "served: /w/a. Remedy: make them relative to a file below the same root, or remove "
        "them\n");
    examined_end();
    examined_begin("symlinks = never\n");
    examined_is(check_links, "(symlinks = never)");
    examined_end();
}
END_TEST

START_TEST(sidecars)
{
    examined_begin("");
    saw(SURVEY_STALE, 3, "/w/a.br", "/w/b.br", "/w/c.gz");
    saw(SURVEY_EMPTY, 1, "/w/d.gz", NULL, NULL);
    saw(SURVEY_LARGE, 1, "/w/e.zst", NULL, NULL);
    examined_is(check_sidecars,
                "warn: sidecars that are older than their original are never sent: /w/a.br, "
                "/w/b.br and /w/c.gz. Remedy: compress the originals again, whenever they "
                "change\n"
                "warn: empty sidecars are never sent: /w/d.gz. Remedy: compress the "
                "originals again, into a new file that is then renamed\n"
                "warn: sidecars that are not smaller than their original are sent to clients that "
                "accept their coding, and save no bytes: /w/e.zst. Remedy: remove them\n");
    examined_end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("files");
    tcase_add_test(tcase, nothing);
    tcase_add_test(tcase, cut);
    tcase_add_test(tcase, readable);
    tcase_add_test(tcase, owners);
    tcase_add_test(tcase, links);
    tcase_add_test(tcase, sidecars);
    return examined_run(tcase);
}
