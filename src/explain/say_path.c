/* Who may ask, with which method, and which paths were looked up one after another. */
#include "page.h"
#include "say.h"
#include "written.h"

#include <errno.h>
#include <string.h>

#define METHODS_KNOWN "not allowed: only GET, HEAD and OPTIONS are"

/* ---- before a lookup ------------------------------------------------------------------------- */

/* Returns the rule that decided a value, as "rule "/x" (serve.conf:3)" in `space`. */
static const char *decider(const struct trial *t, enum rule_value value, char *space, size_t size)
{
    const struct verdict *verdict = &t->stream->verdict;
    const struct rule *rule = verdict->by[value];
    const struct config_rule *written =
        written_rule(t->p, verdict->site, written_number(verdict->site, rule));
    const struct config_option *option = written_option(written, value);
    snprintf(space, size, "%s of rule \"%.300s\" (%s)", option ? option->name : "a value",
             written->block.title, option ? written_place(written, option) : written->block.where);
    return space;
}

static void address_say(const struct trial *t, FILE *out)
{
    char by[1024];
    const struct verdict *verdict = &t->stream->verdict;
    const struct rule *allow = verdict->by[RULE_ALLOW], *deny = verdict->by[RULE_DENY];
    bool denied = deny && networks_have_origin(deny->deny, &t->stream->asker.from);
    if (denied)
        page_line(out, "Address", "refused by %s", decider(t, RULE_DENY, by, sizeof(by)));
    else if (verdict->refused)
        page_line(out, "Address", "refused: %s does not name it",
                  decider(t, RULE_ALLOW, by, sizeof(by)));
    else if (allow && allow->allow->count > 0)
        page_line(out, "Address", "allowed by %s", decider(t, RULE_ALLOW, by, sizeof(by)));
    else if (deny)
        page_line(out, "Address", "allowed: %s does not name it",
                  decider(t, RULE_DENY, by, sizeof(by)));
}

/* Says whether the request comes from one of the users that a rule asks for. */
static void users_say(const struct trial *t, FILE *out)
{
    char by[1024];
    const struct rule *rule = t->stream->verdict.by[RULE_USERS];
    if (!rule) return;
    decider(t, RULE_USERS, by, sizeof(by));
    if (!rule->users)
        page_line(out, "User", "none is asked for by %s", by);
    else if (t->checked && t->admission == ADMISSION_GRANTED)
        page_line(out, "User", "name and password are right for %s", by);
    else if (t->checked && t->admission == ADMISSION_DENIED)
        page_line(out, "User", "name or password is wrong for %s", by);
    else if (t->checked)
        page_line(out, "User", "the password cannot be checked for %s", by);
    else
        page_line(out, "User", "asked for by %s; no name and password were checked", by);
}

static void method_say(const struct trial *t, FILE *out)
{
    char by[1024];
    const struct verdict *verdict = &t->stream->verdict;
    bool allowed = (verdict->methods & 1U << t->exchange->method) != 0;
    const char *which = allowed ? "allowed" : "not allowed";
    if (verdict->by[RULE_METHODS])
        page_line(out, "Method", "%s by %s", which, decider(t, RULE_METHODS, by, sizeof(by)));
    else if (!allowed)
        page_line(out, "Method", METHODS_KNOWN);
    if (verdict->origin.base)
        page_line(out, "Origin", "allowed by %s", decider(t, RULE_ORIGINS, by, sizeof(by)));
    else if (verdict->by[RULE_ORIGINS])
        page_line(out, "Origin", "%s does not name the Origin of the request, if it has one",
                  decider(t, RULE_ORIGINS, by, sizeof(by)));
}

void say_access(const struct trial *t, FILE *out)
{
    char by[1024];
    if (t->exchange->refused == REFUSAL_NONE && t->exchange->method == METHOD_OPTIONS)
        page_line(out, "Method", "OPTIONS is answered without a lookup");
    if (!t->is_judged && t->exchange->status == 405) page_line(out, "Method", METHODS_KNOWN);
    if (!t->is_judged) return;
    address_say(t, out);
    method_say(t, out);
    users_say(t, out);
    const struct rule *target = t->stream->verdict.by[RULE_TARGET];
    bool moves = target && target->target.length > 0 && t->exchange->status == target->status;
    if (moves && t->lookups == 0)
        page_line(out, "Redirect", "by %s; nothing is looked up",
                  decider(t, RULE_TARGET, by, sizeof(by)));
}

/* ---- lookups --------------------------------------------------------------------------------- */

