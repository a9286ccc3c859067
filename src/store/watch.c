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
    watch->chain.count = 0;
    watch->directories = (struct directories){.notifier = notifier};
    notifier_open(notifier, options->watches_max, counts, notices);
    if (notifier->fd < 0) return;
    if (directories_open(&watch->directories, notifier, options->memory_bytes_max / 8)) return;
    notices_raise(notices, NOTICE_NO_WATCH);
    notifier_close(notifier);
}

void watch_close(struct watch *watch)
{
    if (watch->notifier.fd < 0) return;
    watch_forget(watch);
    directories_close(&watch->directories);
    notifier_close(&watch->notifier);
}

void watch_forget(struct watch *watch)
{
    if (watch->notifier.fd < 0) return;
    directory_forget_beneath(&watch->directories, TEXT(""));
    chain_forget(&watch->chain, &watch->notifier);
}

/*
 * Reports that all beneath a directory may have changed. Its watches may stand for other paths now,
 * so they are removed.
 */
static bool tell_beneath(struct watch *watch, struct change *change)
{
    change->kind = CHANGE_BENEATH;
    change->beneath = (struct text){watch->beneath, strlen(watch->beneath)};
    directory_forget_beneath(&watch->directories, change->beneath);
    return true;
}

static bool tell_name(struct watch *watch, const struct directory *directory,
                      const struct inotify_event *event, struct change *change)
{
    change->kind = CHANGE_NAME;
    change->directory = directory->path;
    change->name = (struct text){event->name, strlen(event->name)};
    if ((event->mask & IN_ISDIR) == 0) return true;
    int length =
        snprintf(watch->beneath, sizeof(watch->beneath), "%s%s/", directory->letters, event->name);
    if (length >= (int)sizeof(watch->beneath)) return true;
    struct text path = {watch->beneath, (size_t)length};
    return !directory_find(&watch->directories, path) || tell_beneath(watch, change);
}

/* Makes a change from an event. Returns false when the event does not matter. */
static bool tell(struct watch *watch, const struct inotify_event *event, struct change *change)
{
    *change = (struct change){.kind = CHANGE_ALL};
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        watch->notifier.counts->watch_overflows++;
        notices_raise(watch->notifier.notices, NOTICE_OVERFLOW);
        return true;
    }
    bool itself = event->len == 0;
    if (itself && chain_has(&watch->chain, event->wd)) return true;
    const struct directory *directory = directory_find_number(&watch->directories, event->wd);
    if (!directory) {
        change->kind = CHANGE_ABOVE;
        return (event->mask & IN_ISDIR) != 0 && chain_has(&watch->chain, event->wd);
    }
    if (!itself) return tell_name(watch, directory, event, change);
    if (directory->path.length == 0) return true;
    snprintf(watch->beneath, sizeof(watch->beneath), "%s", directory->letters);
    return tell_beneath(watch, change);
}

bool watch_next(struct watch *watch, struct change *change)
{
    const struct inotify_event *event;
    if (watch->notifier.fd < 0) return false;
    while ((event = notifier_next(&watch->notifier)) != NULL)
        if (tell(watch, event, change)) return true;
    return false;
}
