/*
 * A connection driven without a socket; see core_link.h.
 */
#include "core_link.h"
#include "http/foreign.h"
#include "multipart_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

char core_link_story[256];

void core_link_broken(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s: %s:%d: does not hold: %s\n", core_link_story, file, line, condition);
    fflush(stderr);
    abort();
}

struct conn_rules core_rules(void)
{
    return (struct conn_rules){
        .server = TEXT("zcserve"),
        .head_bytes_max = 512,
        .target_bytes_max = 64,
        .fields_max = 8,
        .body_bytes_max = 100,
        .ranges_max = 5,
        .seed = {1, 2},
        .head_ns = 10 * NS_PER_SECOND,
        .body_ns = 5 * NS_PER_SECOND,
        .idle_ns = 60 * NS_PER_SECOND,
        .send_ns = 30 * NS_PER_SECOND,
        .linger_ns = 2 * NS_PER_SECOND,
        .linger_most_ns = 10 * NS_PER_SECOND,
        .keep_alive = true,
    };
}

struct now core_now(uint64_t monotonic_ns)
{
    struct now now = {.monotonic_ns = monotonic_ns, .wall_seconds = 1795348800};
    memcpy(now.date, "Sun, 22 Nov 2026 12:00:00 GMT", sizeof(now.date));
    return now;
}

char core_content_byte(uint64_t offset)
{
    return (char)('!' + (offset * 31 + offset / 89) % 89);
}

/* ---- the canned files ------------------------------------------------------------------------ */

enum { FILES = 7 };

static const struct core_file {
    const char *path;
    struct representation r;
} templates[FILES] = {
    {"", {.length = 12, .fd = -1, .source = SOURCE_MEMORY}},
    {"small", {.length = 100, .fd = -1, .source = SOURCE_MEMORY}},
    {"inline", {.length = INLINE_BYTES_MAX, .fd = -1, .source = SOURCE_MEMORY}},
    {"large", {.length = 5000, .fd = -1, .source = SOURCE_MEMORY}},
    {"empty", {.length = 0, .fd = -1, .source = SOURCE_MEMORY}},
    {"file", {.length = 20000, .fd = CORE_FILE_FD, .source = SOURCE_PAGE_CACHE}},
    {"zip",
     {.length = 300, .fd = -1, .source = SOURCE_MEMORY, .coding = CODING_GZIP, .varies = true}},
};

static struct representation files[FILES];
static char heads[FILES][PREPARED_HEAD_MAX];
static char content[CORE_CONTENT_MAX];

static void files_make(void)
{
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = core_content_byte(i);
    for (size_t i = 0; i < FILES; i++) {
        files[i] = templates[i].r;
        files[i].content = files[i].fd < 0 ? content : NULL;
        files[i].modified_seconds = 784111777;
        files[i].etag = TEXT("\"e1\"");
        files[i].media_type = TEXT("text/plain; charset=utf-8");
        representation_prepare_head(&files[i], heads[i], sizeof(heads[i]));
    }
}

const struct representation *core_representation(const char *path)
{
    if (files[0].length == 0) files_make();
    for (size_t i = 0; i < FILES; i++)
        if (strcmp(templates[i].path, path) == 0) return &files[i];
    return NULL;
}

struct resolution core_resolve(const struct lookup *lookup)
{
    static const struct {
        const char *path;
        struct resolution resolution;
    } special[] = {
        {"dir", {.kind = RESOLUTION_DIRECTORY}},
        {"evil", {.kind = RESOLUTION_DIRECTORY}},
        {"secret", {.kind = RESOLUTION_FORBIDDEN}},
        {"picky", {.kind = RESOLUTION_NOT_ACCEPTABLE, .varies = true}},
        {"busy", {.kind = RESOLUTION_BUSY}},
        {"broken", {.kind = RESOLUTION_BROKEN}},
    };
    core_holds(lookup->path.base[lookup->path.length] == '\0');
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (strcmp(special[i].path, lookup->path.base) == 0) return special[i].resolution;
    const struct representation *r = core_representation(lookup->path.base);
    if (r && r->coding == CODING_GZIP && lookup->accepted.weight[CODING_GZIP] == 0)
        return (struct resolution){.kind = RESOLUTION_NOT_ACCEPTABLE, .varies = true};
    return (struct resolution){.kind = r ? RESOLUTION_FOUND : RESOLUTION_NOT_FOUND,
                               .representation = r};
}

