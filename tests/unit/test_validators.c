/*
 * Validators: no entity-tag and no date is sent that could later belong to other content, and an
 * unchanged file keeps its validators, whatever room the cache has. The test sets the clock: a file
 * that was changed just now is looked at as if at any later moment.
 */
#define _GNU_SOURCE
#include "store/etag.h"
#include "store/identity.h"
#include "tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char tree[] =
    "umask 022; mkdir release1; ln -s release1 current; cd release1; printf small > small.css;"
    "head -c 10000 /dev/zero | tr '\\0' A > large.css; cp small.css side.css; printf zip > "
    "side.css.gz;"
    "cp large.css large2.css; cp large.css large2.css.gz";

static struct store_options options;
static struct store *store;

static void setup(void)
{
    tree_make(tree);
    options = tree_options();
    store = tree_open(&options);
}

static void teardown(void)
{
    store_close(store);
    tree_remove();
}

static void reopen(void)
{
    store_close(store);
    store = tree_open(&options);
}

/* Returns the time `ns` after the last change of current/`path`. */
static struct now now_after(const char *path, uint64_t ns)
{
    struct identity identity;
    char name[64];
    snprintf(name, sizeof(name), "current/%s", path);
    ck_assert_int_eq(identity_read(AT_FDCWD, name, &identity), 0);
    ns += identity.changed_ns;
    return (struct now){.monotonic_ns = 1000 * NS_PER_SECOND + ns,
                        .wall_seconds = identity.changed_seconds + (int64_t)(ns / NS_PER_SECOND),
                        .wall_ns = (uint32_t)(ns % NS_PER_SECOND)};
}

static struct resolution resolve(const char *path, struct accepted accepted, const struct now *now)
{
    struct lookup lookup = {.path = {path, strlen(path)}, .accepted = accepted};
    store_refresh(store, now);
    struct resolution resolution = store_resolve(store, &lookup, MAY_WAIT, now);
    ck_assert_int_eq(resolution.kind, RESOLUTION_FOUND);
    return resolution;
}

static bool head_has(const struct representation *r, const char *name)
{
    return memmem(r->prepared_head.base, r->prepared_head.length, name, strlen(name)) != NULL;
}

/* Checks which validators a file has `ns` after its change: whether there is a tag, and a date. */
static void expect(const char *path, struct accepted accepted, uint64_t ns, bool tag, bool date)
{
    struct now now = now_after(path, ns);
    const struct representation *r = resolve(path, accepted, &now).representation;
    ck_assert_msg((r->etag.length > 0) == tag, "%s: tag after %g s", path, (double)ns / 1e9);
    ck_assert_msg((r->modified_seconds != MODIFIED_UNKNOWN) == date, "%s: date after %g s", path,
                  (double)ns / 1e9);
    ck_assert_int_eq(head_has(r, "ETag: "), tag);
    ck_assert_int_eq(head_has(r, "Last-Modified: "), date);
    store_return(store, r);
}

/* Returns how long after its change the second of the modification is over, and one tick more. */
static uint64_t second_left(const char *path)
{
    struct now now = now_after(path, 0);
    return NS_PER_SECOND - now.wall_ns + 50 * NS_PER_MS;
}

/* Each moment is tried once, with a new store. */
START_TEST(withheld_while_another_change_could_be_the_same)
{
    static const uint64_t early[] = {0, 1 * NS_PER_MS, 10 * NS_PER_MS, 49 * NS_PER_MS};
    for (int i = 0; i < 4; i++) {
        reopen();
        expect("small.css", ACCEPT_IDENTITY, early[i], true, false);
        expect("large.css", ACCEPT_IDENTITY, early[i], false, false);
        expect("side.css", ACCEPT_ALL, early[i], true, false);
        expect("large2.css", ACCEPT_ALL, early[i], false, false);
    }
    reopen();
    expect("small.css", ACCEPT_IDENTITY, second_left("small.css"), true, true);
    expect("large.css", ACCEPT_IDENTITY, second_left("large.css"), true, true);
    expect("large2.css", ACCEPT_ALL, second_left("large2.css") + NS_PER_SECOND, true, true);
    reopen();
    expect("small.css", ACCEPT_IDENTITY, second_left("small.css") - 1, true, false);
    if (second_left("large.css") > 60 * NS_PER_MS)
        expect("large.css", ACCEPT_IDENTITY, second_left("large.css") - 1, true, false);
}
END_TEST

