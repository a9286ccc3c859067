/*
 * The threads that wait for the disk: no wait lasts for ever, none ends twice, and nothing is left,
 * whether fetches are forgotten, shared, too many, or under way at the end.
 */
#include "core_disk.h"
#include "tree.h"
#include "zcserve/fetcher.h"
#include "zcserve/guard.h"
#include "zcserve/resident.h"
#include "zcserve/store.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LENGTH ((size_t)1024 * 1024)
#define WAITS 64
#define PATIENCE_MS 10000

static struct store_options options;
static struct store *store;
static struct fetcher *fetcher;
static struct wait waits[WAITS];
static int file, descriptors;

static int descriptors_count(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void set_up(void)
{
    tree_make("mkdir -p release1/deep; ln -s release1 current;"
              "for i in 0 1 2 3 4 5 6 7; do echo $i > release1/deep/$i; done");
    options = tree_options();
    store = tree_open(&options);
    file = core_disk_file(LENGTH);
    memset(waits, 0, sizeof(waits));
    descriptors = descriptors_count();
    fetcher = fetcher_open(WAITS, WAITS, store);
    ck_assert_ptr_nonnull(fetcher);
}

static void tear_down(void)
{
    if (fetcher) fetcher_close(fetcher);
    ck_assert_int_eq(descriptors_count(), descriptors);
    for (int i = 0; i < WAITS; i++)
        ck_assert(!wait_goes_on(&waits[i]) && !waits[i].fetch);
    close(file);
    store_close(store);
    tree_remove();
}

static void fetcher_anew(uint32_t count)
{
    fetcher_close(fetcher);
    fetcher = fetcher_open(count, count, store);
    ck_assert_ptr_nonnull(fetcher);
}

static bool fetch_path(struct wait *wait, const char *path)
{
    struct lookup lookup = {.path = {path, strlen(path)}};
    struct errand *errand = store_errand(store, &lookup);
    ck_assert_ptr_nonnull(errand);
    return fetcher_run(fetcher, wait, errand);
}

static bool fetch_part(struct wait *wait, int fd, uint64_t offset, uint64_t length)
{
    struct errand *errand = store_errand_range(fd, offset, length);
    return errand && fetcher_run(fetcher, wait, errand);
}

static bool fetch_range(struct wait *wait, uint64_t offset)
{
    return fetch_part(wait, file, offset, FETCH_RANGE_BYTES);
}

static bool is_readable(int patience_ms)
{
    struct pollfd poll_fd = {.fd = fetcher_fd(fetcher), .events = POLLIN};
    return poll(&poll_fd, 1, patience_ms) == 1;
}

/* Returns the next wait that is over. */
static struct wait *await_next(void)
{
    struct wait *wait = fetcher_next(fetcher);
    while (!wait) {
        ck_assert(is_readable(PATIENCE_MS));
        wait = fetcher_next(fetcher);
    }
    ck_assert(!wait_goes_on(wait) && !wait->fetch);
    return wait;
}

START_TEST(nobody_waits)
{
    ck_assert(!is_readable(0));
    ck_assert_ptr_null(fetcher_next(fetcher));
}
END_TEST

/* The descriptor may be closed as soon as the fetch was requested. */
START_TEST(range_is_read)
{
    core_disk_drop(file);
    int own = dup(file);
    ck_assert(fetch_part(&waits[0], own, 4096, 100000));
    close(own);
    ck_assert_int_eq(waits[0].disk, DISK_AWAITED);
    ck_assert_ptr_eq(await_next(), &waits[0]);
    ck_assert(resident(file, 4096, 100000));
    ck_assert_ptr_null(fetcher_next(fetcher));
    ck_assert(!is_readable(0));
}
END_TEST

/* An error of the file is not the fetcher's affair: the wait ends as otherwise. */
START_TEST(range_that_is_not_there)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert(fetch_range(&waits[0], 10 * LENGTH));
    ck_assert_ptr_eq(await_next(), &waits[0]);
    ck_assert(fetch_range(&waits[0], LENGTH - 1));
    ck_assert_ptr_eq(await_next(), &waits[0]);
    ck_assert(fetch_part(&waits[0], ends[0], 0, 1000));
    ck_assert_ptr_eq(await_next(), &waits[0]);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(path_that_is_not_there)
{
    ck_assert(fetch_path(&waits[0], "no/such/file"));
    ck_assert_ptr_eq(await_next(), &waits[0]);
}
END_TEST

/* There is room for one fetch: three waits share it, and a fourth wait is for the place. */
START_TEST(path_is_shared)
{
    fetcher_anew(1);
    for (int i = 0; i < 3; i++)
        ck_assert(fetch_path(&waits[i], "deep/1"));
    ck_assert(fetch_path(&waits[3], "deep/2"));
    ck_assert_int_eq(waits[3].disk, DISK_CROWDED);
    unsigned seen = 0;
    for (int i = 0; i < 4; i++)
        seen |= 1U << (await_next() - waits);
    ck_assert_uint_eq(seen, 15);
    ck_assert_int_eq(waits[3].disk, DISK_IDLE);
    ck_assert_int_eq(waits[0].disk, DISK_FETCHED);
    ck_assert_ptr_null(fetcher_next(fetcher));
    ck_assert(fetch_path(&waits[3], "deep/2"));
    ck_assert_ptr_eq(await_next(), &waits[3]);
}
END_TEST

/* The fetch is over, but its waits are not ended yet: a new wait ends with the others. */
START_TEST(path_is_shared_when_it_is_over)
{
    fetcher_anew(1);
    ck_assert(fetch_path(&waits[0], "deep/1"));
    ck_assert(is_readable(PATIENCE_MS));
    ck_assert(fetch_path(&waits[1], "deep/1"));
    struct wait *first = await_next(), *second = fetcher_next(fetcher);
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_ne(first, second);
}
END_TEST

/* Each wait for a shared fetch can be forgotten, and the others stay. */
START_TEST(one_who_shares_is_forgotten)
{
    for (int i = 0; i < 4; i++)
        ck_assert(fetch_path(&waits[i], "deep/1"));
    fetcher_forget(fetcher, &waits[_i]);
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_ne(await_next(), &waits[_i]);
    ck_assert_ptr_null(fetcher_next(fetcher));
}
END_TEST

START_TEST(one_who_is_ready_is_forgotten)
{
    for (int i = 0; i < 4; i++)
        ck_assert(fetch_path(&waits[i], "deep/1"));
    struct wait *first = await_next();
    unsigned seen = 1U << (first - waits);
    int gone = (int)(first - waits + 1 + _i) % 4;
    fetcher_forget(fetcher, &waits[gone]);
    for (int i = 0; i < 2; i++)
        seen |= 1U << (await_next() - waits);
    ck_assert_uint_eq(seen, 15U & ~(1U << gone));
    ck_assert_ptr_null(fetcher_next(fetcher));
}
END_TEST

/* A fetch without any wait does not wake the loop, and does not keep it awake. */
START_TEST(forgotten_one_is_not_told)
{
    ck_assert(fetch_range(&waits[0], 0));
    fetcher_forget(fetcher, &waits[0]);
    ck_assert(is_readable(PATIENCE_MS));
    ck_assert_ptr_null(fetcher_next(fetcher));
    ck_assert(!is_readable(0));
    ck_assert(fetch_range(&waits[0], 0));
    ck_assert_ptr_eq(await_next(), &waits[0]);
}
END_TEST

static void ranges_fill(void)
{
    core_disk_drop(file);
    for (int i = 0; i < WAITS; i++)
        ck_assert(fetch_range(&waits[i], (uint64_t)i * 4096));
}

START_TEST(more_than_threads)
{
    uint64_t seen = 0;
    ranges_fill();
    struct wait late = {0};
    ck_assert(fetch_range(&late, 0)); /* there is no place: this waits for one */
    for (int i = 0; i < WAITS + 1; i++) {
        struct wait *next = await_next();
        if (next == &late)
            ck_assert_int_eq(late.disk, DISK_IDLE);
        else
            seen |= UINT64_C(1) << (next - waits);
    }
    ck_assert_uint_eq(seen, UINT64_MAX);
    ck_assert_ptr_null(fetcher_next(fetcher));
    ranges_fill(); /* there is room for all of them again */
    for (int i = 0; i < WAITS; i++)
        await_next();
}
END_TEST

/* Waits are forgotten while their fetch is queued, running or over; then the fetcher is closed. */
START_TEST(closed_within)
{
    struct wait late = {0};
    ranges_fill();
    ck_assert(fetch_path(&late, "deep/1")); /* there is no place */
    fetcher_forget(fetcher, &late);
    for (int i = 0; i < _i; i++)
        await_next();
    for (int i = 0; i < WAITS; i++)
        if (wait_goes_on(&waits[i])) fetcher_forget(fetcher, &waits[i]);
    fetcher_close(fetcher);
    fetcher = NULL;
}
END_TEST

START_TEST(closed_with_paths_within)
{
    char path[8];
    for (int i = 0; i < WAITS; i++) {
        snprintf(path, sizeof(path), "deep/%d", i % 8);
        ck_assert(fetch_path(&waits[i], path));
    }
    for (int i = 0; i < WAITS; i++)
        fetcher_forget(fetcher, &waits[i]);
    fetcher_close(fetcher);
    fetcher = NULL;
}
END_TEST

static void greedy_begin(uint32_t count)
{
    fetcher_close(fetcher);
    fetcher = fetcher_open(8, 3, store);
    ck_assert_ptr_nonnull(fetcher);
    for (uint32_t i = 0; i < count; i++) {
        waits[i].who = 7;
        ck_assert(fetch_range(&waits[i], 4096 * i));
        ck_assert_int_eq(waits[i].disk, i < 3 ? DISK_AWAITED : DISK_SHARED);
    }
}

/* Takes all waits to their ends; who got no place asks again. Returns how many were fetched. */
static int all_end(void)
{
    int fetched = 0, under_way = WAITS;
    while (under_way > 0) {
        struct wait *wait = await_next();
        if (wait->disk == DISK_FETCHED)
            fetched++;
        else
            ck_assert(fetch_range(wait, 0));
        under_way = 0;
        for (int i = 0; i < WAITS; i++)
            under_way += wait_goes_on(&waits[i]);
    }
    return fetched;
}

START_TEST(one_address_leaves_places_for_others)
{
    greedy_begin(20);
    for (uint32_t i = 20; i < 25; i++) {
        waits[i].who = i; /* each another address */
        ck_assert(fetch_range(&waits[i], 0));
        ck_assert_int_eq(waits[i].disk, DISK_AWAITED);
    }
    ck_assert_int_eq(all_end(), 25);
    ck_assert_uint_eq(waits[0].who, 7);
}
END_TEST

START_TEST(one_that_waits_for_its_share_is_forgotten)
{
    greedy_begin(6);
    fetcher_forget(fetcher, &waits[5]); /* the last, one within, and the first one */
    fetcher_forget(fetcher, &waits[4]);
    fetcher_forget(fetcher, &waits[3]);
    ck_assert(fetch_range(&waits[4], 0));
    ck_assert_int_eq(waits[4].disk, DISK_SHARED);
    ck_assert_int_eq(all_end(), 4);
}
END_TEST

/* ---- checks of passwords --------------------------------------------------------------------- */

static const struct user slow = {{"u", 1},
                                 "$2b$10$abcdefghijklmnopqrstuufTpAkGU.os58rNmF0HwM/ElI1QqwvoO"};
static const struct users users = {.count = 1, .user = &slow};

static struct credentials pair(const char *password)
{
    return (struct credentials){&users, {"u", 1}, {password, strlen(password)}};
}

static struct guard_memory *guard_memory;

static void guard_end(struct guard *guard)
{
    guard_close(guard); /* its assertion fails while a check is under way */
    guard_memory_close(guard_memory);
}

static struct guard *guard_begin(void)
{
    char problem[256];
    ck_assert_msg(guard_load(problem, sizeof(problem)), "%s", problem);
    guard_memory = guard_memory_open();
    struct guard *guard = guard_open(guard_memory);
    ck_assert(guard_memory && guard);
    return guard;
}

static void check_run_for(struct guard *guard, struct wait *wait, const char *password)
{
    const struct origin from = {.ip = {{(uint8_t)password[0]}}};
    struct credentials c = pair(password);
    struct check *check = check_new(guard, &c, &from);
    ck_assert(check && fetcher_run(fetcher, wait, store_errand_check(check)));
}

/* Checks take a tenth of a second each, but never all threads: what the disk is asked for comes first. */
START_TEST(checks_leave_threads_for_the_disk)
{
    static const char *const passwords[] = {"p", "1", "2", "3", "4", "5"};
    struct guard *guard = guard_begin();
    const struct origin from = {.local = true};
    struct credentials right = pair("p"), wrong = pair("5");
    for (int i = 0; i < 6; i++)
        check_run_for(guard, &waits[i], passwords[i]);
    ck_assert(fetch_range(&waits[6], 0));
    ck_assert_ptr_eq(await_next(), &waits[6]);
    ck_assert_int_eq(all_end(), 6);
    ck_assert_int_eq(guard_ask(guard, &right, &from, now_monotonic_ns()), GUARD_GRANTED);
    ck_assert_int_eq(guard_ask(guard, &wrong, &from, now_monotonic_ns()), GUARD_DENIED);
    ck_assert_uint_eq(guard_checks_take(guard), 6);
    guard_end(guard);
}
END_TEST

/* Who asks with the same pair waits for the same check. */
START_TEST(check_is_shared)
{
    struct guard *guard = guard_begin();
    for (int i = 0; i < 4; i++)
        check_run_for(guard, &waits[i], "p");
    ck_assert_int_eq(all_end(), 4);
    ck_assert_uint_eq(guard_checks_take(guard), 1);
    guard_end(guard);
}
END_TEST

START_TEST(closed_with_checks_within)
{
    static const char *const passwords[] = {"1", "2", "3", "4"};
    struct guard *guard = guard_begin();
    for (int i = 0; i < 4; i++) {
        check_run_for(guard, &waits[i], passwords[i]);
        fetcher_forget(fetcher, &waits[i]);
    }
    fetcher_anew(WAITS);
    guard_end(guard);
}
END_TEST

START_TEST(descriptors_exhausted)
{
    struct rlimit before, limit;
    getrlimit(RLIMIT_NOFILE, &before);
    limit = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    struct lookup lookup = {.path = TEXT("deep/1")};
    ck_assert(fetch_range(&waits[0], 0));
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert(!fetch_range(&waits[1], 0));
    ck_assert_ptr_null(store_errand(store, &lookup));
    ck_assert_ptr_eq(await_next(), &waits[0]);
    ck_assert_ptr_null(fetcher_open(1, 1, store));
    ck_assert_int_eq(errno, EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert(fetch_range(&waits[1], 0));
    ck_assert_ptr_eq(await_next(), &waits[1]);
}
END_TEST

static void stack_set(size_t size)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, size), 0);
    ck_assert_int_eq(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
}

