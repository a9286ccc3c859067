/* "What stands in the file?" Its text, made ready for libconfuse. */
#ifndef ZCSERVE_SOURCE_H
#define ZCSERVE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SOURCE_BYTES_MAX (1024 * 1024) /* of a file */
#define SOURCE_VARIABLE_MAX 64         /* bytes of a variable's name, in messages, with its NUL */
#define SOURCE_DEPTH_MAX 16            /* braces open at once */

/* A regular file's bytes. */
struct source_file {
    char *bytes; /* owned by whoever called */
    size_t length;
    dev_t device; /* with the inode: which file it is, whatever it is called */
    ino_t inode;
};

/* NULL, or why the file cannot be read: "Permission denied", "is larger than 1 MiB". */
const char *source_read(const char *path, struct source_file *file);

/* The text for libconfuse, and what is wrong with it. */
struct source {
    char *text; /* owned by whoever called; ends before the line of the fault; NULL: no memory */
    const char *fault; /* NULL, or what libconfuse must not see; a constant               */
    int line;          /* where the fault is                                              */
    char variable[SOURCE_VARIABLE_MAX]; /* empty, or: the fault is that this one is not set */
};

struct source source_clean(const char *bytes, size_t length);

#endif
