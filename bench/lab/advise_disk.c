/*
 * What cold reads from the device of this directory cost: at random places with O_DIRECT, which does not
 * touch the page cache, at several depths; and one file from its beginning, with several settings of
 * read-ahead. The pages of that file are evicted for this, and read in again if they were there before.
 */
#include "advise.h"

#include "measure.h"
#include "residency.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 16 << 10, FILES = 64, LEAST_BYTES = 4 << 20, AHEAD_BYTES = 64 << 20 };
static const unsigned depths[ADVISE_DEPTHS] = {1, 4, 16, 64};
static const struct {
    unsigned repetitions, each_ms;
} scales[] = {{5, 200}, {3, 80}, {2, 20}};

static void sample_add(struct sample *sample, double value)
{
    if (sample->count < SAMPLE_MAX) sample->value[sample->count++] = value;
}

/* ---- depth ------------------------------------------------------------------------------------- */

struct reader {
    pthread_t id;
    const int *fd;
    const uint64_t *blocks; /* of each file */
    unsigned files;
    uint64_t random, until_ns, reads;
    int failure;
};

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void *reader_run(void *context)
{
    struct reader *r = context;
    void *buffer = aligned_alloc(4096, READ_BYTES);
    if (!buffer) r->failure = -ENOMEM;
    while (buffer && r->failure == 0 && measure_now() < r->until_ns && !measure_stopped) {
        unsigned f = (unsigned)(random_next(&r->random) % r->files);
        off_t at = (off_t)(random_next(&r->random) % r->blocks[f] * READ_BYTES);
        ssize_t got = pread(r->fd[f], buffer, READ_BYTES, at);
        if (got < 0) r->failure = -errno;
        r->reads++;
    }
    free(buffer);
    return NULL;
}

/* Returns reads per second by `depth` readers; negative: -errno. */
static double depth_measure(const int *fd, const uint64_t *blocks, unsigned files, unsigned depth,
                            unsigned ms)
{
    static struct reader reader[64];
    static uint64_t seed = 88172645463325252U;
    uint64_t begun = measure_now(), reads = 0;
    unsigned started = 0;
    int failure = 0;
    for (; started < depth && failure == 0; started += failure == 0) {
        reader[started] = (struct reader){.fd = fd,
                                          .blocks = blocks,
                                          .files = files,
                                          .random = random_next(&seed),
                                          .until_ns = begun + ms * UINT64_C(1000000)};
        failure = -pthread_create(&reader[started].id, NULL, reader_run, &reader[started]);
    }
    for (unsigned i = 0; i < started; i++) {
        pthread_join(reader[i].id, NULL);
        reads += reader[i].reads;
        if (reader[i].failure) failure = reader[i].failure;
    }
    return failure ? failure : (double)reads / ((double)(measure_now() - begun) / 1e9);
}

/* Opens the largest files with O_DIRECT. Returns how many, or -errno. */
static int files_open(const struct site *site, int fd[FILES], uint64_t blocks[FILES])
{
    char path[SITE_PATH_MAX];
    int count = 0;
    uint64_t bytes = 0;
    for (unsigned i = site->count; i-- > 0 && count < FILES;) {
        if (site->file[i].bytes < READ_BYTES) break;
        if (!site_path(site, i, path)) continue;
        fd[count] = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW);
        if (fd[count] < 0) return -errno;
        blocks[count++] = site->file[i].bytes / READ_BYTES;
        bytes += site->file[i].bytes;
    }
    return bytes >= LEAST_BYTES ? count : -ENODATA;
}

static int cold_measure(struct advise_figures *into, const struct site *site, unsigned repetitions,
                        unsigned ms)
{
    int fd[FILES], files;
    uint64_t blocks[FILES];
    for (unsigned i = 0; i < FILES; i++)
        fd[i] = -1;
    int result = files = files_open(site, fd, blocks);
    for (unsigned r = 0; r < repetitions && result > 0; r++)
        for (unsigned d = 0; d < ADVISE_DEPTHS && result > 0 && !measure_stopped; d++) {
            double per_s = depth_measure(fd, blocks, (unsigned)files, depths[d], ms);
            into->cold[d].depth = depths[d];
            if (per_s > 0) sample_add(&into->cold[d].per_s, per_s);
            if (per_s < 0) result = (int)per_s;
        }
    if (result > 0) into->depths = ADVISE_DEPTHS;
    for (unsigned i = 0; i < FILES; i++)
        if (fd[i] >= 0) close(fd[i]);
    return result < 0 ? result : 0;
}

/* ---- read-ahead --------------------------------------------------------------------------------- */

/* Returns MB/s of the beginning of a file, cold; 0: it could not be made cold, or could not be read. */
static double ahead_measure(const char *path, uint64_t bytes, int advice)
{
    char *buffer = malloc(READ_BYTES);
    double share = 1, speed = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint64_t read_bytes = 0;
    if (buffer && fd >= 0 && residency_evict(fd, bytes, &share) == 0 && share <= 0.01) {
        posix_fadvise(fd, 0, 0, advice);
        uint64_t begun = measure_now();
        ssize_t got = 1;
        while (read_bytes < bytes && got > 0 && !measure_stopped) {
            got = pread(fd, buffer, READ_BYTES, (off_t)read_bytes);
            if (got > 0) read_bytes += (uint64_t)got;
        }
        speed = (double)read_bytes / 1e6 / ((double)(measure_now() - begun) / 1e9);
    }
    if (fd >= 0) close(fd);
    free(buffer);
    return speed;
}

static int aheads_measure(struct advise_figures *into, const struct site *site,
                          unsigned repetitions)
{
    char path[SITE_PATH_MAX];
    const struct site_file *largest = site->count ? &site->file[site->count - 1] : NULL;
    if (!largest || largest->bytes < LEAST_BYTES / 4) return -ENODATA;
    if (!site_path(site, site->count - 1, path)) return -ENAMETOOLONG;
    uint64_t bytes = largest->bytes < AHEAD_BYTES ? largest->bytes : AHEAD_BYTES;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return -errno;
    double before = residency_share(fd, bytes), share;
    int result = 0;
    for (unsigned r = 0; r < repetitions && result == 0 && !measure_stopped; r++) {
        double off = ahead_measure(path, bytes, POSIX_FADV_RANDOM);
        double usual = ahead_measure(path, bytes, POSIX_FADV_NORMAL);
        double twice = ahead_measure(path, bytes, POSIX_FADV_SEQUENTIAL);
        if (!(off > 0) || !(usual > 0) || !(twice > 0)) result = -EBUSY;
        if (result < 0) break;
        sample_add(&into->ahead_off, off);
        sample_add(&into->ahead_usual, usual);
        sample_add(&into->ahead_double, twice);
    }
    if (before > 0.5) residency_warm(fd, bytes, &share);
    close(fd);
    return result;
}

static const char *why_not(int result)
{
    return result == -ENODATA
               ? "the files there are too small (4 MiB in all, or one of 1 MiB, are needed)"
           : result == -EINVAL ? "this file system has no O_DIRECT"
           : result == -EBUSY  ? "the files stay in the page cache"
                               : strerror(-result);
}

void advise_disk_measure(struct advise_figures *into, const struct site *site,
                         const struct options *options)
{
    unsigned repetitions = scales[options->scale].repetitions;
    int result = cold_measure(into, site, repetitions, scales[options->scale].each_ms);
    if (result < 0) advise_left_out(into, "cold reads at random places", why_not(result));
    result = aheads_measure(into, site, repetitions);
    if (result < 0 && !measure_stopped) advise_left_out(into, "read-ahead", why_not(result));
}
