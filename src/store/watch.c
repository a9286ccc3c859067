/*
 * Directories are watched, not files: one watch serves all files in it, and reports names that did
 * not exist before. A directory is watched only after its parents, so that a rename of a parent is
 * reported. It is watched before the file is looked at, so that no change is missed in between.
 *
 * The kernel does not report changes through another hard link or a shared mapping, mounts over a
 * directory, and changes by other machines on a shared file system. The caller must find these.
 */
#define _GNU_SOURCE
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

void watch_open(struct watch *watch, const struct store_options *options,
                struct store_counts *counts, struct notices *notices)
{
    struct notifier *notifier = &watch->notifier;
    watch->directories = (struct directories){.notifier = notifier};
    watch->event = NULL;
    notifier_open(notifier, options->watches_max, counts, notices);
    if (notifier->fd < 0) return;
    if (directories_open(&watch->directories, notifier, options->memory_bytes_max / 8)) return;
    notices_raise(notices, NOTICE_NO_WATCH);
    notifier_close(notifier);
}

void watch_close(struct watch *watch)
{
    if (watch->notifier.fd < 0) return;
    directories_close(&watch->directories);
    notifier_close(&watch->notifier);
}

void watch_forget(struct watch *watch, uint16_t tree)
{
    if (watch->notifier.fd >= 0) directory_forget_beneath(&watch->directories, tree, TEXT(""));
}

/*
 * Reports that all beneath a directory may have changed. Its watches may stand for other paths now,
 * so they are removed.
 */
static bool tell_beneath(struct watch *watch, struct change *change)
{
    change->kind = CHANGE_BENEATH;
    change->beneath = (struct text){watch->beneath, strlen(watch->beneath)};
    directory_forget_beneath(&watch->directories, change->tree, change->beneath);
    return true;
}

#define NAMING (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

static bool tell_name(struct watch *watch, struct directory *directory, struct change *change)
{
    const struct inotify_event *event = watch->event;
    change->kind = CHANGE_NAME;
    change->naming = (event->mask & NAMING) != 0;
    if (change->naming) directory->changed = ++watch->directories.changes;
    change->directory = directory->key.path;
    change->name = (struct text){event->name, strlen(event->name)};
    if ((event->mask & IN_ISDIR) == 0) return true;
    int length =
        snprintf(watch->beneath, sizeof(watch->beneath), "%s%s/", directory->letters, event->name);
    if (length >= (int)sizeof(watch->beneath)) return true;
    struct text path = {watch->beneath, (size_t)length};
    return !directory_find(&watch->directories, change->tree, path) || tell_beneath(watch, change);
}

/* Makes a change in one tree from the event. Returns false when the event does not matter to it. */
static bool tell(struct watch *watch, uint16_t tree, struct change *change)
{
    const struct inotify_event *event = watch->event;
    *change = (struct change){.kind = CHANGE_ALL, .tree = tree};
    bool itself = event->len == 0;
    bool on_way = notifier_find(&watch->notifier, event->wd, tree, WATCHING_WAY);
    if (itself && on_way) return true;
    struct directory *directory = directory_find_number(&watch->directories, tree, event->wd);
    if (!directory) {
        change->kind = CHANGE_ABOVE;
        return (event->mask & IN_ISDIR) != 0 && on_way;
    }
    if (!itself) return tell_name(watch, directory, change);
    if (directory->key.path.length == 0) return true;
    snprintf(watch->beneath, sizeof(watch->beneath), "%s", directory->letters);
    return tell_beneath(watch, change);
}

/* Reports the event to the next tree that it matters to. Returns false when there is none. */
static bool tell_next(struct watch *watch, struct change *change)
{
    for (;;) {
        uint32_t tree = notifier_tree_from(&watch->notifier, watch->event->wd, watch->tree);
        if (tree == NOTIFIER_NO_TREE) return false;
        watch->tree = tree + 1;
        if (tell(watch, (uint16_t)tree, change)) return true;
    }
}

static bool tell_lost(struct watch *watch, struct change *change)
{
    if ((watch->event->mask & IN_Q_OVERFLOW) == 0) return false;
    watch->event = NULL;
    watch->notifier.counts->watch_overflows++;
    notices_raise(watch->notifier.notices, NOTICE_OVERFLOW);
    *change = (struct change){.kind = CHANGE_LOST};
    return true;
}

bool watch_next(struct watch *watch, struct change *change)
{
    if (watch->notifier.fd < 0) return false;
    for (;;) {
        if (watch->event && tell_next(watch, change)) return true;
        watch->event = notifier_next(&watch->notifier);
        watch->tree = 0;
        if (!watch->event) return false;
        if (tell_lost(watch, change)) return true;
    }
}