/* While no thread can be started, nothing is fetched; afterwards it works again. */
START_TEST(no_thread_to_be_had)
{
    stack_set((size_t)1 << 46);
    ck_assert(!fetch_range(&waits[0], 0));
    ck_assert(!fetch_path(&waits[0], "deep/1"));
    ck_assert(!wait_goes_on(&waits[0]));
    stack_set((size_t)1 << 20);
    ck_assert(fetch_range(&waits[0], 0));
    ck_assert_ptr_eq(await_next(), &waits[0]);
}
END_TEST

/* The threads leave signals to the loop. */
START_TEST(signals_are_the_loops)
{
    sigset_t blocked;
    ck_assert(fetch_range(&waits[0], 0));
    await_next();
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    /* This thread has the same signals as before. */
    ck_assert_int_eq(sigismember(&blocked, SIGTERM), 0);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    kill(getpid(), SIGTERM); /* would end the process if a thread took it */
    usleep(20000);
    struct timespec none = {0};
    ck_assert_int_eq(sigtimedwait(&blocked, NULL, &none), SIGTERM);
}
END_TEST

static uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static void wait_step(struct wait *wait, uint32_t choice)
{
    char path[8];
    snprintf(path, sizeof(path), "deep/%u", choice / 16 % 10);
    if (wait_goes_on(wait)) {
        if (choice % 8 == 0) fetcher_forget(fetcher, wait);
    } else if (choice % 2 == 0) {
        fetch_path(wait, path);
    } else {
        fetch_part(wait, file, choice % LENGTH, choice % 65536 + 1);
    }
}

