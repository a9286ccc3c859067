/*
 * A worker over a temporary directory; see core_site.h.
 */
#include "core_site.h"
#include "zcserve/media_type.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS 4 /* of the board: most tests use one worker */

static const char *const index_names[] = {"index.html", NULL};

static void service_make(struct core_site *site)
{
    struct service *service = &site->service;
    *service = (struct service){.workers = 1, .connections_max = 256};
    service->rules = (struct conn_rules){
        .server = TEXT("zcserve"),
        .head_bytes_max = 8192,
        .target_bytes_max = 4096,
        .fields_max = 100,
        .body_bytes_max = 1 << 20,
        .ranges_max = 16,
        .head_ns = 10 * NS_PER_SECOND,
        .body_ns = 10 * NS_PER_SECOND,
        .idle_ns = 60 * NS_PER_SECOND,
        .send_ns = 30 * NS_PER_SECOND,
        .linger_ns = 2 * NS_PER_SECOND,
        .linger_most_ns = 10 * NS_PER_SECOND,
        .keep_alive = true,
    };
    static struct media_types *types; /* the same for every site, as they never change */
    if (!types) types = media_types_embedded();
    site->tree = (struct tree_options){.root = site->root, .index = index_names, .types = types};
    service->store = (struct store_options){
        .tree = &site->tree,
        .trees = 1,
        .memory_bytes_max = 4 << 20,
        .file_bytes_max = CORE_SITE_FILE_MAX,
        .descriptors_max = 16,
        .absent_max = 64,
        .watches_max = 64,
        .recheck_ns = NS_PER_SECOND,
    };
    service->board = stats_board_open(SLOTS);
    assert(service->board);
}

void core_site_open(struct core_site *site)
{
    *site = (struct core_site){.peer = -1};
    signal(SIGPIPE, SIG_IGN); /* as supervise() does for workers */
    strcpy(site->root, "/tmp/zcserve-core-XXXXXX");
    char *made = mkdtemp(site->root);
    assert(made);
    service_make(site);
    int error = worker_open(&site->worker, &site->service, 0);
    assert(error == 0);
}

void core_site_connect(struct core_site *site, int send_bytes)
{
    int pair[2];
    int error = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
    assert(error == 0);
    if (send_bytes > 0) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
    site->peer = pair[1];
    site->open = true;
    client_open(&site->client, &site->worker, pair[0], NULL);
}

static int entry_remove(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

void core_site_close(struct core_site *site)
{
    if (site->open) {
        if (conn_next(&site->client.conn) != CONN_CLOSE)
            conn_failed(&site->client.conn, CLOSE_DRAINED);
        enum conn_step step = worker_advance(&site->worker, &site->client);
        assert(step == CONN_CLOSE);
        client_close(&site->client, &site->worker);
    }
    if (site->peer >= 0) close(site->peer);
    assert(site->worker.works.used == 0);
    worker_close(&site->worker); /* its assertion fails while something is lent */
    stats_board_close(site->service.board, SLOTS);
    nftw(site->root, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

char core_site_byte(size_t offset)
{
    return (char)('!' + (offset * 31 + offset / 89) % 89);
}

void core_site_file(const struct core_site *site, const char *name, size_t length)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", site->root, name);
    FILE *file = fopen(path, "wb");
    assert(file);
    for (size_t i = 0; i < length; i++)
        fputc(core_site_byte(i), file);
    fclose(file);
}

void core_site_truncate(const struct core_site *site, const char *name, size_t length)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", site->root, name);
    int error = truncate(path, (off_t)length);
    assert(error == 0);
}

void core_site_say(struct core_site *site, const char *text)
{
    ssize_t sent = send(site->peer, text, strlen(text), 0);
    assert(sent == (ssize_t)strlen(text));
}

ssize_t core_site_hear(struct core_site *site, char *to, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t n = recv(site->peer, to + length, size - length, 0);
        if (n == 0 && length == 0) return -1;
        if (n <= 0) break;
        length += (size_t)n;
    }
    return (ssize_t)length;
}

enum drive core_site_turn(struct core_site *site, uint64_t budget)
{
    if (!drive_receive(&site->worker, &site->client)) return DRIVE_WANT_READ;
    return drive(&site->worker, &site->client, budget);
}
