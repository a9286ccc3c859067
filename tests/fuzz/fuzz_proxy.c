/*
 * Takes any bytes as a header of the PROXY protocol. What is read must not depend on how much of the input is
 * there: it is partial up to its last byte, or bad from some byte on. A source has a family that it may have.
 */
#include "zcserve/proxy.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void source_check(const struct proxy_header *header)
{
    sa_family_t family = header->source.sin6_family;
    if (header->has_source)
        assert(family == AF_INET || family == AF_INET6 || family == AF_UNIX);
    else
        assert(family == AF_UNSPEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct proxy_header whole, part;
    enum proxy_kind before = PROXY_PARTIAL;
    enum proxy_kind kind = proxy_read((struct text){(const char *)bytes, size}, &whole);
    if (size > PROXY_BYTES_MAX) size = PROXY_BYTES_MAX;
    if (kind == PROXY_WHOLE) {
        assert(whole.length > 0 && whole.length <= size);
        source_check(&whole);
    }
    for (size_t length = 0; length <= size; length++) {
        before = proxy_read((struct text){(const char *)bytes, length}, &part);
        if (before != PROXY_PARTIAL) break;
    }
    assert(before == kind);
    if (kind == PROXY_WHOLE) assert(part.length == whole.length);
    return 0;
}
