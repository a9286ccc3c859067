/*
 * Makes a service from the configuration: copies each option to the structure of the room that uses
 * it. A wrong value is reported with the place where it was set. Nothing that is opened here stays
 * open.
 */
#include "start/program.h"
#include "start/sites.h"
#include "zcserve/log.h"
#include "zcserve/media_type.h"
#include "zcserve/utf8.h"

#include <stdio.h>
#include <stdlib.h>

void problem_print(FILE *errors, const char *where, const char *option, const char *problem)
{
    utf8_print(errors, where);
    fprintf(errors, ": %s: ", option);
    utf8_print(errors, problem);
    fputc('\n', errors);
}

void config_problem(const struct program *p, const char *option, const void *member,
                    const char *problem)
{
    problem_print(p->errors, config_place(p->config, member), option, problem);
}

/* Without sites and rules, the core is not told of any, so that they cost nothing. */
static bool sites_read(struct program *p)
{
    p->sites = site_set_new(p->config, p->errors);
    if (p->sites && p->sites->used) p->service.rules.sites = &p->sites->sites;
    return p->sites;
}

static bool trusted_read(struct program *p)
{
    const struct config_list *trusted = &p->config->trusted;
    for (uint32_t i = 0; i < trusted->count; i++) {
        struct text text = {trusted->item[i], strlen(trusted->item[i])};
        if (networks_add(&p->service.rules.trusted, text)) continue;
        config_problem(
            p, "trusted", trusted,
            "write addresses or networks, such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32 "
            "(all bits behind the prefix are 0), or unix");
        return false;
    }
    return true;
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
    return trusted_read(p);
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
    if (address->proxy) {
        config_problem(p, "status", &p->config->status, "the status has no PROXY protocol");
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
        .lists = config->listing,
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
        .server_timing = config->server_timing,
        .request_id = config->request_id,
        .forwarding = (enum forwarding)config->forwarded,
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

#define LISTINGS_BEYOND (UINT64_C(1) << 20) /* bytes of a worker: about 4,000 names */

static bool lists_anything(const struct conn_rules *rules)
{
    return rules->lists || (rules->sites && rules->sites->lists);
}

static void store_options_make(struct program *p)
{
    const struct config *config = p->config;
    p->service.store = (struct store_options){
        .tree = p->tree,
        .trees = p->sites->trees,
        .memory_bytes_max = config->cache_size / p->service.workers,
        .listings_bytes_max = lists_anything(&p->service.rules) ? LISTINGS_BEYOND : 0,
        .file_bytes_max = config->cache_file_max,
        .descriptors_max = (uint32_t)config->cache_descriptors,
        .absent_max = (uint32_t)config->cache_absent,
        .watches_max = (uint32_t)config->cache_watches,
        .recheck_ns = config->cache_recheck,
    };
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
    if (!sites_read(p) || !quota_make(p) || !addresses_read(p) || !status_read(p) || !types_read(p))
        return false;
    if (!encoders_load(p) || !trees_make(p)) return false;
    store_options_make(p);
    return roots_valid(p) && confinement_make(p);
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
