/*
 * Reads the addresses and networks that a rule allows or denies.
 */
#include "start/rules.h"

#include <arpa/inet.h>
#include <string.h>

#define MAPPED_BITS 96 /* the prefix of IPv4 addresses: ::ffff:0:0/96 */

/* Reads the bits of a prefix, at most `most`. Returns -1 when there is no such number. */
static int bits_read(const char *text, int most)
{
    int bits = 0;
    if (text[0] == '\0' || strlen(text) > 3) return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return -1;
        bits = bits * 10 + (*text - '0');
    }
    return bits <= most ? bits : -1;
}

static bool address_read(const char *text, struct network *network, int *most)
{
    memset(network->address, 0, sizeof(network->address));
    *most = strchr(text, ':') ? 128 : 32;
    if (*most == 128) return inet_pton(AF_INET6, text, network->address) == 1;
    network->address[10] = network->address[11] = 0xff;
    return inet_pton(AF_INET, text, network->address + 12) == 1;
}

/* Returns whether the address has bits behind the prefix. */
static bool has_more_bits(const struct network *network)
{
    for (unsigned bit = network->bits; bit < 128; bit++)
        if (network->address[bit / 8] & 0x80 >> bit % 8) return true;
    return false;
}

const char *network_read(const char *text, struct network *network)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    int most;
    *network = (struct network){.bits = 0};
    if (strcmp(text, "all") == 0) return NULL;
    if (length >= sizeof(address)) return "is no address";
    memcpy(address, text, length);
    address[length] = '\0';
    if (!address_read(address, network, &most))
        return "must be an address, a network such as 192.0.2.0/24 or 2001:db8::/32, or all";
    int bits = slash ? bits_read(slash + 1, most) : most;
    if (bits < 0) return "has no valid number of bits behind the slash";
    network->bits = (uint8_t)(most == 32 ? MAPPED_BITS + bits : bits);
    return has_more_bits(network) ? "has bits behind its prefix: write them as 0" : NULL;
}

static bool networks_make(const struct rules_making *m, const char *option,
                          const struct config_list *list, struct networks *networks)
{
    if (!config_rule_place(m->rule, list)) return true;
    struct network *network = rules_take(m, list->count * sizeof(*network));
    if (!network) return false;
    for (uint32_t i = 0; i < list->count; i++) {
        const char *problem = network_read(list->item[i], &network[i]);
        if (problem) return rule_problem(m, option, list, "'%.70s' %s", list->item[i], problem);
    }
    *networks = (struct networks){network, list->count};
    m->made->sets |= (uint16_t)(networks == &m->made->allow ? 1U << RULE_ALLOW : 1U << RULE_DENY);
    return true;
}

bool rule_addresses_make(const struct rules_making *m)
{
    return networks_make(m, "allow", &m->rule->allow, &m->made->allow) &&
           networks_make(m, "deny", &m->rule->deny, &m->made->deny);
}
