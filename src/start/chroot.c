/*
 * The option sandbox.chroot: checks that the processes can enter the directory and find the roots
 * there, and finds the paths that lead there inside. The supervisor stays outside.
 */
#include "start/program.h"
#include "start/sites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROBLEM_BYTES_MAX 512

/* Returns the path inside of the directory to what is `path` outside; NULL: it is not beneath. */
static const char *inside_of(const char *directory, const char *path)
{
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    if (strncmp(path, directory, length) != 0) return NULL;
    if (path[length] == '\0') return "/";
    return path[length] == '/' ? path + length : NULL;
}

/* Why the directory cannot be entered; `root`: or why that is not found inside. */
static void entering_write(char *text, size_t size, const char *root, int error)
{
    if (error == -EPERM)
        snprintf(text, size,
                 "this needs CAP_SYS_CHROOT, which root has (systemd: AmbientCapabilities= and "
                 "CapabilityBoundingSet=, and SystemCallFilter=chroot); or set it to off");
    else if (root)
        snprintf(text, size,
                 "%.255s is not found inside: %s; links on the way must be relative, or absolute "
                 "as seen from inside",
                 root, strerror(-error));
    else
        snprintf(text, size, "the directory cannot be entered: %s", strerror(-error));
}

static bool chroot_problem(const struct program *p, const char *problem)
{
    config_problem(p, "sandbox.chroot", &p->config->sandbox_chroot, problem);
    return false;
}

/* Returns whether the root is found inside. */
static bool root_check(const struct program *p, const char *root)
{
    char problem[PROBLEM_BYTES_MAX];
    const char *directory = p->config->sandbox_chroot;
    const char *inside = inside_of(directory, root);
    snprintf(problem, sizeof(problem), "%.255s is not beneath it, so it could not be served", root);
    if (!inside) return chroot_problem(p, problem);
    int error = confine_root_try(directory, inside);
    entering_write(problem, sizeof(problem), root, error);
    return error == 0 || chroot_problem(p, problem);
}

const char *chroot_path(const struct program *p, const char *path)
{
    const char *directory = p->service.confinement.chroot;
    const char *inside = directory ? inside_of(directory, path) : NULL;
    return inside ? inside : path;
}

/* sandbox.directories is for the processes alone: the list has the paths inside from now on. */
static bool directories_move(struct program *p)
{
    struct config_list *beneath = &p->config->sandbox_directories;
    for (uint32_t i = 0; i < beneath->count; i++) {
        const char *inside = inside_of(p->config->sandbox_chroot, beneath->item[i]);
        if (!inside) {
            config_problem(p, "sandbox.directories", beneath, "must be beneath sandbox.chroot");
            return false;
        }
        beneath->item[i] = inside;
    }
    return true;
}

/* Returns why the processes could leave the directory again, or NULL. */
static const char *way_out(const struct confinement *c)
{
    bool is_root = geteuid() == 0;
    if (is_root && (!c->user.changes || c->user.user == 0))
        return "root could leave it; name a user who can read the roots (user = NAME)";
    if (!is_root && !c->capabilities)
        return "CAP_SYS_CHROOT would be kept, which leads out again; it needs sandbox.privileges";
    return NULL;
}

bool chroot_make(struct program *p)
{
    char problem[PROBLEM_BYTES_MAX];
    struct confinement *c = &p->service.confinement;
    const char *directory = p->config->sandbox_chroot;
    if (strcmp(directory, "off") == 0) return true;
    int error = confine_root_try(directory, "/");
    entering_write(problem, sizeof(problem), NULL, error);
    if (error != 0) return chroot_problem(p, problem);
    const char *way = way_out(c);
    if (way) return chroot_problem(p, way);
    c->chroot = directory;
    for (uint32_t i = config_root_outside_used(p->config) ? 0 : 1; i < p->sites->trees; i++)
        if (!root_check(p, p->tree[i].root)) return false;
    return directories_move(p);
}
