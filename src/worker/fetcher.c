/*
 * The threads that help an event loop. The loop and the threads share two lists of fetches, "to do"
 * and "done", under one lock. All other parts of a fetch belong to one side at a time, and the
 * threads never use a connection or the store. No data of a file is handed over: it is in the kernel's
 * caches after the fetch, and the loop asks the kernel again. What an errand made is in the errand, and
 * the store takes it when the errand is done.
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
#define COMPUTING_MAX 2 /* threads that compute at a time, so that others read the disk */
#define SHARES 64       /* kinds of addresses that are told apart; a bit each */

struct fetch {
    struct fetch *next;
    struct errand *errand;
    uint32_t share;       /* of the address that it is for               */
    struct wait *waiting; /* used by the loop: the waits for this fetch */
    UT_hash_handle hh;    /* used by the loop: fetches by errand_key()  */
};

struct fetch_list {
    struct fetch *first, **last;
};

struct fetcher {
    struct store *store; /* takes the products */
    struct slab fetches;
    struct fetch *paths;              /* fetches of a path that are not over */
    struct wait *ready;               /* waits that are over                 */
    struct wait *crowd, **crowd_last; /* waits for a place, in order         */
    struct wait *over, **over_last;   /* waits SHARED, in order              */
    uint32_t of_one;                  /* places that one share may have      */
    uint32_t taken[SHARES];           /* places that each share has          */
    int event;
    pthread_t thread[THREADS];
    unsigned threads;

