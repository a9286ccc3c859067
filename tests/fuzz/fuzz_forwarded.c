/*
 * The first line of an input has the trusted networks, the second says which field is believed, and the others are its
 * lines. A client that is found is an address within a line. Several lines mean the same as one with commas (RFC 9110
 * §5.3), unless a quote is open at the end of a line; and an address that nobody trusts, at the very end, is the client.
 */
#include "http/forwarded.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct text taken(struct text *rest, char until)
{
    const char *end = rest->length > 0 ? memchr(rest->base, until, rest->length) : NULL;
    size_t length = end ? (size_t)(end - rest->base) : rest->length;
    struct text piece = {rest->base, length};
    length += end != NULL;
    *rest = (struct text){rest->base + length, rest->length - length};
    return piece;
}

/* Adds a line to the field that gives the address, and to the one that gives the scheme. */
static bool line_add(struct fields *fields, const struct conn_rules *rules, struct text line)
{
    if (rules->forwarding == FORWARDING_FORWARDED) return fields_add(fields, FIELD_FORWARDED, line);
    return fields_add(fields, FIELD_X_FORWARDED_FOR, line) &&
           fields_add(fields, FIELD_X_FORWARDED_PROTO, line);
}

/* Returns whether a quote is open at the end of the text, in which a backslash is before a quoted byte. */
static bool quote_is_open(struct text text)
{
    bool open = false;
    for (size_t i = 0; i < text.length; i++)
        if (open && text.base[i] == '\\')
            i++;
        else
            open ^= text.base[i] == '"';
    return open;
}

static void as_one_line(struct text lines, const struct conn_rules *rules, struct text client,
                        bool https)
{
    char *joined = malloc(lines.length + 1);
    struct fields fields = {0};
    assert(joined);
    if (lines.length > 0) memcpy(joined, lines.base, lines.length);
    for (size_t i = 0; i < lines.length; i++)
        if (joined[i] == '\n') joined[i] = ',';
    line_add(&fields, rules, (struct text){joined, lines.length});
    struct text again = forwarded_client(&fields, rules);
    assert(!again.base == !client.base && again.length == client.length);
    assert(!again.base || again.base - joined == client.base - lines.base);
    assert(forwarded_https(&fields, rules) == https);
    free(joined);
}

static void stranger_is_client(struct fields *fields, const struct conn_rules *rules)
{
    struct ip ip;
    struct text stranger = TEXT("203.0.113.7");
    assert(ip_read(stranger, &ip));
    bool forwarded = rules->forwarding == FORWARDING_FORWARDED;
    if (networks_have(&rules->trusted, &ip) ||
        !line_add(fields, rules, forwarded ? TEXT("proto=HTTPS;for=203.0.113.7:80") : stranger))
        return;
    assert(text_equals(forwarded_client(fields, rules), stranger));
    assert(forwarded_https(fields, rules) == forwarded);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text rest = {(const char *)bytes, size};
    struct conn_rules rules = {.forwarding = FORWARDING_X_FORWARDED_FOR};
    struct fields fields = {0};
    struct ip ip;
    struct text networks = taken(&rest, '\n');
    while (networks.length > 0)
        networks_add(&rules.trusted, taken(&networks, ' '));
    if (taken(&rest, '\n').length > 0) rules.forwarding = FORWARDING_FORWARDED;
    bool open = false;
    for (struct text lines = rest; lines.length > 0;) {
        struct text line = taken(&lines, '\n');
        open |= quote_is_open(line);
        if (!line_add(&fields, &rules, line)) return 0;
    }
    struct text client = forwarded_client(&fields, &rules);
    assert(!client.base || (client.base >= rest.base && ip_read(client, &ip)));
    if (!open && rest.length > 0)
        as_one_line(rest, &rules, client, forwarded_https(&fields, &rules));
    stranger_is_client(&fields, &rules);
    return 0;
}
