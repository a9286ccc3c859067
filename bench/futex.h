/*
 * A lock that counts the system calls it makes: none unless somebody has to wait (futex(2)).
 */
#ifndef BENCH_FUTEX_H
#define BENCH_FUTEX_H

#include "tally.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void futex_call(struct tally *t, _Atomic uint32_t *word, int operation,
                              uint32_t value)
{
    t->calls++;
    syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* 0: free; 1: taken; 2: taken, and others may be waiting. */
static inline void lock_take(_Atomic uint32_t *lock, struct tally *t)
{
    uint32_t expected = 0;
    if (atomic_compare_exchange_strong(lock, &expected, 1)) return;
    while (atomic_exchange(lock, 2) != 0)
        futex_call(t, lock, FUTEX_WAIT, 2);
}

static inline void lock_give(_Atomic uint32_t *lock, struct tally *t)
{
    if (atomic_exchange(lock, 0) == 2) futex_call(t, lock, FUTEX_WAKE, 1);
}

#endif
