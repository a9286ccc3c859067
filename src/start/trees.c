/* Makes the trees of the store from the roots of the configuration and of its sites. */
#include "start/program.h"
#include "start/sites.h"

#include <stdlib.h>

static struct tree_options options_of(const struct program *p, const struct config_root *tree)
{
    return (struct tree_options){
        .root = tree->root,
        .index = tree->index->item,
        .symlinks = (enum symlink_policy)tree->symlinks,
        .hidden = tree->hidden,
        .sidecar = {[CODING_GZIP] = config_list_has(tree->sidecars, "gz"),
                    [CODING_BR] = config_list_has(tree->sidecars, "br"),
                    [CODING_ZSTD] = config_list_has(tree->sidecars, "zst")},
        .types = p->types,
        .compress = compress_options_make(p->config, tree->compress),
    };
}

bool trees_make(struct program *p)
{
    p->tree = calloc(p->sites->trees, sizeof(*p->tree));
    if (!p->tree) {
        fputs("not enough memory for the sites\n", p->errors);
        return false;
    }
    for (uint32_t i = 0; i < p->sites->trees; i++)
        p->tree[i] = options_of(p, &p->sites->tree[i]);
    return true;
}

/* Opens a store of this tree alone. */
static bool root_valid(const struct program *p, uint32_t tree)
{
    char problem[256];
    struct store_options options = p->service.store;
    options.tree = &p->tree[tree];
    options.trees = 1;
    struct store *store = store_open(&options, problem, sizeof(problem));
    if (store)
        store_close(store);
    else
        problem_print(p->errors, p->sites->tree[tree].place, "root", problem);
    return store;
}

bool roots_valid(const struct program *p)
{
    bool valid = true;
    for (uint32_t i = config_root_outside_used(p->config) ? 0 : 1; i < p->sites->trees; i++)
        valid = root_valid(p, i) && valid;
    return valid;
}
