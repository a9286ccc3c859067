/*
 * Walks through the roots with a list of the directories that are still to be looked at, so that
 * only one is open at a time. Names are opened beneath the root without links (store/beneath.h):
 * what is renamed meanwhile leads nowhere else.
 */
#include "doctor/survey.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_system.h"
#include "store/beneath.h"
#include "zcserve/now.h"

#define TELL_NS (NS_PER_SECOND / 10)
#define LOOK_EVERY 64 /* entries between two looks at the clock */

struct walk {
    struct survey *survey;
    const struct survey_options *options;
    const char *root;
    struct beneath beneath;
    struct survey_system *system; /* that of the directory */
    char **pending;               /* directories to look at: "" or "a/b/", relative to the root */
    unsigned count, room;
    uint64_t began_ns, told_ns;
};

/* An entry of a directory. */
struct entry {
    int directory;       /* descriptor of the directory */
    const char *name;    /* in the directory */
    char path[PATH_MAX]; /* relative to the root */
    struct stat status;  /* of a link: its own */
};

/* ---- what is kept ---------------------------------------------------------------------------- */

static void example_keep(const struct walk *walk, enum survey_kind kind, const char *path)
{
    struct survey_group *group = &walk->survey->group[kind];
    if (group->count++ >= SURVEY_EXAMPLES_MAX) return;
    char **example = &group->example[group->count - 1];
    bool ends = walk->root[strlen(walk->root) - 1] == '/';
    if (asprintf(example, "%s%s%s", walk->root, ends || *path == '\0' ? "" : "/", path) >= 0)
        return;
    *example = NULL;
    walk->survey->exhausted = true;
}

static void directory_push(struct walk *walk, const char *path)
{
    char *kept = NULL;
    if (walk->count == walk->room) {
        unsigned room = walk->room ? 2 * walk->room : 64;
        char **pending = realloc(walk->pending, room * sizeof(*pending));
        if (pending) {
            walk->pending = pending;
            walk->room = room;
        }
    }
    if (walk->count == walk->room || asprintf(&kept, "%s%s", path, *path ? "/" : "") < 0)
        walk->survey->exhausted = true;
    else
        walk->pending[walk->count++] = kept;
}

/* ---- file systems ---------------------------------------------------------------------------- */

/*
 * Finds the file system of an open directory among those that were seen, or adds it. NULL: too
 * many.
 */
static struct survey_system *system_find(struct survey *survey, int fd, const char *root,
                                         const char *path)
{
    struct stat status;
    struct statfs kind;
    if (fstat(fd, &status) != 0 || fstatfs(fd, &kind) != 0) return NULL;
    for (unsigned i = 0; i < survey->systems; i++)
        if (survey->system[i].device == status.st_dev) return &survey->system[i];
    if (survey->systems == SURVEY_SYSTEMS_MAX) return NULL;
    struct survey_system *system = &survey->system[survey->systems++];
    *system = (struct survey_system){.device = status.st_dev,
                                     .reports_changes = file_system_reports_changes(&kind)};
    if (asprintf(&system->path, "%s%s%s", root, *path ? "/" : "", path) < 0) {
        system->path = NULL;
        survey->exhausted = true;
    }
    return system;
}

/*
 * Opens one file of each file system; without changing the time of its last access, where that may
 * be asked.
 */
static void system_probe(const struct walk *walk, const struct entry *entry)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;
    struct survey_system *system = walk->system;
    if (!system || system->probed || entry->status.st_size == 0) return;
    int fd = openat(entry->directory, entry->name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM) fd = openat(entry->directory, entry->name, flags);
    if (fd < 0) return;
    system->means = resident_means(fd, &system->error);
    system->probed = true;
    close(fd);
}

/* ---- entries --------------------------------------------------------------------------------- */

static bool may(const struct entry *entry, int access)
{
    return faccessat(entry->directory, entry->name, access, AT_EACCESS) == 0;
}

static void writers_see(const struct walk *walk, const struct entry *entry)
{
    if (entry->status.st_mode & S_IWOTH) example_keep(walk, SURVEY_OPEN, entry->path);
    if (may(entry, W_OK)) example_keep(walk, SURVEY_OWN, entry->path);
}

static void directory_see(struct walk *walk, const struct entry *entry)
{
    writers_see(walk, entry);
    if (!may(entry, X_OK))
        example_keep(walk, SURVEY_CLOSED, entry->path);
    else if (!may(entry, R_OK))
        example_keep(walk, SURVEY_UNLISTED, entry->path);
    else
        directory_push(walk, entry->path);
}

static bool is_older(const struct stat *a, const struct stat *b)
{
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec) return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
    return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

/* Returns the length of the name without the suffix of a sidecar that is served; 0: it has none. */
static size_t original_length(const struct survey_options *options, const char *name)
{
    size_t length = strlen(name);
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        struct text suffix = coding_file_suffix(coding);
        if (!options->sidecar[coding] || length <= suffix.length) continue;
        if (strcmp(name + length - suffix.length, suffix.base) == 0) return length - suffix.length;
    }
    return 0;
}

