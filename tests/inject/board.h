/*
 * The board: memory that the injected program, all its processes and the test share. The program counts its
 * calls there, and the test says which one fails next. tests/inject/board.py lays it out in the same way.
 */
#ifndef INJECT_BOARD_H
#define INJECT_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call {
#define CALL(name, errnos) CALL_##name,
#include "calls.def"
#undef CALL
    CALLS
};

#define BOARD_SITES_MAX 4096

/* A place in the program, or in a library, that makes a call. */
struct site {
    _Atomic uint64_t key; /* 0: free. Else call + 1, module and offset; see site_key() */
    _Atomic uint64_t count;
};

/* All fields are the test's to write, except `fired`, `pid`, `opened` and what counts. */
struct board {
    _Atomic uint64_t armed;   /* key of the site that fails; 0: none */
    _Atomic int64_t left;     /* which one of its calls from now on: 1 is the next */
    _Atomic int32_t error;    /* errno of that call */
    _Atomic uint32_t fired;   /* how often a call was made to fail */
    _Atomic int32_t pid;      /* the process in which it was */
    _Atomic uint32_t shorten; /* 0, or a seed: reads and writes take less than they could */
    _Atomic uint32_t shuffle; /* 0, or a seed: completions of a ring come in another order */
    _Atomic uint32_t lost;    /* sites for which there was no room */
    _Atomic uint32_t tried;   /* processes that tried to open a file outside of the site */
    _Atomic uint32_t opened;  /* those of them that could */
    struct site sites[BOARD_SITES_MAX];
};

/* No allocation fails in what this thread calls meanwhile: a library that does not look at its own. */
extern _Thread_local bool board_memory_rests;

/* Counts a call made at `from`, its return address. Returns 0, or the errno with which it has to fail. */
int board_error(enum call call, const void *from);

/*
 * Returns the length with which a read or a write of `length` bytes is made: the same, or 1 to length - 1. Only the
 * program's own calls are shortened: a library may wait by edges, and then takes a short read for the last one,
 * as epoll(7) allows.
 */
size_t board_shorten(size_t length, const void *from);

/* Returns a number below `limit` (≥ 1) when completions are to be shuffled, else `limit`. */
uint32_t board_shuffle(uint32_t limit);

/* The next definition of a function after ours (dlsym(3)); ends the program when there is none. */
void *real_find(const char *name);

/* Finds a function at its first use. Two threads that do it at once find the same. */
#define REAL(name)                 \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(real))real_find(#name)

#endif
