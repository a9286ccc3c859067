/*
 * Listings in the store: their names are exact after each change, they are held in memory, an event
 * loop never reads a directory itself, and limits hold.
 */
#define _GNU_SOURCE
#include "tree.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store_options options;
static struct store *store;
static char text[65536];

static void setup(void)
{
    tree_make(
        "umask 022; mkdir -p release1/d/sub release1/with; ln -s release1 current; cd release1;"
        "printf one > d/a; printf two > d/b; printf dot > d/.hidden; ln -s a d/link;"
        "ln -s /etc/passwd d/out; ln -s nowhere d/gone; mkfifo d/fifo; printf hello > "
        "d/README; printf index > with/index.html; ln -s d alias");
    tree_settle();
    options = tree_options();
}

static struct resolution look(const char *path, struct view view, enum patience patience)
{
    struct lookup lookup = {
        .path = {path, strlen(path)}, .accepted = ACCEPT_IDENTITY, .lists = true, .view = view};
    struct now now = tree_now();
    store_refresh(store, &now);
    return store_resolve(store, &lookup, patience, &now);
}

/* Returns the listing of `path` as JSON, or what there is instead. */
static const char *list(const char *path)
{
    struct resolution found = look(path, (struct view){.format = VIEW_JSON}, MAY_WAIT);
    if (found.kind != RESOLUTION_FOUND) return tree_describe(found);
    const struct representation *r = found.representation;
    ck_assert_uint_lt(r->length, sizeof(text));
    memcpy(text, r->content, r->length);
    text[r->length] = '\0';
    ck_assert_uint_gt(r->etag.length, 2);
    ck_assert(r->content[0] != '{' || r->modified_seconds == MODIFIED_UNKNOWN);
    store_return(store, r);
    return text;
}

static bool lists(const char *path, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    return strstr(list(path), quoted);
}

static void end(void)
{
    store_close(store);
    tree_remove();
}

START_TEST(what_is_listed)
{
    store = tree_open(&options);
    ck_assert(lists("d/", "a") && lists("d/", "b") && lists("d/", "sub") && lists("d/", "link"));
    ck_assert(!lists("d/", ".hidden") && !lists("d/", "out") && !lists("d/", "gone"));
    ck_assert(!lists("d/", "fifo"));
    ck_assert_str_eq(list("with/"), "index");
    ck_assert_str_eq(list("d"), "<directory>");
    ck_assert_str_eq(list("nope/"), "<not found>");
    ck_assert_str_eq(list("d/a/"), "<not found>");
    ck_assert(lists("", "alias") && lists("", "with"));
    ck_assert(lists("alias/", "a"));
    ck_assert_str_eq(tree_ask(store, "d/", ACCEPT_IDENTITY), "<forbidden>"); /* not asked for */
    end();
}
END_TEST

START_TEST(hidden_and_links_by_the_options)
{
    tree_site.hidden = true;
    tree_site.symlinks = SYMLINKS_NEVER;
    store = tree_open(&options);
    ck_assert(lists("d/", ".hidden") && !lists("d/", "link"));
    ck_assert_str_eq(list("alias/"), "<forbidden>");
    end();
}
END_TEST

static const char *const scripts[][2] = {
    {"printf x > current/d/new", "new"},    {"mv current/d/a current/d/c", "c"},
    {"mkdir current/d/dir", "dir"},         {"mv current/with current/d/moved", "moved"},
    {"ln -s b current/d/second", "second"},
};

/* The next request sees each name that came, and not those that went. */
START_TEST(names_are_exact)
{
    if (_i % 2 == 1) options.watches_max = 0;
    store = tree_open(&options);
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        ck_assert(!lists("d/", scripts[i][1]));
        tree_run(scripts[i][0]);
        ck_assert_msg(lists("d/", scripts[i][1]), "%s", scripts[i][0]);
    }
    ck_assert(!lists("d/", "a"));
    tree_run("rm current/d/b");
    ck_assert(!lists("d/", "b"));
    tree_run("printf here > current/d/index.html");
    ck_assert_str_eq(list("d/"), "here");
    tree_run("rm current/d/index.html");
    ck_assert(lists("d/", "c"));
    tree_run("mv current/d current/e; mkdir current/d; printf x > current/d/only");
    ck_assert(lists("d/", "only") && !lists("d/", "c") && lists("e/", "c"));
    tree_run("rm -r current/d");
    ck_assert_str_eq(list("d/"), "<not found>");
    tree_run("mkdir -p release2/e; printf x > release2/e/release; ln -sfn release2 current");
    ck_assert(lists("e/", "release") && !lists("e/", "c"));
    end();
}
END_TEST

START_TEST(held_in_memory)
{
    store = tree_open(&options);
    for (int i = 0; i < 10; i++)
        ck_assert(lists("d/", "a"));
    ck_assert_uint_le(store_counts(store)->listings, 2); /* a slow machine may need a second one */
    tree_run("printf longer > current/d/a");             /* no name has changed */
    ck_assert(lists("d/", "a"));
    ck_assert_uint_le(store_counts(store)->listings, 3);
    end();
}
END_TEST

