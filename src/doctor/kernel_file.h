/*
 * Reads what the kernel tells in small text files of /proc and /sys (proc(5), sysfs(5)).
 *
 * `tree` stands before every path: "" reads the files of this machine, the name of a directory
 * those that a test made up below it. Each function returns false when the file is missing, cannot
 * be read, or does not say what is looked for; then nothing was written to the results.
 */
#ifndef ZCSERVE_DOCTOR_KERNEL_FILE_H
#define ZCSERVE_DOCTOR_KERNEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MACHINE_ITSELF "" /* the tree of the files of this machine */
#define KERNEL_PATH_MAX 4096
#define KERNEL_LINE_MAX 4096

/* Opens the file for reading. Returns NULL when it cannot. The caller closes it. */
FILE *kernel_open(const char *tree, const char *path);

bool kernel_exists(const char *tree, const char *path);

/* Copies the first line, without its end, and cuts it to `size` bytes with the NUL. */
bool kernel_line(const char *tree, const char *path, char *into, size_t size);

/* Reads `count` whole numbers from the first line: "32768	60999". */
bool kernel_numbers(const char *tree, const char *path, uint64_t *number, unsigned count);
bool kernel_number(const char *tree, const char *path, uint64_t *number);

/* Copies the word in brackets of the first line: "madvise" of "always [madvise] never". */
bool kernel_chosen(const char *tree, const char *path, char *into, size_t size);

/*
 * Copies the rest of the first line that begins with `key`, without the colon or equals sign, the
 * blanks and the quotes around it: "16384 kB" of "MemTotal:       16384 kB".
 */
bool kernel_key(const char *tree, const char *path, const char *key, char *into, size_t size);

/* Copies where a symbolic link leads to. */
bool kernel_link(const char *tree, const char *path, char *into, size_t size);

#endif
