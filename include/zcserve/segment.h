/*
 * What is to be sent: a short list of segments, each a part of memory or of a file. `struct
 * outgoing` is what one system call can send next.
 */
#ifndef ZCSERVE_SEGMENT_H
#define ZCSERVE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct segment {
    const char *base; /* memory; NULL for a file                  */
    int fd;           /* file; -1 for memory                      */
    uint64_t offset;  /* where the unsent part begins in the file */
    uint64_t length;  /* bytes not sent yet; never 0 in a list    */
};

#define OUTGOING_VECTORS_MAX 32

/* Either `count` vectors of memory (fd < 0), or one range of a file (count == 0). */
struct outgoing {
    struct iovec vector[OUTGOING_VECTORS_MAX];
    int count;
    int fd;
    uint64_t offset; /* of the file range                                           */
    uint64_t length; /* bytes of all, memory or file; never 0                       */
    bool more;       /* more follows at once: it may share a TCP segment (MSG_MORE) */
};

#endif
