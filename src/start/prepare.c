/*
 * Makes a service from the configuration: copies each option to the structure of the room that uses
 * it. A wrong value is reported with the place where it was set. Nothing that is opened here stays
 * open.
 */
#include "encode/encode.h"
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
        .linger_ns = config->timeouts_linger,
        .linger_most_ns = LINGER_SILENCES * config->timeouts_linger,
        .keep_alive = config->keep_alive,
        .listing = config->listing,
    };
    arc4random_buf(rules->seed, sizeof(rules->seed));
}

static enum coding coding_of_word(const char *word)
{
    enum coding coding = CODING_ZSTD; /* the table of options allows no other words */
    if (strcmp(word, "br") == 0) coding = CODING_BR;
    if (strcmp(word, "gz") == 0) coding = CODING_GZIP;
    return coding;
}

/* Loads the libraries, before the workers begin and before a sandbox could forbid it. */
static bool encoders_load(const struct program *p)
{
    const struct config_list *codings = &p->config->compress_codings;
    char problem[256];
    for (uint32_t i = 0; i < codings->count; i++) {
        if (encode_load(coding_of_word(codings->item[i]), problem, sizeof(problem))) continue;
        config_problem(p, "compress.codings", codings, problem);
        return false;
    }
    return true;
}

static struct compress_options compress_options_make(const struct config *config)
{
    struct compress_options options = {
        .level = {[CODING_GZIP] = (int)config->compress_level_gz,
                  [CODING_BR] = (int)config->compress_level_br,
                  [CODING_ZSTD] = (int)config->compress_level_zst},
        .types = config->compress_types.item,
        .bytes_min = config->compress_least,
        .bytes_max = config->compress_most,
    };
    for (uint32_t i = 0; i < config->compress_codings.count; i++)
        options.coding[options.codings++] = coding_of_word(config->compress_codings.item[i]);
    return options;
}

static void tree_make(struct program *p)
{
    const struct config *config = p->config;
    p->tree = (struct tree_options){
        .root = config->root,
        .index = config->index.item,
        .symlinks = (enum symlink_policy)config->symlinks,
        .hidden = config->hidden,
        .sidecar = {[CODING_GZIP] = config_list_has(&config->sidecars, "gz"),
                    [CODING_BR] = config_list_has(&config->sidecars, "br"),
                    [CODING_ZSTD] = config_list_has(&config->sidecars, "zst")},
        .types = p->types,
        .compress = compress_options_make(config),
    };
}

static void store_options_make(struct program *p)
{
    const struct config *config = p->config;
    tree_make(p);
    p->service.store = (struct store_options){
        .tree = &p->tree,
        .trees = 1,
        .memory_bytes_max = config->cache_size / p->service.workers,
        .file_bytes_max = config->cache_file_max,
        .descriptors_max = (uint32_t)config->cache_descriptors,
        .absent_max = (uint32_t)config->cache_absent,
        .watches_max = (uint32_t)config->cache_watches,
        .recheck_ns = config->cache_recheck,
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
    if (!sites_absent(p) || !addresses_read(p) || !status_read(p) || !types_read(p) ||
        !encoders_load(p))
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
