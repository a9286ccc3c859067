/*
 * Data sets: files whose contents cannot be compressed (a seeded generator) and which are never sparse.
 * They are made before anything is measured, and kept between runs. The name holds all parameters, so that
 * a set is found again. A set is written under another name first: what has the final name is complete.
 */
#include "lab.h"
#include "residency.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

uint64_t data_bytes(const struct data *data)
{
    return data->bytes * (data->count ? data->count : 1);
}

static const struct data *data_ask(struct lab *lab, const struct data *wanted)
{
    for (unsigned i = 0; i < lab->datas; i++)
        if (!strcmp(lab->data[i].path, wanted->path)) return &lab->data[i];
    if (lab->pass > 0 || lab->datas == DATA_MAX) {
        fprintf(stderr, "zclab: %s: %s was not asked for while planning, or is one too many\n",
                lab->experiment->name, wanted->path);
        exit(1); /* an error in the experiment */
    }
    lab->data[lab->datas] = *wanted;
    return &lab->data[lab->datas++];
}

const struct data *lab_file(struct lab *lab, uint64_t bytes)
{
    struct data wanted = {.bytes = bytes};
    snprintf(wanted.path, sizeof wanted.path, "%.180s/set-1-%llu-%llu", lab->options->data,
             (unsigned long long)bytes, (unsigned long long)lab->options->seed);
    return data_ask(lab, &wanted);
}

const struct data *lab_files(struct lab *lab, unsigned count, uint64_t bytes)
{
    struct data wanted = {.bytes = bytes, .count = count};
    snprintf(wanted.path, sizeof wanted.path, "%.180s/set-%u-files-%llu-%llu", lab->options->data,
             count, (unsigned long long)bytes, (unsigned long long)lab->options->seed);
    return data_ask(lab, &wanted);
}

const struct data *lab_scratch(struct lab *lab, const char *name, uint64_t bytes)
{
    struct data wanted = {.bytes = bytes, .scratch = true};
    snprintf(wanted.path, sizeof wanted.path, "%.180s/scratch-%s-%.40s", lab->options->data,
             lab->experiment->name, name);
    return data_ask(lab, &wanted);
}

/* ---- making ------------------------------------------------------------------------------------ */

enum { PIECE = 1 << 20 };

/* splitmix64: every eight bytes differ, and no compressor finds anything. */
static void piece_fill(uint64_t *piece, uint64_t *state)
{
    for (unsigned i = 0; i < PIECE / sizeof *piece; i++) {
        uint64_t z = *state += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        piece[i] = z ^ (z >> 31);
    }
}

