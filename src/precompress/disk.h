/*
 * Reads originals and sidecars, and puts sidecars in their places, so that at every moment a name
 * leads to a whole file: the old one, the new one, or none. All functions return 0 or -errno.
 *
 * `file` is what docroot_look() found. -ESTALE: its original, or what is to be read, has changed
 * since.
 */
#ifndef ZCSERVE_PRECOMPRESS_DISK_H
#define ZCSERVE_PRECOMPRESS_DISK_H

#include "precompress/docroot.h"
#include "precompress/gate.h"

/* Memory of the heap: whoever has it frees `base`. */
struct bytes {
    char *base;
    size_t length;
};

static inline struct text bytes_text(const struct bytes *bytes)
{
    return (struct text){bytes->base, bytes->length};
}

/*
 * Reads the whole of one coding of the file. The caller frees `content->base`, which is not NULL
 * after 0 and unchanged after a failure.
 */
int disk_read(const struct docroot *docroot, const struct file *file, enum coding coding,
              struct bytes *content);

/*
 * Writes a sidecar with these bytes, or replaces it: a temporary file in the same directory, fsync,
 * rename. The sidecar gets the original's time; its owner and group where that is allowed; and its
 * permissions, without those to execute. Where the group cannot be set, nobody gets rights that
 * they do not have to the original. -ECANCELED: the gate is closed, and nothing was changed. After
 * any failure there is no temporary file.
 */
int disk_write(const struct docroot *docroot, const struct file *file, enum coding coding,
               struct text bytes, struct gate *gate);

/*
 * Gives the sidecar the time of the original. -ELOOP or -EMLINK: it is a symbolic link, or has
 * another name, and is left as it is.
 */
int disk_date(const struct docroot *docroot, const struct file *file, enum coding coding);

/* Removes the sidecar. */
int disk_remove(const struct docroot *docroot, const struct file *file, enum coding coding);

/*
 * Removes a temporary file that a process left behind when it was killed. One that is being written
 * stays: its writer holds a lock on it (flock(2)).
 */
void disk_sweep(int directory, const char *name);

#endif
