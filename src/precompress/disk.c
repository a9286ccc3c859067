/*
 * The order of calls when a sidecar is written, and why:
 *
 *   the original is opened     its identity must be the one whose bytes were compressed
 *   openat O_EXCL, mode 0600   nobody else reads it before it has its permissions
 *   flock                      another run does not take it for left behind
 *   write, chown, chmod, time  all before the name is there
 *   fsync                      else a crash could leave an empty file under the name (rename(2) is
 *                              not ordered after the data on every file system)
 *   the original once more     it may have changed while we compressed
 *   renameat                   the only moment at which the server sees anything
 *   the original once more     it may have changed in between; then the sidecar goes
 *
 * The directory is not synchronised: after a crash the name may be missing, and is made again.
 */
#define _GNU_SOURCE
#include "precompress/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_BYTES_MAX (1U << 20) /* between two looks at the gate */
#define NAME_TRIES 100

/* ---- reading --------------------------------------------------------------------------------- */

/* Reads `length` bytes from the beginning. -ESTALE: there are fewer. */
static int bytes_read(int fd, char *space, size_t length)
{
    size_t filled = 0;
    while (filled < length) {
        ssize_t got = pread(fd, space + filled, length - filled, (off_t)filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) return -ESTALE;
        filled += (size_t)got;
    }
    return 0;
}

/* Reads an open file, whose identity must be `identity` afterwards too. */
static int content_read(int fd, const struct identity *identity, struct bytes *content)
{
    struct identity after;
    char *space = malloc(identity->size + 1);
    if (!space) return -ENOMEM;
    int error = bytes_read(fd, space, identity->size);
    if (error == 0) error = identity_read(fd, "", &after);
    if (error == 0 && !identity_equals(&after, identity)) error = -ESTALE;
    if (error != 0)
        free(space);
    else
        *content = (struct bytes){space, identity->size};
    return error;
}

int disk_read(const struct docroot *docroot, const struct file *file, enum coding coding,
              struct bytes *content)
{
    int fd = file_open(&docroot->place, file, coding);
    if (fd < 0) return fd;
    int error = content_read(fd, &file->identity[coding], content);
    close(fd);
    return error;
}

/* ---- time, owner, permissions ---------------------------------------------------------------- */

static int time_set(int fd, int64_t seconds, uint32_t ns)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = ns}};
    return futimens(fd, times) == 0 ? 0 : -errno;
}

/*
 * Gives the time of the original. When a link leads to an original on a file system with finer
 * times, the sidecar would be a little older, and the server would not use it: then it gets a time
 * up to two seconds later, which every file system can keep.
 */
static int time_copy(int fd, const struct identity *original)
{
    struct identity written;
    int error = time_set(fd, original->modified_seconds, original->modified_ns);
    if (error == 0) error = identity_read(fd, "", &written);
    if (error != 0 || identity_not_older(&written, original)) return error;
    return time_set(fd, original->modified_seconds / 2 * 2 + 2, 0);
}

/*
 * When the group cannot be set, those who were of it are judged as others, and others may be of our
 * group: both get what both had.
 */
static int owner_copy(int fd, const struct stat *original)
{
    mode_t mode = original->st_mode & (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH);
    if (fchown(fd, original->st_uid, original->st_gid) != 0 &&
        fchown(fd, (uid_t)-1, original->st_gid) != 0) {
        mode_t common = (mode >> 3) & mode & S_IRWXO;
        mode = (mode & S_IRWXU) | common << 3 | common;
    }
    return fchmod(fd, mode) == 0 ? 0 : -errno;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int bytes_write(int fd, struct text bytes, struct gate *gate)
{
    while (bytes.length > 0) {
        if (gate_is_closed(gate)) return -ECANCELED;
        size_t some = bytes.length < WRITE_BYTES_MAX ? bytes.length : WRITE_BYTES_MAX;
        ssize_t wrote = write(fd, bytes.base, some);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return -errno;
        bytes = (struct text){bytes.base + wrote, bytes.length - (size_t)wrote};
    }
    return 0;
}

/*
 * Locks a temporary file, so that no other run sweeps it. Returns false when one is doing that now.
 * Where files cannot be locked nobody sweeps either.
 */
static bool temporary_lock(int fd)
{
    struct stat status;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    return fstat(fd, &status) != 0 || status.st_nlink > 0;
}

/* Makes a temporary file with a name of its own. Returns a locked descriptor, or -errno. */
static int temporary_open(int directory, char name[NAME_MAX + 1])
{
    static atomic_ullong number;
    int error = -EEXIST;
    for (int i = 0; i < NAME_TRIES && error == -EEXIST; i++) {
        name_temporary(name, (uint64_t)getpid(), atomic_fetch_add(&number, 1));
        int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 && temporary_lock(fd)) return fd;
        error = fd < 0 ? -errno : -EEXIST;
        if (fd >= 0) {
            unlinkat(directory, name, 0);
            close(fd);
        }
    }
    return error;
}

