/*
 * The guard of a worker knows which names and passwords were right or wrong, so that only the first
 * request of a user costs a check, and it bounds how many checks are under way. A guard belongs to
 * one thread; what is remembered, in guard_memory, belongs to all workers of a configuration. A reload
 * makes new ones, and so forgets everything.
 *
 * What is remembered is a keyed hash (siphash.h) of the file of users, the name and the password,
 * never the password. The key is random, new for each configuration that is read, and never sent. So a
 * client cannot find another pair that is taken for one that was right, and pairs of different files
 * are different pairs.
 */
#ifndef ZCSERVE_GUARD_H
#define ZCSERVE_GUARD_H

#include "zcserve/network.h"
#include "zcserve/now.h"
#include "zcserve/users.h"

#define GUARD_RIGHT_NS (300 * NS_PER_SECOND) /* how long a right password is remembered     */
#define GUARD_WRONG_NS (10 * NS_PER_SECOND)  /* a wrong one                                 */
#define GUARD_FAILED_NS NS_PER_SECOND        /* that a check could not be made              */
#define GUARD_WAIT_NS (10 * NS_PER_SECOND) /* how long a request waits for a place for its check */
#define GUARD_CHECKS_MAX 16                /* checks under way of a worker                */
#define GUARD_CHECKS_OF_ADDRESS 2          /* of these, for one address, as in quota.h    */

struct guard;
struct guard_memory;
struct check;

/*
 * Loads the library that checks passwords, before workers begin. Returns false with one line in `problem`
 * when it is missing.
 */
bool guard_load(char *problem, size_t size);

/* Opens memory that all processes share which are made later. Returns NULL with errno set. */
struct guard_memory *guard_memory_open(void);
void guard_memory_close(struct guard_memory *memory); /* NULL: nothing */

/* Returns NULL with errno set when there is no memory. `memory` must outlive the guard. */
struct guard *guard_open(struct guard_memory *memory);
void guard_close(struct guard *guard); /* no check may be under way; NULL: nothing */

enum guarded {
    GUARD_GRANTED, /* it is remembered that the password is right         */
    GUARD_DENIED,  /* that it is wrong, or that there is no such user     */
    GUARD_FAILED,  /* that it could not be checked                        */
    GUARD_UNKNOWN, /* it must be checked: check_new()                     */
    GUARD_LIMITED, /* the address of the client has its checks under way  */
    GUARD_FULL     /* all checks are under way                            */
};

/* Returns what is known about the credentials of a request that comes from `from`. */
enum guarded guard_ask(struct guard *guard, const struct credentials *credentials,
                       const struct origin *from, uint64_t now_ns);

/*
 * Begins a check, when guard_ask() said UNKNOWN. It has copies of the name and the password. Returns
 * NULL with errno set when there is no memory.
 */
struct check *check_new(struct guard *guard, const struct credentials *credentials,
                        const struct origin *from);

/* Returns bytes that are the same for checks of the same pair, so that several requests share one. */
struct text check_key(const struct check *check);

/*
 * Checks; any thread may do it. Takes as long as the hash was made to take, also when there is no such user:
 * then another user's hash is computed in vain.
 */
void check_run(struct check *check);

/* Returns how many checks were run and ended since the last call. */
uint64_t guard_checks_take(struct guard *guard);

/* Ends the check, whether it was run or not: the guard remembers the result. For the guard's thread. */
void check_end(struct check *check);
void check_free(struct check *check); /* it was ended; NULL: nothing */

#endif
