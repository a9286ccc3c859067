/*
 * What memory really costs: an allocation of the C library is larger than what was asked for.
 */
#ifndef ZCSERVE_STORE_ACCOUNT_H
#define ZCSERVE_STORE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNT_HEADER_BYTES 16
#define ACCOUNT_LOST_BYTES 64
#define ACCOUNT_PAGE_BYTES 4096
#define ACCOUNT_MAPPED_BYTES 131072 /* from here on the library may map whole pages */

/*
 * What an allocation of `size` costs: its header, rounding, and its part of what is lost between
 * pieces of many sizes that come and go. An estimate on the high side.
 */
static inline size_t account_bytes(size_t size)
{
    bool mapped = size >= ACCOUNT_MAPPED_BYTES;
    size_t grain = mapped ? ACCOUNT_PAGE_BYTES : 16;
    size_t whole =
        size + ACCOUNT_HEADER_BYTES + ACCOUNT_LOST_BYTES + (mapped ? ACCOUNT_PAGE_BYTES : 0);
    return (whole + grain - 1) / grain * grain;
}

#endif
