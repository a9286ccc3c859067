/*
 * The helper threads of an event loop. The loop and the threads share two lists of fetches, to be
 * done and done, under one lock; everything else of a fetch belongs to one side at a time, and the
 * threads never touch a connection or the store. What is fetched is not handed over: it is in the
 * kernel's caches then, and the loop asks for it again.
 */
#include "zcserve/fetcher.h"
#include "zcserve/slab.h"
#include "zcserve/store.h"
#include "zcserve/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uthash.h>

#define THREADS 4
#define SCRATCH_BYTES 65536

/* What is to be read; a path when it has an errand, else a range of a file. */
struct fetch {
    struct fetch *next;
    struct errand *errand;
    int fd;
    uint64_t offset, length;
    struct client *waiting; /* the loop's: those who wait, linked by client.next_waiting */
    UT_hash_handle hh;      /* the loop's: paths by name                                  */
};

struct fetch_list {
    struct fetch *first, **last;
};

struct fetcher {
    struct slab fetches;
    struct fetch *paths;                /* those not yet over, by path      */
    struct client *ready;               /* whose fetch is over              */
    struct client *crowd, **crowd_last; /* who waits for a place, in order */
    int event;
    pthread_t thread[THREADS];
    unsigned threads;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wanted;
    struct fetch_list todo, done;
    bool ending;
};

static void list_add(struct fetch_list *list, struct fetch *fetch)
{
    fetch->next = NULL;
    *list->last = fetch;
    list->last = &fetch->next;
}

static struct fetch *list_take(struct fetch_list *list)
{
    struct fetch *fetch = list->first;
    if (fetch && !(list->first = fetch->next)) list->last = &list->first;
    return fetch;
}

/* ---- the threads' side ---------------------------------------------------------------------- */

/* Reads the range, so that it is resident; and has the kernel go on with what follows. */
static void range_read(const struct fetch *fetch)
{
    char scratch[SCRATCH_BYTES];
    uint64_t offset = fetch->offset, beyond = fetch->offset + fetch->length;
    posix_fadvise(fetch->fd, (off_t)offset, (off_t)(2 * fetch->length), POSIX_FADV_WILLNEED);
    while (offset < beyond) {
        size_t size =
            beyond - offset < sizeof(scratch) ? (size_t)(beyond - offset) : sizeof(scratch);
        ssize_t n = pread(fetch->fd, scratch, size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) /* the end, or trouble that sending will meet again */
            return;
        offset += (uint64_t)n;
    }
}

static void fetch_run(const struct fetch *fetch)
{
    if (fetch->errand)
        errand_run(fetch->errand);
    else
        range_read(fetch);
}

static void done_tell(const struct fetcher *f)
{
    uint64_t one = 1;
    ssize_t written = write(f->event, &one, sizeof(one));
    assert(written == (ssize_t)sizeof(one));
}