/* ---- what always holds ----------------------------------------------------------------------- */

static uint64_t longest_ns(const struct conn_rules *rules)
{
    const uint64_t all[] = {rules->head_ns, rules->body_ns, rules->idle_ns, rules->send_ns,
                            rules->linger_ns};
    uint64_t longest = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        longest = all[i] > longest ? all[i] : longest;
    return longest;
}

static void outgoing_check(const struct outgoing *out)
{
    uint64_t sum = 0;
    core_holds(out->length > 0);
    core_holds(out->count >= 0 && out->count <= OUTGOING_VECTORS_MAX);
    core_holds((out->count == 0) == (out->fd >= 0));
    for (int i = 0; i < out->count; i++) {
        core_holds(out->vector[i].iov_len > 0);
        sum += out->vector[i].iov_len;
    }
    core_holds(out->count == 0 || sum == out->length);
}

static void link_check(struct core_link *link)
{
    struct conn before = link->conn;
    struct conn *c = &link->conn;
    enum conn_step step = conn_next(c);
    uint64_t deadline = conn_deadline_ns(c);
    bool idle = conn_idle(c);
    core_holds(deadline <= link->now.monotonic_ns + longest_ns(&link->rules));
    core_holds(link->lent_count >= link->returned_count);
    if (step == CONN_SEND) {
        struct outgoing out;
        conn_outgoing(c, &out);
        outgoing_check(&out);
        core_holds(!c->half_closed && !c->failed);
    }
    if (step == CONN_RECEIVE && !c->closing) core_holds(link->lent_count == link->returned_count);
    if (step == CONN_CLOSE) {
        core_holds(idle && conn_close_reason(c) != CLOSE_NONE);
        core_holds(link->lent_count == link->returned_count);
    }
    core_holds(conn_next(c) == step && conn_idle(c) == idle);
    core_holds(memcmp(&before, c, sizeof(before)) == 0);
}

static bool text_begins(const char *base, size_t length, const char *with)
{
    size_t n = strlen(with);
    return length >= n && memcmp(base, with, n) == 0;
}

/* Returns the value of a field in a head; it is absent when the field is not there. */
static struct text head_field(const char *head, size_t length, const char *name)
{
    const char *at = memmem(head, length, name, strlen(name));
    if (!at) return (struct text){NULL, 0};
    at += strlen(name);
    const char *line_end = memmem(at, length - (size_t)(at - head), "\r\n", 2);
    core_holds(line_end != NULL);
    return (struct text){at, (size_t)(line_end - at)};
}

