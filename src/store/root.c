/*
 * The root is opened once, and everything is found beneath the open directory. When its path leads
 * elsewhere (a deploy changed a link), the root is opened again. While the path leads nowhere there
 * is no root, and no file of the former root is served.
 */
#define _GNU_SOURCE
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int root_name(struct root *root, const char *path)
{
    char here[PATH_MAX] = "";
    if (*path != '/' && !getcwd(here, sizeof(here))) return -errno;
    int length = snprintf(root->path, sizeof(root->path), "%s/%s", here, path);
    return length < (int)sizeof(root->path) ? 0 : -ENAMETOOLONG;
}

/*
 * Opens the directory that the path leads to and reads its identity. Returns a descriptor, or
 * -errno; *call is then the name of the system call that failed, unless that was open().
 */
static int directory_open(const char *path, struct identity *identity, const char **call)
{
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    int result = identity_read(directory, "", identity);
    if (result == 0) return directory;
    close(directory);
    *call = "statx"; /* on an open descriptor, only a sandbox makes it fail */
    return result;
}

void root_open(struct root *root, struct beneath *beneath, uint16_t tree, struct watch *watch)
{
    root->watched = chain_watch(&root->chain, &watch->notifier, tree, root->path);
    root->identity = (struct identity){0};
    root->problem = 0;
    root->call = NULL;
    root->trusted_until_ns = 0;
    int directory = directory_open(root->path, &root->identity, &root->call);
    if (directory < 0) root->problem = -directory;
    beneath->directory = directory < 0 ? -1 : directory;
}

void root_close(struct root *root, struct beneath *beneath, struct watch *watch)
{
    chain_forget(&root->chain, &watch->notifier);
    if (beneath->directory >= 0) close(beneath->directory);
    beneath->directory = -1;
}

bool root_is_there(struct root *root)
{
    struct identity identity;
    const char *call;
    int directory = directory_open(root->path, &identity, &call);
    if (directory < 0)
        root->problem = -directory;
    else
        close(directory);
    return directory >= 0;
}

bool root_is_current(const struct root *root)
{
    struct identity found;
    if (root->problem != 0 || identity_read(AT_FDCWD, root->path, &found) < 0) return false;
    const struct identity *held = &root->identity;
    return found.device == held->device && found.inode == held->inode && found.mount == held->mount;
}
