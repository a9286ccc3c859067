/* Reads files of /proc and /sys. They are made when they are read, so nothing is remembered. */
#include "doctor/kernel_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Returns whether both fit into `whole`. */
static bool path_join(char whole[KERNEL_PATH_MAX], const char *tree, const char *path)
{
    return snprintf(whole, KERNEL_PATH_MAX, "%s%s", tree, path) < KERNEL_PATH_MAX;
}

FILE *kernel_open(const char *tree, const char *path)
{
    char whole[KERNEL_PATH_MAX];
    return path_join(whole, tree, path) ? fopen(whole, "re") : NULL;
}

bool kernel_exists(const char *tree, const char *path)
{
    char whole[KERNEL_PATH_MAX];
    return path_join(whole, tree, path) && access(whole, F_OK) == 0;
}

bool kernel_line(const char *tree, const char *path, char *into, size_t size)
{
    char line[KERNEL_LINE_MAX];
    FILE *file = kernel_open(tree, path);
    bool is_there = file && fgets(line, sizeof(line), file);
    if (file) fclose(file);
    if (!is_there) return false;
    line[strcspn(line, "\n")] = '\0';
    snprintf(into, size, "%s", line);
    return true;
}

bool kernel_numbers(const char *tree, const char *path, uint64_t *number, unsigned count)
{
    char line[256], *at = line, *end;
    uint64_t found[4];
    if (count > 4 || !kernel_line(tree, path, line, sizeof(line))) return false;
    for (unsigned i = 0; i < count; i++, at = end) {
        at += strspn(at, " \t");
        found[i] = strtoull(at, &end, 10);
        if (*at < '0' || *at > '9') return false;
    }
    memcpy(number, found, count * sizeof(*number));
    return true;
}

bool kernel_number(const char *tree, const char *path, uint64_t *number)
{
    return kernel_numbers(tree, path, number, 1);
}

bool kernel_chosen(const char *tree, const char *path, char *into, size_t size)
{
    char line[512], *begin, *end;
    if (!kernel_line(tree, path, line, sizeof(line))) return false;
    if (!(begin = strchr(line, '[')) || !(end = strchr(begin, ']'))) return false;
    *end = '\0';
    snprintf(into, size, "%s", begin + 1);
    return true;
}

bool kernel_key(const char *tree, const char *path, const char *key, char *into, size_t size)
{
    char line[KERNEL_LINE_MAX];
    FILE *file = kernel_open(tree, path);
    bool found = false;
    while (!found && file && fgets(line, sizeof(line), file))
        found = strncmp(line, key, strlen(key)) == 0;
    if (file) fclose(file);
    if (!found) return false;
    char *value = line + strlen(key);
    value += strspn(value, " \t:=\"");
    value[strcspn(value, "\n\"")] = '\0';
    snprintf(into, size, "%s", value);
    return true;
}

bool kernel_link(const char *tree, const char *path, char *into, size_t size)
{
    char whole[KERNEL_PATH_MAX], target[KERNEL_PATH_MAX];
    if (!path_join(whole, tree, path)) return false;
    ssize_t length = readlink(whole, target, sizeof(target) - 1);
    if (length < 0) return false;
    target[length] = '\0';
    snprintf(into, size, "%s", target);
    return true;
}
