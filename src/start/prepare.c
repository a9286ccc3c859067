/*
 * Makes a service from the configuration: copies each option to the structure of the room that uses
 * it. A wrong value is reported with the place where it was set. Nothing that is opened here stays
 * open.
 */
#include "start/program.h"
#include "zcserve/log.h"
#include "zcserve/media_type.h"
#include "zcserve/utf8.h"

#include <stdio.h>
#include <stdlib.h>

/* Prints a problem in the form of config_load(). */
static void problem_print(FILE *errors, const char *where, const char *what, const char *problem)
{
    utf8_print(errors, where);
    fprintf(errors, ": %s: ", what);
    utf8_print(errors, problem);
    fputc('\n', errors);
}

void config_problem(const struct program *p, const char *option, const void *member,
                    const char *problem)
{
    problem_print(p->errors, config_place(p->config, member), option, problem);
}

/* Sites are read but not served yet. To ignore them would be wrong: a rule may forbid access. */
static bool sites_absent(const struct program *p)
{
    const struct config_block *site = p->config->block.inner;
    if (site)
        problem_print(p->errors, site->where, "site",
                      "sites are not served yet; set root and the other options outside of sites");
    return !site;
}

static bool addresses_read(struct program *p)
{
    struct service *service = &p->service;
    const struct config_list *listen = &p->config->listen;
    struct listen_access access;
    if (!unix_access_read(p, &access)) return false;
    for (uint32_t i = 0; i < listen->count; i++) {
        char problem[256];
        if (listen_address_parse(listen->item[i], &service->address[i], problem, sizeof(problem)) !=
            0) {
            config_problem(p, "listen", listen, problem);
            return false;
        }
        service->address[i].access = access;
    }
    service->addresses = listen->count;
    return true;
}

/* Returns whether each name can be the host of a Host field, without a port, or is "*". */
static bool hosts_valid(const struct program *p)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const struct config_list *hosts = &p->config->status_hosts;
    for (uint32_t i = 0; i < hosts->count; i++) {
        const char *name = hosts->item[i];
        if (strcmp(name, "*") == 0 || name[strspn(name, letters)] == '\0') continue;
        config_problem(p, "status_hosts", hosts,
                       "a name has only letters, digits, '-', '.' and '_', and no port; * allows "
                       "any name");
        return false;
    }
    return true;
}

static bool status_read(struct program *p)
{
    char problem[256];
    struct listen_address *address = &p->status.address;
    if (!has_status(p)) return hosts_valid(p);
    if (listen_address_parse(p->config->status, address, problem, sizeof(problem)) != 0) {
        config_problem(p, "status", &p->config->status, problem);
        return false;
    }
    return hosts_valid(p) && unix_access_read(p, &address->access);
}

static bool charset_set(struct program *p)
{
    const char *charset = p->config->charset;
    if (media_types_set_charset(p->types, strcmp(charset, "off") == 0 ? "" : charset)) return true;
    config_problem(p, "charset", &p->config->charset,
                   "must be the name of a charset, such as utf-8, or off");
    return false;
}

static bool types_read(struct program *p)
{
    char problem[256];
    const char *file = p->config->mime_types;
    p->types = *file ? media_types_load(file, problem, sizeof(problem)) : media_types_embedded();
    if (!p->types)
        config_problem(p, "mime_types", &p->config->mime_types,
                       *file ? problem : "not enough memory for media types");
    return p->types && charset_set(p);
}

/*
 * A peer that keeps sending after the last response is read for at most 15 times the linger time.
 */
#define LINGER_SILENCES 15

/* A response that is sent at its bandwidth is never too slow, even when it pauses now and then. */
static uint64_t send_byte_ns(const struct config *config)
{
    uint64_t rate = config->limits_send_rate, most = config->limits_bandwidth / 4;
    if (most > 0 && rate > most) rate = most;
    return rate > 0 ? (NS_PER_SECOND + rate - 1) / rate : 0;
}