/* There is one place. Each wait for it ends in order, asks again and gets it, and none is left. */
START_TEST(everybody_has_a_place)
{
    char path[32];
    fetcher_anew(1);
    unsigned fetched = 0, came = 0;
    for (int i = 0; i < 8; i++) {
        snprintf(path, sizeof(path), "deep/%d", i);
        ck_assert(fetch_path(&waits[i], path));
    }
    for (; fetched != 255; came++) {
        struct wait *wait = await_next();
        int i = (int)(wait - waits);
        if (wait->disk == DISK_FETCHED) fetched |= 1U << i;
        if (wait->disk == DISK_FETCHED) continue;
        snprintf(path, sizeof(path), "deep/%d", i);
        ck_assert(fetch_path(wait, path));
    }
    ck_assert_uint_eq(came, 8 + 7);
    ck_assert_ptr_null(fetcher_next(fetcher));
}
END_TEST

/* A wait for time ends with a tick, in any case, but not when it was forgotten. */
START_TEST(a_tick_passes)
{
    for (int i = 0; i < 4; i++)
        fetcher_wait(fetcher, &waits[i]);
    ck_assert(!is_readable(0));
    fetcher_forget(fetcher, &waits[_i]);
    fetcher_tick(fetcher);
    for (int i = 0; i < 3; i++) {
        struct wait *wait = await_next();
        ck_assert(wait->disk == DISK_IDLE && wait != &waits[_i]);
    }
    fetcher_wait(fetcher, &waits[_i]); /* the list is still correct */
    fetcher_tick(fetcher);
    ck_assert_ptr_eq(await_next(), &waits[_i]);
    ck_assert_ptr_null(fetcher_next(fetcher));
    fetcher_tick(fetcher);
    ck_assert(!is_readable(0));
}
END_TEST