static void *thread_run(void *of)
{
    struct fetcher *f = of;
    pthread_mutex_lock(&f->lock);
    while (!f->ending) {
        struct fetch *fetch = list_take(&f->todo);
        if (!fetch) {
            pthread_cond_wait(&f->wanted, &f->lock);
            continue;
        }
        pthread_mutex_unlock(&f->lock);
        fetch_run(fetch);
        pthread_mutex_lock(&f->lock);
        list_add(&f->done, fetch);
        done_tell(f);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* Signals are for the loop: the threads block them all. */
static void threads_start(struct fetcher *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (f->threads < THREADS && pthread_create(&f->thread[f->threads], NULL, thread_run, f) == 0)
        f->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the loop's side ------------------------------------------------------------------------ */

struct fetcher *fetcher_open(uint32_t places)
{
    struct fetcher *f = calloc(1, sizeof(*f));
    if (!f) return NULL;
    f->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (f->event < 0 || slab_open(&f->fetches, sizeof(struct fetch), places) != 0) {
        if (f->event >= 0) close(f->event);
        free(f);
        return NULL;
    }
    f->crowd_last = &f->crowd;
    f->todo.last = &f->todo.first;
    f->done.last = &f->done.first;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wanted, NULL);
    return f;
}

static void fetch_free(struct fetcher *f, struct fetch *fetch)
{
    assert(!fetch->waiting);
    if (fetch->errand) {
        HASH_DEL(f->paths, fetch);
        errand_free(fetch->errand);
    } else {
        close(fetch->fd);
    }
    slab_put(&f->fetches, fetch);
}

static void list_free(struct fetcher *f, struct fetch_list *list)
{
    struct fetch *fetch;
    while ((fetch = list_take(list)) != NULL)
        fetch_free(f, fetch);
}

void fetcher_close(struct fetcher *f)
{
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_cond_broadcast(&f->wanted);
    pthread_mutex_unlock(&f->lock);
    for (unsigned i = 0; i < f->threads; i++)
        pthread_join(f->thread[i], NULL);
    list_free(f, &f->todo);
    list_free(f, &f->done);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->wanted);
    slab_close(&f->fetches);
    close(f->event);
    free(f);
}

int fetcher_fd(const struct fetcher *f)
{
    return f->event;
}

static void client_wait(struct client *client, struct fetch *fetch)
{
    assert(!client->awaiting);
    client->awaiting = true;
    client->fetch = fetch;
    client->next_waiting = fetch->waiting;
    fetch->waiting = client;
}

void fetcher_wait(struct fetcher *f, struct client *client)
{
    assert(!client->awaiting);
    client->awaiting = client->crowded = true;
    client->fetch = NULL;
    client->next_waiting = NULL;
    *f->crowd_last = client;
    f->crowd_last = &client->next_waiting;
}

static bool is_full(const struct fetcher *f)
{
    return f->fetches.used == f->fetches.count;
}

/* The first of those that wait comes out, so that it asks again. */
static void crowd_release(struct fetcher *f)
{
    struct client *client = f->crowd;
    if (!(f->crowd = client->next_waiting)) f->crowd_last = &f->crowd;
    client->next_waiting = f->ready;
    f->ready = client;
}

/* One that comes out may need no place: then the next tick lets others go. */
void fetcher_tick(struct fetcher *f)
{
    if (!f->crowd || is_full(f)) return;
    for (uint32_t i = f->fetches.used; i < f->fetches.count && f->crowd; i++)
        crowd_release(f);
    done_tell(f);
}

/* Without a single thread there is nobody to do it; the next fetch tries again. */
static bool fetch_start(struct fetcher *f, struct fetch *fetch)
{
    if (f->threads == 0) threads_start(f);
    if (f->threads == 0) return false;
    pthread_mutex_lock(&f->lock);
    list_add(&f->todo, fetch);
    pthread_cond_signal(&f->wanted);
    pthread_mutex_unlock(&f->lock);
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): the macros of uthash are counted */
bool fetcher_path(struct fetcher *f, struct client *client, struct errand *errand)
{
    struct text path = errand_path(errand);
    struct fetch *fetch;
    HASH_FIND(hh, f->paths, path.base, path.length, fetch);
    if (fetch) {
        errand_free(errand);
        client_wait(client, fetch);
        return true;
    }
    if (is_full(f)) {
        errand_free(errand);
        fetcher_wait(f, client);
        return true;
    }
    fetch = slab_take(&f->fetches);
    *fetch = (struct fetch){.errand = errand, .fd = -1};
    HASH_ADD_KEYPTR(hh, f->paths, path.base, path.length, fetch);
    if (!fetch_start(f, fetch)) {
        fetch_free(f, fetch);
        return false;
    }
    client_wait(client, fetch);
    return true;
}

bool fetcher_range(struct fetcher *f, struct client *client, int fd, uint64_t offset,
                   uint64_t length)
{
    if (is_full(f)) {
        fetcher_wait(f, client);
        return true;
    }
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return false;
    struct fetch *fetch = slab_take(&f->fetches);
    *fetch = (struct fetch){.fd = own, .offset = offset, .length = length};
    if (!fetch_start(f, fetch)) {
        fetch_free(f, fetch);
        return false;
    }
    client_wait(client, fetch);
    return true;
}

/* Where the link to the client is, or the end of the list. */
static struct client **waiting_find(struct client **list, const struct client *client)
{
    while (*list && *list != client)
        list = &(*list)->next_waiting;
    return list;
}

static void waiting_remove(struct client **list, struct client *client)
{
    list = waiting_find(list, client);
    if (*list) *list = client->next_waiting;
}

static bool crowd_remove(struct fetcher *f, struct client *client)
{
    struct client **link = waiting_find(&f->crowd, client);
    if (!*link) return false;
    if (!(*link = client->next_waiting)) f->crowd_last = link;
    return true;
}

void fetcher_forget(struct fetcher *f, struct client *client)
{
    if (client->fetch)
        waiting_remove(&client->fetch->waiting, client);
    else if (!client->crowded || !crowd_remove(f, client))
        waiting_remove(&f->ready, client);
    client->fetch = NULL;
    client->awaiting = client->crowded = false;
}

/* Those who waited for a fetch that is over become ready. */
static void done_take(struct fetcher *f, struct fetch *fetch)
{
    while (fetch->waiting) {
        struct client *client = fetch->waiting;
        fetch->waiting = client->next_waiting;
        client->fetch = NULL;
        client->next_waiting = f->ready;
        f->ready = client;
    }
    fetch_free(f, fetch);
    if (f->crowd) crowd_release(f);
}

struct client *fetcher_next(struct fetcher *f)
{
    uint64_t count;
    if (!f->ready && read(f->event, &count, sizeof(count)) == (ssize_t)sizeof(count)) {
        pthread_mutex_lock(&f->lock);
        struct fetch_list done = f->done;
        f->done = (struct fetch_list){NULL, &f->done.first};
        pthread_mutex_unlock(&f->lock);
        struct fetch *next;
        for (struct fetch *fetch = done.first; fetch; fetch = next) {
            next = fetch->next;
            done_take(f, fetch);
        }
    }
    struct client *client = f->ready;
    if (client) {
        f->ready = client->next_waiting;
        client->awaiting = false;
    }
    return client;
}
