/*
 * What the processes give up: reads the option `user` and the block sandbox { … }, and finds out what of it
 * works here. What does not work is left out with a line in the log, so that the server starts on old
 * kernels and in containers; but a user that was named must be there, and must be able to read the roots.
 */
#include "start/program.h"
#include "start/sites.h"
#include "zcserve/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USER_AUTO "nobody" /* whom the processes become when no user is named */

/* Memory and system calls of a sanitizer, and the files of a coverage build, are not those of the server. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(ZCSERVE_OBSERVED)
static const char observed[] = "this build is observed (sanitizer or coverage)";
#else
static const char *const observed = NULL;
#endif

/* ---- the user --------------------------------------------------------------------------------- */

static bool is_auto(const char *name)
{
    return *name == '\0' || strcmp(name, "auto") == 0;
}

/* Returns the first root that the user cannot read; NULL: there is none. */
static const char *unreadable(const struct program *p, const struct confine_user *user, int *error)
{
    uint32_t first = config_root_outside_used(p->config) ? 0 : 1;
    for (uint32_t i = first; i < p->sites->trees; i++)
        if ((*error = confine_user_reads(user, p->tree[i].root)) != 0) return p->tree[i].root;
    return NULL;
}

static void user_choose(struct program *p)
{
    struct confine_user *user = &p->service.confinement.user;
    int error = 0;
    const char *root = confine_user_find(user, USER_AUTO) ? unreadable(p, user, &error) : "";
    user->changes = !root;
    if (root)
        log_warn(
            "the processes go on as root, because the user %s cannot read %s%s%s; let all users "
            "read it and pass the directories above it, or name a user who can: user = NAME",
            USER_AUTO, *root ? root : "it, being not there", *root ? ": " : "",
            *root ? strerror(-error) : "");
}

static bool user_read(struct program *p)
{
    char problem[512];
    const char *name = p->config->user;
    struct confine_user *user = &p->service.confinement.user;
    int error = 0;
    if (!confine_user_find(user, name)) {
        snprintf(problem, sizeof(problem),
                 "'%.255s' is no user of this system, or has no such group", name);
        config_problem(p, "user", &p->config->user, problem);
        return false;
    }
    const char *root = unreadable(p, user, &error);
    if (!root) return true;
    snprintf(
        problem, sizeof(problem),
        "'%.128s' cannot read %.255s: %s; the user needs to read it and to pass the directories "
        "above it",
        name, root, strerror(-error));
    config_problem(p, "user", &p->config->user, problem);
    return false;
}

/* Only root can become another user; others are told when they want to. */
static bool user_make(struct program *p)
{
    struct confine_user wanted;
    const char *name = p->config->user;
    if (geteuid() == 0 && is_auto(name)) {
        user_choose(p);
        return true;
    }
    if (geteuid() == 0) return user_read(p);
    if (!is_auto(name) && !(confine_user_find(&wanted, name) && wanted.user == geteuid()))
        log_warn("user = %s is left out: only root can become another user", name);
    return true;
}

/* ---- the sandbox ------------------------------------------------------------------------------ */

/* Returns whether this part is wanted and works; says why it does not. */
static bool part_make(const char *name, bool wanted, const char *problem)
{
    if (wanted && problem) log_notice("sandbox.%s is left out: %s", name, problem);
    return wanted && !problem;
}

static bool roots_take(struct program *p)
{
    struct confinement *c = &p->service.confinement;
    c->roots = p->sites->trees;
    c->root = calloc(c->roots, sizeof(*c->root));
    for (uint32_t i = 0; i < c->roots && c->root; i++)
        c->root[i] = p->tree[i].root;
    if (!c->root) fputs("not enough memory for the sandbox\n", p->errors);
    return c->root;
}

bool confinement_make(struct program *p)
{
    const struct config *config = p->config;
    struct confinement *c = &p->service.confinement;
    c->privileges = config->sandbox_privileges;
    c->beneath = config->sandbox_directories.item;
    if (!roots_take(p) || !user_make(p)) return false;
    c->files =
        part_make("files", config->sandbox_files, observed ? observed : confine_files_problem());
    c->calls =
        part_make("calls", config->sandbox_calls, observed ? observed : confine_calls_problem());
    return true;
}
