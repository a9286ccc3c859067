/*
 * Reads addresses and networks with inet_pton(3), which looks no name up, and compares them bit by bit.
 */
#include "zcserve/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define BITS_MAX 128
#define IPV4_AT 12 /* where the four bytes of an IPv4 address begin */
#define IPV4_BITS (8 * IPV4_AT)

static void ip_set_ipv4(struct ip *ip, const void *ipv4)
{
    *ip = (struct ip){.byte = {[10] = 0xff, [11] = 0xff}};
    memcpy(ip->byte + IPV4_AT, ipv4, sizeof(struct in_addr));
}

bool ip_read(struct text text, struct ip *ip)
{
    char copy[INET6_ADDRSTRLEN] = "";
    struct in_addr ipv4;
    if (text.length == 0 || text.length >= sizeof(copy)) return false;
    memcpy(copy, text.base, text.length);
    if (strlen(copy) != text.length) return false;
    if (inet_pton(AF_INET6, copy, ip->byte) == 1) return true;
    if (inet_pton(AF_INET, copy, &ipv4) != 1) return false;
    ip_set_ipv4(ip, &ipv4);
    return true;
}

bool ip_of(const struct sockaddr *address, struct ip *ip)
{
    const char *bytes = (const char *)address;
    if (address->sa_family == AF_INET)
        ip_set_ipv4(ip, bytes + offsetof(struct sockaddr_in, sin_addr));
    else if (address->sa_family == AF_INET6)
        memcpy(ip->byte, bytes + offsetof(struct sockaddr_in6, sin6_addr), sizeof(ip->byte));
    return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

/* Returns whether both agree in the first `bits` bits. */
static bool bits_agree(const struct ip *a, const struct ip *b, uint32_t bits)
{
    uint32_t whole = bits / 8, rest = bits % 8;
    if (memcmp(a->byte, b->byte, whole) != 0) return false;
    return rest == 0 || ((a->byte[whole] ^ b->byte[whole]) >> (8 - rest)) == 0;
}

/* Returns whether no bit of the address is beyond the network: 10.0.0.1/8 is more likely a mistake. */
static bool is_exact(const struct network *network)
{
    struct ip masked = {{0}};
    uint32_t whole = network->bits / 8, rest = network->bits % 8;
    memcpy(masked.byte, network->address.byte, whole);
    if (rest > 0) masked.byte[whole] = (uint8_t)(network->address.byte[whole] & (0xff00 >> rest));
    return memcmp(masked.byte, network->address.byte, sizeof(masked.byte)) == 0;
}

/* Reads one to three digits. */
static bool bits_read(struct text text, uint32_t most, uint32_t *bits)
{
    *bits = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.base[i] < '0' || text.base[i] > '9') return false;
        *bits = *bits * 10 + (uint32_t)(text.base[i] - '0');
    }
    return text.length > 0 && text.length <= 3 && *bits <= most;
}

static bool network_read(struct text text, struct network *network)
{
    const char *slash = memchr(text.base, '/', text.length);
    struct text address = {text.base, slash ? (size_t)(slash - text.base) : text.length};
    if (!ip_read(address, &network->address)) return false;
    bool ipv6 = memchr(address.base, ':', address.length) != NULL;
    uint32_t before = ipv6 ? 0 : IPV4_BITS, bits = BITS_MAX - before;
    if (slash) {
        struct text digits = {slash + 1, text.length - address.length - 1};
        if (!bits_read(digits, BITS_MAX - before, &bits)) return false;
    }
    network->bits = before + bits;
    return is_exact(network);
}

bool networks_add(struct networks *networks, struct text text)
{
    if (text_equals(text, TEXT("unix"))) {
        networks->local = true;
        return true;
    }
    if (networks->count == NETWORKS_MAX || text.length == 0) return false;
    if (!network_read(text, &networks->member[networks->count])) return false;
    networks->count++;
    return true;
}

bool networks_have(const struct networks *networks, const struct ip *ip)
{
    for (uint32_t i = 0; i < networks->count; i++)
        if (bits_agree(&networks->member[i].address, ip, networks->member[i].bits)) return true;
    return false;
}
