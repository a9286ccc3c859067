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

#define FORMS "write 8080, 127.0.0.1:8080, [::1]:8080, unix:/path or unix:@name"
#define SUN_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static bool address_parse_port(struct text text, uint16_t *port)
{
    uint32_t value = 0;

    if (text.length == 0 || text.length > 5) return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.base[i] < '0' || text.base[i] > '9') return false;
        value = value * 10 + (uint32_t)(text.base[i] - '0');
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

/*
 * Parses the path of a file, or "@name": an abstract address has a NUL in place of the "@", and none
 * at its end (unix(7)).
 */
static int address_parse_unix(struct text path, struct listen_address *address, char *problem,
                              size_t size)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool abstract = path.length > 0 && path.base[0] == '@';

    if (path.length == (abstract ? 1 : 0)) {
        snprintf(problem, size, "no path after 'unix:': write unix:/run/zcserve/socket");
        return -1;
    }
    if (path.length > SUN_PATH_MAX) {
        snprintf(problem, size, "the path of a Unix socket has at most %zu bytes, this one %zu",
                 SUN_PATH_MAX, path.length);
        return -1;
    }
    memcpy(un.sun_path, path.base, path.length);
    if (abstract) un.sun_path[0] = '\0';
    size_t end = abstract ? 0 : 1;
    address_set(address, &un, offsetof(struct sockaddr_un, sun_path) + path.length + end);
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

/* Takes the word " proxy" from the end of the text. Returns whether it was there. */
static bool proxy_word_take(struct text *text)
{
    struct text word = TEXT(" proxy");
    if (text->length < word.length) return false;
    struct text end = {text->base + text->length - word.length, word.length};
    if (!text_equals(end, word)) return false;
    text->length -= word.length;
    return true;
}

/* Parses HOST:PORT, or only a port. */
static int address_parse_ip(struct text text, struct listen_address *address, char *problem,
                            size_t size)
{
    uint16_t port = 0;
    size_t host_length = text.length;
    while (host_length > 0 && text.base[host_length - 1] != ':')
        host_length--;
    struct text port_text = {text.base + host_length, text.length - host_length};
    struct text host = {text.base, host_length > 0 ? host_length - 1 : 0};

    if (!address_parse_port(port_text, &port)) {
        snprintf(problem, size, "no port from 0 to 65535 in '%.*s': " FORMS, (int)text.length,
                 text.base);
        return -1;
    }
    if (!address_parse_host(host, port, address)) {
        snprintf(problem, size, "'%.*s' is not an IP address: " FORMS, (int)host.length, host.base);
        return -1;
    }
    return 0;
}

int listen_address_parse(const char *text, struct listen_address *address, char *problem,
                         size_t size)
{
    const struct text local = TEXT("unix:");
    struct text rest = {text, strlen(text)};

    memset(address, 0, sizeof(*address));
    address->access = (struct listen_access){.owner = (uid_t)-1, .group = (gid_t)-1};
    address->proxy = proxy_word_take(&rest);
    if (strncmp(text, local.base, local.length) != 0)
        return address_parse_ip(rest, address, problem, size);
    struct text path = {rest.base + local.length, rest.length - local.length};
    return address_parse_unix(path, address, problem, size);
}

bool listen_address_is_file(const struct listen_address *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->address;
    return address->address.ss_family == AF_UNIX && un->sun_path[0] != '\0';
}

bool listen_address_equals(const struct listen_address *a, const struct listen_address *b)
{
    return a->length == b->length && memcmp(&a->address, &b->address, a->length) == 0;
}

/* Returns the length of an abstract name without the NUL before it. */
static int abstract_length(const struct listen_address *address)
{
    return (int)(address->length - offsetof(struct sockaddr_un, sun_path)) - 1;
}

void listen_address_format(const struct listen_address *address, char *text, size_t size)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->address;
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->address;
    char host[INET6_ADDRSTRLEN] = "";

    switch (address->address.ss_family) {
    case AF_UNIX:
        if (listen_address_is_file(address))
            snprintf(text, size, "unix:%s", un->sun_path);
        else
            snprintf(text, size, "unix:@%.*s", abstract_length(address), un->sun_path + 1);
        break;
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

/* ---- which address is that? ------------------------------------------------------------------ */

/* How well a listening address fits the address of a connection; later values are better. */
enum fit { FIT_NONE, FIT_EVERY, FIT_EXACT };

static enum fit fit_ipv4(const struct sockaddr_in *address, const struct sockaddr_in *local)
{
    if (address->sin_port != local->sin_port) return FIT_NONE;
    if (address->sin_addr.s_addr == local->sin_addr.s_addr) return FIT_EXACT;
    return address->sin_addr.s_addr == htonl(INADDR_ANY) ? FIT_EVERY : FIT_NONE;
}

static enum fit fit_ipv6(const struct sockaddr_in6 *address, const struct sockaddr_in6 *local)
{
    if (address->sin6_port != local->sin6_port) return FIT_NONE;
    if (IN6_ARE_ADDR_EQUAL(&address->sin6_addr, &local->sin6_addr)) return FIT_EXACT;
    return IN6_IS_ADDR_UNSPECIFIED(&address->sin6_addr) ? FIT_EVERY : FIT_NONE;
}

static enum fit fit_of(const struct listen_address *address, const struct sockaddr *local,
                       socklen_t length)
{
    const void *ours = &address->address, *theirs = local;
    if (address->address.ss_family != local->sa_family) return FIT_NONE;
    switch (local->sa_family) {
    case AF_INET: return fit_ipv4(ours, theirs);
    case AF_INET6: return fit_ipv6(ours, theirs);
    default:
        return length == address->length && memcmp(ours, theirs, length) == 0 ? FIT_EXACT
                                                                              : FIT_NONE;
    }
}

const struct listen_address *listen_address_find(const struct listen_address *addresses,
                                                 uint32_t count, const struct sockaddr *local,
                                                 socklen_t length)
{
    const struct listen_address *found = NULL;
    enum fit best = FIT_NONE;
    for (uint32_t i = 0; i < count; i++) {
        enum fit fit = fit_of(&addresses[i], local, length);
        if (fit > best) {
            best = fit;
            found = &addresses[i];
        }
    }
    return found;
}
