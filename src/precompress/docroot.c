/*
 * Asks the server's own code (store/file.c) what a name leads to, so that a sidecar is never
 * written where the server would not look for it.
 */
#include "precompress/docroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "encode/encode.h"
#include "precompress/rules.h"
#include "zcserve/utf8.h"

/* ---- opening --------------------------------------------------------------------------------- */

static struct tree_options options_of(const struct config_root *root,
                                      const struct media_types *types)
{
    struct tree_options options = {
        .root = root->root,
        .symlinks = (enum symlink_policy)root->symlinks,
        .hidden = root->hidden,
        .types = types,
    };
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++)
        options.sidecar[coding] =
            config_list_has(root->sidecars, coding_file_suffix(coding).base + 1);
    return options;
}

static bool types_open(struct docroot *docroot)
{
    char problem[256] = "there is not enough memory for the media types";
    const char *file = docroot->config->mime_types;
    docroot->types =
        *file ? media_types_load(file, problem, sizeof(problem)) : media_types_embedded();
    if (!docroot->types) fprintf(stderr, "zcserve precompress: %s\n", problem);
    return docroot->types;
}

static bool directory_open(struct docroot *docroot)
{
    struct beneath *beneath = &docroot->place.beneath;
    const char *root = docroot->options.root;
    beneath->directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (beneath->directory < 0) {
        int error = errno;
        fputs("zcserve precompress: cannot open ", stderr);
        utf8_print(stderr, root);
        fprintf(stderr, ": %s\n", strerror(error));
        return false;
    }
    beneath->walks = !beneath_has_openat2(beneath->directory);
    beneath_follow(beneath, docroot->options.symlinks);
    return true;
}

static bool encoders_load(const struct docroot *docroot)
{
    char problem[256];
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        if (!docroot_wants(docroot, coding) || encode_load(coding, problem, sizeof(problem)))
            continue;
        fprintf(stderr, "zcserve precompress: %s\n", problem);
        return false;
    }
    return true;
}

/* DIR alone is wanted, whatever sites the configuration has. */
static bool has_directory(const struct docroot *docroot)
{
    const char *place = config_place(docroot->config, &docroot->config->root);
    return strcmp(place, "DIR") == 0;
}

static void roots_find(struct docroot *docroot)
{
    const struct config *config = docroot->config;
    docroot->root[0] = config_root_outside(config);
    docroot->roots =
        has_directory(docroot) ? 1 : config_roots(config, docroot->root, DOCROOT_ROOTS_MAX);
    if (docroot->roots <= DOCROOT_ROOTS_MAX) return;
    fprintf(stderr, "zcserve precompress: only the first %d of %u roots are looked at\n",
            DOCROOT_ROOTS_MAX, docroot->roots);
    docroot->roots = DOCROOT_ROOTS_MAX;
}

bool docroot_open(struct docroot *docroot, const struct precompress_switches *switches)
{
    *docroot = (struct docroot){.place.beneath.directory = -1, .wishes = &switches->wishes};
    docroot->config =
        config_load(switches->config_file, switches->overrides, switches->override_count, stderr);
    if (docroot->config && types_open(docroot)) {
        roots_find(docroot);
        return true;
    }
    docroot_close(docroot);
    return false;
}

bool docroot_enter(struct docroot *docroot, uint32_t number)
{
    docroot_leave(docroot);
    docroot->options = options_of(&docroot->root[number], docroot->types);
    docroot->place = (struct place){.beneath.directory = -1, .options = &docroot->options};
    return encoders_load(docroot) && directory_open(docroot);
}

void docroot_leave(struct docroot *docroot)
{
    if (docroot->place.beneath.directory >= 0) close(docroot->place.beneath.directory);
    docroot->place.beneath.directory = -1;
}

void docroot_close(struct docroot *docroot)
{
    docroot_leave(docroot);
    if (docroot->types) media_types_free(docroot->types);
    if (docroot->config) config_free(docroot->config);
}

/* ---- looking --------------------------------------------------------------------------------- */

bool docroot_wants(const struct docroot *docroot, enum coding coding)
{
    return docroot->options.sidecar[coding];
}

int docroot_look(const struct docroot *docroot, const char *path, struct file *file)
{
    char name[PATH_MAX];
    struct text text = {path, strlen(path)};
    *file = (struct file){0};
    if (!file_may_exist(&docroot->place, text)) return -ENOENT;
    enum resolution_kind kind = file_find(&docroot->place, text, 0, name, file);
    file->name = path;
    switch (kind) {
    case RESOLUTION_FOUND: return file->uncertain ? -EIO : 0;
    case RESOLUTION_FORBIDDEN: return -EACCES;
    case RESOLUTION_BUSY: return -EAGAIN;
    case RESOLUTION_BROKEN: return -EIO;
    default: return -ENOENT;
    }
}

int docroot_open_parent(const struct docroot *docroot, const char *path)
{
    char directory[PATH_MAX];
    const struct beneath *beneath = &docroot->place.beneath;
    snprintf(directory, sizeof(directory), "%.*s", (int)name_directory_length(path), path);
    return beneath_open(beneath, directory, O_RDONLY | O_DIRECTORY,
                        beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED);
}

int docroot_original_holds(const struct docroot *docroot, const struct file *file)
{
    int fd = file_open(&docroot->place, file, CODING_IDENTITY);
    if (fd < 0) return fd;
    close(fd);
    return 0;
}