    pthread_mutex_t lock; /* of the members that follow */
    pthread_cond_t wanted;
    struct fetch_list todo[SHARES], done; /* todo: for each share                  */
    uint64_t filled;                      /* a bit for each share with errands     */
    uint32_t turn;                        /* the share whose turn it is            */
    struct fetch_list computed;           /* todo: errands that compute            */
    uint32_t computing;                   /* threads that do                       */
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

/* Takes an errand that computes, if another thread may do so. Few of them are under way for one address. */
static struct fetch *computed_take(struct fetcher *f)
{
    if (f->computing == COMPUTING_MAX) return NULL;
    struct fetch *fetch = list_take(&f->computed);
    f->computing += fetch != NULL;
    return fetch;
}

/* Takes an errand of the next share that has one, so that each share has its turn. */
static struct fetch *todo_take(struct fetcher *f)
{
    struct fetch *computed = computed_take(f);
    if (computed) return computed;
    if (f->filled == 0) return NULL;
    uint64_t from_turn = f->filled >> f->turn | f->filled << 1 << (SHARES - 1 - f->turn);
    uint32_t share = (f->turn + (uint32_t)__builtin_ctzll(from_turn)) % SHARES;
    struct fetch *fetch = list_take(&f->todo[share]);
    if (!f->todo[share].first) f->filled &= ~(UINT64_C(1) << share);
    f->turn = (share + 1) % SHARES;
    return fetch;
}

static void todo_add(struct fetcher *f, struct fetch *fetch)
{
    if (errand_computes(fetch->errand)) {
        list_add(&f->computed, fetch);
        return;
    }
    list_add(&f->todo[fetch->share], fetch);
    f->filled |= UINT64_C(1) << fetch->share;
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
        struct fetch *fetch = todo_take(f);
        if (!fetch) {
            pthread_cond_wait(&f->wanted, &f->lock);
            continue;
        }
        pthread_mutex_unlock(&f->lock);
        errand_run(fetch->errand);
        pthread_mutex_lock(&f->lock);
        f->computing -= errand_computes(fetch->errand);
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
    sigdelset(&all,
              SIGSYS); /* a call that the sandbox refuses; blocked, it would kill the process */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (f->threads < THREADS && pthread_create(&f->thread[f->threads], NULL, thread_run, f) == 0)
        f->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the loop's side ------------------------------------------------------------------------ */

struct fetcher *fetcher_open(uint32_t places, uint32_t of_one, struct store *store)
{
    struct fetcher *f = calloc(1, sizeof(*f));
    if (!f) return NULL;
    f->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (f->event < 0 || slab_open(&f->fetches, sizeof(struct fetch), places) != 0) {
        if (f->event >= 0) close(f->event);
        free(f);
        return NULL;
    }
    f->store = store;
    f->of_one = of_one > 0 ? of_one : (places + 1) / 2;
    f->crowd_last = &f->crowd;
    f->over_last = &f->over;
    for (int i = 0; i < SHARES; i++)
        f->todo[i].last = &f->todo[i].first;
    f->computed.last = &f->computed.first;
    f->done.last = &f->done.first;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wanted, NULL);
    return f;
}

static void errand_end(const struct fetcher *f, struct errand *errand)
{
    store_adopt(f->store, errand);
    errand_free(errand);
}

static void fetch_free(struct fetcher *f, struct fetch *fetch)
{
    assert(!fetch->waiting);
    f->taken[fetch->share]--;
    if (errand_key(fetch->errand).base) HASH_DEL(f->paths, fetch);
    errand_end(f, fetch->errand);
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
    for (int i = 0; i < SHARES; i++)
        list_free(f, &f->todo[i]);
    list_free(f, &f->computed);
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
    *wait = (struct wait){fetch, fetch->waiting, DISK_AWAITED, wait->who};
    fetch->waiting = wait;
}

void fetcher_wait(struct fetcher *f, struct wait *wait)
{
    assert(!wait_goes_on(wait));
    *wait = (struct wait){.disk = DISK_CROWDED, .who = wait->who};
    *f->crowd_last = wait;
    f->crowd_last = &wait->next;
}

/* Waits until a place is free again, and then asks again behind others. */
static void over_add(struct fetcher *f, struct wait *wait)
{
    *wait = (struct wait){.disk = DISK_SHARED, .who = wait->who};
    *f->over_last = wait;
    f->over_last = &wait->next;
}

/* An address that is not known has no share of its own, and all places. */
static bool has_its_share(const struct fetcher *f, uint32_t who)
{
    return who != 0 && f->taken[who % SHARES] >= f->of_one;
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

static void over_release(struct fetcher *f)
{
    struct wait *wait = f->over;
    if (!(f->over = wait->next)) f->over_last = &f->over;
    ready_add(f, wait);
}

/* A request that asks again may need no place: then the next tick ends more waits. */
void fetcher_tick(struct fetcher *f)
{
    if ((!f->crowd && !f->over) || is_full(f)) return;
    for (uint32_t i = f->fetches.used; i < f->fetches.count && f->crowd; i++)
        crowd_release(f);
    for (uint32_t i = f->fetches.used; i < f->fetches.count && f->over; i++)
        over_release(f);
    done_tell(f);
}

/* Returns false when there is no thread and none can be started; the next fetch tries again. */
static bool fetch_start(struct fetcher *f, struct fetch *fetch)
{
    if (f->threads == 0) threads_start(f);
    if (f->threads == 0) return false;
    pthread_mutex_lock(&f->lock);
    todo_add(f, fetch);
    pthread_cond_signal(&f->wanted);
    pthread_mutex_unlock(&f->lock);
    return true;
}

/* Returns the fetch of the same path and tree that is under way, or NULL. */
static struct fetch *fetch_find(const struct fetcher *f, struct text key)
{
    struct fetch *fetch = NULL;
    if (key.base) HASH_FIND(hh, f->paths, key.base, key.length, fetch);
    return fetch;
}

/* Returns NULL when no thread can be started; then the errand is freed, too. */
static struct fetch *fetch_new(struct fetcher *f, struct errand *errand, uint32_t who)
{
    struct text key = errand_key(errand);
    struct fetch *fetch = slab_take(&f->fetches);
    *fetch = (struct fetch){.errand = errand, .share = who % SHARES};
    f->taken[fetch->share]++;
    if (key.base) HASH_ADD_KEYPTR(hh, f->paths, key.base, key.length, fetch);
    if (fetch_start(f, fetch)) return fetch;
    fetch_free(f, fetch);
    return NULL;
}

bool fetcher_run(struct fetcher *f, struct wait *wait, struct errand *errand)
{
    struct fetch *fetch = fetch_find(f, errand_key(errand));
    bool over = !fetch && has_its_share(f, wait->who);
    if (fetch || over || is_full(f))
        errand_end(f, errand);
    else if (!(fetch = fetch_new(f, errand, wait->who)))
        return false;
    if (fetch)
        wait_begin(wait, fetch);
    else if (over)
        over_add(f, wait);
    else
        fetcher_wait(f, wait);
    return true;
}

/* What nobody waits for counts for those of the first share. It is rare, and there are few at a time. */
#define OF_NOBODY 0

void fetcher_make(struct fetcher *f, struct errand *errand)
{
    if (is_full(f))
        errand_end(f, errand);
    else
        fetch_new(f, errand, OF_NOBODY);
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

static bool queue_remove(struct wait **first, struct wait ***last, const struct wait *wait)
{
    struct wait **link = waiting_find(first, wait);
    if (!*link) return false;
    if (!(*link = wait->next)) *last = link;
    return true;
}

void fetcher_forget(struct fetcher *f, struct wait *wait)
{
    if (wait->fetch)
        waiting_remove(&wait->fetch->waiting, wait);
    else if (!queue_remove(&f->crowd, &f->crowd_last, wait) &&
             !queue_remove(&f->over, &f->over_last, wait))
        waiting_remove(&f->ready, wait);
    *wait = (struct wait){.disk = DISK_IDLE, .who = wait->who};
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
    if (f->over) over_release(f);
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
    *wait = (struct wait){.disk = wait->disk == DISK_AWAITED ? DISK_FETCHED : DISK_IDLE,
                          .who = wait->who};
    return wait;
}
