/*
 * Takes any bytes as a request target. Whatever comes in, the resulting path can be looked up below a root,
 * and the other parts are pieces of the input.
 */
#include "http/target.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_path(struct text path)
{
    size_t segment = 0;
    assert(path.base[path.length] == '\0');
    for (size_t at = 0; at <= path.length; at++) {
        assert(at == path.length || path.base[at] != '\0');
        if (at < path.length && path.base[at] != '/') continue;
        struct text name = {path.base + segment, at - segment};
        assert(name.length > 0 || at == path.length);
        assert(!text_equals(name, TEXT(".")) && !text_equals(name, TEXT("..")));
        segment = at + 1;
    }
}

static void check_piece(struct text piece, struct text raw)
{
    if (piece.base == NULL) return;
    assert(piece.base >= raw.base && piece.length <= raw.length);
    assert((size_t)(piece.base - raw.base) <= raw.length - piece.length);
}

/* The path with every byte but "/" written as "%XX" must be read as the same path. */
static void check_again(struct text path)
{
    static const char digits[] = "0123456789ABCDEF";
    char *raw = malloc(3 * path.length + 1), *space = malloc(3 * path.length + 2);
    size_t length = 1;
    assert(raw != NULL && space != NULL);
    raw[0] = '/';
    for (size_t i = 0; i < path.length; i++) {
        unsigned char c = (unsigned char)path.base[i];
        raw[length] = c == '/' ? '/' : '%';
        if (c != '/') {
            raw[length + 1] = digits[c >> 4];
            raw[length + 2] = digits[c & 15];
        }
        length += c == '/' ? 1 : 3;
    }
    struct target again = target_parse((struct text){raw, length}, space);
    assert(again.form == TARGET_ORIGIN && text_equals(again.path, path));
    free(raw);
    free(space);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text raw = {(const char *)bytes, size};
    char *space = malloc(size + 1);
    assert(space != NULL);
    struct target target = target_parse(raw, space);
    assert(target.path.base == space && target.path.length <= size);
    check_path(target.path);
    check_piece(target.authority, raw);
    check_piece(target.query, raw);
    if (target.form == TARGET_BAD)
        assert(target.path.length == 0 && target.query.base == NULL);
    else
        check_again(target.path);
    if (target.form == TARGET_ABSOLUTE)
        assert(target.authority.length > 0 && authority_valid(target.authority));
    else
        assert(target.authority.base == NULL);
    (void)authority_valid(raw);
    free(space);
    return 0;
}
