/*
 * What the processes give up: reads the option `user` and the block sandbox { … }, and finds out what of it
 * works here. What does not work is left out with a line in the log, so that the server starts on old
 * kernels and in containers; but a user that was named must be there, and must be able to read the roots.
 */
#define _GNU_SOURCE
#include "start/program.h"
#include "start/sites.h"
#include "zcserve/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USER_AUTO "nobody" /* whom the processes become when no user is named */
#define PROBLEM_BYTES_MAX 512

/* Memory and system calls of a sanitizer, and the files of a coverage build, are not those of the server. */
#ifdef ZCSERVE_OBSERVED
static const char *const observed = "this build is observed (sanitizer or coverage)";
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

/* Why the processes cannot become the user `name` to serve `root`. */
static void obstacle_write(char *text, size_t size, const char *name, const char *root, int error)
{
    if (error == -EPERM)
        snprintf(text, size,
                 "this root may not become the user '%.128s': it needs CAP_SETUID and CAP_SETGID, "
                 "and in a "
                 "user name space a user of that number",
                 name);
    else
        snprintf(text, size,
                 "'%.128s' cannot read %.255s: %s; the user needs to read it and to pass the "
                 "directories above it",
                 name, root, strerror(-error));
}

/* Without a name the processes become nobody, or stay root where nobody cannot read what is served. */
static bool user_choose(struct program *p)
{
    char why[PROBLEM_BYTES_MAX] = "there is no user '" USER_AUTO "'";
    struct confine_user *user = &p->service.confinement.user;
    int error = 0;
    bool there = confine_user_find(user, USER_AUTO);
    const char *root = there ? unreadable(p, user, &error) : NULL;
    user->changes = there && !root;
    if (user->changes) return true;
    if (root) obstacle_write(why, sizeof(why), USER_AUTO, root, error);
    p->stays_root = strdup(why);
    if (!p->stays_root) fputs("not enough memory for the sandbox\n", p->errors);
    return p->stays_root;
}

static bool user_read(struct program *p)
{
    char problem[PROBLEM_BYTES_MAX];
    const char *name = p->config->user;
    struct confine_user *user = &p->service.confinement.user;
    int error = 0;
    bool there = confine_user_find(user, name);
    const char *root = there ? unreadable(p, user, &error) : NULL;
    if (there && !root) return true;
    if (root)
        obstacle_write(problem, sizeof(problem), name, root, error);
    else
        snprintf(problem, sizeof(problem),
                 "'%.255s' is no user of this system, or has no such group", name);
    config_problem(p, "user", &p->config->user, problem);
    return false;
}

static bool user_make(struct program *p)
{
    if (geteuid() != 0) return true;
    return is_auto(p->config->user) ? user_choose(p) : user_read(p);
}

/* ---- the sandbox ------------------------------------------------------------------------------ */

static bool roots_take(struct program *p)
{
    struct confinement *c = &p->service.confinement;
    c->roots = p->sites->trees;
    c->root = calloc(c->roots, sizeof(*c->root));
    for (uint32_t i = 0; i < c->roots && c->root; i++)
        c->root[i] = chroot_path(p, p->tree[i].root);
    if (!c->root) fputs("not enough memory for the sandbox\n", p->errors);
    return c->root;
}

bool confinement_make(struct program *p)
{
    const struct config *config = p->config;
    struct confinement *c = &p->service.confinement;
    c->privileges = config->sandbox_privileges;
    c->beneath = config->sandbox_directories.item;
    if (!user_make(p)) return false;
    if (config->sandbox_privileges) p->no_capabilities = confine_capabilities_problem();
    c->capabilities = config->sandbox_privileges && !p->no_capabilities;
    if (config->sandbox_files) p->no_files = observed ? observed : confine_files_problem();
    if (config->sandbox_calls) p->no_calls = observed ? observed : confine_calls_problem();
    c->files = config->sandbox_files && !p->no_files;
    c->calls = config->sandbox_calls && !p->no_calls;
    return chroot_make(p) && roots_take(p);
}

/* ---- telling ---------------------------------------------------------------------------------- */

static void root_warn(const struct program *p)
{
    if (!p->stays_root) return;
    log_warn("serving as root, so that a fault in the server could read everything: %s. Let all "
             "users read the files and pass the directories above them, or name a user who can "
             "(user = NAME), or start the server as another user (systemd: User=, and "
             "AmbientCapabilities=CAP_NET_BIND_SERVICE for ports below 1024)",
             p->stays_root);
}

/* Only root can become another user. */
static void user_warn(const struct program *p)
{
    struct confine_user wanted;
    const char *name = p->config->user;
    if (geteuid() == 0 || is_auto(name)) return;
    if (!confine_user_find(&wanted, name) || wanted.user != geteuid())
        log_warn("user = %s is left out: only root can become another user", name);
}

void confinement_tell(const struct program *p)
{
    root_warn(p);
    user_warn(p);
    if (p->no_capabilities)
        log_notice("sandbox.privileges: capabilities are kept: %s", p->no_capabilities);
    if (p->no_files) log_notice("sandbox.files is left out: %s", p->no_files);
    if (p->no_calls) log_notice("sandbox.calls is left out: %s", p->no_calls);
}
