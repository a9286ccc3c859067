/* Limits of process, user and network, against what the configuration asks for. */
#include "doctor/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/ring.h"
#include "start/limits.h"
#include "tool/format.h"

#define CONNTRACK_FULL 0.8    /* share of the table from which on it is nearly full */
#define RESERVED_TEXT_MAX 512 /* bytes of ip_local_reserved_ports that are looked at */

static uint64_t connections_in_all(const struct facts *facts)
{
    return (uint64_t)facts->service.workers * facts->service.connections_max;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

/* Returns the option that asks for most descriptors of a process. */
static const char *pool_to_lower(const struct service *service)
{
    if (service->connections_max > 1) return "connections";
    return service->workers > service->processes ? "threadpool.threads" : "cache.descriptors";
}

/* Says what is left of workers, connections and files kept open. */
static void fewer_show(const struct facts *facts, const struct service *left, uint64_t needed,
                       struct findings *findings)
{
    format_space limit, wanted, connections, all, kept;
    uint64_t now = (uint64_t)left->workers * left->connections_max, most = 0;
    finding_add(findings, SEVERITY_HARM,
                "a process may open %s files (RLIMIT_NOFILE), and up to %s are needed: the server "
                "would take %s connections instead of %s, and keep %s files open in each worker",
                format_count(limit, (double)facts->subject.files.hard),
                format_count(wanted, (double)needed), format_count(connections, (double)now),
                format_count(all, (double)connections_in_all(facts)),
                format_count(kept, left->store.descriptors_max));
    bool above = kernel_number(facts->tree, "/proc/sys/fs/nr_open", &most) && needed > most;
    if (above)
        finding_remedy(findings,
                       "sysctl fs.nr_open=%llu, then LimitNOFILE=%llu in the unit of systemd",
                       (unsigned long long)needed, (unsigned long long)needed);
    else
        finding_remedy(findings,
                       "LimitNOFILE=%llu in the unit of systemd, or ulimit -n %llu before the "
                       "start; or lower %s",
                       (unsigned long long)needed, (unsigned long long)needed,
                       pool_to_lower(&facts->service));
}

/* The limit of the whole system. */
static void system_look(const struct facts *facts, uint64_t needed, struct findings *findings)
{
    format_space all, most;
    uint64_t limit, wanted = needed * facts->service.processes;
    if (!kernel_number(facts->tree, "/proc/sys/fs/file-max", &limit) || wanted <= limit) return;
    finding_add(
        findings, SEVERITY_HARM,
        "all workers together may need %s open files, and the system allows %s (fs.file-max)",
        format_count(all, (double)wanted), format_count(most, (double)limit));
    finding_remedy(findings, "sysctl fs.file-max=%llu", (unsigned long long)wanted);
}

const char *check_descriptors(const struct facts *facts, struct findings *findings)
{
    struct service asked = facts->service, left = facts->service;
    format_space limit, lent;
    asked.store.descriptors_lent_max = asked.connections_max;
    uint64_t needed = descriptors_needed(&asked, DESCRIPTORS_AT_FIRST),
             hard = facts->subject.files.hard;
    if (descriptors_share(&left, DESCRIPTORS_AT_FIRST, hard)) {
        fewer_show(facts, &left, needed, findings);
    } else if (needed > hard) {
        finding_add(findings, SEVERITY_NOTE,
                    "a process may open %s files (RLIMIT_NOFILE), so that a worker may have %s "
                    "files open for responses at a time; a request for one more waits",
                    format_count(limit, (double)hard),
                    format_count(lent, left.store.descriptors_lent_max));
        finding_remedy(findings, "LimitNOFILE=%llu in the unit of systemd is always enough",
                       (unsigned long long)needed);
    }
    system_look(facts, needed, findings);
    return NULL;
}

/* ---- rings ----------------------------------------------------------------------------------- */

static bool lacks_locked_memory(const struct facts *facts)
{
    return facts->ring.memory_counts &&
           facts->subject.locked.soft < rings_bytes(facts->service.workers);
}

const char *check_io_uring(const struct facts *facts, struct findings *findings)
{
    static const char prefix[] = "io_uring: ";
    const char *problem = facts->ring.problem;
    if (!problem) return NULL;
    if (strncmp(problem, prefix, strlen(prefix)) == 0) problem += strlen(prefix);
    const char *end = problem + strlen(problem), *remedy = NULL;
    for (const char *at = strstr(problem, "; "); at; at = strstr(at + 1, "; "))
        remedy = at; /* the last part of such a text is its remedy (ring_remedy()) */
    int length = (int)((remedy ? remedy : end) - problem);
    bool needed = facts->config->model == MODEL_URING;
    finding_add(findings, needed ? SEVERITY_HARM : SEVERITY_WARN, "%s: %.*s",
                needed ? "model = io_uring does not work here"
                       : "model = auto takes epoll, because io_uring does not work here",
                length, problem);
    finding_remedy(findings, "%s, or model = epoll",
                   remedy ? remedy + 2 : "a newer kernel, or another sandbox");
    return NULL;
}

const char *check_memlock(const struct facts *facts, struct findings *findings)
{
    format_space wanted, limit;
    if (facts->ring.problem) return "no ring works here";
    if (!lacks_locked_memory(facts)) return NULL;
    bool needed = facts->config->model == MODEL_URING;
    uint64_t bytes = rings_bytes(facts->service.workers);
    finding_add(findings, needed ? SEVERITY_HARM : SEVERITY_WARN,
                "the rings of %u workers need up to %s of locked memory, and %s may lock %s "
                "(RLIMIT_MEMLOCK): %s",
                facts->service.workers, format_bytes(wanted, (double)bytes), facts->subject.name,
                format_bytes(limit, (double)facts->subject.locked.soft),
                needed ? "the server may not start" : "the server may take epoll instead");
    finding_remedy(findings,
                   "LimitMEMLOCK=%llu in the unit of systemd, or ulimit -l %llu before the start",
                   (unsigned long long)bytes, (unsigned long long)(bytes + 1023) / 1024);
    return NULL;
}

/* ---- the network ----------------------------------------------------------------------------- */

const char *check_backlog(const struct facts *facts, struct findings *findings)
{
    static const char path[] = "/proc/sys/net/core/somaxconn";
    uint64_t most;
    format_space allowed, asked;
    if (!kernel_number(facts->tree, path, &most)) return path;
    if (most >= facts->config->backlog) return NULL;
    finding_add(findings, SEVERITY_WARN,
                "the kernel queues %s connections for a listener (net.core.somaxconn), not the %s "
                "of backlog: when more come at once, clients try again after a second",
                format_count(allowed, (double)most),
                format_count(asked, (double)facts->config->backlog));
    finding_remedy(findings, "sysctl net.core.somaxconn=%llu",
                   (unsigned long long)facts->config->backlog);
    return NULL;
}

/* Returns whether a list such as "8080,9000-9100" has the port. */
static bool list_has(const char *list, unsigned port)
{
    while (*list) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (end == list) return false;
        if (*end == '-') last = strtoul(end + 1, &end, 10);
        if (port >= first && port <= last) return true;
        list = *end == ',' ? end + 1 : end;
    }
    return false;
}

