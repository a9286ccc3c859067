/*
 * The decisions of one piece, in their order. An attempt ends with an outcome, or with -ESTALE when
 * the original changed meanwhile; then there is another one.
 */
#include "precompress/piece.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "encode/encode.h"
#include "precompress/coder.h"
#include "precompress/disk.h"

#define ATTEMPTS 4
#define SETTLE_NS_MAX (3 * NS_PER_SECOND)
#define SIDECAR_SPARE (UINT64_C(1) << 20) /* a sidecar so much larger than its original is wrong */

struct attempt {
    const struct docroot *docroot;
    struct gate *gate;
    const struct piece *piece;
    struct file file;     /* what is on disk                        */
    struct bytes content; /* of the original; NULL: not read so far */
    struct piece_result *result;
};

static const struct identity *original_of(const struct attempt *a)
{
    return &a->file.identity[CODING_IDENTITY];
}

static const struct identity *sidecar_of(const struct attempt *a)
{
    return &a->file.identity[a->piece->coding];
}

static bool is_writing(const struct attempt *a)
{
    return !a->docroot->wishes->check && !a->docroot->wishes->dry_run;
}

/* Notes the outcome, and the size of the sidecar that is there now (0: there is none). */
static int ends(struct attempt *a, enum outcome outcome, uint64_t sidecar_size)
{
    a->result->outcome = outcome;
    a->result->original_size = original_of(a)->size;
    a->result->sidecar_size = sidecar_size;
    return 0;
}

/* ---- looking and reading --------------------------------------------------------------------- */

/*
 * Looks at the files. When the original changed a moment ago, another change could leave its times
 * as they are: then this waits until that is over, and the original has to be the same afterwards. A
 * time in the future is not waited for, because it says nothing.
 */
static int look(struct attempt *a)
{
    struct now now = {0};
    int error = docroot_look(a->docroot, a->piece->path, &a->file);
    if (error != 0) return error;
    now_read(&now);
    uint64_t wait_ns = identity_settles_in_ns(original_of(a), &now);
    if (wait_ns == 0 || wait_ns > SETTLE_NS_MAX) return 0;
    struct timespec wait = {(time_t)(wait_ns / NS_PER_SECOND), (long)(wait_ns % NS_PER_SECOND)};
    struct identity before = *original_of(a);
    nanosleep(&wait, NULL);
    error = docroot_look(a->docroot, a->piece->path, &a->file);
    return error == 0 && !identity_equals(&before, original_of(a)) ? -ESTALE : error;
}

static int original_read(struct attempt *a)
{
    return a->content.base ? 0 : disk_read(a->docroot, &a->file, CODING_IDENTITY, &a->content);
}

/* Returns 1 when the content of the sidecar is the original's, 0 when not, or -errno. */
static int content_matches(struct attempt *a)
{
    struct bytes encoded = {NULL, 0};
    const struct identity *sidecar = sidecar_of(a);
    if (sidecar->size == 0 || sidecar->size > original_of(a)->size + SIDECAR_SPARE) return 0;
    int error = original_read(a);
    if (error == 0) error = disk_read(a->docroot, &a->file, a->piece->coding, &encoded);
    if (error != 0) return error;
    enum match match =
        coder_compare(a->piece->coding, bytes_text(&encoded), bytes_text(&a->content));
    free(encoded.base);
    return match == MATCH_NO_MEMORY ? -ENOMEM : match == MATCH_EQUAL;
}

/*
 * Compresses the original into memory that the caller frees, and sets *encoded. Its base is NULL
 * when the result would not save enough.
 */
static int compress(struct attempt *a, struct bytes *encoded)
{
    enum coding coding = a->piece->coding;
    int level = a->docroot->wishes->level[coding];
    size_t room = worth_size_max(original_of(a)->size);
    *encoded = (struct bytes){NULL, 0};
    int error = original_read(a);
    if (error != 0) return error;
    char *space = malloc(room);
    if (!space) return -ENOMEM;
    enum coded coded =
        encode(coding, level, bytes_text(&a->content), space, room, &encoded->length);
    if (coded == CODED)
        encoded->base = space;
    else
        free(space);
    return coded == CODED_NO_MEMORY ? -ENOMEM : 0;
}

/* ---- --check --------------------------------------------------------------------------------- */

/* There is no sidecar: it is missing if it would save enough. */
static int missing_check(struct attempt *a)
{
    struct bytes encoded;
    if (!size_is_chosen(a->docroot->wishes, original_of(a)->size))
        return ends(a, OUTCOME_NOT_WORTH, 0);
    int error = compress(a, &encoded);
    if (error != 0) return error;
    bool worth_it = encoded.base;
    free(encoded.base);
    return ends(a, worth_it ? OUTCOME_MISSING : OUTCOME_NOT_WORTH, 0);
}

