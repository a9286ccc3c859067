/*
 * A reload: the processes of the next generation are started beside those that serve. When all of
 * them serve, they replace these, which finish what they have. When one of them fails, they end, and
 * nothing has changed for the clients. There are never more than two generations: a reload waits
 * until the processes of the one before have ended.
 */
#define _GNU_SOURCE
#include "process/generations.h"
#include "zcserve/log.h"

enum { PUSH_TERM, PUSH_USR2, PUSH_KILL, PUSHES };

void generations_ask(struct supervision *s)
{
    if (!s->options->reload || s->stage != SERVING) return;
    s->reload_asked = true;
    if (s->options->reload_asked) s->options->reload_asked(s->options->of);
}

struct supervised *generation_now(const struct supervision *s, uint32_t *count)
{
    struct supervised *first = NULL;
    *count = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (!s->process[i].run || s->process[i].generation != GENERATION_NOW) continue;
        if (!first) first = &s->process[i];
        *count = (uint32_t)(&s->process[i] - first) + 1;
    }
    return first;
}

static bool is_of(const struct supervised *process, enum generation generation)
{
    return process->run && process->generation == generation;
}

static bool any_of(const struct supervision *s, enum generation generation, bool last)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (is_of(&s->process[i], generation) && s->process[i].pid > 0 &&
            s->process[i].last == last)
            return true;
    return false;
}

/* ---- the next generation ---------------------------------------------------------------------- */

/* All processes of a generation become those of another. Who is BEFORE is not wanted any more. */
static void generation_move(struct supervision *s, enum generation from, enum generation to)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct supervised *process = &s->process[i];
        if (!is_of(process, from)) continue;
        process->generation = to;
        process->unwanted = process->unwanted || to == GENERATION_BEFORE;
        if (to == GENERATION_BEFORE && process->pid == 0) process->run = NULL;
    }
}

static void next_begin(struct supervision *s, uint64_t now_ns)
{
    s->reload_asked = false;
    if (!s->options->reload(s->options->of)) return;
    s->next_until_ns = now_ns + START_NS;
    for (uint32_t i = 0; i < s->count; i++) {
        struct supervised *process = &s->process[i];
        if (is_of(process, GENERATION_NEXT) && !process->unwanted)
            supervised_start(process, s->pid, now_ns);
    }
}

static bool next_is_broken(const struct supervision *s, uint64_t now_ns)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct supervised *process = &s->process[i];
        if (is_of(process, GENERATION_NEXT) && !process->unwanted && process->pid == 0) return true;
    }
    return now_ns >= s->next_until_ns;
}

static void next_look(struct supervision *s, uint64_t now_ns)
{
    const struct supervise_options *options = s->options;
    if (next_is_broken(s, now_ns)) {
        s->next_until_ns = 0;
        generation_move(s, GENERATION_NEXT, GENERATION_BEFORE);
        options->failed(options->of);
    } else if (options->serves(options->of)) {
        s->next_until_ns = 0;
        generation_move(s, GENERATION_NOW, GENERATION_BEFORE);
        generation_move(s, GENERATION_NEXT, GENERATION_NOW);
        options->replaced(options->of);
        if (options->adjust) s->adjust_ns = 0;
        s->ended = true; /* the new workers may stand in for each other */
    }
}

/* ---- ending ----------------------------------------------------------------------------------- */

/* Returns when the process gets its next signal: TERM at once, the others when it does not end. */
static uint64_t process_push(const struct supervision *s, struct supervised *process,
                             uint64_t now_ns)
{
    static const int signals[PUSHES] = {[PUSH_TERM] = SIGTERM, SIGUSR2, SIGKILL};
    if (process->pushes == PUSHES) return NEVER;
    if (now_ns < process->push_ns) return process->push_ns;
    kill(process->pid, signals[process->pushes]);
    process->push_ns = now_ns + (process->pushes == PUSH_TERM ? s->options->drain_ns : STOP_NS);
    process->pushes++;
    return process->pushes == PUSHES ? NEVER : process->push_ns;
}

/* A `last` process ends when its input ends, soon after the workers of its generation. */
static uint64_t last_push(const struct supervision *s, struct supervised *process, uint64_t now_ns)
{
    if (any_of(s, GENERATION_BEFORE, false)) return NEVER;
    if (process->pushes < PUSH_KILL) {
        process->pushes = PUSH_KILL;
        process->push_ns = now_ns + LAST_NS;
    }
    return process_push(s, process, now_ns);
}

static uint64_t unwanted_push(const struct supervision *s, uint64_t now_ns)
{
    uint64_t next_ns = NEVER;
    for (uint32_t i = 0; i < s->count; i++) {
        struct supervised *process = &s->process[i];
        if (!process->unwanted || process->pid == 0) continue;
        uint64_t push_ns =
            process->last ? last_push(s, process, now_ns) : process_push(s, process, now_ns);
        if (push_ns < next_ns) next_ns = push_ns;
    }
    return next_ns;
}

/* Makes the entries of processes that ended free for another generation. */
static void entries_free(struct supervision *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (is_of(&s->process[i], GENERATION_BEFORE) && s->process[i].pid == 0)
            s->process[i].run = NULL;
}

/*
 * A reload waits for the processes of the generation before, because there is room for two only,
 * and for the end of an upgrade.
 */
uint64_t generations_take_turn(struct supervision *s, uint64_t now_ns)
{
    if (s->stage != SERVING) return NEVER;
    entries_free(s);
    bool ending = any_of(s, GENERATION_BEFORE, false) || any_of(s, GENERATION_BEFORE, true);
    if (s->next_until_ns > 0)
        next_look(s, now_ns);
    else if (s->reload_asked && !ending && s->successor == 0)
        next_begin(s, now_ns);
    uint64_t next_ns = unwanted_push(s, now_ns);
    return s->next_until_ns > 0 && now_ns + LOOK_NS < next_ns ? now_ns + LOOK_NS : next_ns;
}
