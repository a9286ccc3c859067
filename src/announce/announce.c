/*
 * An address that means every interface is replaced by those of the interfaces that are up. A
 * link-local IPv6 address is left out: its URL needs the name of an interface, which browsers refuse.
 */
#include "announce/announce.h"
#include "announce/qr.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The addresses of this machine, in the order of their interfaces. */
struct hosts {
    struct sockaddr_storage host[ANNOUNCE_HOSTS_MAX];
    uint32_t count;
};

/* The URLs that were printed, and the first one that other machines can use. */
struct told {
    FILE *out;
    char distant[LISTEN_ADDRESS_TEXT_MAX + 16];
};

static const struct sockaddr_in *v4(const struct sockaddr_storage *address)
{
    return (const struct sockaddr_in *)(const void *)address;
}

static const struct sockaddr_in6 *v6(const struct sockaddr_storage *address)
{
    return (const struct sockaddr_in6 *)(const void *)address;
}

static bool is_every(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) return v4(address)->sin_addr.s_addr == htonl(INADDR_ANY);
    return address->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6(address)->sin6_addr);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) return ntohl(v4(address)->sin_addr.s_addr) >> 24 == 127;
    return address->ss_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&v6(address)->sin6_addr);
}

/* Returns the size of an IP address that can stand in a URL; 0: it is another one. */
static size_t size_in_url(const struct sockaddr *address)
{
    struct sockaddr_in6 six;
    if (address && address->sa_family == AF_INET) return sizeof(struct sockaddr_in);
    if (!address || address->sa_family != AF_INET6) return 0;
    memcpy(&six, address, sizeof(six));
    return IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) ? 0 : sizeof(six);
}

static void hosts_find(struct hosts *hosts)
{
    struct ifaddrs *first;
    hosts->count = 0;
    if (getifaddrs(&first) != 0) return;
    for (struct ifaddrs *one = first; one && hosts->count < ANNOUNCE_HOSTS_MAX;
         one = one->ifa_next) {
        size_t size = (one->ifa_flags & IFF_UP) != 0 ? size_in_url(one->ifa_addr) : 0;
        if (size > 0) memcpy(&hosts->host[hosts->count++], one->ifa_addr, size);
    }
    freeifaddrs(first);
}

static void url_tell(struct told *told, const struct listen_address *address)
{
    char text[LISTEN_ADDRESS_TEXT_MAX];
    listen_address_format(address, text, sizeof(text));
    bool local = address->address.ss_family == AF_UNIX;
    fprintf(told->out, "  %s%s%s\n", local ? "" : "http://", text, local ? "" : "/");
    if (told->distant[0] == '\0' && !is_loopback(&address->address))
        snprintf(told->distant, sizeof(told->distant), "http://%s/", text);
}

/* Returns `address` with this host instead of its own, and its own port. */
static struct listen_address with_host(const struct listen_address *address,
                                       const struct sockaddr_storage *host)
{
    struct listen_address one = {.address = *host, .length = address->length};
    in_port_t port = address->address.ss_family == AF_INET ? v4(&address->address)->sin_port
                                                           : v6(&address->address)->sin6_port;
    if (host->ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)&one.address)->sin_port = port;
    else
        ((struct sockaddr_in6 *)(void *)&one.address)->sin6_port = port;
    return one;
}

/* Returns whether a listener for every address of its family answers at this host, too. */
static bool is_answered_at(const struct listen_address *address,
                           const struct sockaddr_storage *host)
{
    return address->every || host->ss_family == address->address.ss_family;
}

static void address_tell(struct told *told, const struct listen_address *address,
                         const struct hosts *hosts)
{
    if (!is_every(&address->address)) {
        url_tell(told, address);
        return;
    }
    for (uint32_t i = 0; i < hosts->count; i++) {
        struct listen_address one = with_host(address, &hosts->host[i]);
        if (is_answered_at(address, &hosts->host[i])) url_tell(told, &one);
    }
}

/* Returns the columns of a terminal that shows UTF-8; 0: `out` is not one. */
static unsigned columns_of(FILE *out)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    struct winsize size;
    const char *locale = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && (!locale || !*locale); i++)
        locale = getenv(names[i]);
    if (!locale || (!strcasestr(locale, "utf-8") && !strcasestr(locale, "utf8"))) return 0;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void announce(const struct listen_address *address, uint32_t count, FILE *out)
{
    struct told told = {.out = out};
    struct hosts hosts;
    hosts_find(&hosts);
    fputs("open in a browser:\n", out);
    for (uint32_t i = 0; i < count; i++)
        address_tell(&told, &address[i], &hosts);
    if (told.distant[0] == '\0')
        fputs("(other machines cannot reach these; -l \"*:PORT\" is for all)\n", out);
    else
        qr_print(told.distant, columns_of(out), out);
    fflush(out);
}
