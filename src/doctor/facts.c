/* The facts that follow from the configuration alone. */
#include "doctor/facts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "config/problem.h"
#include "model/shape.h"

/* A root counts once, whatever options sites have for it. Those beyond the room are not looked at. */
static void roots_add(struct facts *facts, const struct config *config)
{
    struct config_root root[FACTS_ROOTS_MAX];
    uint32_t count = config_roots(config, root, FACTS_ROOTS_MAX);
    for (uint32_t i = 0; i < count && i < FACTS_ROOTS_MAX; i++) {
        unsigned known = 0;
        while (known < facts->roots && strcmp(facts->root[known].path, root[i].root) != 0)
            known++;
        if (known == facts->roots)
            facts->root[facts->roots++] = (struct facts_root){.path = root[i].root};
    }
}

static int address_add(struct facts *facts, const char *option, const void *member,
                       const char *text, struct problems *problems)
{
    char problem[256];
    struct facts_address *address = &facts->address[facts->addresses];
    *address = (struct facts_address){.option = option};
    if (listen_address_parse(text, &address->address, problem, sizeof(problem)) != 0) {
        problem_tell(problems, config_place(facts->config, member), "%s: %s", option, problem);
        return -1;
    }
    listen_address_format(&address->address, address->text, sizeof(address->text));
    facts->addresses++;
    return 0;
}

static int addresses_add(struct facts *facts, struct problems *problems)
{
    const struct config *config = facts->config;
    for (uint32_t i = 0; i < config->listen.count; i++)
        if (address_add(facts, "listen", &config->listen, config->listen.item[i], problems) != 0)
            return -1;
    if (*config->status == '\0' || strcmp(config->status, "off") == 0) return 0;
    return address_add(facts, "status", &config->status, config->status, problems);
}

/* Adds a log that is a file. */
static void log_add(struct facts *facts, const char *option, const char *path)
{
    static const char *const others[] = {"", "-", "off", "stderr"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(path, others[i]) == 0) return;
    facts->log[facts->logs++] = (struct facts_log){.option = option, .path = path};
}

/* Adds the files of users that rules name, each once. Those beyond the room are not looked at. */
static void users_add(struct facts *facts, const struct config_block *block)
{
    for (; block; block = block->next) {
        const char *path = ((const struct config_rule *)(const void *)block)->users;
        unsigned known = 0;
        if (strcmp(path, "off") == 0) continue;
        while (known < facts->users_files && strcmp(facts->users[known].path, path) != 0)
            known++;
        if (known == facts->users_files && known < FACTS_USERS_MAX)
            facts->users[facts->users_files++] = (struct facts_users){.path = path};
    }
}

int facts_of_config(struct facts *facts, const struct config *config)
{
    struct problems problems = {.out = stderr};
    facts->config = config;
    facts->addresses = facts->roots = facts->logs = facts->users_files = 0;
    if (addresses_add(facts, &problems) != 0) return -1;
    roots_add(facts, config);
    log_add(facts, "access_log", config->access_log);
    log_add(facts, "error_log", config->error_log);
    users_add(facts, config->outside.inner);
    for (const struct config_block *site = config->block.inner; site; site = site->next)
        users_add(facts, site->inner);
    facts->service = (struct service){.addresses = config->listen.count};
    model_shape(&facts->service, config);
    facts->service.store.trees = 1;
    facts->service.store.descriptors_max = (uint32_t)config->cache_descriptors;
    return 0;
}

bool facts_has_loops(const struct facts *facts)
{
    int model = facts->config->model;
    return model == MODEL_AUTO || model == MODEL_EPOLL || model == MODEL_URING;
}

bool facts_may_have_rings(const struct facts *facts)
{
    return facts->config->model == MODEL_AUTO || facts->config->model == MODEL_URING;
}

bool facts_has_tcp(const struct facts *facts)
{
    for (unsigned i = 0; i < facts->addresses; i++)
        if (facts->address[i].address.address.ss_family != AF_UNIX) return true;
    return false;
}

unsigned facts_port(const struct facts_address *address)
{
    const struct sockaddr_storage *name = &address->address.address;
    switch (name->ss_family) {
    case AF_INET: return ntohs(((const struct sockaddr_in *)name)->sin_port);
    case AF_INET6: return ntohs(((const struct sockaddr_in6 *)name)->sin6_port);
    default: return 0;
    }
}