static void rules_make(struct conn_rules *rules, const struct config *config)
{
    *rules = (struct conn_rules){
        .server = {config->server, strlen(config->server)},
        .not_acceptable = config->not_acceptable,
        .head_bytes_max = (uint32_t)config->limits_head,
        .target_bytes_max = (uint32_t)config->limits_target,
        .fields_max = (uint32_t)config->limits_fields,
        .body_bytes_max = config->limits_body,
        .ranges_max = (uint32_t)config->limits_ranges,
        .head_ns = config->timeouts_head,
        .body_ns = config->timeouts_body,
        .idle_ns = config->timeouts_idle,
        .send_ns = config->timeouts_send,
        .send_byte_ns = send_byte_ns(config),
        .linger_ns = config->timeouts_linger,
        .linger_most_ns = LINGER_SILENCES * config->timeouts_linger,
        .keep_alive = config->keep_alive,
    };
    arc4random_buf(rules->seed, sizeof(rules->seed));
}

static bool quota_make(struct program *p)
{
    const struct config *config = p->config;
    struct quota_rules *quota = &p->service.quota;
    *quota = (struct quota_rules){
        .connections = (uint32_t)config->limits_connections_per_address,
        .requests = (uint32_t)config->limits_requests_per_second,
        .burst = (uint32_t)config->limits_burst,
        .bandwidth = config->limits_bandwidth,
        .addresses = (uint32_t)config->limits_addresses,
    };
    p->service.fetches_of_one = (uint32_t)config->limits_cold_reads;
    for (uint32_t i = 0; i < config->limits_exempt.count; i++) {
        const char *name = config->limits_exempt.item[i];
        if (networks_add(&quota->exempt, (struct text){name, strlen(name)})) continue;
        config_problem(p, "limits.exempt", &config->limits_exempt,
                       "must be addresses or networks, such as 192.0.2.1, 10.0.0.0/8 or "
                       "2001:db8::/32");
        return false;
    }
    return true;
}

static void store_options_make(struct program *p)
{
    const struct config *config = p->config;
    p->service.store = (struct store_options){
        .root = config->root,
        .index = config->index.item,
        .symlinks = (enum symlink_policy)config->symlinks,
        .hidden = config->hidden,
        .sidecar = {[CODING_GZIP] = config_list_has(&config->sidecars, "gz"),
                    [CODING_BR] = config_list_has(&config->sidecars, "br"),
                    [CODING_ZSTD] = config_list_has(&config->sidecars, "zst")},
        .memory_bytes_max = config->cache_size / p->service.workers,
        .file_bytes_max = config->cache_file_max,
        .descriptors_max = (uint32_t)config->cache_descriptors,
        .absent_max = (uint32_t)config->cache_absent,
        .watches_max = (uint32_t)config->cache_watches,
        .recheck_ns = config->cache_recheck,
        .types = p->types,
    };
}

/* Opens a store and closes it, to check that the root can be served. */
static bool root_valid(const struct program *p)
{
    char problem[256];
    struct store *store = store_open(&p->service.store, problem, sizeof(problem));
    if (!store) {
        config_problem(p, "root", &p->config->root, problem);
        return false;
    }
    store_close(store);
    return true;
}

bool service_make(struct program *p)
{
    const struct config *config = p->config;
    struct service *service = &p->service;
    p->model = model_find((enum config_model)config->model);
    p->model->shape(service, config);
    service->drain_ns = config->timeouts_drain;
    service->waits_for_disk = !config->lesson_disk_guard;
    service->backlog = (int)config->backlog;
    service->log_format = (enum access_format)config->log_format;
    service->log_buffer_bytes = config->log_buffer;
    service->log_interval_ns = config->log_interval;
    rules_make(&service->rules, config);
    if (!quota_make(p) || !sites_absent(p) || !addresses_read(p) || !status_read(p) ||
        !types_read(p))
        return false;
    store_options_make(p);
    return root_valid(p);
}

/* auto falls back to epoll, which works on every system. */
bool model_choose(struct program *p, char *problem_text, size_t size)
{
    const struct model *model = p->model;
    const char *problem = model->problem ? model->problem(&p->service) : NULL;
    if (problem && p->config->model != MODEL_AUTO) {
        snprintf(problem_text, size, "%s; or choose model = epoll", problem);
        return false;
    }
    if (problem) {
        p->model = model_find(MODEL_EPOLL);
        log_notice("model epoll was chosen, because of %s", problem);
    } else if (model->prepare) {
        model->prepare(&p->service);
    }
    return true;
}
