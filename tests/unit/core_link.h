/*
 * A connection that is driven without a socket. The test gives it bytes and takes bytes from it, a resolver
 * with fixed answers answers its lookups, and what must always hold is checked after every step. When it
 * does not hold, the program ends after it has printed the `core_link_story` that it was in. This file does
 * not know Check, so that a fuzz target can use it too.
 */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include "http/work.h"
#include "zcserve/conn.h"

#define CORE_STATUSES_MAX 64
#define CORE_CONTENT_MAX 70000
#define CORE_FILE_FD 1000 /* stands for a file: nobody reads from it */

struct core_link {
    struct conn_rules rules;
    struct conn conn;
    struct now now;
    struct request_ids ids; /* of its requests, if the rules want any */
    char *output;           /* everything that was sent */
    size_t output_length, output_size;
    size_t settled_bytes; /* bytes of it that belong to settled responses */
    const struct representation *lent[EXCHANGES_MAX];
    uint64_t lent_count, returned_count;
    uint64_t settled;
    uint16_t status[CORE_STATUSES_MAX]; /* of the responses that were settled */
    uint64_t sends;                     /* calls that sent something */
    /* More to check when a response is settled; or NULL. */
    void (*on_settle)(struct core_link *link, const struct exchange *exchange);
    void *on_settle_of;
    /* Returns whether a lookup has to wait, until core_link_unpark(). NULL: no lookup waits. */
    bool (*parks)(void *of);
    void *parks_of;
    struct stream *parked; /* or NULL */
    bool pages_are_files;  /* errors may have a file as their page */
};

/* What is being tried: it is printed when something does not hold. */
extern char core_link_story[256];

#define core_holds(condition) \
    ((condition) ? (void)0 : core_link_broken(__FILE__, __LINE__, #condition))
_Noreturn void core_link_broken(const char *file, int line, const char *condition);

/*
 * Returns small limits, so that they can be reached: 64 bytes of target, 512 of head, 8 fields, 100 of
 * body.
 */
struct conn_rules core_rules(void);

/* Returns this monotonic time, with a date that is always the same. */
struct now core_now(uint64_t monotonic_ns);

/* Returns byte number `offset`, which is the same in every content. */
char core_content_byte(uint64_t offset);

/*
 * The fixed files: "" (12 bytes), "small" (100), "inline" (1024), "large" (5000) and "empty" in memory,
 * "file" (20000) in a file, "zip" as gzip when that is accepted. "dir", "secret", "picky", "busy" and
 * "broken" are what their names say. Anything else is not found.
 */
const struct representation *core_representation(const char *path);
struct resolution core_resolve(const struct lookup *lookup);

void core_link_open(struct core_link *link, const struct conn_rules *rules);
void core_link_close(struct core_link *link); /* in any step, as when the socket broke */

/* Takes the steps RESOLVE and SETTLE, as a worker does. Returns the next step. */
enum conn_step core_link_advance(struct core_link *link);

/* For RECEIVE: gives the connection as many bytes as there is space for. Returns how many. */
size_t core_link_receive(struct core_link *link, const char *bytes, size_t length);
void core_link_finish(struct core_link *link); /* for RECEIVE: the peer has finished */

void core_link_unpark(struct core_link *link); /* while it is parked */

/* For SEND: takes at most `most` bytes. Returns how many. */
uint64_t core_link_send(struct core_link *link, uint64_t most);

void core_link_half_close(struct core_link *link);
void core_link_wait(struct core_link *link, uint64_t ns); /* lets this time pass */
void core_link_expire(struct core_link *link);            /* until the deadline, and reports it */
void core_link_fail(struct core_link *link, enum close_reason why);

/* Gives the work area back when that is allowed, and overwrites it. */
void core_link_rest(struct core_link *link);

/*
 * Gives the connection all bytes and takes everything that it sends, until it waits for more (then all
 * bytes were taken) or closes. Returns how many bytes were taken.
 */
size_t core_link_feed(struct core_link *link, const char *bytes, size_t length);

#endif
