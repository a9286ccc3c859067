/*
 * Directories are watched, not files: one watch serves all files in it, and tells of names that
 * do not exist yet. A directory is watched only after its parents are, so that whoever renames
 * one of them is heard; and before the file is looked at, so that nothing falls in between.
 *
 * Not told by the kernel, and left to the caller: changes through another hard link, through a
 * shared mapping, by a mount over a directory, and by other machines of a shared file system.
 */
#define _GNU_SOURCE
#include "watch.h"
#include "directory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

void watch_open(struct watch *watch, const struct store_options *options,
                struct store_counts *counts, struct notices *notices)
{
    watch->fd = -1;
    watch->watches_max = options->watches_max;
    watch->directory_bytes_max = options->memory_bytes_max / 8;
    watch->counts = counts;
    watch->notices = notices;
    if (options->watches_max == 0) return;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
        notices_raise(notices, exhausted ? NOTICE_NO_INOTIFY : NOTICE_NO_INIT);
        return;
    }
    if (directory_open_tables(watch)) return;
    notices_raise(notices, NOTICE_NO_WATCH);
    directory_close_tables(watch);
    close(watch->fd);
    watch->fd = -1;
}

void watch_close(struct watch *watch)
{
    if (watch->fd < 0) return;
    watch_forget(watch);
    directory_close_tables(watch);
    close(watch->fd);
    watch->fd = -1;
}

void watch_forget(struct watch *watch)
{
    if (watch->fd < 0) return;
    directory_forget_beneath(watch, TEXT(""));
    for (; watch->chain_count > 0; watch->chain_count--) {
        inotify_rm_watch(watch->fd, watch->chain[watch->chain_count - 1]);
        watch->counts->watches--;
    }
}

int watch_add(struct watch *watch, const char *path, uint32_t mask)
{
    if (watch->counts->watches >= watch->watches_max) {
        notices_raise(watch->notices, NOTICE_NO_WATCH);
        return -ENOSPC;
    }
    int number = inotify_add_watch(watch->fd, path, mask);
    if (number < 0) {
        int error = errno;
        if (error == ENOSPC || error == ENOMEM) notices_raise(watch->notices, NOTICE_NO_WATCH);
        if (error == EPERM || error == ENOSYS) notices_raise(watch->notices, NOTICE_NO_ADD);
        return -error;
    }
    watch->counts->watches++;
    return number;
}

static bool is_in_chain(const struct watch *watch, int number)
{
    for (uint32_t i = 0; i < watch->chain_count; i++)
        if (watch->chain[i] == number) return true;
    return false;
}

/* The next event, read anew when all that were read have been told; NULL when there is none. */
static const struct inotify_event *next_event(struct watch *watch)
{
    if (watch->offset == watch->filled) {
        ssize_t n;
        do {
            n = read(watch->fd, watch->space, sizeof(watch->space));
            watch->counts->refreshes++;
        } while (n < 0 && errno == EINTR);
        watch->offset = 0;
        watch->filled = n > 0 ? (size_t)n : 0;
        if (n <= 0) return NULL;
    }
    const char *here = watch->space + watch->offset;
    const struct inotify_event *event = (const struct inotify_event *)(const void *)here;
    watch->offset += sizeof(*event) + event->len;
    return event;
}

/* All beneath a directory is suspect, and its watches stand for paths that may be others now. */
static bool tell_beneath(struct watch *watch, struct change *change)
{
    change->kind = CHANGE_BENEATH;
    change->beneath = (struct text){watch->beneath, strlen(watch->beneath)};
    directory_forget_beneath(watch, change->beneath);
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
    return !directory_find(watch, path) || tell_beneath(watch, change);
}

/* False when the event is of no consequence. */
static bool tell(struct watch *watch, const struct inotify_event *event, struct change *change)
{
    *change = (struct change){.kind = CHANGE_ALL};
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        watch->counts->watch_overflows++;
        notices_raise(watch->notices, NOTICE_OVERFLOW);
        return true;
    }
    bool itself = event->len == 0;
    if (itself && is_in_chain(watch, event->wd)) return true;
    const struct directory *directory = directory_find_number(watch, event->wd);
    if (!directory) {
        change->kind = CHANGE_ABOVE;
        return (event->mask & IN_ISDIR) != 0 && is_in_chain(watch, event->wd);
    }
    if (!itself) return tell_name(watch, directory, event, change);
    if (directory->path.length == 0) return true;
    snprintf(watch->beneath, sizeof(watch->beneath), "%s", directory->letters);
    return tell_beneath(watch, change);
}

bool watch_next(struct watch *watch, struct change *change)
{
    const struct inotify_event *event;
    if (watch->fd < 0) return false;
    while ((event = next_event(watch)) != NULL)
        if (tell(watch, event, change)) return true;
    return false;
}
