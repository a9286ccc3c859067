/* The roots of a configuration, and what they have of their own. */
#include "zcserve/config.h"

#include <string.h>

struct config_root config_root_outside(const struct config *config)
{
    return (struct config_root){.root = config->root,
                                .place = config_place(config, &config->root),
                                .index = &config->index,
                                .sidecars = &config->sidecars,
                                .compress = &config->compress_codings,
                                .compress_place = config_place(config, &config->compress_codings),
                                .symlinks = config->symlinks,
                                .hidden = config->hidden};
}

struct config_root config_root_of(const struct config *config, const struct config_site *site)
{
    struct config_root root = config_root_outside(config);
    if (site->root[0]) root.root = site->root;
    if (site->root[0]) root.place = config_site_place(site, &site->root);
    if (config_site_place(site, &site->index)) root.index = &site->index;
    if (config_site_place(site, &site->sidecars)) root.sidecars = &site->sidecars;
    const char *compress = config_site_place(site, &site->compress);
    if (compress) root.compress = &site->compress;
    if (compress) root.compress_place = compress;
    if (config_site_place(site, &site->symlinks)) root.symlinks = site->symlinks;
    if (config_site_place(site, &site->hidden)) root.hidden = site->hidden;
    return root;
}

static bool lists_equal(const struct config_list *a, const struct config_list *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (strcmp(a->item[i], b->item[i]) != 0) return false;
    return true;
}

bool config_roots_equal(const struct config_root *a, const struct config_root *b)
{
    return strcmp(a->root, b->root) == 0 && lists_equal(a->index, b->index) &&
           lists_equal(a->sidecars, b->sidecars) && lists_equal(a->compress, b->compress) &&
           a->symlinks == b->symlinks && a->hidden == b->hidden;
}

bool config_root_outside_used(const struct config *config)
{
    return !config->block.inner || strcmp(config_place(config, &config->root), "default") != 0;
}

/* Adds a root unless it is there. Those beyond `most` are counted each time. */
static void root_add(struct config_root *root, uint32_t most, uint32_t *count,
                     struct config_root one)
{
    for (uint32_t i = 0; i < *count && i < most; i++)
        if (config_roots_equal(&root[i], &one)) return;
    if (*count < most) root[*count] = one;
    (*count)++;
}

uint32_t config_roots(const struct config *config, struct config_root *root, uint32_t most)
{
    uint32_t count = 0;
    if (config_root_outside_used(config)) root_add(root, most, &count, config_root_outside(config));
    for (const struct config_block *site = config->block.inner; site; site = site->next)
        root_add(root, most, &count,
                 config_root_of(config, (const struct config_site *)(const void *)site));
    return count;
}