/* Waits begin, are forgotten and end in any order; at the end none is missing. */
START_TEST(in_any_order)
{
    uint64_t state = (uint64_t)_i + 1;
    fetcher_anew(16); /* fewer places than waits */
    for (int step = 0; step < 5000; step++) {
        uint32_t choice = random_next(&state);
        wait_step(&waits[choice % WAITS], choice / WAITS);
        if (choice % 3 == 0) fetcher_next(fetcher);
    }
    uint32_t waiting = 0;
    for (int i = 0; i < WAITS; i++)
        waiting += wait_goes_on(&waits[i]);
    for (; waiting > 0; waiting--) {
        fetcher_tick(fetcher);
        await_next();
    }
    ck_assert_ptr_null(fetcher_next(fetcher));
}
END_TEST

/* A ring tells of the event once: when it then cannot be read, nothing else would ask for the fetch. */
START_TEST(loses_nothing_when_the_event_cannot_be_read)
{
    ck_assert(fetch_range(&waits[0], 0));
    ck_assert(is_readable(PATIENCE_MS));
    int unreadable = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(dup3(unreadable, fetcher_fd(fetcher), O_CLOEXEC), fetcher_fd(fetcher));
    close(unreadable);
    ck_assert_ptr_eq(fetcher_next(fetcher), &waits[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetcher");
    TCase *tcase = tcase_create("fetcher");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, loses_nothing_when_the_event_cannot_be_read);
    tcase_add_test(tcase, nobody_waits);
    tcase_add_test(tcase, range_is_read);
    tcase_add_test(tcase, range_that_is_not_there);
    tcase_add_test(tcase, path_that_is_not_there);
    tcase_add_test(tcase, path_is_shared);
    tcase_add_test(tcase, path_is_shared_when_it_is_over);
    tcase_add_loop_test(tcase, one_who_shares_is_forgotten, 0, 4);
    tcase_add_loop_test(tcase, one_who_is_ready_is_forgotten, 0, 3);
    tcase_add_test(tcase, forgotten_one_is_not_told);
    tcase_add_test(tcase, more_than_threads);
    tcase_add_loop_test(tcase, closed_within, 0, 6);
    tcase_add_test(tcase, closed_with_paths_within);
    tcase_add_test(tcase, one_address_leaves_places_for_others);
    tcase_add_test(tcase, one_that_waits_for_its_share_is_forgotten);
    tcase_add_test(tcase, checks_leave_threads_for_the_disk);
    tcase_add_test(tcase, check_is_shared);
    tcase_add_test(tcase, closed_with_checks_within);
    tcase_add_test(tcase, descriptors_exhausted);
    tcase_add_test(tcase, no_thread_to_be_had);
    tcase_add_test(tcase, signals_are_the_loops);
    tcase_add_test(tcase, everybody_has_a_place);
    tcase_add_loop_test(tcase, a_tick_passes, 0, 4);
    tcase_add_loop_test(tcase, in_any_order, 0, 8);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
