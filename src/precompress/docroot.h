/*
 * The directory whose files get sidecars, seen as the server sees it: by the same options, types,
 * and rules for hidden names and symbolic links.
 */
#ifndef ZCSERVE_PRECOMPRESS_DOCROOT_H
#define ZCSERVE_PRECOMPRESS_DOCROOT_H

#include "store/file.h"
#include "precompress/arguments.h"
#include "zcserve/config.h"
#include "zcserve/media_type.h"

#define DOCROOT_ROOTS_MAX 256

struct docroot {
    struct config *config; /* owns the texts */
    struct config_root root[DOCROOT_ROOTS_MAX];
    uint32_t roots;
    struct media_types *types;
    struct tree_options options;
    struct place place; /* points to `options`; nothing leads out of its directory */
    const struct precompress_wishes *wishes;
};

/*
 * Reads the configuration that the command line names, and finds the roots: DIR; else those outside of
 * sites and of all sites. `switches` must live as long as `docroot`. Returns false after the reason was
 * printed to standard error. docroot_close() frees it, but not after false.
 */
bool docroot_open(struct docroot *docroot, const struct precompress_switches *switches);
void docroot_close(struct docroot *docroot);

/*
 * Opens the root with this number instead of the one that is open. Returns false after the reason was
 * printed.
 */
bool docroot_enter(struct docroot *docroot, uint32_t number);
void docroot_leave(struct docroot *docroot);

/* Returns whether this sidecar is one that the server looks for. */
bool docroot_wants(const struct docroot *docroot, enum coding coding);

/*
 * Looks at the file `path` and its sidecars as the server does. Returns 0 and *file; -ENOENT when
 * the server would not find a file there; else -errno. `file` points to `path`.
 */
int docroot_look(const struct docroot *docroot, const char *path, struct file *file);

/*
 * Opens the directory that holds `path`. Links are followed as the server does. Returns a
 * descriptor, which the caller closes, or -errno.
 */
int docroot_open_parent(const struct docroot *docroot, const char *path);

/*
 * Returns 0 while the name of the original leads to the file that was looked at, unchanged;
 * -ESTALE when not.
 */
int docroot_original_holds(const struct docroot *docroot, const struct file *file);

#endif