/* Returns why there is no such file, or why it is not shown. */
static const char *absence_reason(const struct examined *seen)
{
    if (seen->root_problem != 0) return "there is no root directory at present";
    if (seen->long_name) return "the path is too long";
    if (seen->hidden) return "a name begins with a dot, and hidden = off";
    if (seen->error != 0) return strerror(seen->error);
    if (!identity_is_regular(&seen->itself) && !identity_is_directory(&seen->itself))
        return "it is not a regular file";
    return "no file can be served there";
}

static const char *refusal_reason(const struct examined *seen, int symlinks)
{
    if (seen->root_problem != 0) return "the root directory cannot be opened at present";
    if (seen->file.bare) return "a directory without an index, and listing = off";
    if (seen->error == ELOOP && symlinks == SYMLINKS_NEVER)
        return "a symbolic link, and symlinks = never";
    if (seen->error == ELOOP)
        return "a symbolic link that leads to itself, or a kernel without openat2";
    if (seen->error == EXDEV && symlinks == SYMLINKS_BENEATH)
        return "a symbolic link that is absolute or leads out of the root; symlinks = beneath";
    if (seen->error == EXDEV) return "a symbolic link leads out of the root";
    if (seen->error == EACCES && seen->linked && symlinks == SYMLINKS_OWNER)
        return "no permission, or a link of another owner; symlinks = owner";
    return "no permission for the user who asks here";
}

static void outcome_say(const struct trial *t, const struct trial_lookup *lookup, FILE *out)
{
    const struct examined *seen = lookup->seen;
    switch (lookup->found.kind) {
    case RESOLUTION_FOUND: page_line(out, "", "found"); break;
    case RESOLUTION_DIRECTORY:
        page_line(out, "", "a directory, of which the path has no slash at its end");
        break;
    case RESOLUTION_NOT_FOUND: page_line(out, "", "not found: %s", absence_reason(seen)); break;
    case RESOLUTION_FORBIDDEN:
        page_line(out, "", "forbidden: %s",
                  refusal_reason(seen, (int)t->p->tree[lookup->tree].symlinks));
        break;
    case RESOLUTION_NOT_ACCEPTABLE:
        page_line(out, "", "not acceptable: none of its codings is accepted; not_acceptable = on");
        break;
    default:
        page_line(out, "", "it cannot be read: %s",
                  seen->error != 0 ? strerror(seen->error) : "the disk, or memory");
        break;
    }
}

/* Says why this path is looked up. */
static void lookup_say(const struct trial *t, const struct trial_lookup *lookup, FILE *out)
{
    char by[1024];
    const struct rule *paths = t->is_judged ? t->stream->verdict.by[RULE_PATHS] : NULL;
    const struct trial_lookup *before = lookup > t->lookup ? lookup - 1 : NULL;
    if (lookup->page_of != 0)
        page_line(out, "Error page", "%s, of the error %d", lookup->path, lookup->page_of);
    else if (before && before->found.kind == RESOLUTION_DIRECTORY)
        page_line(out, "Path", "%s, with the slash", lookup->path);
    else if (paths && paths->paths > 0 && lookup->tried > 0)
        page_line(out, "Path", "%s, path %u of %u of %s", lookup->path, lookup->tried, paths->paths,
                  decider(t, RULE_PATHS, by, sizeof(by)));
    else
        page_line(out, "Path", "%s, as requested", lookup->path);
}

/* Says why nothing more is tried, when a rule had paths that led to nothing. */
static void paths_end(const struct trial *t, size_t tried, FILE *out)
{
    const struct rule *paths = t->is_judged ? t->stream->verdict.by[RULE_PATHS] : NULL;
    if (!paths || paths->paths == 0 || t->stream->tried < paths->paths) return;
    bool found = tried > 0 && t->lookup[tried - 1].found.kind != RESOLUTION_NOT_FOUND;
    if (tried == 0)
        page_line(out, "Path",
                  "none can be made: a segment would be \".\" or \"..\", or it would "
                  "be too long");
    if (!found && paths->otherwise != 0)
        page_line(out, "", "none of the paths is there: =%d counts", paths->otherwise);
}

void say_paths(const struct trial *t, FILE *out)
{
    size_t i = 0;
    for (; i < t->lookups && t->lookup[i].page_of == 0; i++) {
        lookup_say(t, &t->lookup[i], out);
        outcome_say(t, &t->lookup[i], out);
    }
    paths_end(t, i, out);
    for (; i < t->lookups; i++) {
        lookup_say(t, &t->lookup[i], out);
        outcome_say(t, &t->lookup[i], out);
    }
}
