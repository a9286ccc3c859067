/*
 * Calls inotify(7), counts watches, and says what is short or forbidden.
 */
#include "notifier.h"
#include "account.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define TABLE_MIN 16
#define TABLE_MAX 16384

static size_t table_bytes(const struct notifier *n)
{
    return account_bytes((size_t)(n->mask + 1) * sizeof(struct watched *));
}

/* Returns false, with a notice, when there is no memory. */
static bool table_open(struct notifier *n)
{
    uint32_t length = TABLE_MIN;
    while (length < TABLE_MAX && length < n->watches_max)
        length *= 2;
    n->mask = length - 1;
    n->by_number = calloc(length, sizeof(struct watched *));
    if (!n->by_number) {
        notices_raise(n->notices, NOTICE_NO_WATCH);
        return false;
    }
    n->counts->bytes += table_bytes(n);
    return true;
}

void notifier_open(struct notifier *n, uint32_t watches_max, struct store_counts *counts,
                   struct notices *notices)
{
    n->fd = -1;
    n->watches_max = watches_max;
    n->by_number = NULL;
    n->counts = counts;
    n->notices = notices;
    n->filled = n->offset = 0;
    if (watches_max == 0) return;
    n->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (n->fd < 0) {
        bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
        notices_raise(notices, exhausted ? NOTICE_NO_INOTIFY : NOTICE_NO_INIT);
    } else if (!table_open(n)) {
        notifier_close(n);
    }
}

void notifier_close(struct notifier *n)
{
    if (n->fd >= 0) close(n->fd);
    if (n->by_number) n->counts->bytes -= table_bytes(n);
    free(n->by_number);
    n->by_number = NULL;
    n->fd = -1;
}

static struct watched **chain_of(const struct notifier *n, int number)
{
    return &n->by_number[(uint32_t)number & n->mask];
}

/*
 * IN_MASK_ADD: what somebody else wants to know of the same inode is still reported. Who does not
 * want it must ignore it.
 */
int notifier_add(struct notifier *n, struct watched *watched, const char *path, uint32_t mask)
{
    if (n->counts->watches >= n->watches_max) {
        notices_raise(n->notices, NOTICE_NO_WATCH);
        return -ENOSPC;
    }
    int number = inotify_add_watch(n->fd, path, mask | IN_MASK_ADD);
    if (number < 0) {
        int error = errno;
        if (error == ENOSPC || error == ENOMEM) notices_raise(n->notices, NOTICE_NO_WATCH);
        if (error == EPERM || error == ENOSYS) notices_raise(n->notices, NOTICE_NO_ADD);
        return -error;
    }
    struct watched **head = chain_of(n, number);
    watched->number = number;
    watched->next = *head;
    *head = watched;
    n->counts->watches++;
    return 0;
}

static bool is_watched(const struct notifier *n, int number)
{
    return notifier_tree_from(n, number, 0) != NOTIFIER_NO_TREE;
}

void notifier_remove(struct notifier *n, struct watched *watched)
{
    struct watched **link = chain_of(n, watched->number);
    while (*link != watched) {
        assert(*link);
        link = &(*link)->next;
    }
    *link = watched->next;
    n->counts->watches--;
    if (!is_watched(n, watched->number)) inotify_rm_watch(n->fd, watched->number);
}

static bool is_for(const struct watched *watched, int number, uint16_t tree, enum watching watching)
{
    return watched->number == number && watched->tree == tree && watched->watching == watching;
}

struct watched *notifier_find(const struct notifier *n, int number, uint16_t tree,
                              enum watching watching)
{
    struct watched *found = *chain_of(n, number);
    while (found && !is_for(found, number, tree, watching))
        found = found->next;
    return found;
}

bool notifier_has_other(const struct notifier *n, const struct watched *watched)
{
    const struct watched *other = *chain_of(n, watched->number);
    while (other &&
           (other == watched || !is_for(other, watched->number, watched->tree, watched->watching)))
        other = other->next;
    return other;
}

uint32_t notifier_tree_from(const struct notifier *n, int number, uint32_t tree)
{
    uint32_t first = NOTIFIER_NO_TREE;
    for (const struct watched *watched = *chain_of(n, number); watched; watched = watched->next)
        if (watched->number == number && watched->tree >= tree && watched->tree < first)
            first = watched->tree;
    return first;
}

const struct inotify_event *notifier_next(struct notifier *n)
{
    if (n->offset == n->filled) {
        ssize_t length;
        do {
            length = read(n->fd, n->space, sizeof(n->space));
            n->counts->refreshes++;
        } while (length < 0 && errno == EINTR);
        n->offset = 0;
        n->filled = length > 0 ? (size_t)length : 0;
        if (length <= 0) return NULL;
    }
    const char *here = n->space + n->offset;
    const struct inotify_event *event = (const struct inotify_event *)(const void *)here;
    n->offset += sizeof(*event) + event->len;
    return event;
}