/* A file that was read early is read again when it can have more validators, and then no more. */
START_TEST(given_as_soon_as_they_hold)
{
    options.watches_max = _i == 0 ? 1000 : 0;
    reopen();
    while (second_left("large.css") < 300 * NS_PER_MS)
        tree_run("touch current/large.css");
    uint64_t over = second_left("large.css");
    const struct {
        uint64_t ns, misses;
        bool tag, date;
    } moments[] = {
        {0, 1, false, false},
        {40 * NS_PER_MS, 1, false, false},
        {60 * NS_PER_MS, 2, true, false},
        {over - 1, 2, true, false},
        {over, 3, true, true},
        {over + NS_PER_SECOND, 3, true, true},
        {3600 * NS_PER_SECOND - 1, 3, true, true},
    };
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        expect("large.css", ACCEPT_IDENTITY, moments[i].ns, moments[i].tag, moments[i].date);
        if (_i == 0) ck_assert_uint_eq(store_counts(store)->misses, moments[i].misses);
    }
    ck_assert_uint_ge(store_counts(store)->hits, 2);
}
END_TEST

/* A second coding of a file that is already known. */
START_TEST(each_coding_for_itself)
{
    expect("large2.css", ACCEPT_IDENTITY, 0, false, false);
    expect("large2.css", ACCEPT_ALL, 40 * NS_PER_MS, false, false);
    expect("large2.css", ACCEPT_ALL, 3 * NS_PER_SECOND, true, true);
    expect("large2.css", ACCEPT_IDENTITY, 3 * NS_PER_SECOND, true, true);
}
END_TEST

START_TEST(old_files_cost_nothing_more)
{
    expect("large.css", ACCEPT_IDENTITY, 10 * NS_PER_SECOND, true, true);
    for (uint64_t s = 11; s < 60; s++)
        expect("large.css", ACCEPT_IDENTITY, s * NS_PER_SECOND, true, true);
    ck_assert_uint_eq(store_counts(store)->misses, 1);
    ck_assert_uint_eq(store_counts(store)->rechecks, 0);
}
END_TEST

/* Takes all descriptors that this process may have. */
static int descriptors_take(void)
{
    struct rlimit limit = {40, 40};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int first = dup(STDIN_FILENO);
    ck_assert_int_ge(first, 0);
    while (dup(STDIN_FILENO) >= 0)
        ;
    ck_assert_int_eq(errno, EMFILE);
    return first;
}

static void descriptors_give_back(int first)
{
    for (int fd = first; fd < 40; fd++)
        close(fd);
}

/* Meanwhile the file is lent as before. When it can be read again, it has more validators. */
START_TEST(lent_as_it_was_while_it_cannot_be_read_again)
{
    expect("small.css", ACCEPT_IDENTITY, 0, true, false);
    expect("large.css", ACCEPT_IDENTITY, 0, false, false);
    int first = descriptors_take();
    for (uint64_t s = 3; s < 6; s++) {
        expect("small.css", ACCEPT_IDENTITY, s * NS_PER_SECOND, true, false);
        expect("large.css", ACCEPT_IDENTITY, s * NS_PER_SECOND, false, false);
    }
    descriptors_give_back(first);
    expect("small.css", ACCEPT_IDENTITY, 6 * NS_PER_SECOND, true, true);
    expect("large.css", ACCEPT_IDENTITY, 6 * NS_PER_SECOND, true, true);
}
END_TEST

/* Times of a file system without nanoseconds. The clock says 1000.5 s. */
static const struct {
    int64_t modified_seconds;
    uint32_t modified_ns;
    int64_t changed_seconds;
    uint32_t changed_ns;
    bool settled;
    int64_t date;
} times[] = {
    {1000, 400000000, 1000, 400000000, true, MODIFIED_UNKNOWN},
    {1000, 460000000, 1000, 460000000, false, MODIFIED_UNKNOWN},
    {999, 999999999, 999, 999999999, true, 999},
    {999, 1, 1000, 400000000, true, 999},
    {1000, 0, 1000, 0, false, MODIFIED_UNKNOWN},
    {999, 0, 999, 0, false, MODIFIED_UNKNOWN},
    {998, 0, 998, 0, false, MODIFIED_UNKNOWN},
    {997, 0, 997, 0, true, 997},
    {500, 0, 1000, 460000000, false, 500}, /* set by hand: that second was over long ago */
    {999, 0, 1000, 400000000, true, MODIFIED_UNKNOWN},
    /* In the future: the time of the change counts. */
    {2000, 5, 1000, 400000000, true, MODIFIED_UNKNOWN},
    {2000, 5, 998, 400000000, true, 998},
    {2000, 5, 998, 0, false, MODIFIED_UNKNOWN},
    {2000, 5, 2000, 5, false, MODIFIED_UNKNOWN},
    {1001, 5, 1001, 5, false, MODIFIED_UNKNOWN},
    {INT64_MAX, 5, INT64_MAX, 5, false, MODIFIED_UNKNOWN},
    {-5, 0, -5, 0, true, -5},
};

