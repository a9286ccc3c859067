/*
 * Chooses the response for each path. libmicrohttpd reads the requests and sends the responses.
 * What a peer can cost is limited: connections, their times (peers.h), and their memory. Requests
 * under unknown names (host.h) and with methods other than GET and HEAD are refused. No cache may
 * store a response.
 */
#include "status/answering.h"

#include "base/gathered.h"
#include "status/asset.h"
#include "status/document.h"
#include "status/host.h"
#include "status/library.h"
#include "status/peers.h"
#include "zcserve/now.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#define CONNECTION_BYTES (16 * 1024)
#define DOCUMENT_BYTES_MAX (64 * 1024 * 1024) /* 1,024 workers take a tenth of it */

struct answering {
    struct MHD_Daemon *daemon;
    struct document *document;
    const char *const *hosts; /* allowed names; NULL: all */
    struct peers peers;
};

/* A response: a text made for it, or constant bytes. */
struct answer {
    unsigned status;
    const char *media_type;
    struct MHD_Response *response; /* NULL: no memory */
};

/*
 * ---- responses --------------------------------------------------------------------------------
 */

static struct answer answer_of(unsigned status, const char *media_type, const void *bytes,
                               size_t length)
{
    /* The library does not write to a buffer that is MHD_RESPMEM_PERSISTENT. */
    void *constant = (void *)(uintptr_t)bytes;
    return (struct answer){
        status, media_type,
        http.create_response_from_buffer(length, constant, MHD_RESPMEM_PERSISTENT)};
}

static struct answer answer_line(unsigned status, const char *line)
{
    return answer_of(status, "text/plain; charset=utf-8", line, strlen(line));
}

typedef void document_write(struct document *document, struct MHD_Connection *asked, FILE *out);

static struct answer answer_written(struct answering *a, struct MHD_Connection *asked,
                                    const char *media_type, document_write *write)
{
    struct gathered gathered;
    FILE *out = gathered_open(&gathered, DOCUMENT_BYTES_MAX);
    struct answer answer = {MHD_HTTP_OK, media_type, NULL};
    if (!out) return answer;
    write(a->document, asked, out);
    if (!gathered_close(&gathered, out)) return answer;
    answer.response =
        http.create_response_from_buffer(gathered.length, gathered.text, MHD_RESPMEM_MUST_FREE);
    if (!answer.response) free(gathered.text);
    return answer;
}

/* Returns the value of ?name=… in the query; NULL when it is absent or "0". */
static const char *wish_of(struct MHD_Connection *asked, const char *name)
{
    const char *value = http.lookup_connection_value(asked, MHD_GET_ARGUMENT_KIND, name);
    return value && strcmp(value, "0") != 0 ? value : NULL;
}

static void json_write(struct document *document, struct MHD_Connection *asked, FILE *out)
{
    const char *buckets = wish_of(asked, "buckets");
    struct document_wishes wishes = {.processes = wish_of(asked, "processes") != NULL};
    if (buckets) wishes.buckets = strcmp(buckets, "page") == 0 ? BUCKETS_PAGE : BUCKETS_ALL;
    document_json(document, wishes, out);
}

static void metrics_write(struct document *document, struct MHD_Connection *asked, FILE *out)
{
    (void)asked;
    document_metrics(document, out);
}

static struct answer answer_ready(const struct answering *a)
{
    if (document_draining(a->document))
        return answer_line(MHD_HTTP_SERVICE_UNAVAILABLE, "draining\n");
    if (!document_begun(a->document))
        return answer_line(MHD_HTTP_SERVICE_UNAVAILABLE, "starting\n");
    return answer_line(MHD_HTTP_OK, "ready\n");
}

static struct answer answer_find(struct answering *a, struct MHD_Connection *asked,
                                 const char *path)
{
    if (strcmp(path, "/status.json") == 0)
        return answer_written(a, asked, "application/json", json_write);
    if (strcmp(path, "/metrics") == 0)
        return answer_written(a, asked, "text/plain; version=0.0.4; charset=utf-8", metrics_write);
    if (strcmp(path, "/healthz") == 0) return answer_line(MHD_HTTP_OK, "ok\n");
    if (strcmp(path, "/readyz") == 0) return answer_ready(a);
    const struct asset *asset = asset_find(path);
    if (asset) return answer_of(MHD_HTTP_OK, asset->media_type, asset->bytes, asset->length);
    return answer_line(MHD_HTTP_NOT_FOUND, "not found; try /, /metrics or /status.json\n");
}

