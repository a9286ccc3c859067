/*
 * Decides with what is known of the file and of the client alone. encoding.c makes what is wanted.
 */
#include "compressible.h"
#include "zcserve/media_type.h"

#include <string.h>

static unsigned bit(enum coding coding)
{
    return 1U << coding;
}

static bool type_fits(const char *const *patterns, struct text media_type)
{
    for (; *patterns; patterns++)
        if (media_type_fits(media_type, (struct text){*patterns, strlen(*patterns)})) return true;
    return false;
}

void compressible_judge(const struct compress_options *options, struct file *file)
{
    uint64_t size = file->identity[CODING_IDENTITY].size;
    if (options->codings == 0 || !type_fits(options->types, file->media_type)) return;
    file->varies = true;
    if (size == 0 || size < options->bytes_min || size > options->bytes_max) return;
    for (uint32_t i = 0; i < options->codings; i++)
        if (!file->usable[options->coding[i]]) file->makeable |= (uint8_t)bit(options->coding[i]);
}

bool compressible_may_make(const struct entry *entry, enum coding coding)
{
    return (entry->file.makeable & bit(coding)) != 0;
}

static bool is_made(const struct entry *entry, enum coding coding)
{
    return compressible_may_make(entry, coding) && entry->variants[coding];
}

static uint64_t length_of(const struct entry *entry, enum coding coding)
{
    return coding == CODING_IDENTITY ? entry->file.identity[coding].size
                                     : entry->variants[coding]->representation.length;
}

enum coding compressible_choose(const struct entry *entry, const struct accepted *accepted,
                                enum coding chosen)
{
    if (chosen != CODING_IDENTITY && chosen != CODING_COUNT) return chosen;
    if (accepted->as_stored) return chosen;
    enum coding best = chosen;
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        uint16_t weight = accepted->weight[coding];
        if (weight == 0 || !is_made(entry, coding)) continue;
        if (best == CODING_COUNT || weight > accepted->weight[best] ||
            (weight == accepted->weight[best] && length_of(entry, coding) < length_of(entry, best)))
            best = coding;
    }
    return best;
}

/* Returns whether the original is in memory, and its times prove its bytes. */
static bool is_ready(const struct entry *entry)
{
    const struct variant *original = entry->variants[CODING_IDENTITY];
    return entry->ripe_ns == UINT64_MAX && original && original->representation.fd < 0;
}

enum coding compressible_wanted(const struct compress_options *options, const struct entry *entry,
                                const struct accepted *accepted)
{
    enum coding best = CODING_COUNT;
    if (accepted->as_stored) return CODING_COUNT;
    for (uint32_t i = 0; i < options->codings; i++) {
        enum coding coding = options->coding[i];
        uint16_t weight = accepted->weight[coding];
        if (!compressible_may_make(entry, coding) || (entry->worthless & bit(coding))) continue;
        if (weight == 0 || weight < accepted->weight[CODING_IDENTITY]) continue;
        if (best == CODING_COUNT || weight > accepted->weight[best]) best = coding;
    }
    if (best == CODING_COUNT || is_made(entry, best) || (entry->making & bit(best)))
        return CODING_COUNT;
    return is_ready(entry) ? best : CODING_COUNT;
}