START_TEST(times_of_every_kind)
{
    const struct now now = {.wall_seconds = 1000, .wall_ns = 500000000};
    const struct identity identity = {.modified_seconds = times[_i].modified_seconds,
                                      .modified_ns = times[_i].modified_ns,
                                      .changed_seconds = times[_i].changed_seconds,
                                      .changed_ns = times[_i].changed_ns};
    ck_assert_int_eq(identity_is_settled(&identity, &now), times[_i].settled);
    int64_t date;
    uint64_t wait_ns = identity_dates_in_ns(&identity, &now, &date);
    ck_assert_int_eq(wait_ns == 0 ? date : MODIFIED_UNKNOWN, times[_i].date);
    ck_assert_uint_le(wait_ns, IDENTITY_WAIT_NS_MAX);
    ck_assert_uint_le(identity_settles_in_ns(&identity, &now), IDENTITY_WAIT_NS_MAX);
}
END_TEST

/* After exactly the wait that was returned the next wait is 0, unless the first was shortened. */
START_TEST(waits_are_exact)
{
    struct now now = {.wall_seconds = 1000, .wall_ns = 500000000};
    const struct identity identity = {.modified_seconds = times[_i].modified_seconds,
                                      .modified_ns = times[_i].modified_ns,
                                      .changed_seconds = times[_i].changed_seconds,
                                      .changed_ns = times[_i].changed_ns};
    uint64_t wait_ns = identity_settles_in_ns(&identity, &now);
    if (wait_ns == 0 || wait_ns == IDENTITY_WAIT_NS_MAX) return;
    uint64_t at = now.wall_ns + wait_ns - 1;
    now.wall_seconds += (int64_t)(at / NS_PER_SECOND);
    now.wall_ns = (uint32_t)(at % NS_PER_SECOND);
    ck_assert(!identity_is_settled(&identity, &now));
    now.wall_ns = (uint32_t)((at + 1) % NS_PER_SECOND);
    now.wall_seconds += now.wall_ns == 0;
    ck_assert(identity_is_settled(&identity, &now));
}
END_TEST

/* ---- room ------------------------------------------------------------------------------------ */

static void expect_tag(const char *what, const char *path, struct accepted accepted,
                       const char *content, enum coding coding)
{
    char wanted[ETAG_MAX];
    size_t length = etag_of_content(content, strlen(content), coding, wanted);
    struct now now = now_after(path, 3 * NS_PER_SECOND);
    const struct representation *r = resolve(path, accepted, &now).representation;
    ck_assert_int_eq(r->coding, coding);
    ck_assert_msg(text_equals(r->etag, (struct text){wanted, length}), "%s: %.*s instead of %s",
                  what, (int)r->etag.length, r->etag.base, wanted);
    ck_assert(head_has(r, wanted));
    store_return(store, r);
}

/* Lends new files until there is no room for another byte. Returns how many. */
static int lend_everything(const struct representation *lent[], int most)
{
    size_t length = 4000;
    struct now now = {0};
    now_read(&now);
    for (int count = 0; count < most; count++) {
        char path[32], script[96];
        snprintf(path, sizeof(path), "fill%d", count);
        snprintf(script, sizeof(script), "head -c %zu /dev/zero > current/fill%d", length, count);
        tree_run(script);
        lent[count] = resolve(path, ACCEPT_IDENTITY, &now).representation;
        if (lent[count]->content == NULL && length == 1) return count + 1;
        if (lent[count]->content == NULL) length = 1;
    }
    ck_abort_msg("there is always room");
    return 0;
}

START_TEST(tag_does_not_depend_on_room)
{
    const struct representation *lent[100];
    options.memory_bytes_max = 128 << 10;
    reopen();
    expect_tag("with room", "small.css", ACCEPT_IDENTITY, "small", CODING_IDENTITY);
    tree_run("touch current/small.css"); /* so that the cache removes it */
    int count = lend_everything(lent, 100);
    expect_tag("all lent", "small.css", ACCEPT_IDENTITY, "small", CODING_IDENTITY);
    expect_tag("all lent, again", "small.css", ACCEPT_IDENTITY, "small", CODING_IDENTITY);
    expect_tag("all lent, a coding", "side.css", ACCEPT_ALL, "zip", CODING_GZIP);
    while (count > 0)
        store_return(store, lent[--count]);
    expect_tag("room again", "small.css", ACCEPT_IDENTITY, "small", CODING_IDENTITY);
}
END_TEST

