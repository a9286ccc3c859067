/*
 * The real cost of memory: an allocation of the C library is larger than the size asked for.
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
 * Returns the cost of an allocation of `size` bytes: its header, rounding, and a share of the
 * memory that is lost between pieces of different sizes. The estimate is rather too high.
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
