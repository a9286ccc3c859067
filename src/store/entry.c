/*
 * What an entry says about the disk never changes: a new version of a file gets a new entry. Only
 * its variants are added and removed, and what was found out by making them.
 */
#include "entry.h"
#include "account.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t entry_size(struct text path, const struct file *file)
{
    size_t name = file ? strlen(file->name) : 0;
    return sizeof(struct entry) + path.length + 1 + name + 1;
}

uint64_t entry_bytes(struct text path, const struct file *file)
{
    return account_bytes(entry_size(path, file));
}

/* Copies `text` with a NUL behind it. Returns the end of the copy. */
static char *put_text(char *space, const char *text, size_t length)
{
    if (length > 0) memcpy(space, text, length);
    space[length] = '\0';
    return space + length + 1;
}

struct entry *entry_new(const struct key *key, enum resolution_kind kind, const struct file *file)
{
    assert((kind == RESOLUTION_FOUND) == (!!file));
    struct text path = key->path;
    size_t size = entry_size(path, file);
    struct entry *entry = malloc(size);
    if (!entry) return NULL;
    char *space = (char *)(entry + 1);
    *entry = (struct entry){
        .key = *key, .kind = kind, .ripe_ns = UINT64_MAX, .bytes = account_bytes(size)};
    entry->key.path.base = space;
    space = put_text(space, path.base, path.length);
    if (file) {
        entry->file = *file;
        entry->file.name = space;
        put_text(space, file->name, strlen(file->name));
    }
    return entry;
}

void entry_free(struct entry *entry)
{
    assert(!entry_has_variant(entry));
    free(entry);
}

bool entry_has_variant(const struct entry *entry)
{
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++)
        if (entry->variants[coding]) return true;
    return false;
}

struct entry *entry_of_seat(struct seat *seat)
{
    return (struct entry *)((char *)seat - offsetof(struct entry, seat));
}