/* Nor does the tag depend on the other limits of the cache, while file_max is the same. */
static const struct {
    const char *name;
    uint64_t memory_bytes_max;
    uint32_t descriptors_max, watches_max;
} sizes[] = {
    {"roomy", 16 << 20, 16, 1000}, {"no memory", 0, 16, 1000},   {"no descriptors", 0, 0, 1000},
    {"nothing", 0, 0, 0},          {"tiny", 32 << 10, 16, 1000}, {"unwatched", 16 << 20, 16, 0},
};

START_TEST(tag_does_not_depend_on_the_configuration)
{
    static char medium[3 * 16384 + 6] = "";
    memset(medium, 'M', sizeof(medium) - 1); /* not a multiple of what is read at a time */
    tree_run("head -c 49157 /dev/zero | tr '\\0' M > current/medium; : > current/empty");
    options.file_bytes_max = 64 << 10;
    options.memory_bytes_max = sizes[_i].memory_bytes_max;
    options.descriptors_max = sizes[_i].descriptors_max;
    options.watches_max = sizes[_i].watches_max;
    reopen();
    for (int again = 0; again < 2; again++) {
        expect_tag(sizes[_i].name, "medium", ACCEPT_IDENTITY, medium, CODING_IDENTITY);
        expect_tag(sizes[_i].name, "empty", ACCEPT_IDENTITY, "", CODING_IDENTITY);
        expect_tag(sizes[_i].name, "small.css", ACCEPT_IDENTITY, "small", CODING_IDENTITY);
        expect_tag(sizes[_i].name, "side.css", ACCEPT_ALL, "zip", CODING_GZIP);
    }
}
END_TEST

/* Files of exactly file_max, and of one byte more: each kind of tag has its own form. */
START_TEST(tag_by_size_alone)
{
    struct now now;
    tree_run("head -c 4096 /dev/zero > current/most; head -c 4097 /dev/zero > current/more");
    now = now_after("more", 3 * NS_PER_SECOND);
    const struct representation *most = resolve("most", ACCEPT_IDENTITY, &now).representation;
    const struct representation *more = resolve("more", ACCEPT_IDENTITY, &now).representation;
    ck_assert_uint_eq(most->etag.length, 34);
    ck_assert_int_eq(strncmp(more->etag.base, "\"1001-", 6), 0);
    store_return(store, most);
    store_return(store, more);
}
END_TEST

START_TEST(file_that_is_longer_or_shorter)
{
    char etag[ETAG_MAX], whole[ETAG_MAX];
    int fd = open("current/large.css", O_RDONLY);
    ck_assert_int_eq(etag_of_file(fd, 9999, CODING_IDENTITY, etag), -ESTALE);
    ck_assert_int_eq(etag_of_file(fd, 10001, CODING_IDENTITY, etag), -ESTALE);
    ck_assert_int_eq(etag_of_file(-1, 10, CODING_IDENTITY, etag), -EBADF);
    char content[10000];
    ck_assert_int_eq((int)read(fd, content, sizeof(content)), 10000);
    ck_assert_int_eq(etag_of_file(fd, 10000, CODING_BR, etag),
                     (int)etag_of_content(content, 10000, CODING_BR, whole));
    ck_assert_str_eq(etag, whole);
    close(fd);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("validators");
    TCase *cases = tcase_create("validators");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, withheld_while_another_change_could_be_the_same);
    tcase_add_loop_test(cases, given_as_soon_as_they_hold, 0, 2);
    tcase_add_test(cases, each_coding_for_itself);
    tcase_add_test(cases, old_files_cost_nothing_more);
    tcase_add_test(cases, lent_as_it_was_while_it_cannot_be_read_again);
    tcase_add_loop_test(cases, times_of_every_kind, 0, COUNT(times));
    tcase_add_loop_test(cases, waits_are_exact, 0, COUNT(times));
    tcase_add_test(cases, tag_does_not_depend_on_room);
    tcase_add_loop_test(cases, tag_does_not_depend_on_the_configuration, 0, COUNT(sizes));
    tcase_add_test(cases, tag_by_size_alone);
    tcase_add_test(cases, file_that_is_longer_or_shorter);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