static struct answer answer_refusal(void)
{
    struct answer answer = answer_line(MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (answer.response) http.add_response_header(answer.response, "Allow", "GET, HEAD");
    return answer;
}

/*
 * ---- peers ------------------------------------------------------------------------------------
 */

/* Shuts down the connections that must go. The library notices that, and closes them. */
static void let_go(struct answering *a)
{
    struct peer *peer = NULL;
    while ((peer = peers_next_to_go(&a->peers, now_monotonic_ns())))
        shutdown(peer->fd, SHUT_RDWR);
}

static struct peer *peer_of(struct MHD_Connection *asked)
{
    return http.get_connection_info(asked, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_connection(void *of, struct MHD_Connection *asked, void **own,
                          enum MHD_ConnectionNotificationCode what)
{
    struct answering *a = of;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        peers_remove(*own);
        return;
    }
    int fd = http.get_connection_info(asked, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *address =
        http.get_connection_info(asked, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    *own = peers_add(&a->peers, fd, address, now_monotonic_ns());
    let_go(a);
}

static void on_completed(void *of, struct MHD_Connection *asked, void **own,
                         enum MHD_RequestTerminationCode why)
{
    (void)of, (void)own, (void)why;
    struct peer *peer = peer_of(asked);
    if (peer) peer_enter(peer, PEER_KEPT, now_monotonic_ns());
}

struct naming {
    const char *const *hosts;
    bool known;
};

/* The library calls it for each field of the request. */
static enum MHD_Result on_field(void *of, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    struct naming *naming = of;
    (void)kind;
    if (strcasecmp(name, "Host") == 0 && !host_is_known(value ? value : "", naming->hosts))
        naming->known = false;
    return MHD_YES;
}

/* Returns whether the name is allowed. A request without Host is: browsers always send one. */
static bool is_named_right(const struct answering *a, struct MHD_Connection *asked)
{
    struct naming naming = {a->hosts, true};
    if (a->hosts) http.get_connection_values(asked, MHD_HEADER_KIND, on_field, &naming);
    return naming.known;
}

/* ---- requests --------------------------------------------------------------------------------- */

static struct answer answer_choose(struct answering *a, struct MHD_Connection *asked,
                                   const char *path, bool may)
{
    if (!is_named_right(a, asked))
        return answer_line(
            MHD_HTTP_MISDIRECTED_REQUEST,
            "the status is not shown under this host name; use an address, or add the name to "
            "the option status_hosts\n");
    return may ? answer_find(a, asked, path) : answer_refusal();
}

/*
 * The library calls it when the head of a request is there, and again until there is a response. A
 * response at the first call ends the connection, because content may follow that is not read.
 */
static enum MHD_Result on_request(void *of, struct MHD_Connection *asked, const char *path,
                                  const char *method, const char *version, const char *content,
                                  size_t *content_length, void **own)
{
    static int seen;
    struct peer *peer = peer_of(asked);
    bool may = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    bool again = *own == &seen;
    (void)version, (void)content;
    *own = &seen;
    if (peer && peer->leaves) return MHD_NO; /* earlier requests of a leaving peer get no work */
    if (!again && peer) peer_enter(peer, PEER_ANSWERED, now_monotonic_ns());
    if (may && (!again || *content_length > 0)) {
        *content_length = 0; /* takes the content, and ignores it */
        return MHD_YES;
    }
    struct answer answer = answer_choose(of, asked, path, may);
    if (!answer.response) return MHD_NO; /* closes the connection */
    http.add_response_header(answer.response, "Content-Type", answer.media_type);
    http.add_response_header(answer.response, "Cache-Control", "no-store");
    http.add_response_header(answer.response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = http.queue_response(asked, answer.status, answer.response);
    http.destroy_response(answer.response);
    return result;
}

/* ---- the library ------------------------------------------------------------------------------ */

struct answering *answering_open(int listener, const struct status_subject *subject)
{
    struct answering *a = calloc(1, sizeof(*a));
    if (!a) return NULL;
    a->hosts = subject->hosts;
    peers_open(&a->peers);
    a->document = document_open(subject);
    if (a->document)
        a->daemon =
            http.start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, a, MHD_OPTION_LISTEN_SOCKET,
                              (MHD_socket)listener, MHD_OPTION_CONNECTION_LIMIT,
                              (unsigned)PEERS_ROOM, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
                              a, MHD_OPTION_NOTIFY_COMPLETED, on_completed, a, MHD_OPTION_END);
    if (a->daemon) return a;
    document_close(a->document);
    free(a);
    return NULL;
}

void answering_close(struct answering *a)
{
    http.stop_daemon(a->daemon);
    document_close(a->document);
    free(a);
}

int answering_fd(const struct answering *a)
{
    return http.get_daemon_info(a->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int answering_patience_ms(struct answering *a)
{
    unsigned long long left_ms = ULLONG_MAX;
    uint64_t due_ns = peers_deadline_ns(&a->peers), at_ns = now_monotonic_ns();
    if (http.get_timeout(a->daemon, &left_ms) != MHD_YES) left_ms = ULLONG_MAX;
    if (due_ns != UINT64_MAX) {
        uint64_t due_ms = due_ns > at_ns ? (due_ns - at_ns) / NS_PER_MS + 1 : 0;
        if (due_ms < left_ms) left_ms = due_ms;
    }
    if (left_ms == ULLONG_MAX) return -1;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

void answering_turn(struct answering *a)
{
    http.run(a->daemon);
    let_go(a);
}
