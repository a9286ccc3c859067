/* Looks at a path by the same functions as a lookup, and keeps what these only use. */
#define _GNU_SOURCE
#include "examine.h"
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Opens the name once more, first without links, to learn the error of each way. */
static void name_examine(const struct place *place, struct examined *out)
{
    const struct beneath *beneath = &place->beneath;
    int fd = beneath_open(beneath, out->name, O_PATH, LINKS_REFUSED);
    out->linked = fd == -ELOOP;
    if (fd == -ELOOP && beneath->follows)
        fd = beneath_open(beneath, out->name, O_PATH, LINKS_FOLLOWED);
    out->error = fd < 0 ? -fd : 0;
    if (fd < 0) return;
    int result = identity_read(fd, "", &out->itself);
    out->error = -result;
    close(fd);
}

void store_examine(struct store *store, const struct lookup *lookup, struct examined *out)
{
    const struct tree *tree = store_tree(store, lookup);
    *out = (struct examined){.kind = RESOLUTION_NOT_FOUND, .root_problem = tree->root.problem};
    if (out->root_problem != 0) {
        out->kind = file_failure(out->root_problem);
        return;
    }
    out->long_name = lookup->path.length > FILE_NAME_MAX;
    out->hidden = !out->long_name && !file_may_exist(&tree->place, lookup->path);
    if (out->long_name || out->hidden) return;
    out->kind = file_find(&tree->place, lookup->path, 0, out->name, &out->file);
    name_examine(&tree->place, out);
}
