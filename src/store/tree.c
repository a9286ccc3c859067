/*
 * Begins and ends the trees of a store. All share its cache and its watch, which tell them apart by
 * their number.
 */
#define _GNU_SOURCE
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What the kernel can do does not depend on the directory: without a root, another one is asked. */
static void place_open(struct place *place, struct notices *notices)
{
    struct beneath *beneath = &place->beneath;
    int directory = beneath->directory >= 0 ? beneath->directory : AT_FDCWD;
    beneath->walks = !beneath_has_openat2(directory);
    beneath->may_ask = !beneath->walks && beneath_may_ask(directory);
    beneath_follow(beneath, place->options->symlinks);
    if (beneath->walks) notices_raise(notices, NOTICE_NO_OPENAT2);
}

int tree_begin(struct tree *tree, uint16_t number, const struct tree_options *options,
               struct watch *watch)
{
    *tree = (struct tree){.number = number, .place = {.beneath.directory = -1, .options = options}};
    int result = root_name(&tree->root, options->root);
    if (result < 0) {
        tree->root.path[0] = '\0'; /* which is never found */
        tree->root.problem = -result;
        return result;
    }
    root_open(&tree->root, &tree->place.beneath, number, watch);
    place_open(&tree->place, watch->notifier.notices);
    return -tree->root.problem;
}

void tree_end(struct tree *tree, struct watch *watch)
{
    watch_forget(watch, tree->number);
    root_close(&tree->root, &tree->place.beneath, watch);
}

/* A sandbox lets the process find the new root, and refuses to open what is in it (landlock(7)). */
static void root_try(int directory, struct notices *notices)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    else if (errno == EACCES)
        notices_raise(notices, NOTICE_NO_RIGHT);
}

void tree_begin_again(struct tree *tree, struct watch *watch)
{
    tree_end(tree, watch);
    root_open(&tree->root, &tree->place.beneath, tree->number, watch);
    if (tree->root.problem == 0) root_try(tree->place.beneath.directory, watch->notifier.notices);
}
