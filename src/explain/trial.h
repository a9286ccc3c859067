/*
 * One request that is led through the core and the store, as a worker leads it. What happens on the
 * way is kept, up to the complete response.
 */
#ifndef ZCSERVE_EXPLAIN_TRIAL_H
#define ZCSERVE_EXPLAIN_TRIAL_H

#include "asking.h"
#include "http/condition.h"
#include "http/range.h"
#include "http/stream.h"
#include "start/program.h"
#include "store/examine.h"
#include "zcserve/now.h"

#define TRIAL_LOOKUPS_MAX 64 /* a rule tries at most 16 paths, each with and without a slash */
#define TRIAL_HEAD_MAX (256 * 1024) /* more than any head of a response */

/* One lookup of the request, in their order. */
struct trial_lookup {
    char *path; /* with "/" before it */
    struct accepted accepted;
    uint16_t tree;
    uint16_t page_of; /* it is for the page of this error; 0: it is not                   */
    uint32_t tried;   /* how many paths of the rule were tried with it; 0: none is a rule's */
    bool lists;
    struct resolution found; /* without its representation, when an error's page was asked for */
    bool kept;       /* the store remembers the result                           */
    bool improvable; /* a coding would be made on the fly, for later requests    */
    struct examined *seen;
};

/* What follows from the fields of the request for the file that was found. */
struct trial_choice {
    bool made; /* a file was found */
    bool has_etag;
    enum condition condition;
    enum range_kind range; /* of a GET */
    struct ranges ranges;
};

struct trial {
    const struct program *p;
    const struct asking *asking;
    struct store *store;
    struct now now;
    struct conn conn;
    struct request_ids ids;
    void *work;
    const struct stream *stream; /* its target and verdict stay, when `is_judged`        */
    struct trial_choice choice;
    struct request request; /* its fields, when there was a lookup                  */
    bool is_judged;         /* the rules of a site were asked                       */
    struct trial_lookup lookup[TRIAL_LOOKUPS_MAX];
    size_t lookups;
    const struct exchange *exchange; /* what is lent for it is returned by trial_close() */
    char *head;                      /* of the response: exchange->head_length bytes     */
    size_t head_held;                /* how many bytes of the response are in `head`     */
};

/*
 * Opens a store, and sends the request of `asking` through it. Returns false with one line in
 * `problem` when there is no response. trial_close() must follow in any case. `p` and `asking` must
 * outlive the trial.
 */
bool trial_run(struct trial *t, const struct program *p, const struct asking *asking, char *problem,
               size_t size);
void trial_close(struct trial *t);

/* Returns the last lookup, which decided the response; NULL when there was none. */
static inline const struct trial_lookup *trial_last(const struct trial *t)
{
    return t->lookups > 0 ? &t->lookup[t->lookups - 1] : NULL;
}

#endif