/* Returns whether only this machine can connect to every TCP address. */
static bool is_local_only(const struct facts *facts)
{
    for (unsigned i = 0; i < facts->addresses; i++) {
        const char *text = facts->address[i].text;
        bool local = strncmp(text, "127.", 4) == 0 || strncmp(text, "[::1]:", 6) == 0;
        if (!local && facts->address[i].address.address.ss_family != AF_UNIX) return false;
    }
    return true;
}

/* One address of a client can have as many connections to one of ours as there are ports. */
static void few_ports_find(const struct facts *facts, uint64_t ports, struct findings *findings)
{
    format_space few, most;
    if (!is_local_only(facts) || ports >= facts->service.connections_max) return;
    finding_add(findings, SEVERITY_WARN,
                "a client of this machine has %s ports for connections to one address "
                "(net.ipv4.ip_local_port_range), and a worker may have %s connections",
                format_count(few, (double)ports),
                format_count(most, facts->service.connections_max));
    finding_remedy(findings, "sysctl net.ipv4.ip_local_port_range=\"1024 65535\", or connect "
                             "through a Unix socket");
}

const char *check_ports(const struct facts *facts, struct findings *findings)
{
    static const char path[] = "/proc/sys/net/ipv4/ip_local_port_range";
    char reserved[RESERVED_TEXT_MAX] = "";
    uint64_t range[2];
    if (!kernel_numbers(facts->tree, path, range, 2)) return path;
    kernel_line(facts->tree, "/proc/sys/net/ipv4/ip_local_reserved_ports", reserved,
                sizeof(reserved));
    for (unsigned i = 0; i < facts->addresses; i++) {
        const struct facts_address *address = &facts->address[i];
        unsigned port = facts_port(address);
        if (port == 0 || port < range[0] || port > range[1] || list_has(reserved, port)) continue;
        finding_add(
            findings, SEVERITY_WARN,
            "%s %s: the kernel may give this port to a connection that a program of this "
            "machine opens (net.ipv4.ip_local_port_range), and the server then cannot start",
            address->option, address->text);
        finding_remedy(findings,
                       "sysctl net.ipv4.ip_local_reserved_ports=%s%s%u, or a port below %u",
                       reserved, *reserved ? "," : "", port, (unsigned)range[0]);
    }
    few_ports_find(facts, range[1] - range[0] + 1, findings);
    return NULL;
}

const char *check_conntrack(const struct facts *facts, struct findings *findings)
{
    uint64_t most, used = 0, wanted = connections_in_all(facts);
    format_space a, b;
    if (!kernel_number(facts->tree, "/proc/sys/net/netfilter/nf_conntrack_max", &most) ||
        !kernel_number(facts->tree, "/proc/sys/net/netfilter/nf_conntrack_count", &used))
        return "nf_conntrack is not loaded";
    bool full = (double)used > CONNTRACK_FULL * (double)most;
    if (!full && (used == 0 || wanted <= most)) return NULL; /* used == 0: no rule tracks */
    if (full)
        finding_add(findings, SEVERITY_HARM,
                    "%s of %s connections are tracked (net.netfilter.nf_conntrack_max): when the "
                    "table is full, the kernel drops new ones",
                    format_count(a, (double)used), format_count(b, (double)most));
    else
        finding_add(
            findings, SEVERITY_WARN,
            "%s connections can be tracked (net.netfilter.nf_conntrack_max), and the server "
            "may have %s: when the table is full, the kernel drops new ones",
            format_count(a, (double)most), format_count(b, (double)wanted));
    finding_remedy(findings,
                   "sysctl net.netfilter.nf_conntrack_max=%llu, or a rule 'notrack' for the "
                   "server's ports",
                   2 * (unsigned long long)(wanted > most ? wanted : most));
    return NULL;
}
