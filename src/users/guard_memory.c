/* A hash chooses a row; the entry of the row that ends first is replaced. */
#include "users/guard_memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ROW 4
#define RIGHT_ROWS 512
#define WRONG_ROWS 64

struct entry {
    _Atomic uint64_t word[2];
    _Atomic uint64_t until_ns; /* 0: nothing is remembered                   */
    _Atomic bool failed;       /* of a wrong one: it could not be checked    */
};

struct guard_memory {
    struct siphash_key key;
    struct entry right[RIGHT_ROWS][ROW], wrong[WRONG_ROWS][ROW];
};

struct guard_memory *guard_memory_open(void)
{
    struct guard_memory *memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    arc4random_buf(&memory->key, sizeof(memory->key));
    return memory;
}

void guard_memory_close(struct guard_memory *memory)
{
    if (memory) munmap(memory, sizeof(*memory));
}

const struct siphash_key *guard_memory_key(const struct guard_memory *memory)
{
    return &memory->key;
}

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static const struct entry *row_find(const struct entry *row, const struct tag *tag, uint64_t now_ns)
{
    for (int i = 0; i < ROW; i++) {
        struct tag there = {{get(&row[i].word[0]), get(&row[i].word[1])}};
        if (tags_equal(&there, tag) && get(&row[i].until_ns) > now_ns) return &row[i];
    }
    return NULL;
}

enum guarded guard_memory_find(const struct guard_memory *memory, const struct tag *tag,
                               uint64_t now_ns)
{
    if (row_find(memory->right[tag->word[0] % RIGHT_ROWS], tag, now_ns)) return GUARD_GRANTED;
    const struct entry *wrong = row_find(memory->wrong[tag->word[0] % WRONG_ROWS], tag, now_ns);
    if (!wrong) return GUARD_UNKNOWN;
    return atomic_load_explicit(&wrong->failed, memory_order_relaxed) ? GUARD_FAILED : GUARD_DENIED;
}

/* Returns the entry of this tag; else the one that ends first, or has ended. */
static struct entry *row_choose(struct entry *row, const struct tag *tag)
{
    struct entry *first = (struct entry *)(uintptr_t)row_find(row, tag, 0);
    if (first) return first;
    first = row;
    for (int i = 1; i < ROW; i++)
        if (get(&row[i].until_ns) < get(&first->until_ns)) first = &row[i];
    return first;
}

static void row_add(struct entry *row, const struct tag *tag, uint64_t until_ns, bool failed)
{
    struct entry *entry = row_choose(row, tag);
    set(&entry->until_ns, 0);
    set(&entry->word[0], tag->word[0]);
    set(&entry->word[1], tag->word[1]);
    atomic_store_explicit(&entry->failed, failed, memory_order_relaxed);
    set(&entry->until_ns, until_ns);
}

void guard_memory_add(struct guard_memory *memory, const struct tag *tag, enum guarded result,
                      uint64_t now_ns)
{
    if (result == GUARD_GRANTED)
        row_add(memory->right[tag->word[0] % RIGHT_ROWS], tag, now_ns + GUARD_RIGHT_NS, false);
    else
        row_add(memory->wrong[tag->word[0] % WRONG_ROWS], tag,
                now_ns + (result == GUARD_FAILED ? GUARD_FAILED_NS : GUARD_WRONG_NS),
                result == GUARD_FAILED);
}
