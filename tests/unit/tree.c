#define _GNU_SOURCE
#include "tree.h"

#include "zcserve/media_type.h"
#include "zcserve/now.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char tree_directory[64];
static struct media_types *tree_types;
struct tree_options tree_site;
static int64_t tree_ahead_seconds;

void tree_run(const char *script)
{
    ck_assert_msg(system(script) == 0, "failed: %s", script);
}

void tree_make(const char *script)
{
    snprintf(tree_directory, sizeof(tree_directory), "/tmp/zcserve-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree_directory));
    ck_assert_int_eq(chmod(tree_directory, 0755), 0);
    ck_assert_int_eq(chdir(tree_directory), 0);
    tree_ahead_seconds = 0;
    tree_types = media_types_embedded();
    ck_assert_ptr_nonnull(tree_types);
    tree_run(script);
}

void tree_remove(void)
{
    char script[160];
    media_types_free(tree_types);
    ck_assert_int_eq(chdir("/"), 0);
    /* Only root can empty a directory that nobody may enter. */
    snprintf(script, sizeof(script), "chmod -R u+rwX %s && rm -rf %s", tree_directory,
             tree_directory);
    tree_run(script);
}

void tree_settle(void)
{
    nanosleep(&(struct timespec){0, 80000000}, NULL);
}

void tree_age(void)
{
    tree_ahead_seconds = 10;
}

struct now tree_now(void)
{
    struct now now = {0};
    now_read(&now);
    now.wall_seconds += tree_ahead_seconds;
    now.monotonic_ns += (uint64_t)tree_ahead_seconds * NS_PER_SECOND;
    return now;
}

struct store_options tree_options(void)
{
    static const char *const index[] = {"index.html", "index.htm", NULL};
    tree_site = (struct tree_options){
        .root = "current",
        .index = index,
        .symlinks = SYMLINKS_BENEATH,
        .sidecar = {false, true, true, true},
        .types = tree_types,
    };
    return (struct store_options){
        .tree = &tree_site,
        .trees = 1,
        .memory_bytes_max = 16 << 20,
        .file_bytes_max = 4096,
        .descriptors_max = 16,
        .absent_max = 64,
        .watches_max = 1000,
        .recheck_ns = 3600 * NS_PER_SECOND,
    };
}

struct store *tree_open(const struct store_options *options)
{
    char problem[256] = "";
    struct store *store = store_open(options, problem, sizeof(problem));
    ck_assert_msg(store != NULL, "%s", problem);
    return store;
}

struct resolution tree_resolve(struct store *store, const char *path, struct accepted accepted)
{
    struct lookup lookup = {.path = {path, strlen(path)}, .accepted = accepted};
    struct now now = tree_now();
    store_refresh(store, &now);
    struct resolution resolution = store_resolve(store, &lookup, MAY_WAIT, &now);
    ck_assert((resolution.kind == RESOLUTION_FOUND) == (resolution.representation != NULL));
    return resolution;
}

static const char *found_text(const struct representation *r)
{
    static char text[8192];
    int length = 0;
    if (r->coding != CODING_IDENTITY)
        length = snprintf(text, sizeof(text), "%s:", coding_name(r->coding));
    if (r->content != NULL) {
        ck_assert_int_eq(r->fd, -1);
        snprintf(text + length, sizeof(text) - (size_t)length, "%.*s", (int)r->length, r->content);
        return text;
    }
    char first = '?';
    ck_assert_int_ge((int)pread(r->fd, &first, 1, 0), 0);
    snprintf(text + length, sizeof(text) - (size_t)length, "%c*%zu", first, (size_t)r->length);
    return text;
}

const char *tree_describe(struct resolution resolution)
{
    switch (resolution.kind) {
    case RESOLUTION_FOUND: return found_text(resolution.representation);
    case RESOLUTION_DIRECTORY: return "<directory>";
    case RESOLUTION_NOT_FOUND: return "<not found>";
    case RESOLUTION_FORBIDDEN: return "<forbidden>";
    case RESOLUTION_NOT_ACCEPTABLE: return "<not acceptable>";
    case RESOLUTION_LIMITED: return "<limited>";
    case RESOLUTION_BUSY: return "<busy>";
    case RESOLUTION_BROKEN: return "<broken>";
    case RESOLUTION_COLD: return "<cold>";
    case RESOLUTION_CROWDED: return "<crowded>";
    }
    return "<?>";
}

const char *tree_ask(struct store *store, const char *path, struct accepted accepted)
{
    struct resolution resolution = tree_resolve(store, path, accepted);
    const char *text = tree_describe(resolution);
    if (resolution.representation != NULL) store_return(store, resolution.representation);
    return text;
}
