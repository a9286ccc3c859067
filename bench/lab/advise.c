/*
 * Decides what to propose. Pure: tests give made-up figures. It never proposes a change within the noise.
 */
#include "advise.h"

#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

char *advise_size(char into[24], uint64_t bytes)
{
    if (bytes >= MIB && bytes % MIB == 0)
        snprintf(into, 24, "%llum", (unsigned long long)(bytes / MIB));
    else if (bytes >= 1024 && bytes % 1024 == 0)
        snprintf(into, 24, "%lluk", (unsigned long long)(bytes / 1024));
    else
        snprintf(into, 24, "%llu", (unsigned long long)bytes);
    return into;
}

/* "31 µs against 42 µs, ratio 0.71 to 0.78" */
static void figures_say(char *into, size_t room, const struct sample *with,
                        const struct sample *without, const struct comparison *c)
{
    text a, b, low, high;
    snprintf(into, room, "%s of CPU against %s, ratio %s to %s",
             text_figure(a, summarise(with).median, "us"),
             text_figure(b, summarise(without).median, "us"), text_number(low, c->low),
             text_number(high, c->high));
}

/* ---- cache.file_max ---------------------------------------------------------------------------- */

/* Compares sendfile with memory at one size: LESS when sendfile costs less. */
static struct comparison ways_compare(const struct advise_figures *f, unsigned i)
{
    return compare(&f->size[i].sendfile, &f->size[i].memory);
}

/*
 * Finds the measured size for a new cache.file_max. To lower it: the size below the first one from which
 * sendfile costs less, there and for all larger sizes. To raise it: the last size up to which memory costs
 * less, of those that go by sendfile now. Returns the index, or -1.
 */
static int file_max_find(const struct advise_figures *f, uint64_t now, bool lower)
{
    int found = -1;
    if (lower) {
        for (int i = (int)f->sizes - 1; i >= 1; i--) {
            if (ways_compare(f, (unsigned)i).verdict != LESS) break;
            if (f->size[i - 1].bytes < now) found = i - 1;
        }
        return found;
    }
    for (unsigned i = 0; i < f->sizes; i++) {
        if (f->size[i].bytes <= now) continue;
        if (ways_compare(f, i).verdict != MORE) break;
        found = (int)i;
    }
    return found;
}

/* Finds the measured size that stands for the files that change: the largest one that changes. */
static int witness_find(const struct advise_figures *f, uint64_t above, uint64_t up_to)
{
    for (int i = (int)f->sizes - 1; i >= 0; i--)
        if (f->size[i].bytes > above && f->size[i].bytes <= up_to) return i;
    return -1;
}

static bool file_max_propose(const struct advise_figures *f, const struct advise_now *now,
                             const struct site *site, struct proposal *p)
{
    for (int lower = 1; lower >= 0; lower--) {
        int to = file_max_find(f, now->file_max, lower);
        if (to < 0) continue;
        uint64_t bytes = f->size[to].bytes;
        uint64_t above = lower ? bytes : now->file_max, up_to = lower ? now->file_max : bytes;
        unsigned files = site_between(site, above, up_to);
        int at = witness_find(f, above, up_to);
        if (files == 0 || at < 0) continue; /* no file of this site is affected */
        const struct sample *with = lower ? &f->size[at].sendfile : &f->size[at].memory;
        const struct sample *without = lower ? &f->size[at].memory : &f->size[at].sendfile;
        char figures[160];
        text size;
        *p = (struct proposal){.option = "cache.file_max",
                               .difference = compare(with, without),
                               .above = above,
                               .up_to = up_to};
        if (p->difference.verdict != LESS) continue;
        advise_size(p->value, bytes);
        advise_size(p->now, now->file_max);
        figures_say(figures, sizeof figures, with, without, &p->difference);
        snprintf(
            p->why, sizeof p->why,
            "sending %s by %s instead of %s: %s. %u of the %u files are between the two sizes.",
            text_bytes(size, (double)f->size[at].bytes), lower ? "sendfile" : "memory",
            lower ? "from memory" : "sendfile", figures, files, site->count);
        return true;
    }
    return false;
}

/* ---- cache.size -------------------------------------------------------------------------------- */

/*
 * Each worker has its own copies, so everything that may be kept counts once for each worker; at most a
 * quarter of memory.
 */
