/*
 * The root is opened once and everything is found beneath the open directory. When its path
 * leads elsewhere (a deploy swapped a link) it is opened anew. While the path leads nowhere
 * there is no root, and nothing of the former one is served.
 */
#define _GNU_SOURCE
#include "root.h"
#include "chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int root_name(struct root *root, const char *path)
{
    char here[PATH_MAX] = "";
    if (*path != '/' && getcwd(here, sizeof(here)) == NULL) return -errno;
    int length = snprintf(root->path, sizeof(root->path), "%s/%s", here, path);
    return length < (int)sizeof(root->path) ? 0 : -ENAMETOOLONG;
}

void root_open(struct root *root, struct beneath *beneath, struct watch *watch)
{
    root->watched = chain_watch(watch, root->path);
    root->identity = (struct identity){0};
    root->problem = 0;
    root->call = NULL;
    beneath->directory = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (beneath->directory < 0) {
        root->problem = errno;
        return;
    }
    int result = identity_read(beneath->directory, "", &root->identity);
    if (result < 0) {
        root_close(beneath);
        root->problem = -result;
        root->call = "statx"; /* of an open descriptor, it has nothing else to fail for */
    }
}

void root_close(struct beneath *beneath)
{
    if (beneath->directory >= 0) close(beneath->directory);
    beneath->directory = -1;
}

bool root_is_there(struct root *root)
{
    struct identity identity;
    int directory = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = directory < 0 ? -errno : identity_read(directory, "", &identity);
    if (directory >= 0) close(directory);
    if (result < 0) root->problem = -result;
    return result == 0;
}

bool root_is_current(const struct root *root)
{
    struct identity found;
    if (root->problem != 0 || identity_read(AT_FDCWD, root->path, &found) < 0) return false;
    const struct identity *held = &root->identity;
    return found.device == held->device && found.inode == held->inode && found.mount == held->mount;
}