static uint64_t text_number(struct text text)
{
    uint64_t number = 0;
    core_holds(text.length > 0);
    for (size_t i = 0; i < text.length && text.base[i] >= '0' && text.base[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(text.base[i] - '0');
    return number;
}

static void bytes_check(struct text bytes, uint64_t offset)
{
    for (size_t i = 0; i < bytes.length; i++)
        core_holds(bytes.base[i] == core_content_byte(offset + i));
}

/* Checks that the bytes of each of several parts are those that its Content-Range says. */
static void multipart_check(const struct core_link *link, struct text boundary, struct text sent)
{
    struct read_part part[RANGES_MAX];
    int count = multipart_read(sent, boundary, part, (int)link->rules.ranges_max);
    core_holds(count > 1);
    for (int i = 0; i < count; i++)
        bytes_check(part[i].content, part[i].first);
}

static void content_check(const struct core_link *link, const struct exchange *exchange,
                          const char *head, struct text sent)
{
    size_t length = exchange->head_length;
    struct text range = head_field(head, length, "\r\nContent-Range: bytes ");
    struct text boundary =
        head_field(head, length, "\r\nContent-Type: multipart/byteranges; boundary=");
    core_holds((exchange->status == 206) == (range.base || boundary.base));
    core_holds(!range.base || !boundary.base);
    if (boundary.base)
        multipart_check(link, boundary, sent);
    else
        bytes_check(sent, range.base ? text_number(range) : 0);
}

/* A client of another protocol gets a response that has no head. */
static void foreign_check(const char *bytes, const struct exchange *exchange)
{
    struct text expected = foreign_response(exchange->refused);
    core_holds(expected.base && text_equals((struct text){bytes, exchange->length}, expected));
    core_holds(exchange->content_bytes == exchange->length);
}

/*
 * Checks a response that was completely sent: HTTP can read it, and it has the content that it
 * announces.
 */
static void answer_check(const struct core_link *link, const struct exchange *exchange)
{
    const char *head = link->output + link->settled_bytes;
    size_t head_length = exchange->head_length;
    uint64_t content_length = exchange->length - head_length;
    bool head_only = text_equals(exchange->method_name, TEXT("HEAD"));
    char line[16];
    if (head_length == 0) {
        foreign_check(head, exchange);
        return;
    }
    snprintf(line, sizeof(line), "HTTP/1.1 %u ", (unsigned)exchange->status);
    core_holds(text_begins(head, head_length, line));
    core_holds(memmem(head, head_length, "\r\n\r\n", 4) == head + head_length - 4);
    core_holds(head_field(head, head_length, "\r\nDate: ").length == 29);
    struct text announced = head_field(head, head_length, "\r\nContent-Length: ");
    core_holds(exchange->content_bytes == content_length);
    if (exchange->status == 204 || exchange->status == 304)
        core_holds(!announced.base && content_length == 0);
    else if (content_length == 0 && (head_only || !exchange->method_name.base))
        core_holds(announced.base != NULL);
    else
        core_holds(text_number(announced) == content_length);
    if (exchange->status == 200 || exchange->status == 206)
        content_check(link, exchange, head, (struct text){head + head_length, content_length});
    if (exchange->status >= 400 && content_length > 0 && !link->pages_are_files)
        core_holds(text_begins(head + head_length, content_length, "<!doctype html>"));
}

/* ---- the facts ------------------------------------------------------------------------------- */

void core_link_open(struct core_link *link, const struct conn_rules *rules)
{
    *link = (struct core_link){.rules = *rules, .now = core_now(NS_PER_SECOND)};
    conn_open(&link->conn, &link->rules, &link->now);
    link_check(link);
}

void core_link_rest(struct core_link *link)
{
    if (!link->conn.work || !conn_idle(&link->conn)) return;
    void *work = conn_return_work(&link->conn);
    memset(work, 0xa5, conn_work_size(&link->rules));
    free(work);
}

void core_link_close(struct core_link *link)
{
    if (conn_next(&link->conn) != CONN_CLOSE) core_link_fail(link, CLOSE_PEER_RESET);
    core_holds(core_link_advance(link) == CONN_CLOSE);
    core_link_rest(link);
    core_holds(link->conn.work == NULL);
    core_holds(link->lent_count == link->returned_count);
    free(link->output);
    link->output = NULL;
}

/* The password itself says what becomes of it. */
static enum admission link_admission(const struct credentials *c)
{
    static const struct {
        struct text password;
        enum admission admission;
    } known[] = {{{"right", 5}, ADMISSION_GRANTED},
                 {{"limited", 7}, ADMISSION_LIMITED},
                 {{"busy", 4}, ADMISSION_BUSY}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (text_equals(c->password, known[i].password)) return known[i].admission;
    return ADMISSION_DENIED;
}

static void link_resolve(struct core_link *link)
{
    struct stream *asking = conn_asking(&link->conn);
    const struct credentials *credentials = conn_credentials(&link->conn, asking);
    if (link->parks && link->parks(link->parks_of)) {
        link->parked = asking;
        conn_parked(&link->conn, asking);
        return;
    }
    if (credentials) {
        conn_admitted(&link->conn, asking, link_admission(credentials), &link->now);
        return;
    }
    struct resolution found = core_resolve(conn_lookup(asking));
    core_holds(link->lent_count - link->returned_count < EXCHANGES_MAX);
    if (found.kind == RESOLUTION_FOUND)
        link->lent[link->lent_count++ % EXCHANGES_MAX] = found.representation;
    if (conn_resolved(&link->conn, asking, found, &link->now)) link->lent_count--; /* returned */
}

static void link_settle(struct core_link *link)
{
    const struct exchange *exchange = conn_exchange(&link->conn, &link->now);
    bool whole = link->output_length - link->settled_bytes >= exchange->length;
    core_holds(whole || link->conn.failed);
    if (whole) answer_check(link, exchange);
    link->settled_bytes = whole ? link->settled_bytes + exchange->length : link->output_length;
    link->status[link->settled++ % CORE_STATUSES_MAX] = exchange->status;
    if (link->on_settle) link->on_settle(link, exchange);
    const struct representation *lent = exchange->lent;
    conn_settled(&link->conn, &link->now);
    if (lent) {
        core_holds(link->returned_count < link->lent_count);
        core_holds(link->lent[link->returned_count++ % EXCHANGES_MAX] == lent);
    }
}

enum conn_step core_link_advance(struct core_link *link)
{
    for (;;) {
        enum conn_step step = conn_next(&link->conn);
        if (step == CONN_RESOLVE)
            link_resolve(link);
        else if (step == CONN_SETTLE)
            link_settle(link);
        else
            return step;
        link_check(link);
    }
}

static void link_work_lend(struct core_link *link)
{
    size_t size = conn_work_size(&link->rules);
    if (link->conn.work) return;
    char *work = malloc(size);
    core_holds(work != NULL);
    memset(work, 0x5a, size);
    conn_lend_work(&link->conn, work);
    if (link->rules.request_id) conn_ids(&link->conn, &link->ids);
}

size_t core_link_receive(struct core_link *link, const char *bytes, size_t length)
{
    link_work_lend(link);
    struct iovec space = conn_receive_space(&link->conn);
    core_holds(space.iov_len > 0);
    size_t count = length < space.iov_len ? length : space.iov_len;
    memcpy(space.iov_base, bytes, count);
    conn_received(&link->conn, count, 0, &link->now);
    link_check(link);
    return count;
}

void core_link_finish(struct core_link *link)
{
    conn_received(&link->conn, 0, 0, &link->now);
    link_check(link);
}

static void output_append(struct core_link *link, const char *base, uint64_t offset, size_t length)
{
    if (link->output_length + length > link->output_size) {
        link->output_size = 2 * (link->output_length + length);
        link->output = realloc(link->output, link->output_size);
        core_holds(link->output != NULL);
    }
    char *to = link->output + link->output_length;
    if (base)
        memcpy(to, base, length);
    else
        for (size_t i = 0; i < length; i++)
            to[i] = core_content_byte(offset + i);
    link->output_length += length;
}

uint64_t core_link_send(struct core_link *link, uint64_t most)
{
    struct outgoing out;
    conn_outgoing(&link->conn, &out);
    uint64_t length = out.length < most ? out.length : most;
    uint64_t left = length;
    for (int i = 0; i < out.count && left > 0; i++) {
        size_t part = left < out.vector[i].iov_len ? (size_t)left : out.vector[i].iov_len;
        output_append(link, out.vector[i].iov_base, 0, part);
        left -= part;
    }
    if (out.count == 0) {
        core_holds(out.fd == CORE_FILE_FD);
        output_append(link, NULL, out.offset, (size_t)left);
    }
    conn_sent(&link->conn, length, &link->now);
    link->sends++;
    link_check(link);
    return length;
}

void core_link_unpark(struct core_link *link)
{
    conn_unparked(&link->conn, link->parked, true);
    link->parked = NULL;
    link_check(link);
}

void core_link_half_close(struct core_link *link)
{
    conn_half_closed(&link->conn, &link->now);
    link_check(link);
}

void core_link_wait(struct core_link *link, uint64_t ns)
{
    link->now.monotonic_ns += ns;
}

void core_link_expire(struct core_link *link)
{
    if (link->now.monotonic_ns < conn_deadline_ns(&link->conn))
        link->now.monotonic_ns = conn_deadline_ns(&link->conn);
    conn_expired(&link->conn, &link->now);
    if (link->conn.failed) link->parked = NULL;
    link_check(link);
}

void core_link_fail(struct core_link *link, enum close_reason why)
{
    conn_failed(&link->conn, why);
    link->parked = NULL;
    link_check(link);
}

size_t core_link_feed(struct core_link *link, const char *bytes, size_t length)
{
    size_t taken = 0;
    for (;;) {
        switch (core_link_advance(link)) {
        case CONN_RECEIVE:
            if (taken == length) return taken;
            taken += core_link_receive(link, bytes + taken, length - taken);
            break;
        case CONN_SEND: core_link_send(link, UINT64_MAX); break;
        case CONN_HALF_CLOSE: core_link_half_close(link); break;
        case CONN_PARKED: core_link_unpark(link); break;
        case CONN_CLOSE: return taken;
        case CONN_RESOLVE:
        case CONN_SETTLE: core_holds(false && "core_link_advance takes these");
        }
    }
}
