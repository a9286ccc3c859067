/*
 * How many requests find their file in the cache? Compares the store's SIEVE with LRU and FIFO of the
 * same capacity, on made-up requests. The popularity of files follows Zipf's law: alone, with a crawler
 * that goes through all files now and then, or with many files that are requested only once.
 *
 *     build/release/bench/cache_hit_ratio [FILES [REQUESTS]]
 *
 * All files have the same size here, because only the order of eviction is compared. Each cache gets the
 * same requests, from a fixed seed.
 */
#include "store/sieve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum order { ORDER_SIEVE, ORDER_LRU, ORDER_FIFO, ORDER_COUNT };

static const char *const order_names[ORDER_COUNT] = {"sieve", "lru", "fifo"};

struct trace {
    const char *name;
    double skew;          /* Zipf's exponent                                       */
    unsigned crawl_every; /* requests between two steps of a crawler; 0: no crawler */
    double once;          /* share of requests for files that are requested only once */
};

static const struct trace traces[] = {
    {"zipf 0.7", 0.7, 0, 0},
    {"zipf 0.9", 0.9, 0, 0},
    {"zipf 1.1", 1.1, 0, 0},
    {"zipf 0.9, crawler 1/4", 0.9, 4, 0},
    {"zipf 0.9, crawler 1/2", 0.9, 2, 0},
    {"zipf 0.9, 30 % once", 0.9, 0, 0.3},
    {"zipf 1.1, crawler 1/2", 1.1, 2, 0},
};

struct simulation {
    enum order order;
    struct sieve sieve; /* its queue is used for the other orders too */
    struct seat *seats; /* one for each file                     */
    bool *held;
    unsigned capacity;
};

static double uniform(void)
{
    static unsigned long long state = 88172645463325252ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / (double)(1ULL << 53);
}

/* Fills in the cumulated popularity of `files` files. */
static void zipf_fill(double *sums, unsigned files, double skew)
{
    double sum = 0;
    for (unsigned i = 0; i < files; i++)
        sums[i] = sum += 1 / pow(i + 1, skew);
}

static unsigned zipf_draw(const double *sums, unsigned files)
{
    double wanted = uniform() * sums[files - 1];
    unsigned low = 0, high = files - 1;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (sums[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * Fills in file numbers. Numbers from `files` on are requested only once. Files that are next to each other
 * in popularity have numbers that are far apart.
 */
static void trace_fill(const struct trace *trace, unsigned files, unsigned *asked, unsigned count,
                       double *sums)
{
    unsigned crawler = 0, once = files;
    zipf_fill(sums, files, trace->skew);
    for (unsigned i = 0; i < count; i++) {
        unsigned popular = (unsigned)(zipf_draw(sums, files) * 2654435761ULL % files);
        if (trace->crawl_every > 0 && i % trace->crawl_every == 0)
            asked[i] = crawler++ % files;
        else if (uniform() < trace->once)
            asked[i] = once++;
        else
            asked[i] = popular;
    }
}

static struct seat *victim(struct simulation *s)
{
    return s->order == ORDER_SIEVE ? sieve_victim(&s->sieve) : s->sieve.oldest;
}

static bool simulation_ask(struct simulation *s, unsigned file)
{
    struct seat *seat = &s->seats[file];
    if (s->held[file]) {
        seat->visited = true;
        if (s->order != ORDER_LRU) return true;
        sieve_remove(&s->sieve, seat);
        sieve_add(&s->sieve, seat);
        return true;
    }
    if (s->sieve.count == s->capacity) {
        struct seat *leaving = victim(s);
        sieve_remove(&s->sieve, leaving);
        s->held[leaving - s->seats] = false;
    }
    sieve_add(&s->sieve, seat);
    s->held[file] = true;
    return false;
}

static double simulate(struct simulation *s, const unsigned *asked, unsigned count, unsigned all)
{
    unsigned hits = 0;
    memset(s->seats, 0, all * sizeof(*s->seats));
    memset(s->held, 0, all * sizeof(*s->held));
    s->sieve = (struct sieve){0};
    for (unsigned i = 0; i < count; i++) {
        bool hit = simulation_ask(s, asked[i]);
        hits += hit && i >= count / 5; /* the first fifth fills the cache */
    }
    return 100.0 * hits / (count - count / 5);
}

static void print_row(const struct trace *trace, unsigned percent, struct simulation *s,
                      const unsigned *asked, unsigned count, unsigned all)
{
    printf("%-24s %5u %%", trace->name, percent);
    for (unsigned order = 0; order < ORDER_COUNT; order++) {
        s->order = (enum order)order;
        printf(" %8.2f", simulate(s, asked, count, all));
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    unsigned files = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
    unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 2000000;
    unsigned all = files + count;
    static const unsigned percents[] = {1, 5, 10, 25};
    unsigned *asked = calloc(count, sizeof(*asked));
    double *sums = calloc(files, sizeof(*sums));
    struct simulation s = {.seats = calloc(all, sizeof(*s.seats)), .held = calloc(all, 1)};
    if (files == 0 || !asked || !sums || !s.seats || !s.held) return 1;
    printf("%u files, %u requests; hits in %%\n%-24s %7s", files, count, "requests", "cache");
    for (unsigned order = 0; order < ORDER_COUNT; order++)
        printf(" %8s", order_names[order]);
    printf("\n");
    for (size_t t = 0; t < sizeof(traces) / sizeof(traces[0]); t++) {
        trace_fill(&traces[t], files, asked, count, sums);
        for (size_t p = 0; p < sizeof(percents) / sizeof(percents[0]); p++) {
            s.capacity = files * percents[p] / 100;
            print_row(&traces[t], percents[p], &s, asked, count, all);
        }
    }
    free(asked);
    free(sums);
    free(s.seats);
    free(s.held);
    return 0;
}
