/* Reads a configuration file, and prepares its text for libconfuse. */
#ifndef ZCSERVE_SOURCE_H
#define ZCSERVE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SOURCE_BYTES_MAX (1024 * 1024) /* bytes of a file                                       */
#define SOURCE_VARIABLE_MAX 64         /* bytes of a variable's name, in messages, with its NUL */
#define SOURCE_DEPTH_MAX 16            /* braces open at once                                   */

/* The content of a regular file. */
struct source_file {
    char *bytes; /* the caller's, to be freed */
    size_t length;
    dev_t device; /* `device` and `inode` identify the file, whatever it is called */
    ino_t inode;
};

/* Returns NULL, or why the file cannot be read: "Permission denied", "Larger than 1 MiB". */
const char *source_read(const char *path, struct source_file *file);

/* The text for libconfuse, and what is wrong with it. */
struct source {
    char *text; /* the caller's, to be freed; ends before the line of the fault; NULL: no memory */
    const char *fault;                  /* NULL, or what is wrong; a constant                */
    int line;                           /* of the fault                                      */
    char variable[SOURCE_VARIABLE_MAX]; /* empty, or the variable that is not set: the fault */
};

/* Prepares `bytes` for libconfuse. */

struct source source_clean(const char *bytes, size_t length);

#endif