/* Compares a sidecar with its original as the store does (is_sidecar() of store/file.c). */
static void sidecar_see(const struct walk *walk, const struct entry *entry)
{
    char name[NAME_MAX + 1];
    struct stat original;
    size_t length = original_length(walk->options, entry->name);
    if (length == 0 || length >= sizeof(name)) return;
    memcpy(name, entry->name, length);
    name[length] = '\0';
    if (original_length(walk->options, name) > 0)
        return; /* that is a sidecar itself and has none */
    if (fstatat(entry->directory, name, &original, 0) != 0 || !S_ISREG(original.st_mode)) return;
    if (entry->status.st_size == 0)
        example_keep(walk, SURVEY_EMPTY, entry->path);
    else if (is_older(&entry->status, &original))
        example_keep(walk, SURVEY_STALE, entry->path);
    else if (entry->status.st_size >= original.st_size)
        example_keep(walk, SURVEY_LARGE, entry->path);
}

static void file_see(const struct walk *walk, const struct entry *entry)
{
    walk->survey->files++;
    walk->survey->large_files += (uint64_t)entry->status.st_size > walk->options->large_bytes;
    writers_see(walk, entry);
    sidecar_see(walk, entry);
    if (!may(entry, R_OK))
        example_keep(walk, SURVEY_UNREADABLE, entry->path);
    else
        system_probe(walk, entry);
}

/* Opens what the link leads to as the server would. Without openat2(2) it follows none. */
static void link_see(const struct walk *walk, const struct entry *entry)
{
    if (!walk->options->links || walk->beneath.walks) return;
    int fd = beneath_open(&walk->beneath, entry->path, O_PATH, LINKS_FOLLOWED);
    if (fd >= 0) close(fd);
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -EXDEV || fd == -ELOOP)
        example_keep(walk, SURVEY_LOST, entry->path);
}

/* Returns whether the server would serve the name at all. */
static bool is_served(const struct survey_options *options, const char *directory, const char *name)
{
    if (name[0] != '.') return true;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return false;
    return options->hidden || (*directory == '\0' && strcmp(name, ".well-known") == 0);
}

static void entry_see(struct walk *walk, struct entry *entry, const char *directory)
{
    int length = snprintf(entry->path, sizeof(entry->path), "%s%s", directory, entry->name);
    if (length >= (int)sizeof(entry->path)) return; /* no request can name it */
    if (fstatat(entry->directory, entry->name, &entry->status, AT_SYMLINK_NOFOLLOW) != 0) return;
    walk->survey->entries++;
    switch (entry->status.st_mode & S_IFMT) {
    case S_IFDIR: directory_see(walk, entry); break;
    case S_IFREG: file_see(walk, entry); break;
    case S_IFLNK: link_see(walk, entry); break;
    default: break; /* never served */
    }
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* Returns whether a limit is reached. Shows progress. */
static bool is_over(struct walk *walk)
{
    struct survey *survey = walk->survey;
    const struct survey_options *options = walk->options;
    if (options->entries_max > 0 && survey->entries >= options->entries_max) survey->cut = "files";
    if (survey->entries % LOOK_EVERY != 0 || survey->cut) return survey->cut;
    uint64_t now = now_monotonic_ns();
    survey->seconds = (double)(now - walk->began_ns) / (double)NS_PER_SECOND;
    if (options->seconds_max > 0 && survey->seconds >= options->seconds_max)
        survey->cut = "seconds";
    if (options->progress && now - walk->told_ns >= TELL_NS) {
        walk->told_ns = now;
        options->progress(survey);
    }
    return survey->cut;
}

/* Looks at the entries of one directory. */
static void directory_walk(struct walk *walk, const char *path)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK;
    int fd = beneath_open(&walk->beneath, path, flags, LINKS_REFUSED);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    if (!listing) { /* it is gone, or this user may not list it */
        if (fd >= 0) close(fd);
        return;
    }
    walk->survey->directories++;
    walk->system = system_find(walk->survey, fd, walk->root, path);
    for (struct dirent *each; (each = readdir(listing));) {
        struct entry entry = {.directory = fd, .name = each->d_name};
        if (!is_served(walk->options, path, each->d_name)) continue;
        if (is_over(walk)) break;
        entry_see(walk, &entry, path);
    }
    closedir(listing);
}

static void root_walk(struct walk *walk, const char *root)
{
    struct entry entry = {.directory = AT_FDCWD, .name = root, .path = ""};
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    walk->root = root;
    if (fd < 0 || fstat(fd, &entry.status) != 0) {
        if (fd >= 0) close(fd);
        return;
    }
    walk->beneath = (struct beneath){.directory = fd, .walks = !beneath_has_openat2(fd)};
    walk->beneath.follows = walk->options->links && !walk->beneath.walks;
    directory_see(walk, &entry);
    while (walk->count > 0) {
        char *path = walk->pending[--walk->count];
        if (!walk->survey->cut) directory_walk(walk, path);
        free(path);
    }
    close(fd);
}

void survey_take(struct survey *survey, const struct survey_options *options)
{
    struct walk walk = {.survey = survey, .options = options, .began_ns = now_monotonic_ns()};
    *survey = (struct survey){0};
    for (const char *const *root = options->root; *root; root++)
        root_walk(&walk, *root);
    free(walk.pending);
    survey->seconds = (double)(now_monotonic_ns() - walk.began_ns) / (double)NS_PER_SECOND;
}

void survey_free(struct survey *survey)
{
    for (unsigned kind = 0; kind < SURVEY_KINDS; kind++)
        for (unsigned i = 0; i < SURVEY_EXAMPLES_MAX; i++)
            free(survey->group[kind].example[i]);
    for (unsigned i = 0; i < survey->systems; i++)
        free(survey->system[i].path);
    *survey = (struct survey){0};
}
