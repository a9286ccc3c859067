/* What keeps the server from starting: roots, addresses, privileged ports, logs. */
#include "doctor/check.h"

#include <errno.h>
#include <string.h>

#define CAPABILITY_BIND 10 /* CAP_NET_BIND_SERVICE */

/* The root cannot be entered. */
static void root_error_show(const struct facts *facts, const struct facts_root *root,
                            struct findings *findings)
{
    const char *where = config_place(facts->config, &facts->config->root);
    finding_add(findings, SEVERITY_HARM, "root %s: %s", root->path, strerror(root->error));
    if (root->error == EACCES)
        finding_remedy(findings,
                       "let %s enter each directory of its path (chmod o+x), or correct root (%s)",
                       facts->subject.name, where);
    else
        finding_remedy(findings, "%scorrect root (%s)",
                       root->error == ENOENT ? "make the directory, or " : "", where);
}

const char *check_root(const struct facts *facts, struct findings *findings)
{
    for (unsigned i = 0; i < facts->roots; i++) {
        const struct facts_root *root = &facts->root[i];
        if (root->error != 0) {
            root_error_show(facts, root, findings);
        } else if (root->unlisted) {
            finding_add(findings, SEVERITY_NOTE,
                        "root %s: %s may enter it, but not list it: its files are served and "
                        "compared on each request, and doctor does not see them",
                        root->path, facts->subject.name);
            finding_remedy(findings, "let %s list it (chmod o+r)", facts->subject.name);
        }
    }
    return NULL;
}

const char *check_user(const struct facts *facts, struct findings *findings)
{
    if (facts->subject.user != 0) return NULL;
    if (facts->subject.is_server) {
        finding_add(findings, SEVERITY_WARN,
                    "the server runs as root, so a fault in it could do anything");
        finding_remedy(findings, "start it as another user (systemd: User=)");
    } else {
        finding_add(
            findings, SEVERITY_NOTE,
            "doctor runs as root, which may read and change everything; the server's user may not");
        finding_remedy(findings, "name that user with -u, or the running server with --pid");
    }
    return NULL;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* The supervisor and its children, as /proc/PID/comm names them. */
static bool is_our_server(const struct holder *holder)
{
    return strncmp(holder->name, "zcserve", 7) == 0;
}

static void error_find(const struct facts_address *address, struct findings *findings)
{
    bool is_unix = address->address.address.ss_family == AF_UNIX;
    finding_add(findings, SEVERITY_HARM, "%s %s: %s", address->option, address->text,
                strerror(address->error));
    if (is_unix && address->error == EEXIST)
        finding_remedy(findings, "remove that file, which is no socket, or choose another path");
    else if (is_unix)
        finding_remedy(findings, "make its directory, and let the server's user write to it");
    else if (address->error == EADDRNOTAVAIL)
        finding_remedy(findings, "take an address that 'ip address' shows, or *:%u for all of them",
                       facts_port(address));
    else if (address->error == EAFNOSUPPORT)
        finding_remedy(findings, "enable IPv6 (net.ipv6.conf.all.disable_ipv6, ipv6.disable of the "
                                 "kernel's command line), or take an IPv4 address");
    else
        finding_remedy(findings, "correct the address, or what forbids it");
}

static void holder_show(const struct facts_address *address, struct findings *findings)
{
    const struct holder *holder = &address->holder;
    if (holder->pid == 0) {
        finding_add(findings, SEVERITY_NOTE,
                    "%s %s is in use by a process of user %u that doctor may not look at",
                    address->option, address->text, holder->user);
        finding_remedy(findings, "let root run doctor, which then tells whether it is this server");
    } else if (!is_our_server(holder)) {
        finding_add(findings, SEVERITY_HARM, "%s %s is in use by %s (process %ld)", address->option,
                    address->text, holder->name, holder->pid);
        finding_remedy(findings, "stop that program, or choose another port");
    }
}

const char *check_listen(const struct facts *facts, struct findings *findings)
{
    for (unsigned i = 0; i < facts->addresses; i++) {
        const struct facts_address *address = &facts->address[i];
        if (address->error != 0)
            error_find(address, findings);
        else if (address->holder.is_there)
            holder_show(address, findings);
    }
    return NULL;
}

static bool is_privileged(const struct facts_address *address, uint64_t first)
{
    unsigned port = facts_port(address);
    return port != 0 && port < first && !is_our_server(&address->holder);
}

/* Returns the lowest port that is privileged: the setting is one for all. */
static unsigned lowest_privileged(const struct facts *facts, uint64_t first)
{
    unsigned lowest = (unsigned)first;
    for (unsigned i = 0; i < facts->addresses; i++) {
        unsigned port = facts_port(&facts->address[i]);
        if (is_privileged(&facts->address[i], first) && port < lowest) lowest = port;
    }
    return lowest;
}

const char *check_privileged(const struct facts *facts, struct findings *findings)
{
    static const char path[] = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    uint64_t first;
    bool may = facts->file_capability || (facts->subject.capabilities >> CAPABILITY_BIND & 1);
    if (!kernel_number(facts->tree, path, &first)) return path;
    for (unsigned i = 0; i < facts->addresses && !may; i++) {
        const struct facts_address *address = &facts->address[i];
        if (!is_privileged(address, first)) continue;
        finding_add(findings, SEVERITY_HARM,
                    "%s %s: ports below %u need CAP_NET_BIND_SERVICE, which %s has not",
                    address->option, address->text, (unsigned)first, facts->subject.name);
        finding_remedy(findings,
                       "AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit of systemd, or sysctl "
                       "net.ipv4.ip_unprivileged_port_start=%u",
                       lowest_privileged(facts, first));
    }
    return NULL;
}

/* ---- logs ------------------------------------------------------------------------------------ */

const char *check_logs(const struct facts *facts, struct findings *findings)
{
    for (unsigned i = 0; i < facts->logs; i++) {
        const struct facts_log *log = &facts->log[i];
        if (log->error != 0) {
            finding_add(findings, SEVERITY_HARM, "%s %s cannot be written by %s: %s", log->option,
                        log->path, facts->subject.name, strerror(log->error));
            finding_remedy(findings, "make its directory, and let %s write to it",
                           facts->subject.name);
        }
        if (log->below_root) {
            finding_add(findings, SEVERITY_HARM, "%s %s is below a root: everyone may fetch it",
                        log->option, log->path);
            finding_remedy(findings, "move it out of the root, such as to /var/log/zcserve");
        }
    }
    return NULL;
}