static int file_fill(struct lab *lab, const char *path, uint64_t bytes, uint64_t seed,
                     uint64_t *done, uint64_t total)
{
    static uint64_t piece[PIECE / sizeof(uint64_t)];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int result = fd < 0 ? -errno : 0;
    for (uint64_t at = 0; result == 0 && at < bytes;) {
        if (measure_stopped) result = -EINTR;
        piece_fill(piece, &seed);
        size_t length = bytes - at < PIECE ? (size_t)(bytes - at) : PIECE;
        ssize_t wrote = result == 0 ? write(fd, piece, length) : -1;
        if (wrote < 0 && result == 0) result = -errno;
        if (wrote > 0) at += (uint64_t)wrote;
        if (wrote > 0) *done += (uint64_t)wrote;
        progress_making(&lab->progress, *done, total);
    }
    if (fd >= 0 && fdatasync(fd) < 0 && result == 0) result = -errno;
    if (fd >= 0) close(fd);
    return result;
}

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void tree_remove(const char *path)
{
    nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static int set_fill(struct lab *lab, const struct data *data, const char *part)
{
    uint64_t seed = lab->options->seed * 1000003 + data->bytes, done = 0;
    if (data->count == 0) return file_fill(lab, part, data->bytes, seed, &done, data->bytes);
    int result = mkdir(part, 0755) < 0 ? -errno : 0;
    for (unsigned i = 0; result == 0 && i < data->count; i++) {
        char path[320];
        snprintf(path, sizeof path, "%s/%u", part, i);
        result = file_fill(lab, path, data->bytes, seed + i, &done, data_bytes(data));
    }
    return result;
}

/*
 * A set with its final name is complete, because it was renamed at the end. The size of a file is checked
 * all the same.
 */
static bool set_exists(const struct data *data)
{
    struct stat status;
    if (stat(data->path, &status) < 0) return false;
    if (data->count > 0) return S_ISDIR(status.st_mode);
    return S_ISREG(status.st_mode) && (uint64_t)status.st_size == data->bytes;
}

static int room_check(const struct lab *lab)
{
    uint64_t needed = 0;
    struct statvfs system;
    text wanted, there;
    for (unsigned i = 0; i < lab->datas; i++)
        if (lab->data[i].scratch || !set_exists(&lab->data[i])) needed += data_bytes(&lab->data[i]);
    if (statvfs(lab->options->data, &system) < 0) return 0;
    uint64_t room = system.f_bavail * system.f_frsize;
    if (needed + needed / 20 <= room) return 0;
    fprintf(stderr,
            "zclab: %s: %s are needed and %s are free (--data DIR: elsewhere; --set max=64m: "
            "smaller)\n",
            lab->options->data, text_bytes(wanted, (double)needed),
            text_bytes(there, (double)room));
    return -ENOSPC;
}

static int set_make(struct lab *lab, const struct data *data)
{
    char part[280];
    snprintf(part, sizeof part, "%s.part", data->path);
    tree_remove(part);
    tree_remove(data->path);
    int result = set_fill(lab, data, part);
    if (result == 0 && rename(part, data->path) < 0) result = -errno;
    if (result < 0) tree_remove(part);
    progress_end(&lab->progress);
    if (result < 0 && result != -EINTR)
        fprintf(stderr, "zclab: %s: cannot be made: %s\n", data->path, strerror(-result));
    return result;
}

int data_make(struct lab *lab)
{
    int result = 0;
    uint64_t sum = 0;
    for (unsigned i = 0; i < lab->datas; i++)
        sum += data_bytes(&lab->data[i]);
    if (sum > lab->bytes_allowed) return -EDQUOT; /* more than was announced */
    if ((result = room_check(lab)) < 0) return result;
    for (unsigned i = 0; result == 0 && i < lab->datas; i++)
        if (!lab->data[i].scratch && !set_exists(&lab->data[i]))
            result = set_make(lab, &lab->data[i]);
    return result;
}

void data_scratch_remove(struct lab *lab)
{
    for (unsigned i = 0; i < lab->datas; i++)
        if (lab->data[i].scratch) tree_remove(lab->data[i].path);
}

int data_clean(const char *directory)
{
    DIR *listing = opendir(directory);
    struct dirent *entry;
    if (!listing) return errno == ENOENT ? 0 : -errno;
    while ((entry = readdir(listing))) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (!strncmp(entry->d_name, "set-", 4) || !strncmp(entry->d_name, "scratch-", 8))
            tree_remove(path);
    }
    closedir(listing);
    return rmdir(directory) < 0 && errno != ENOTEMPTY && errno != EEXIST ? -errno : 0;
}

/* ---- page cache -------------------------------------------------------------------------------- */

/* Calls `each` for every file of a set. *share gets the mean of their shares. */
static int shares_of(const struct data *data, int (*each)(int, uint64_t, double *), double *share)
{
    unsigned files = data->count ? data->count : 1;
    int result = 0;
    double sum = 0;
    for (unsigned i = 0; result == 0 && i < files; i++) {
        char path[280];
        double one = NAN;
        snprintf(path, sizeof path, data->count ? "%s/%u" : "%s", data->path, i);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        result = fd < 0 ? -errno : each(fd, data->bytes, &one);
        if (fd >= 0) close(fd);
        sum += one;
    }
    *share = sum / files;
    return result;
}

static int share_look(int fd, uint64_t bytes, double *share)
{
    *share = residency_share(fd, bytes);
    return 0;
}

double data_share(const struct data *data)
{
    double share = NAN;
    if (shares_of(data, share_look, &share) < 0) return NAN;
    return share;
}

int data_cache_prepare(struct lab *lab, const struct work *work, double *share)
{
    bool cold = work->cache == CACHE_COLD;
    if (work->cache == CACHE_AS_IT_IS) return 0;
    if (cold && lab->device.in_memory) {
        snprintf(lab->failure, sizeof lab->failure, "%.32s is memory: nothing there is ever cold",
                 lab->device.file_system);
        return -EBUSY;
    }
    int result = shares_of(work->data, cold ? residency_evict : residency_warm, share);
    if (result < 0) return result;
    if (cold ? *share <= 0.01 : *share >= 0.99) return 0;
    snprintf(lab->failure, sizeof lab->failure,
             isnan(*share) ? "the kernel does not tell what is in the page cache"
             : cold        ? "%.1f %% of the file stays in the page cache"
                           : "only %.1f %% of the file stays in the page cache",
             100 * *share);
    return -EBUSY;
}
