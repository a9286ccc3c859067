/*
 * Finds the site of a host by a binary search for the whole name, then for each of its endings,
 * from the longest to the shortest.
 */
#include "zcserve/site.h"
#include "authority.h"
#include "line.h"

#define HOST_BYTES_MAX 255 /* a longer one is no name of the DNS (RFC 1035 §2.3.4) */

static int compare(struct text a, struct text b)
{
    if (a.length != b.length) return a.length < b.length ? -1 : 1;
    return memcmp(a.base, b.base, a.length);
}

static const struct site_host *name_find(const struct sites *sites, struct text name)
{
    uint32_t least = 0, end = sites->hosts;
    while (least < end) {
        uint32_t middle = least + (end - least) / 2;
        int order = compare(sites->host[middle].name, name);
        if (order == 0) return &sites->host[middle];
        if (order < 0)
            least = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

const struct site_host *site_host_find(const struct sites *sites, struct text authority)
{
    char bytes[HOST_BYTES_MAX];
    struct text name = authority_host(authority);
    if (sites->hosts == 0 || name.length == 0 || name.length > sizeof(bytes)) return NULL;
    put_lower(bytes, name);
    name.base = bytes;
    const struct site_host *host = name_find(sites, name);
    while (!host && name.length > 1) {
        do {
            name.base++;
            name.length--;
        } while (name.length > 0 && name.base[0] != '.');
        host = name_find(sites, name);
    }
    return host;
}

const struct site *site_find(const struct sites *sites, struct text authority)
{
    const struct site_host *host = site_host_find(sites, authority);
    return host ? host->site : sites->otherwise;
}
