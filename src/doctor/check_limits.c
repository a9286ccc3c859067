/* Limits of process, user and network, against what the configuration asks for. */
#include "doctor/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/ring.h"
#include "start/limits.h"
#include "tool/format.h"

#define CONNTRACK_FULL 0.8 /* share of the table from which on it is nearly full */
#define PORTS_TEXT_MAX (8 * FACTS_ADDRESSES_MAX) /* bytes of a list of ports, each with a comma */

static uint64_t connections_in_all(const struct facts *facts)
{
    return (uint64_t)facts->service.workers * facts->service.connections_max;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

/* Returns the option to lower, so that all connections are taken. */
static const char *pool_to_lower(const struct service *service)
{
    return service->workers > service->processes ? "threadpool.threads" : "connections";
}

/* How a limit that is too low is raised, and what else helps. */
static void files_remedy(const struct facts *facts, uint64_t needed, const char *option,
                         struct findings *findings)
{
    uint64_t most = 0;
    unsigned long long files = needed;
    bool above = kernel_number(facts->tree, "/proc/sys/fs/nr_open", &most) && needed > most;
    if (above)
        finding_remedy(findings,
                       "sysctl fs.nr_open=%llu, then LimitNOFILE=%llu in the unit of systemd",
                       files, files);
    else
        finding_remedy(findings,
                       "LimitNOFILE=%llu in the unit of systemd, or ulimit -n %llu before the "
                       "start; or lower %s",
                       files, files, option);
}

/* Says what is left of connections; or, when all are taken, of the files kept open. */
static void fewer_show(const struct facts *facts, const struct service *left, uint64_t needed,
                       struct findings *findings)
{
    format_space limit, wanted, now, asked;
    uint64_t taken = (uint64_t)left->workers * left->connections_max,
             all = connections_in_all(facts);
    const char *option = pool_to_lower(&facts->service);
    format_count(limit, (double)facts->subject.files.hard);
    format_count(wanted, (double)needed);
    if (taken < all) {
        finding_add(findings, SEVERITY_HARM,
                    "a process may open %s files (RLIMIT_NOFILE), and up to %s are needed: the "
                    "server takes %s connections instead of %s",
                    limit, wanted, format_count(now, (double)taken),
                    format_count(asked, (double)all));
    } else {
        option = "cache.descriptors";
        finding_add(findings, SEVERITY_WARN,
                    "a process may open %s files (RLIMIT_NOFILE), and up to %s are needed: a "
                    "worker keeps %s files open instead of %s",
                    limit, wanted, format_count(now, left->store.descriptors_max),
                    format_count(asked, facts->service.store.descriptors_max));
    }
    files_remedy(facts, needed, option, findings);
}

/* The limit of the whole system. No process opens more than its own limit. */
static void system_look(const struct facts *facts, uint64_t needed, struct findings *findings)
{
    format_space all, most;
    uint64_t limit, hard = facts->subject.files.hard;
    uint64_t wanted = (needed < hard ? needed : hard) * facts->service.processes;
    if (!kernel_number(facts->tree, "/proc/sys/fs/file-max", &limit) || wanted <= limit) return;
    finding_add(findings, SEVERITY_WARN,
                "all workers together may need %s open files, and the system allows %s "
                "(fs.file-max): then it opens none for anyone, and connections and requests fail",
                format_count(all, (double)wanted), format_count(most, (double)limit));
    finding_remedy(findings, "sysctl fs.file-max=%llu, or lower %s", (unsigned long long)wanted,
                   pool_to_lower(&facts->service));
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

/* Adds the port to the list, unless it is there. */
static void port_add(char text[PORTS_TEXT_MAX], unsigned port)
{
    size_t used = strlen(text);
    if (!list_has(text, port))
        snprintf(text + used, PORTS_TEXT_MAX - used, "%s%u", used ? "," : "", port);
}

/* Lists the ports in the range from which the kernel takes those of clients, but the reserved. */
static void ports_in_range(const struct facts *facts, const uint64_t range[2], const char *reserved,
                           char text[PORTS_TEXT_MAX])
{
    text[0] = '\0';
    for (unsigned i = 0; i < facts->addresses; i++) {
        unsigned port = facts_port(&facts->address[i]);
        if (port == 0 || port < range[0] || port > range[1] || list_has(reserved, port)) continue;
        port_add(text, port);
    }
}

const char *check_ports(const struct facts *facts, struct findings *findings)
{
    static const char path[] = "/proc/sys/net/ipv4/ip_local_port_range";
    char reserved[KERNEL_LINE_MAX] = "", ports[PORTS_TEXT_MAX];
    uint64_t range[2];
    if (!kernel_numbers(facts->tree, path, range, 2)) return path;
    kernel_line(facts->tree, "/proc/sys/net/ipv4/ip_local_reserved_ports", reserved,
                sizeof(reserved));
    ports_in_range(facts, range, reserved, ports);
    if (*ports) {
        finding_add(findings, SEVERITY_WARN,
                    "the kernel may give the port%s %s to connections that programs of this "
                    "machine open (net.ipv4.ip_local_port_range), and the server then cannot start",
                    strchr(ports, ',') ? "s" : "", ports);
        finding_remedy(findings,
                       "sysctl net.ipv4.ip_local_reserved_ports=%s%s%s, or ports below %u",
                       reserved, *reserved ? "," : "", ports, (unsigned)range[0]);
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
