/*
 * Experiment 10: names and small files. For the names there is a chain of directories for each file:
 * DEPTH/NUMBER/d/…/f. Names that a process in a control group looks up are charged to that group (dentries
 * and inodes too). They can be dropped with it, and nobody else's names are. What the file system keeps of
 * its directories is dropped by POSIX_FADV_DONTNEED on the device.
 */
#include "formats.h"

#include "../control_group.h"
#include "../device.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST = 16, PIECE_BYTES = 4096, DEPTH_MAX = 32 };

/* ---- many small files, or one ------------------------------------------------------------------ */

struct files {
    const struct data *data;
    uint64_t pieces;
    bool again;
    int fd;
};

static int one_open(void *context)
{
    struct files *f = context;
    f->fd = f->data->count ? -1 : open(f->data->path, O_RDONLY | O_CLOEXEC);
    return f->fd < 0 && !f->data->count ? -errno : 0;
}

static void one_close(void *context)
{
    struct files *f = context;
    if (f->fd >= 0) close(f->fd);
}

/* Reads a piece of 4 KiB: a file that is opened, read and closed; or a part of the file that is open. */
static ssize_t piece_read(struct files *f, uint64_t i, char piece[PIECE_BYTES])
{
    char path[300];
    if (f->fd >= 0) return pread(f->fd, piece, PIECE_BYTES, (off_t)(i * PIECE_BYTES));
    snprintf(path, sizeof path, "%s/%" PRIu64, f->data->path, i);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, piece, PIECE_BYTES);
    if (fd >= 0) close(fd);
    return got;
}

static int files_run(void *context, struct measure *m)
{
    struct files *f = context;
    char piece[PIECE_BYTES];
    uint64_t now = measure_now();
    do
        for (uint64_t i = 0; i < f->pieces && !measure_over(m, now); i++) {
            ssize_t got = piece_read(f, i, piece);
            if (got <= 0) return got < 0 ? -errno : -EIO;
            now = tally_add(&m->tally, now, (uint64_t)got);
        }
    while (f->again && !measure_over(m, now));
    m->tally.calls = m->tally.operations * (f->fd >= 0 ? 1 : 3);
    return 0;
}

void files_walk(struct lab *lab)
{
    static struct files f;
    uint64_t pieces = lab_number(lab, "small_files");
    for (int kind = 0; kind < 4; kind++) {
        bool many = kind % 2, cold = kind < 2;
        const struct data *data = many ? lab_files(lab, (unsigned)pieces, PIECE_BYTES)
                                       : lab_file(lab, pieces * PIECE_BYTES);
        f = (struct files){.data = data, .pieces = pieces, .again = !cold, .fd = -1};
        struct work work = {.context = &f,
                            .open = one_open,
                            .run = files_run,
                            .close = one_close,
                            .data = data,
                            .cache = cold ? CACHE_COLD : CACHE_WARM,
                            .no_warm_up = cold};
        lab_measure(lab, &work, "sweep=files format=%s question=read cache=%s",
                    many ? "many-files" : "one-file", cold ? "cold" : "warm");
    }
}

/* ---- names ------------------------------------------------------------------------------------- */

struct names {
    const struct data *tree;
    const struct device *device;
    uint64_t depth, count;
    bool opens, cold;
    int drop_failed;
};

/* Writes TREE/DEPTH/NUMBER, then /d for each further level, then /f. */
static void name_make(const struct names *n, uint64_t i, char path[600])
{
    int used = snprintf(path, 600, "%s/%" PRIu64 "/%" PRIu64, n->tree->path, n->depth, i);
    for (uint64_t level = 1; level < n->depth; level++)
        used += snprintf(path + used, 600 - (size_t)used, "/d");
    snprintf(path + used, 600 - (size_t)used, "/f");
}

/* Makes the directories of a path, then the file. */
static int chain_make(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int result = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
        *slash = '/';
        if (result < 0) return result;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return -errno;
    close(fd);
    return 0;
}

