/*
 * What is to be sent: a short list of segments, each a stretch of memory or of a file.
 * `struct outgoing` is the next stretch that one system call can carry.
 */
#ifndef ZCSERVE_SEGMENT_H
#define ZCSERVE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct segment {
    const char *base; /* memory; NULL for a file                   */
    int fd;           /* file; -1 for memory                       */
    uint64_t offset;  /* where in the file the unsent part begins  */
    uint64_t length;  /* bytes not yet sent, never 0 while listed  */
};

#define OUTGOING_VECTORS_MAX 32

/* Either `count` vectors of memory (fd < 0), or one range of a file (count == 0). */
struct outgoing {
    struct iovec vector[OUTGOING_VECTORS_MAX];
    int count;
    int fd;
    uint64_t offset; /* of the file range                                            */
    uint64_t length; /* bytes in all, memory or file; never 0                        */
    bool more;       /* a file range of the same answer follows: let them share segments */
};

#endif
