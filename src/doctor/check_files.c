/* The files below the roots, as the survey saw them. */
#include "doctor/check.h"

#include <stdio.h>
#include <string.h>

#include "tool/format.h"

#define EXAMPLES_TEXT_MAX 1024
#define EXAMPLE_SHOWN_MAX 256 /* bytes of a path */

/* Writes "a and b", or "1,234, such as a, b and c" when there are more; cuts long paths. */
static const char *examples(char text[EXAMPLES_TEXT_MAX], const struct survey_group *group)
{
    unsigned shown = 0;
    format_space count;
    size_t used = 0;
    while (shown < SURVEY_EXAMPLES_MAX && group->example[shown])
        shown++;
    text[0] = '\0';
    if (group->count > shown)
        used = (size_t)snprintf(text, EXAMPLES_TEXT_MAX, "%s, such as ",
                                format_count(count, (double)group->count));
    for (unsigned i = 0; i < shown; i++)
        used += (size_t)snprintf(text + used, EXAMPLES_TEXT_MAX - used, "%s%.*s",
                                 i == 0           ? ""
                                 : i + 1 == shown ? " and "
                                                  : ", ",
                                 EXAMPLE_SHOWN_MAX, group->example[i]);
    return text;
}

/* Adds a finding "WHAT: 12, such as a, b and c", when there are such. Returns whether there are. */
static bool group_find(const struct facts *facts, struct findings *findings, enum severity severity,
                       enum survey_kind kind, const char *what)
{
    const struct survey_group *group = &facts->survey.group[kind];
    char text[EXAMPLES_TEXT_MAX];
    if (group->count == 0) return false;
    finding_add(findings, severity, "%s: %s", what, examples(text, group));
    return true;
}

const char *check_survey(const struct facts *facts, struct findings *findings)
{
    const struct survey *survey = &facts->survey;
    format_space count;
    if (survey->exhausted) return "not enough memory to look at all files";
    if (!survey->cut) return NULL;
    finding_add(findings, SEVERITY_NOTE,
                "only %s names below the roots were looked at, in %.1f s; there are more",
                format_count(count, (double)survey->entries), survey->seconds);
    finding_remedy(findings, "look at more with --%s; 0 is no limit", survey->cut);
    return NULL;
}

const char *check_readable(const struct facts *facts, struct findings *findings)
{
    const char *user = facts->subject.name;
    if (group_find(facts, findings, SEVERITY_HARM, SURVEY_UNREADABLE,
                   "files that the user may not read get status 403"))
        finding_remedy(findings, "chmod o+r, or give them to a group of %s", user);
    if (group_find(facts, findings, SEVERITY_HARM, SURVEY_CLOSED,
                   "directories that the user may not enter get status 403"))
        finding_remedy(findings, "chmod o+rx, or give them to a group of %s", user);
    if (group_find(
            facts, findings, SEVERITY_NOTE, SURVEY_UNLISTED,
            "directories that the user may not list cannot be watched, so that files in them "
            "are compared on each request"))
        finding_remedy(findings, "chmod o+r, or give them to a group of %s", user);
    return NULL;
}

const char *check_owners(const struct facts *facts, struct findings *findings)
{
    if (group_find(facts, findings, SEVERITY_HARM, SURVEY_OPEN,
                   "every user of this machine may change files and directories"))
        finding_remedy(findings, "chmod o-w");
    return NULL;
}

const char *check_own(const struct facts *facts, struct findings *findings)
{
    if (group_find(facts, findings, SEVERITY_NOTE, SURVEY_OWN,
                   "the server's user may change files and directories, and so may a fault in the "
                   "server"))
        finding_remedy(findings, "give them to another user than %s, who may only read them",
                       facts->subject.name);
    return NULL;
}

const char *check_links(const struct facts *facts, struct findings *findings)
{
    if (facts->config->symlinks == SYMLINKS_NEVER) return "symlinks = never";
    if (group_find(facts, findings, SEVERITY_NOTE, SURVEY_LOST,
                   "symbolic links that lead nowhere or out of the root, or are absolute, are not "
                   "served"))
        finding_remedy(findings,
                       "make them relative to a file below the same root, or remove them");
    return NULL;
}

const char *check_sidecars(const struct facts *facts, struct findings *findings)
{
    if (group_find(facts, findings, SEVERITY_WARN, SURVEY_STALE,
                   "sidecars that are older than their original are never sent"))
        finding_remedy(findings, "compress the originals again, whenever they change");
    if (group_find(facts, findings, SEVERITY_WARN, SURVEY_EMPTY, "empty sidecars are never sent"))
        finding_remedy(findings,
                       "compress the originals again, into a new file that is then renamed");
    if (group_find(facts, findings, SEVERITY_WARN, SURVEY_LARGE,
                   "sidecars that are not smaller than their original are sent to clients that "
                   "accept their coding, and save no bytes"))
        finding_remedy(findings, "remove them");
    return NULL;
}
