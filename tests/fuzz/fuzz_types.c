/*
 * Takes an input as a file of media types, in the format of nginx or of Apache. A mistake is told with its line. What
 * is read can be written into a field: whatever the name of a file ends with, its type is a valid one.
 */
#include "type/table.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void type_check(const struct media_types *types, struct text name)
{
    struct text type = media_type_find(types, name);
    struct text bare = media_type_bare(type);
    assert(type.base && type.length < MEDIA_TYPE_MAX + MEDIA_CHARSET_MAX + sizeof("; charset="));
    assert(bare.base == type.base && bare.length <= type.length);
    assert(media_type_is_valid(bare) && !memchr(bare.base, ';', bare.length));
    for (size_t i = 0; i < type.length; i++)
        assert((unsigned char)type.base[i] >= ' ' || type.base[i] == '\t');
    (void)media_type_is_compressible(type);
    (void)media_type_own_coding(name, type);
    assert(media_type_fits(type, bare));
}

/* Each word of the file as a suffix, and as a name. */
static void words_check(const struct media_types *types, struct text text)
{
    size_t begin = 0;
    for (size_t at = 0; at <= text.length; at++) {
        if (at < text.length && !strchr(" \t\r\n;{}\"'", text.base[at])) continue;
        char name[80] = "a.";
        size_t length = at - begin;
        if (length > 0 && length < sizeof(name) - 2) {
            memcpy(name + 2, text.base + begin, length);
            type_check(types, (struct text){name, length + 2});
            type_check(types, (struct text){name + 1, length + 1});
            type_check(types, (struct text){name + 2, length});
        }
        begin = at + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text text = {(const char *)bytes, size};
    char problem[200] = "";
    struct media_types *types = media_types_new();
    assert(types);
    bool good = media_types_parse(types, "types", text, problem, sizeof(problem));
    assert(good == (problem[0] == '\0'));
    assert(good || strncmp(problem, "types:", 6) == 0);
    if (size < 300) words_check(types, text);
    media_types_free(types);
    return 0;
}
