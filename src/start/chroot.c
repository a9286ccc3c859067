/*
 * The option sandbox.chroot: checks that the processes can enter the directory and find the roots there,
 * and gives the paths as they are inside. The supervisor and the status process stay outside.
 */
#include "start/program.h"
#include "start/sites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_BYTES_MAX 512

/* Returns the path from inside the directory to what is `path` outside; NULL: it is not beneath it. */
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
                 "only root with CAP_SYS_CHROOT can enter a directory (systemd: no User=, that "
                 "capability, and SystemCallFilter=chroot); start the server so, or set it to off");
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

/* From here on the tree is what the workers see: they are inside. */
static bool tree_move(struct program *p, uint32_t tree)
{
    char problem[PROBLEM_BYTES_MAX];
    const char *directory = p->config->sandbox_chroot, *root = p->tree[tree].root;
    const char *inside = inside_of(directory, root);
    snprintf(problem, sizeof(problem), "%.255s is not beneath it, so it could not be served", root);
    if (!inside) return chroot_problem(p, problem);
    int error = confine_root_try(directory, inside);
    entering_write(problem, sizeof(problem), root, error);
    if (error != 0) return chroot_problem(p, problem);
    p->tree[tree].root = inside;
    return true;
}

/* Those of sandbox.directories, too. They are texts of the configuration. */
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

bool chroot_make(struct program *p)
{
    char problem[PROBLEM_BYTES_MAX];
    struct confinement *c = &p->service.confinement;
    const char *directory = p->config->sandbox_chroot;
    if (strcmp(directory, "off") == 0) return true;
    if (!c->capabilities && !c->user.changes)
        return chroot_problem(p, "root with all its capabilities can leave any directory; set "
                                 "sandbox.privileges = on, or name a user");
    int error = confine_root_try(directory, "/");
    entering_write(problem, sizeof(problem), NULL, error);
    if (error != 0) return chroot_problem(p, problem);
    c->chroot = directory;
    for (uint32_t i = config_root_outside_used(p->config) ? 0 : 1; i < p->sites->trees; i++)
        if (!tree_move(p, i)) return false;
    return directories_move(p);
}