/* Each view has a listing of its own. */
START_TEST(views)
{
    store = tree_open(&options);
    struct resolution html = look("d/", (struct view){0}, MAY_WAIT);
    struct resolution other = look("d/", (struct view){.descending = true}, MAY_WAIT);
    struct resolution json =
        look("d/", (struct view){.format = VIEW_JSON, .negotiated = true}, MAY_WAIT);
    ck_assert(html.representation != other.representation);
    ck_assert(text_equals(html.representation->media_type, TEXT("text/html; charset=utf-8")));
    ck_assert(text_equals(json.representation->media_type, TEXT("application/json")));
    ck_assert(json.representation->negotiated && !html.representation->negotiated);
    ck_assert_ptr_nonnull(
        memmem(html.representation->content, html.representation->length, "<pre>hello</pre>", 16));
    store_return(store, html.representation);
    store_return(store, other.representation);
    store_return(store, json.representation);
    end();
}
END_TEST

static struct errand *errand_for(const char *path)
{
    struct lookup lookup = {
        .path = {path, strlen(path)}, .lists = true, .view = {.format = VIEW_JSON}};
    struct errand *errand = store_errand(store, &lookup);
    ck_assert_ptr_nonnull(errand);
    return errand;
}

static void adopt(struct errand *errand)
{
    store_adopt(store, errand);
    errand_free(errand);
}

/* Returns what an event loop gets at once. */
static enum resolution_kind at_once(const char *path)
{
    struct resolution found = look(path, (struct view){.format = VIEW_JSON}, AT_ONCE);
    if (found.representation) store_return(store, found.representation);
    return found.kind;
}

START_TEST(an_errand_makes_it)
{
    if (_i == 1) options.watches_max = 0;
    store = tree_open(&options);
    list("with/"); /* now the names of the root are in the kernel's cache */
    ck_assert(at_once("d/") == RESOLUTION_COLD);
    struct errand *errand = errand_for("d/");
    errand_run(errand);
    adopt(errand);
    ck_assert_uint_eq(store_counts(store)->listings, 1);
    ck_assert(at_once("d/") == RESOLUTION_FOUND);
    ck_assert(lists("d/", "a"));
    end();
}
END_TEST

/* A name that changes while the errand is under way is never missing afterwards. */
START_TEST(an_errand_that_is_overtaken)
{
    if (_i / 2 == 1) options.watches_max = 0;
    store = tree_open(&options);
    ck_assert_str_eq(tree_ask(store, "d/", ACCEPT_IDENTITY), "<forbidden>");
    struct errand *errand = errand_for("d/");
    errand_run(errand);
    tree_run("printf x > current/d/late");
    if (_i % 2 == 1) tree_ask(store, "d/a", ACCEPT_IDENTITY); /* the change is taken before */
    adopt(errand);
    ck_assert(lists("d/", "late"));
    end();
}
END_TEST

START_TEST(errands_that_make_nothing)
{
    store = tree_open(&options);
    static const char *const paths[] = {"with/", "d", "d/a", "nope/"};
    for (size_t i = 0; i < 4; i++) {
        struct errand *errand = errand_for(paths[i]);
        errand_run(errand);
        adopt(errand);
    }
    adopt(errand_for("d/")); /* not run */
    ck_assert_uint_eq(store_counts(store)->listings, 0);
    end();
}
END_TEST

/* It is made again before it is too old, and once at a time. */
START_TEST(renewed)
{
    struct lookup lookup = {.path = TEXT("d/"), .accepted = ACCEPT_IDENTITY, .lists = true};
    struct now now = tree_now();
    store = tree_open(&options);
    store_refresh(store, &now);
    struct resolution first = store_resolve(store, &lookup, MAY_WAIT, &now);
    ck_assert(first.kind == RESOLUTION_FOUND && !first.improvable);
    store_return(store, first.representation);
    now.monotonic_ns += 6 * (NS_PER_SECOND / 10);
    struct resolution second = store_resolve(store, &lookup, AT_ONCE, &now);
    ck_assert(second.kind == RESOLUTION_FOUND && second.improvable);
    ck_assert(second.representation == first.representation);
    store_return(store, second.representation);
    struct errand *errand = store_product(store, &lookup, &now);
    ck_assert_ptr_nonnull(errand);
    ck_assert_ptr_null(store_product(store, &lookup, &now));
    second = store_resolve(store, &lookup, AT_ONCE, &now);
    ck_assert(second.kind == RESOLUTION_FOUND && !second.improvable);
    store_return(store, second.representation);
    errand_run(errand);
    adopt(errand);
    ck_assert_uint_eq(store_counts(store)->listings, 2);
    now.monotonic_ns += 20 * NS_PER_SECOND;
    ck_assert(store_resolve(store, &lookup, AT_ONCE, &now).kind == RESOLUTION_COLD);
    end();
}
END_TEST

/* Without room for it there is no listing, and others stay within the budget. */
START_TEST(no_room)
{
    options.memory_bytes_max = 100000;
    tree_run("cd current/d; seq 3000 | xargs touch");
    store = tree_open(&options);
    ck_assert_str_eq(list("d/"), "<busy>");
    ck_assert_uint_le(store_counts(store)->bytes, 100000);
    struct errand *errand = errand_for("d/");
    errand_run(errand);
    adopt(errand);
    ck_assert_str_eq(list("d/"), "<busy>");
    ck_assert_str_eq(list("with/"), "index");
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listed");
    TCase *cases = tcase_create("listed");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, what_is_listed);
    tcase_add_test(cases, hidden_and_links_by_the_options);
    tcase_add_loop_test(cases, names_are_exact, 0, 2);
    tcase_add_test(cases, held_in_memory);
    tcase_add_test(cases, views);
    tcase_add_loop_test(cases, an_errand_makes_it, 0, 2);
    tcase_add_loop_test(cases, an_errand_that_is_overtaken, 0, 4);
    tcase_add_test(cases, errands_that_make_nothing);
    tcase_add_test(cases, renewed);
    tcase_add_test(cases, no_room);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
