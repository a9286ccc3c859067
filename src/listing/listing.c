/*
 * Sorts a listing, and has it written in its format.
 */
#include "listing.h"
#include "format.h"

#include <stdlib.h>

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_by_name(const void *of_a, const void *of_b)
{
    const struct listing_entry *a = of_a, *b = of_b;
    if (a->is_directory != b->is_directory) return a->is_directory ? -1 : 1;
    return strcmp(a->name, b->name); /* as unsigned bytes */
}

static int compare_by_size(const void *of_a, const void *of_b)
{
    const struct listing_entry *a = of_a, *b = of_b;
    if (a->is_directory != b->is_directory) return a->is_directory ? -1 : 1;
    int order = compare_numbers(a->size, b->size);
    return order != 0 ? order : compare_by_name(a, b);
}

static int compare_by_time(const void *of_a, const void *of_b)
{
    const struct listing_entry *a = of_a, *b = of_b;
    if (a->is_directory != b->is_directory) return a->is_directory ? -1 : 1;
    int64_t x = a->modified_seconds, y = b->modified_seconds;
    return x != y ? (x < y ? -1 : 1) : compare_by_name(a, b);
}

static void reverse(struct listing_entry *entry, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        struct listing_entry other = entry[i];
        entry[i] = entry[count - 1 - i];
        entry[count - 1 - i] = other;
    }
}

void listing_sort(struct listing *listing, struct view view)
{
    static int (*const compare[VIEW_SORTS])(const void *, const void *) = {
        [VIEW_BY_NAME] = compare_by_name,
        [VIEW_BY_SIZE] = compare_by_size,
        [VIEW_BY_TIME] = compare_by_time,
    };
    if (listing->count == 0) return;
    qsort(listing->entry, listing->count, sizeof(*listing->entry), compare[view.sort]);
    if (!view.descending) return;
    uint32_t directories = 0;
    while (directories < listing->count && listing->entry[directories].is_directory)
        directories++;
    reverse(listing->entry, directories);
    reverse(listing->entry + directories, listing->count - directories);
}

struct text listing_make(const struct listing *listing, struct view view)
{
    struct page page = {0};
    if (view.format == VIEW_JSON)
        listing_put_json(&page, listing);
    else
        listing_put_html(&page, listing, view);
    if (!page.failed) return (struct text){page.base, page.length};
    free(page.base);
    return (struct text){NULL, 0};
}

struct text listing_media_type(struct view view)
{
    return view.format == VIEW_JSON ? TEXT("application/json") : TEXT("text/html; charset=utf-8");
}