static bool cache_size_propose(const struct advise_figures *f, const struct advise_now *now,
                               const struct site *site, uint64_t memory, struct proposal *p)
{
    char figures[160];
    text kept, size;
    uint64_t wanted = site_bytes(site, now->file_max) * now->workers;
    wanted += wanted / 8; /* for heads and tables */
    uint64_t most = memory / 4 / MIB * MIB, to = (wanted / MIB + 1) * MIB;
    if (to > most) to = most;
    *p = (struct proposal){.option = "cache.size",
                           .difference = compare(&f->hit, &f->miss),
                           .above = 0,
                           .up_to = now->file_max};
    if (wanted <= now->cache_bytes || to <= now->cache_bytes || p->difference.verdict != LESS)
        return false;
    advise_size(p->value, to);
    advise_size(p->now, now->cache_bytes);
    figures_say(figures, sizeof figures, &f->hit, &f->miss, &p->difference);
    snprintf(p->why, sizeof p->why,
             "a file that is kept instead of opened and read (%s on average): %s. What may be kept "
             "is %s, once for each of %u workers%s.",
             text_bytes(size, (double)f->missed_bytes), figures,
             text_bytes(kept, (double)site_bytes(site, now->file_max)), now->workers,
             to < wanted ? "; this is a quarter of memory" : "");
    return true;
}

/* ---- model ------------------------------------------------------------------------------------- */

static bool model_propose(const struct advise_figures *f, const struct advise_now *now,
                          struct proposal *p)
{
    char figures[160];
    bool ring = !strcmp(now->model, "io_uring"), automatic = !strcmp(now->model, "auto");
    *p = (struct proposal){
        .option = "model", .difference = {UNKNOWN, NAN, NAN, NAN}, .up_to = now->file_max};
    snprintf(p->now, sizeof p->now, "%s", now->model);
    if (ring && !f->ring_permitted) {
        snprintf(p->value, sizeof p->value, "auto");
        snprintf(p->why, sizeof p->why,
                 "io_uring is not permitted here, and the server would not start.");
        return true;
    }
    bool to_ring = !strcmp(now->model, "epoll"), to_epoll = ring || automatic;
    if (!f->ring_permitted || (!to_ring && !to_epoll)) return false;
    const struct sample *with = to_ring ? &f->by_ring : &f->by_epoll;
    const struct sample *without = to_ring ? &f->by_epoll : &f->by_ring;
    p->difference = compare(with, without);
    if (p->difference.verdict != LESS) return false;
    snprintf(p->value, sizeof p->value, "%s", to_ring ? "io_uring" : "epoll");
    figures_say(figures, sizeof figures, with, without, &p->difference);
    snprintf(p->why, sizeof p->why, "receiving and answering 16 requests %s: %s.",
             to_ring ? "through a ring instead of by epoll" : "by epoll instead of through a ring",
             figures);
    return true;
}

unsigned advise_propose(const struct advise_figures *figures, const struct advise_now *now,
                        const struct site *site, uint64_t memory,
                        struct proposal into[PROPOSALS_MAX])
{
    unsigned count = 0;
    count += file_max_propose(figures, now, site, &into[count]);
    count += cache_size_propose(figures, now, site, memory, &into[count]);
    count += model_propose(figures, now, &into[count]);
    return count;
}

/* ---- the configuration -------------------------------------------------------------------------- */

static void value_take(const char *value, uint64_t *into)
{
    double number;
    char word[24];
    if (sscanf(value, "%23[0-9kmg]", word) == 1 && text_size_read(word, &number))
        *into = (uint64_t)number;
}

void advise_now_line(struct advise_now *now, char section[32], const char *line)
{
    char name[32], value[160];
    if (sscanf(line, " %31[a-z_] {", name) == 1 && strchr(line, '{') && !strchr(line, '=')) {
        snprintf(section, 32, "%s", name);
        return;
    }
    if (line[strspn(line, " \t")] == '}') section[0] = '\0';
    if (sscanf(line, " %31[a-z_] = %159[^\n]", name, value) != 2) return;
    uint64_t workers = 0;
    if (!section[0] && !strcmp(name, "model")) sscanf(value, "%15[a-z_]", now->model);
    if (!section[0] && !strcmp(name, "workers")) value_take(value, &workers);
    if (workers > 0) now->workers = (unsigned)workers;
    if (!strcmp(section, "cache") && !strcmp(name, "size")) value_take(value, &now->cache_bytes);
    if (!strcmp(section, "cache") && !strcmp(name, "file_max")) value_take(value, &now->file_max);
}