/* One group for all measurements: what was charged to a group that is gone cannot be dropped any more. */
static struct control_group group;

static void group_close(void)
{
    control_group_close(&group);
}

static const char *names_hindrance(void)
{
    if (group.path[0]) return NULL;
    if (control_group_open(&group, CONTROLLER_MEMORY, CONTROL_GROUP_MOUNTS) < 0) return group.why;
    atexit(group_close);
    return NULL;
}

static int names_drop(const struct names *n)
{
    char node[64];
    int fd = open(n->tree->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    syncfs(fd); /* what is not written yet cannot be dropped */
    close(fd);
    int result = control_group_forget(&group);
    snprintf(node, sizeof node, "/dev/%s", n->device->name);
    fd = result < 0 ? -1 : open(node, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return result < 0 ? result : 0; /* then directories come from memory, but names do not */
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return 0;
}

static int names_open(void *context)
{
    struct names *n = context;
    char path[600];
    int result = 0;
    if (group.path[0])
        result = control_group_enter(&group); /* a process pays for the names that it looks up */
    name_make(n, n->count - 1, path);
    bool there = access(path, F_OK) == 0; /* if the last one exists, all of them do */
    for (uint64_t i = 0; i < n->count && !there && result == 0; i++) {
        name_make(n, i, path);
        result = measure_stopped ? -EINTR : chain_make(path);
    }
    n->drop_failed = result == 0 && n->cold ? names_drop(n) : 0;
    return result;
}

static void names_close(void *context)
{
    (void)context;
    control_group_leave(&group);
}

static int names_run(void *context, struct measure *m)
{
    struct names *n = context;
    char path[600];
    struct stat status;
    uint64_t now = measure_now();
    if (n->drop_failed < 0) lab_skip(m->lab, "names with a cold cache", group.why);
    if (n->drop_failed < 0) return n->drop_failed;
    do
        for (uint64_t i = 0; i < n->count && !measure_over(m, now); i++) {
            name_make(n, i, path);
            now = measure_now();
            int fd = n->opens ? open(path, O_RDONLY | O_CLOEXEC) : stat(path, &status);
            if (fd < 0) return -errno;
            if (n->opens) close(fd);
            now = tally_add(&m->tally, now, 0);
        }
    while (!n->cold && !measure_over(m, now));
    m->tally.calls = m->tally.operations * (n->opens ? 2 : 1);
    return 0;
}

static void names_measure(struct lab *lab, const struct data *tree, uint64_t depth, bool opens,
                          bool cold)
{
    static struct names n;
    n = (struct names){.tree = tree,
                       .device = lab_device(lab),
                       .depth = depth,
                       .count = lab_number(lab, "names"),
                       .opens = opens,
                       .cold = cold};
    struct work work = {.context = &n,
                        .open = names_open,
                        .run = names_run,
                        .close = names_close,
                        .data = tree,
                        .no_warm_up = cold,
                        .time_is_not_limited = cold};
    if (depth < 1 || depth > DEPTH_MAX || n.count < 1) return;
    lab_measure(lab, &work, "sweep=names question=%s directories=%" PRIu64 " cache=%s",
                opens ? "open" : "stat", depth, cold ? "cold" : "warm");
}

void names_walk(struct lab *lab)
{
    uint64_t depth[LIST], sum = 0;
    unsigned depths = lab_numbers(lab, "depths", depth, LIST);
    for (unsigned d = 0; d < depths; d++)
        sum += depth[d] + 1;
    const struct data *tree =
        lab_scratch(lab, "tree", sum * lab_number(lab, "names") * PIECE_BYTES);
    const char *why = names_hindrance();
    if (why) lab_skip(lab, "names with a cold cache", why);
    for (int cold = why ? 0 : 1; cold >= 0; cold--)
        for (int opens = 0; opens < 2; opens++)
            for (unsigned d = 0; d < depths; d++)
                names_measure(lab, tree, depth[d], opens, cold);
}
