/*
 * Parses and formats the addresses to listen on. Each error message says what would be valid.
 * No host name is looked up: only addresses and "localhost" are accepted.
 */
#define _GNU_SOURCE
#include "zcserve/listener.h"
#include "zcserve/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define FORMS "write 8080, 127.0.0.1:8080, [::1]:8080 or unix:/path"
#define SUN_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static bool address_parse_port(const char *text, uint16_t *port)
{
    uint32_t value = 0;
    size_t length = strlen(text);

    if (length == 0 || length > 5) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

/* Copies with memcpy(): an assignment through a cast pointer would break the rule of strict aliasing. */
static void address_set(struct listen_address *address, const void *name, size_t length)
{
    memcpy(&address->address, name, length);
    address->length = (socklen_t)length;
}

static void address_set_ipv4(struct listen_address *address, struct in_addr host, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host};
    address_set(address, &in, sizeof(in));
}

static void address_set_ipv6(struct listen_address *address, struct in6_addr host, uint16_t port)
{
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host};
    address_set(address, &in6, sizeof(in6));
}

static int address_parse_unix(const char *path, struct listen_address *address, char *problem,
                              size_t size)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t length = strlen(path);

    if (length == 0) {
        snprintf(problem, size, "no path after 'unix:': write unix:/run/zcserve/socket");
        return -1;
    }
    if (length > SUN_PATH_MAX) {
        snprintf(problem, size, "the path of a Unix socket has at most %zu bytes, this one %zu",
                 SUN_PATH_MAX, length);
        return -1;
    }
    memcpy(un.sun_path, path, length + 1);
    address_set(address, &un, offsetof(struct sockaddr_un, sun_path) + length + 1);
    return 0;
}

/*
 * Parses the host of HOST:PORT; an IPv6 address is in brackets. No host, or "*", means every address.
 * Returns false when the host is neither an IP address nor "localhost".
 */
static bool address_parse_host(struct text host, uint16_t port, struct listen_address *address)
{
    char copy[INET6_ADDRSTRLEN] = "";
    struct in_addr ipv4 = {.s_addr = htonl(INADDR_LOOPBACK)};
    struct in6_addr ipv6 = IN6ADDR_ANY_INIT;

    if (host.length == 0 || text_equals(host, TEXT("*"))) {
        address->every = true;
        address_set_ipv6(address, ipv6, port);
        return true;
    }
    bool bracketed = host.base[0] == '[' && host.base[host.length - 1] == ']';
    struct text bare = bracketed ? (struct text){host.base + 1, host.length - 2} : host;
    if (bare.length == 0 || bare.length >= sizeof(copy)) return false;
    memcpy(copy, bare.base, bare.length);
    if (bracketed && inet_pton(AF_INET6, copy, &ipv6) == 1) {
        address_set_ipv6(address, ipv6, port);
        return true;
    }
    if (!bracketed &&
        (text_equals(host, TEXT("localhost")) || inet_pton(AF_INET, copy, &ipv4) == 1)) {
        address_set_ipv4(address, ipv4, port);
        return true;
    }
    return false;
}

int listen_address_parse(const char *text, struct listen_address *address, char *problem,
                         size_t size)
{
    uint16_t port = 0;

    memset(address, 0, sizeof(*address));
    address->access = (struct listen_access){.owner = (uid_t)-1, .group = (gid_t)-1};
    if (strncmp(text, "unix:", 5) == 0) return address_parse_unix(text + 5, address, problem, size);
    const char *colon = strrchr(text, ':');
    const char *port_text = !colon ? text : colon + 1;
    struct text host = {text, !colon ? 0 : (size_t)(colon - text)};

    if (!address_parse_port(port_text, &port)) {
        snprintf(problem, size, "no port from 0 to 65535 in '%s': " FORMS, text);
        return -1;
    }
    if (!address_parse_host(host, port, address)) {
        snprintf(problem, size, "'%.*s' is not an IP address: " FORMS, (int)host.length, text);
        return -1;
    }
    return 0;
}

bool listen_address_equals(const struct listen_address *a, const struct listen_address *b)
{
    return a->length == b->length && memcmp(&a->address, &b->address, a->length) == 0;
}

void listen_address_format(const struct listen_address *address, char *text, size_t size)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->address;
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->address;
    char host[INET6_ADDRSTRLEN] = "";

    switch (address->address.ss_family) {
    case AF_UNIX: snprintf(text, size, "unix:%s", un->sun_path); break;
    case AF_INET:
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(text, size, "%s:%d", address->every ? "*" : host, ntohs(in->sin_port));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(text, size, "%s%s%s:%d", address->every ? "" : "[", address->every ? "*" : host,
                 address->every ? "" : "]", ntohs(in6->sin6_port));
        break;
    default: snprintf(text, size, "?"); break;
    }
}
