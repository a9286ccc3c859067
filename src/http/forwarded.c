/*
 * Reads the lists from their beginning, although they are followed from their end: what a member
 * means for the members before it is known as soon as it is read.
 */
#include "forwarded.h"

/* Takes the next parameter of a Forwarded element from *rest. Quoted strings stay whole. */
static struct text parameter_take(struct text *rest)
{
    bool quoted = false;
    size_t at = 0;
    for (; at < rest->length && (quoted || rest->base[at] != ';'); at++)
        quoted ^= rest->base[at] == '"';
    struct text parameter = {rest->base, at};
    size_t used = at + (at < rest->length);
    *rest = (struct text){rest->base + used, rest->length - used};
    return parameter;
}

/* Returns the text without its quotes, if it has any. One with a backslash is no address. */
static struct text unquoted(struct text text)
{
    bool quoted = text.length >= 2 && text.base[0] == '"' && text.base[text.length - 1] == '"';
    return quoted ? (struct text){text.base + 1, text.length - 2} : text;
}

/* Returns the value of "for=" or "proto=" in an element of Forwarded (RFC 7239 §4); or absent. */
static struct text value_of(struct text element, struct text name)
{
    while (element.length > 0) {
        struct text parameter = parameter_take(&element);
        while (parameter.length > 0 && byte_is_blank(parameter.base[0]))
            parameter = (struct text){parameter.base + 1, parameter.length - 1};
        if (parameter.length < name.length) continue;
        if (text_equals_any_case((struct text){parameter.base, name.length}, name))
            return unquoted(text_trim_end(
                (struct text){parameter.base + name.length, parameter.length - name.length}));
    }
    return (struct text){NULL, 0};
}

static bool is_port(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.base[i] < '0' || text.base[i] > '9') return false;
    return text.length > 0 && text.length <= 5;
}

/*
 * Sets *host to the host of "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80" or "2001:db8::1". Returns
 * false when what follows it is no port.
 */
static bool host_of(struct text node, struct text *host)
{
    const char *end = node.base + node.length;
    const char *colon = memchr(node.base, ':', node.length);
    bool bracketed = node.length > 0 && node.base[0] == '[';
    const char *stop = colon;
    if (bracketed) {
        stop = memchr(node.base, ']', node.length);
        if (!stop) return false;
        *host = (struct text){node.base + 1, (size_t)(stop - node.base) - 1};
        stop++;
    } else {
        if (!colon || memchr(colon + 1, ':', (size_t)(end - colon) - 1)) stop = end;
        *host = (struct text){node.base, (size_t)(stop - node.base)};
    }
    if (stop == end) return true;
    return *stop == ':' && is_port((struct text){stop + 1, (size_t)(end - stop) - 1});
}

/* Returns the address of a member; absent when it is none. */
static struct text address_of(struct text member, enum forwarding forwarding, struct ip *ip)
{
    struct text node =
        forwarding == FORWARDING_FORWARDED ? value_of(member, TEXT("for=")) : unquoted(member);
    struct text host = {NULL, 0};
    if (!node.base || !host_of(node, &host) || !ip_read(host, ip)) return (struct text){NULL, 0};
    return host;
}

struct text forwarded_client(const struct fields *fields, const struct conn_rules *rules)
{
    enum field field =
        rules->forwarding == FORWARDING_FORWARDED ? FIELD_FORWARDED : FIELD_X_FORWARDED_FOR;
    struct text client = {NULL, 0}, value, member;
    uint32_t cursor = 0;
    while (fields_next(fields, field, &cursor, &value))
        while (list_next(&value, &member)) {
            struct ip ip;
            struct text address = address_of(member, rules->forwarding, &ip);
            bool leads_on = address.base && networks_have(&rules->trusted, &ip);
            if (!leads_on || !client.base) client = address;
        }
    return client;
}

/* ---- the scheme ------------------------------------------------------------------------------ */

/* Returns the scheme in the members of Forwarded; absent when none that is believed names one. */
static struct text scheme_forwarded(const struct fields *fields, const struct conn_rules *rules)
{
    struct text scheme = {NULL, 0}, value, member;
    uint32_t cursor = 0;
    while (fields_next(fields, FIELD_FORWARDED, &cursor, &value))
        while (list_next(&value, &member)) {
            struct ip ip;
            struct text address = address_of(member, FORWARDING_FORWARDED, &ip);
            bool leads_on = address.base && networks_have(&rules->trusted, &ip);
            if (!leads_on || !scheme.base) scheme = value_of(member, TEXT("proto="));
        }
    return scheme;
}

static struct text last_member(const struct fields *fields, enum field field)
{
    struct text last = {NULL, 0}, value, member;
    uint32_t cursor = 0;
    while (fields_next(fields, field, &cursor, &value))
        while (list_next(&value, &member))
            last = member;
    return last;
}

bool forwarded_https(const struct fields *fields, const struct conn_rules *rules)
{
    struct text scheme = rules->forwarding == FORWARDING_FORWARDED
                             ? scheme_forwarded(fields, rules)
                             : last_member(fields, FIELD_X_FORWARDED_PROTO);
    return scheme.base && text_equals_any_case(scheme, TEXT("https"));
}
