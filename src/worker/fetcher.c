/*
 * The threads that help an event loop. The loop and the threads share two lists of fetches, "to do"
 * and "done", under one lock. All other parts of a fetch belong to one side at a time, and the
 * threads never use a connection or the store. No data is handed over: it is in the kernel's caches
 * after the fetch, and the loop asks the kernel again.
 */
#include "zcserve/fetcher.h"
#include "zcserve/slab.h"
#include "zcserve/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uthash.h>

#define THREADS 4

struct fetch {
    struct fetch *next;
    struct errand *errand;
    struct wait *waiting; /* used by the loop: the waits for this fetch */
    UT_hash_handle hh;    /* used by the loop: fetches by path          */
};

struct fetch_list {
    struct fetch *first, **last;
};

struct fetcher {
    struct slab fetches;
    struct fetch *paths;              /* fetches of a path that are not over */
    struct wait *ready;               /* waits that are over                 */
    struct wait *crowd, **crowd_last; /* waits for a place, in order         */
    int event;
    pthread_t thread[THREADS];
    unsigned threads;

    pthread_mutex_t lock; /* of the members that follow */
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

/* Starts the threads. They block all signals, which are for the loop. */

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
        errand_run(fetch->errand);
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
    if (errand_path(fetch->errand).base) HASH_DEL(f->paths, fetch);
    errand_free(fetch->errand);
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

static void wait_begin(struct wait *wait, struct fetch *fetch)
{
    assert(!wait_goes_on(wait));
    *wait = (struct wait){.fetch = fetch, .next = fetch->waiting, .disk = DISK_AWAITED};
    fetch->waiting = wait;
}

void fetcher_wait(struct fetcher *f, struct wait *wait)
{
    assert(!wait_goes_on(wait));
    *wait = (struct wait){.disk = DISK_CROWDED};
    *f->crowd_last = wait;
    f->crowd_last = &wait->next;
}

static bool is_full(const struct fetcher *f)
{
    return f->fetches.used == f->fetches.count;
}

/* Makes a wait ready: fetcher_next() will return it. */
static void ready_add(struct fetcher *f, struct wait *wait)
{
    wait->fetch = NULL;
    wait->next = f->ready;
    f->ready = wait;
}

/* Ends the first wait for a place, so that its request asks again. */
static void crowd_release(struct fetcher *f)
{
    struct wait *wait = f->crowd;
    if (!(f->crowd = wait->next)) f->crowd_last = &f->crowd;
    ready_add(f, wait);
}

/* A request that asks again may need no place: then the next tick ends more waits. */
void fetcher_tick(struct fetcher *f)
{
    if (!f->crowd || is_full(f)) return;
    for (uint32_t i = f->fetches.used; i < f->fetches.count && f->crowd; i++)
        crowd_release(f);
    done_tell(f);
}

/* Returns false when there is no thread and none can be started; the next fetch tries again. */
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

/* Returns the fetch of the same path that is under way, or NULL. */
static struct fetch *fetch_find(const struct fetcher *f, struct text path)
{
    struct fetch *fetch = NULL;
    if (path.base) HASH_FIND(hh, f->paths, path.base, path.length, fetch);
    return fetch;
}

/* Returns NULL when no thread can be started; then the errand is freed, too. */
static struct fetch *fetch_new(struct fetcher *f, struct errand *errand)
{
    struct text path = errand_path(errand);
    struct fetch *fetch = slab_take(&f->fetches);
    *fetch = (struct fetch){.errand = errand};
    if (path.base) HASH_ADD_KEYPTR(hh, f->paths, path.base, path.length, fetch);
    if (fetch_start(f, fetch)) return fetch;
    fetch_free(f, fetch);
    return NULL;
}

bool fetcher_run(struct fetcher *f, struct wait *wait, struct errand *errand)
{
    struct fetch *fetch = fetch_find(f, errand_path(errand));
    if (fetch || is_full(f))
        errand_free(errand);
    else if (!(fetch = fetch_new(f, errand)))
        return false;
    if (fetch)
        wait_begin(wait, fetch);
    else
        fetcher_wait(f, wait);
    return true;
}

/* Returns the link that points to `wait`, or the link at the end of the list. */
static struct wait **waiting_find(struct wait **list, const struct wait *wait)
{
    while (*list && *list != wait)
        list = &(*list)->next;
    return list;
}

static void waiting_remove(struct wait **list, const struct wait *wait)
{
    list = waiting_find(list, wait);
    if (*list) *list = wait->next;
}

static bool crowd_remove(struct fetcher *f, const struct wait *wait)
{
    struct wait **link = waiting_find(&f->crowd, wait);
    if (!*link) return false;
    if (!(*link = wait->next)) f->crowd_last = link;
    return true;
}

void fetcher_forget(struct fetcher *f, struct wait *wait)
{
    if (wait->fetch)
        waiting_remove(&wait->fetch->waiting, wait);
    else if (!crowd_remove(f, wait))
        waiting_remove(&f->ready, wait);
    *wait = (struct wait){.disk = DISK_IDLE};
}

/* A fetch is over: makes all waits for it ready. */
static void done_take(struct fetcher *f, struct fetch *fetch)
{
    while (fetch->waiting) {
        struct wait *wait = fetch->waiting;
        fetch->waiting = wait->next;
        ready_add(f, wait);
    }
    fetch_free(f, fetch);
    if (f->crowd) crowd_release(f);
}

/*
 * Takes the fetches that the threads have done. When the event cannot be read but for EAGAIN, it stays set: a ring
 * tells of it once only, so the fetches are taken all the same.
 */
static void done_take_all(struct fetcher *f)
{
    uint64_t count;
    if (read(f->event, &count, sizeof(count)) < 0 && errno == EAGAIN) return;
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

struct wait *fetcher_next(struct fetcher *f)
{
    if (!f->ready) done_take_all(f);
    struct wait *wait = f->ready;
    if (!wait) return NULL;
    f->ready = wait->next;
    *wait = (struct wait){.disk = wait->disk == DISK_AWAITED ? DISK_FETCHED : DISK_IDLE};
    return wait;
}
