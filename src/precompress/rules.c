/*
 * The rules of `zcserve precompress`: pure functions of figures and names.
 */
#include "precompress/rules.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/file.h"
#include "type/table.h"
#include "zcserve/media_type.h"

/* ---- time ------------------------------------------------------------------------------------ */

static bool is_same_time(const struct identity *a, const struct identity *b)
{
    return a->modified_seconds == b->modified_seconds && a->modified_ns == b->modified_ns;
}

enum standing standing_of(const struct identity *sidecar, const struct identity *original,
                          bool usable)
{
    if (!identity_exists(sidecar)) return STANDING_ABSENT;
    if (!identity_is_regular(sidecar)) return STANDING_OBSTRUCTED;
    return usable && is_same_time(sidecar, original) ? STANDING_CURRENT : STANDING_OTHER_TIME;
}

/* ---- size ------------------------------------------------------------------------------------ */

#define SAVED_MIN_BYTES 64
#define SAVED_MIN_PART 20 /* one part in so many: 5 % */

uint64_t worth_size_max(uint64_t original_size)
{
    uint64_t saved = original_size / SAVED_MIN_PART + (original_size % SAVED_MIN_PART != 0);
    if (saved < SAVED_MIN_BYTES) saved = SAVED_MIN_BYTES;
    return original_size > saved ? original_size - saved : 0;
}

bool size_is_chosen(const struct precompress_wishes *wishes, uint64_t original_size)
{
    return original_size >= wishes->size_min && original_size <= wishes->size_max &&
           worth_size_max(original_size) > 0;
}

/* ---- what to do ------------------------------------------------------------------------------ */

enum todo todo_of(const struct precompress_wishes *wishes, enum standing standing,
                  uint64_t original_size, uint64_t sidecar_size)
{
    bool chosen = size_is_chosen(wishes, original_size);
    if (standing == STANDING_ABSENT) return chosen ? TODO_WORK : TODO_NOT_WORTH_IT;
    if (standing != STANDING_CURRENT || wishes->check) return TODO_WORK;
    bool worth_it = chosen && sidecar_size <= worth_size_max(original_size);
    return wishes->prune && !worth_it ? TODO_WORK : TODO_NOTHING;
}

uint64_t work_cost(enum coding coding, uint64_t original_size)
{
    static const uint64_t cost[CODING_COUNT] = {
        [CODING_GZIP] = 1, [CODING_ZSTD] = 3, [CODING_BR] = 12};
    return cost[coding] * original_size;
}

/*
 * The original, its compressed form, and what a compressor keeps: brotli and zstd keep up to 16
 * bytes for each byte of their windows, which are not larger than 16 MiB; libdeflate keeps 9 MiB.
 */
#define WINDOW_MAX (UINT64_C(16) << 20)

uint64_t work_memory(uint64_t original_size)
{
    uint64_t window = original_size < WINDOW_MAX ? original_size : WINDOW_MAX;
    return 2 * original_size + 16 * window + (UINT64_C(9) << 20);
}

/* ---- types ----------------------------------------------------------------------------------- */

static const struct text types_default = TEXT("default"), types_any = TEXT("*/*");

/* Takes the next member from *list, and the comma after it. Returns false at the end. */
static bool member_take(const char **list, struct text *member)
{
    if (!*list) return false;
    size_t length = strcspn(*list, ",");
    *member = (struct text){*list, length};
    *list = (*list)[length] == ',' ? *list + length + 1 : NULL;
    return true;
}

static bool is_same_word(struct text a, struct text b)
{
    return a.length == b.length && strncasecmp(a.base, b.base, a.length) == 0;
}

static bool pattern_is_valid(struct text pattern)
{
    const char *slash = memchr(pattern.base, '/', pattern.length);
    if (!slash) return is_same_word(pattern, types_default);
    size_t type = (size_t)(slash - pattern.base);
    if (memchr(pattern.base, '*', type)) return text_equals(pattern, types_any);
    return media_type_is_token((struct text){pattern.base, type}) &&
           media_type_is_token((struct text){slash + 1, pattern.length - type - 1});
}

bool types_are_valid(const char *list)
{
    struct text pattern;
    while (member_take(&list, &pattern))
        if (!pattern_is_valid(pattern)) return false;
    return true;
}

static bool pattern_has(struct text pattern, struct text bare)
{
    if (is_same_word(pattern, types_default)) return media_type_is_compressible(bare);
    if (text_equals(pattern, types_any)) return true;
    return media_type_fits(bare, pattern);
}

bool types_have(const char *list, struct text media_type)
{
    struct text pattern, bare = media_type_bare(media_type);
    while (member_take(&list, &pattern))
        if (pattern_has(pattern, bare)) return true;
    return false;
}

/* ---- names ----------------------------------------------------------------------------------- */

bool name_is_sidecar(const char *name)
{
    size_t length = strlen(name);
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        struct text suffix = coding_file_suffix(coding);
        if (length > suffix.length &&
            memcmp(name + length - suffix.length, suffix.base, suffix.length) == 0)
            return true;
    }
    return false;
}

bool name_has_room(const char *path, enum coding coding)
{
    return strlen(name_base(path)) + coding_file_suffix(coding).length <= NAME_MAX;
}

size_t name_directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

const char *name_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

#define TEMPORARY_PREFIX ".zcserve-precompress-"

void name_temporary(char name[NAME_MAX + 1], uint64_t process, uint64_t number)
{
    snprintf(name, NAME_MAX + 1, TEMPORARY_PREFIX "%" PRIu64 "-%" PRIu64, process, number);
}

bool name_is_temporary(const char *name)
{
    static const char digits[] = "0123456789";
    size_t prefix = strlen(TEMPORARY_PREFIX);
    if (strncmp(name, TEMPORARY_PREFIX, prefix) != 0) return false;
    const char *process = name + prefix;
    size_t length = strspn(process, digits);
    if (length == 0 || process[length] != '-') return false;
    const char *number = process + length + 1;
    return *number && number[strspn(number, digits)] == '\0';
}

/* ---- levels ---------------------------------------------------------------------------------- */

static const struct {
    int least, most;
} level_range[CODING_COUNT] = {
    [CODING_GZIP] = {1, 12}, [CODING_BR] = {0, 11}, [CODING_ZSTD] = {1, 22}};

/* Reads "br=11" into `level`. */
static bool level_read(struct text member, int level[CODING_COUNT])
{
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        const char *name = coding_file_suffix(coding).base + 1;
        size_t length = strlen(name);
        if (member.length < length + 2 || member.length > length + 3) continue;
        if (memcmp(member.base, name, length) != 0 || member.base[length] != '=') continue;
        const char *digits = member.base + length + 1;
        size_t count = member.length - length - 1;
        if (!isdigit((unsigned char)digits[0]) || !isdigit((unsigned char)digits[count - 1]))
            return false;
        int number = (int)strtol(digits, NULL, 10);
        if (number < level_range[coding].least || number > level_range[coding].most) return false;
        level[coding] = number;
        return true;
    }
    return false;
}

bool levels_read(const char *list, int level[CODING_COUNT])
{
    int found[CODING_COUNT];
    struct text member;
    memcpy(found, level, sizeof(found));
    while (member_take(&list, &member))
        if (!level_read(member, found)) return false;
    memcpy(level, found, sizeof(found));
    return true;
}
