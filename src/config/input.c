/*
 * Reads configuration files: the first one and those that it includes.
 *
 * An included file is read after the file that includes it. No option may be set twice, so that
 * this order does not matter. Each file is read once, so that files that include each other are
 * reported. A file must be regular, and not larger than somebody would write it.
 */

#include "config/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- paths ----------------------------------------------------------------------------------- */

static const char *path_join(struct obstack *keep, const char *directory, const char *path)
{
    bool alone = path[0] == '/' || directory[0] == '\0';
    const char *between = alone || directory[strlen(directory) - 1] == '/' ? "" : "/";
    return keep_format(keep, "%s%s%s", alone ? "" : directory, between, path);
}

/* Returns the directory: "conf" of "conf/serve.conf", "" of "serve.conf", "/" of "/x". */
static const char *path_directory(struct obstack *keep, const char *path)
{
    const char *slash = strrchr(path, '/');
    return keep_format(keep, "%.*s", slash ? (int)(slash - path) + (slash == path) : 0, path);
}

struct input input_of(struct loading *l, const struct input *from, const char *name,
                      const char *where)
{
    const char *path = path_join(l->keep, from->directory, name);
    return (struct input){
        .name = path_join(l->keep, path_directory(l->keep, from->name), name),
        .path = path,
        .directory = path_directory(l->keep, path),
        .asked = where,
    };
}

/* ---- files ----------------------------------------------------------------------------------- */

void input_add(struct loading *l, const struct input *from, const char *name, const char *where)
{
    if (name[0] == '\0')
        problem_tell(&l->problems, where, "include needs the name of a file");
    else if (l->input_count == LOADING_FILES_MAX)
        problem_tell(&l->problems, where, "more than %d files are included", LOADING_FILES_MAX - 1);
    else
        l->input[l->input_count++] = input_of(l, from, name, where);
}

/* Reads up to one byte more than allowed, to notice a file that is too large. */
static const char *file_read(int fd, struct input *input)
{
    struct stat status;
    if (fstat(fd, &status) < 0) return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? strerror(EISDIR) : "Not a regular file";
    input->device = status.st_dev;
    input->inode = status.st_ino;
    input->bytes = malloc(INPUT_BYTES_MAX + 1);
    if (!input->bytes) return strerror(ENOMEM);
    for (ssize_t got = 1; got > 0 && input->length <= INPUT_BYTES_MAX;) {
        got = read(fd, input->bytes + input->length, INPUT_BYTES_MAX + 1 - input->length);
        if (got < 0) return strerror(errno);
        input->length += (size_t)got;
    }
    return input->length > INPUT_BYTES_MAX ? "Larger than 1 MiB" : NULL;
}

/* Returns NULL, or why the file cannot be read: "Permission denied", "Larger than 1 MiB". */
static const char *bytes_read(struct input *input)
{
    /* O_NONBLOCK: opening a FIFO without a writer must not block the server (fifo(7)). */
    int fd = open(input->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return strerror(errno);
    const char *why = file_read(fd, input);
    close(fd);
    return why;
}

static bool input_is_new(const struct loading *l, const struct input *input)
{
    for (const struct input *other = l->input; other < input; other++)
        if (other->device == input->device && other->inode == input->inode) return false;
    return true;
}

bool input_read(struct loading *l, struct input *input)
{
    const char *why = bytes_read(input);
    bool new = input_is_new(l, input);
    if (why)
        problem_tell(&l->problems, input->asked, "cannot read %s: %s", input->name, why);
    else if (!new)
        problem_tell(&l->problems, input->asked, "%s is included already", input->name);
    return !why && new;
}
