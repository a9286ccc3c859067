/*
 * When sending without a copy is used, and when it is given up: for a socket on which it fails, and for one where
 * the kernel copies all the same, as it does for a peer on the same machine.
 */
#include "zero_copy.h"

#include <errno.h>

bool zero_copy_begin(struct zero_copy *z, const struct ring *ring, uint64_t length)
{
    z->used = ring->zero_copy_bytes > 0 && length >= ring->zero_copy_bytes && !z->fails;
    return z->used;
}

ssize_t zero_copy_sent(struct zero_copy *z, int result)
{
    bool fails =
        result == -EOPNOTSUPP || result == -EINVAL || result == -ENOBUFS || result == -ENOMEM;
    z->fails |= fails;
    return fails ? 0 : result;
}

void zero_copy_given_back(struct zero_copy *z, int usage)
{
    z->lent--;
    z->fails |= ((unsigned)usage & IORING_NOTIF_USAGE_ZC_COPIED) != 0;
}