/* Fills the temporary file: after it only the name is missing. */
static int temporary_fill(int fd, const struct file *file, const struct stat *original,
                          struct text bytes, struct gate *gate)
{
    int error = bytes_write(fd, bytes, gate);
    if (error == 0) error = owner_copy(fd, original);
    if (error == 0) error = time_copy(fd, &file->identity[CODING_IDENTITY]);
    if (error == 0 && fsync(fd) != 0) error = -errno;
    return error;
}

/* Gives the temporary file its name, unless the original has changed. */
static int temporary_publish(const struct docroot *docroot, const struct file *file, int directory,
                             const char *temporary, const char *name)
{
    int error = docroot_original_holds(docroot, file);
    if (error != 0) return error;
    if (renameat(directory, temporary, directory, name) != 0) return -errno;
    error = docroot_original_holds(docroot, file);
    if (error != 0) unlinkat(directory, name, 0);
    return error;
}

static int sidecar_write(const struct docroot *docroot, const struct file *file, int directory,
                         const char *name, const struct stat *original, struct text bytes,
                         struct gate *gate)
{
    char temporary[NAME_MAX + 1];
    int fd = temporary_open(directory, temporary);
    if (fd < 0) return fd;
    int error = temporary_fill(fd, file, original, bytes, gate);
    if (error == 0) error = temporary_publish(docroot, file, directory, temporary, name);
    if (error != 0) unlinkat(directory, temporary, 0);
    close(fd);
    return error;
}

static int original_status(const struct docroot *docroot, const struct file *file,
                           struct stat *status)
{
    int fd = file_open(&docroot->place, file, CODING_IDENTITY);
    if (fd < 0) return fd;
    int error = fstat(fd, status) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

int disk_write(const struct docroot *docroot, const struct file *file, enum coding coding,
               struct text bytes, struct gate *gate)
{
    char sidecar[PATH_MAX];
    struct stat original;
    int error = original_status(docroot, file, &original);
    if (error != 0) return error;
    int directory = docroot_open_parent(docroot, file->name);
    if (directory < 0) return directory;
    file_sidecar_name(file->name, coding, sidecar);
    error = -ECANCELED;
    if (gate_enter(gate)) {
        error = sidecar_write(docroot, file, directory, name_base(sidecar), &original, bytes, gate);
        gate_leave(gate);
    }
    close(directory);
    return error;
}

/* ---- what is there already ------------------------------------------------------------------- */

/* Returns 0 when the name is the file that was looked at, and no other name is. */
static int is_alone(const struct docroot *docroot, const struct file *file, enum coding coding)
{
    char sidecar[PATH_MAX];
    struct identity itself;
    int directory = docroot_open_parent(docroot, file->name);
    if (directory < 0) return directory;
    file_sidecar_name(file->name, coding, sidecar);
    int error = identity_read_itself(directory, name_base(sidecar), &itself);
    close(directory);
    if (error != 0) return error;
    if (identity_is_link(&itself)) return -ELOOP;
    return itself.links > 1 ? -EMLINK : 0;
}

int disk_date(const struct docroot *docroot, const struct file *file, enum coding coding)
{
    int error = is_alone(docroot, file, coding);
    if (error == 0) error = docroot_original_holds(docroot, file);
    if (error != 0) return error;
    int fd = file_open(&docroot->place, file, coding);
    if (fd < 0) return fd;
    error = time_copy(fd, &file->identity[CODING_IDENTITY]);
    close(fd);
    return error;
}

int disk_remove(const struct docroot *docroot, const struct file *file, enum coding coding)
{
    char sidecar[PATH_MAX];
    int error = docroot_original_holds(docroot, file);
    if (error != 0) return error;
    int directory = docroot_open_parent(docroot, file->name);
    if (directory < 0) return directory;
    file_sidecar_name(file->name, coding, sidecar);
    if (unlinkat(directory, name_base(sidecar), 0) != 0 && errno != ENOENT) error = -errno;
    close(directory);
    return error;
}

void disk_sweep(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(directory, name, 0);
    close(fd);
}
