/*
 * Random connections over the simulated socket. A seed decides what is requested and what happens
 * to the socket; it is printed when something does not hold. CORE_SEED=N tries only that seed.
 */
#include "core_simulation.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEDS 4000
#define REQUESTS_MAX 50
#define BYTES_MAX 262144

/* What the client sends, and which responses must come back. */
struct conversation {
    char bytes[BYTES_MAX];
    size_t length;
    unsigned requests;
    uint16_t expected[REQUESTS_MAX]; /* status codes                                           */
    bool refused;                    /* the last request is: requests after it get no response */
    unsigned settled;
};

/* Adds `text`, in which "#" stands for the number of the request and "$" for 3000 bytes. */
static void say(struct conversation *c, const char *text)
{
    for (; *text; text++) {
        core_holds(c->length + 3000 < sizeof(c->bytes));
        if (*text == '#') {
            c->length += (size_t)sprintf(c->bytes + c->length, "%u", c->requests);
        } else if (*text == '$') {
            memset(c->bytes + c->length, 'x', 3000);
            c->length += 3000;
        } else {
            c->bytes[c->length++] = *text;
        }
    }
}

/* Adds a good request, with its number in the query. */
static void request_say(struct conversation *c, struct core_choices *choices)
{
    static const struct {
        const char *start, *lines;
        uint16_t status;
    } kinds[] = {
        {"GET /", "", 200},
        {"GET /small", "", 200},
        {"GET /large", "X: y\r\n", 200},
        {"GET /file", "", 200},
        {"GET /empty", "", 200},
        {"HEAD /file", "", 200},
        {"HEAD /nothing", "", 404},
        {"GET /dir", "", 301},
        {"GET /%62usy", "", 503},
        {"GET /a/../file", "Range: bytes=3-8999\r\n", 206},
        {"GET /large", "Range: bytes=6000-\r\n", 416},
        {"GET /large", "Range: bytes=9-4000,0-7,-1\r\n", 206},
        {"GET /file", "Range: bytes=7-7,9-8999,-9999,0-0\r\n", 206},
        {"GET /small", "If-None-Match: \"e1\"\r\n", 304},
        {"GET /zip", "Accept-Encoding: gzip\r\n", 200},
        {"GET http://a/small", "", 200},
        {"OPTIONS /", "", 204},
        {"DELETE /", "", 405},
        {"GET /inline", "", 200},
        {"POST /small", "Content-Length: 3000\r\n", 405},
        {"POST /small", "Transfer-Encoding: chunked\r\n", 405},
    };
    unsigned kind = core_choose(choices, sizeof(kinds) / sizeof(kinds[0]));
    if (core_chance(choices, 10)) say(c, "\r\n");
    say(c, kinds[kind].start);
    say(c, "?# HTTP/1.1\r\nHost: a\r\n");
    say(c, kinds[kind].lines);
    say(c, "\r\n");
    if (strstr(kinds[kind].lines, "Content-Length")) say(c, "$");
    if (strstr(kinds[kind].lines, "chunked")) say(c, "bb8\r\n$\r\n0\r\nT: $\r\n\r\n");
    c->expected[c->requests++] = kinds[kind].status;
}

/* Adds a request that ends the connection. */
static void bad_request_say(struct conversation *c, struct core_choices *choices)
{
    static const struct {
        const char *text;
        uint16_t status;
    } kinds[] = {
        {"GET /?#\r\n", 400},
        {"GET /?# HTTP/1.1\r\n\r\n", 400},
        {"GET /?# HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400},
        {"BREW /?# HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"GET /?# HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET /?# HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200},
        {"POST /?# HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\nxyz", 405},
        {"POST /?# HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz", 400},
        {"POST /?# HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", 405},
        {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
    };
    unsigned kind = core_choose(choices, sizeof(kinds) / sizeof(kinds[0]));
    say(c, kinds[kind].text);
    c->expected[c->requests++] = kinds[kind].status;
    c->refused = true;
}

static void conversation_make(struct conversation *c, struct core_choices *choices)
{
    c->length = 0;
    c->requests = c->settled = 0;
    c->refused = false;
    unsigned requests = core_choose(choices, core_chance(choices, 4) ? REQUESTS_MAX : 6);
    while (c->requests < requests)
        request_say(c, choices);
    if (core_chance(choices, 3) && c->requests < REQUESTS_MAX) bad_request_say(c, choices);
    if (c->refused && core_chance(choices, 3)) say(c, "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");
}

/* Responses come in the order of the requests, each with the expected status. */
static void answer_look(struct core_link *link, const struct exchange *exchange)
{
    struct conversation *c = link->on_settle_of;
    unsigned number = c->settled++;
    core_holds(exchange->begun_ns <= link->now.monotonic_ns);
    if (exchange->status == 408) return;
    core_holds(number < c->requests);
    core_holds(exchange->status == c->expected[number]);
    if (!exchange->version.base || text_equals(exchange->method_name, TEXT("CONNECT"))) return;
    const char *query = memchr(exchange->target.base, '?', exchange->target.length);
    core_holds(query != NULL && strtoul(query + 1, NULL, 10) == number);
}

static void seed_try(uint64_t seed, struct core_troubles troubles)
{
    static struct conversation c;
    struct core_choices choices = {.seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    struct core_link link;
    struct conn_rules rules = core_rules();
    snprintf(core_link_story, sizeof(core_link_story), "CORE_SEED=%" PRIu64, seed);
    conversation_make(&c, &choices);
    rules.body_bytes_max = 100000;
    rules.keep_alive = !core_chance(&choices, 20);
    core_link_open(&link, &rules);
    link.on_settle = answer_look;
    link.on_settle_of = &c;
    core_simulate(&link, c.bytes, c.length, &choices, troubles);
    core_holds(c.settled <= c.requests + 1);
    bool undisturbed = troubles.reset + troubles.finish + troubles.timeout + troubles.drain == 0;
    if (undisturbed && rules.keep_alive) core_holds(c.settled == c.requests);
    core_link_close(&link);
}

static void seeds_try(struct core_troubles troubles)
{
    const char *one = getenv("CORE_SEED");
    if (one) {
        seed_try(strtoull(one, NULL, 10), troubles);
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        seed_try(seed, troubles);
}

START_TEST(slow_but_sure)
{
    seeds_try((struct core_troubles){0});
}
END_TEST

START_TEST(cold_disk)
{
    seeds_try((struct core_troubles){.park = true});
}
END_TEST

START_TEST(some_trouble)
{
    seeds_try((struct core_troubles){.reset = 5, .finish = 10, .timeout = 5, .drain = 5});
}
END_TEST

START_TEST(some_trouble_and_a_cold_disk)
{
    seeds_try(
        (struct core_troubles){.reset = 5, .finish = 10, .timeout = 5, .drain = 5, .park = true});
}
END_TEST

START_TEST(much_trouble)
{
    seeds_try((struct core_troubles){.reset = 60, .finish = 100, .timeout = 200, .drain = 100});
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simulation");
    TCase *tcase = tcase_create("simulation");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, slow_but_sure);
    tcase_add_test(tcase, cold_disk);
    tcase_add_test(tcase, some_trouble);
    tcase_add_test(tcase, some_trouble_and_a_cold_disk);
    tcase_add_test(tcase, much_trouble);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