static int check(struct attempt *a, enum standing standing)
{
    if (standing == STANDING_ABSENT || standing == STANDING_OBSTRUCTED) return missing_check(a);
    if (!a->file.usable[a->piece->coding]) return ends(a, OUTCOME_STALE, sidecar_of(a)->size);
    int matches = content_matches(a);
    if (matches < 0) return matches;
    return ends(a, matches ? OUTCOME_CURRENT : OUTCOME_DIFFERENT, sidecar_of(a)->size);
}

/* ---- making ---------------------------------------------------------------------------------- */

static int sidecar_remove(struct attempt *a)
{
    int error = is_writing(a) ? disk_remove(a->docroot, &a->file, a->piece->coding) : 0;
    return error != 0 ? error : ends(a, OUTCOME_REMOVED, 0);
}

/* No sidecar is made, because it would not save enough. One that is there is wrong. */
static int none_make(struct attempt *a, enum standing standing)
{
    if (standing == STANDING_ABSENT || standing == STANDING_OBSTRUCTED)
        return ends(a, OUTCOME_NOT_WORTH, 0);
    if (a->docroot->wishes->prune) return sidecar_remove(a);
    return ends(a, OUTCOME_STALE, sidecar_of(a)->size);
}

/*
 * Keeps a sidecar whose content is right: sets its time. Returns 1 when that is done, 0 when it has
 * to be made again, -ESTALE or -ENOMEM.
 */
static int sidecar_keep(struct attempt *a)
{
    int matches = content_matches(a);
    if (matches == -ESTALE || matches == -ENOMEM) return matches;
    if (matches != 1) return 0; /* one that cannot be read is made again too */
    int error = is_writing(a) ? disk_date(a->docroot, &a->file, a->piece->coding) : 0;
    if (error != 0) return error == -ESTALE ? error : 0;
    ends(a, OUTCOME_DATED, sidecar_of(a)->size);
    return 1;
}

static int sidecar_make(struct attempt *a, enum standing standing)
{
    struct bytes encoded;
    int error = compress(a, &encoded);
    if (error != 0) return error;
    if (!encoded.base) return none_make(a, standing);
    if (standing == STANDING_OBSTRUCTED)
        error = -EEXIST;
    else if (is_writing(a))
        error = disk_write(a->docroot, &a->file, a->piece->coding, bytes_text(&encoded), a->gate);
    free(encoded.base);
    return error != 0 ? error : ends(a, OUTCOME_MADE, encoded.length);
}

static int make(struct attempt *a, enum standing standing)
{
    if (standing == STANDING_CURRENT) return sidecar_remove(a); /* see todo_of() */
    if (standing == STANDING_OTHER_TIME) {
        int kept = sidecar_keep(a);
        if (kept != 0) return kept < 0 ? kept : 0;
    }
    bool chosen = size_is_chosen(a->docroot->wishes, original_of(a)->size);
    return chosen ? sidecar_make(a, standing) : none_make(a, standing);
}

/* ---- the piece ------------------------------------------------------------------------------- */

static int attempt_run(struct attempt *a)
{
    const struct precompress_wishes *wishes = a->docroot->wishes;
    int error = look(a);
    if (error == -ENOENT) return ends(a, OUTCOME_GONE, 0);
    if (error != 0) return error;
    enum coding coding = a->piece->coding;
    const struct identity *sidecar = sidecar_of(a);
    enum standing standing = standing_of(sidecar, original_of(a), a->file.usable[coding]);
    switch (todo_of(wishes, standing, original_of(a)->size, sidecar->size)) {
    case TODO_NOTHING: return ends(a, OUTCOME_CURRENT, sidecar->size);
    case TODO_NOT_WORTH_IT: return ends(a, OUTCOME_NOT_WORTH, 0);
    case TODO_WORK: break;
    }
    return wishes->check ? check(a, standing) : make(a, standing);
}

void piece_do(const struct docroot *docroot, struct gate *gate, const struct piece *piece,
              struct piece_result *result)
{
    int error = -ESTALE;
    *result = (struct piece_result){.outcome = OUTCOME_FAILED};
    for (int i = 0; i < ATTEMPTS && error == -ESTALE; i++) {
        struct attempt attempt = {
            .docroot = docroot, .gate = gate, .piece = piece, .result = result};
        error = attempt_run(&attempt);
        free(attempt.content.base);
    }
    if (error == 0) return;
    *result = (struct piece_result){.outcome = OUTCOME_FAILED, .error = -error};
}

const char *piece_problem(int error)
{
    if (error == ESTALE) return "it keeps changing while it is compressed";
    if (error == EEXIST) return "something else than a file has this name";
    return strerror(error);
}

bool piece_error_is_final(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EROFS;
}
