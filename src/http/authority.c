/*
 * Checks that a host and port are written as RFC 3986 §3.2.2 requires. The text is read once, from
 * left to right. Only the characters of a name are checked: no name is looked up.
 */
#include "authority.h"

static bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool byte_is_hex(char c)
{
    return byte_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Returns whether `c` is one of "unreserved" or "sub-delims" (RFC 3986 §2.2, §2.3). */
static bool byte_is_name(char c)
{
    if (byte_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) return true;
    return c != '\0' && strchr("-._~!$&'()*+,;=", c) != NULL;
}

/* Returns the length of the reg-name that `text` begins with. A malformed "%XX" ends it. */
static size_t name_length(struct text text)
{
    size_t at = 0;
    while (at < text.length)
        if (byte_is_name(text.base[at]))
            at++;
        else if (text.base[at] == '%' && at + 2 < text.length && byte_is_hex(text.base[at + 1]) &&
                 byte_is_hex(text.base[at + 2]))
            at += 3;
        else
            break;
    return at;
}

/* Returns whether `text` is four numbers of at most 255, without leading zeros. */
static bool ipv4_valid(struct text text)
{
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        unsigned number = 0;
        if (part > 0 && (at == text.length || text.base[at++] != '.')) return false;
        size_t first = at;
        while (at < text.length && at - first < 3 && byte_is_digit(text.base[at]))
            number = number * 10 + (unsigned)(text.base[at++] - '0');
        if (at == first || number > 255 || (at - first > 1 && text.base[first] == '0'))
            return false;
    }
    return at == text.length;
}

/* Returns how many hexadecimal digits `text` begins with, up to 5; a group may have only 4. */
static size_t group_length(struct text text)
{
    size_t at = 0;
    while (at < text.length && at < 5 && byte_is_hex(text.base[at]))
        at++;
    return at;
}

static struct text text_after(struct text text, size_t skipped)
{
    return (struct text){text.base + skipped, text.length - skipped};
}

/*
 * Returns whether `text` is eight groups, or fewer with one "::". An IPv4 address may replace the
 * last two groups.
 */
static bool ipv6_valid(struct text text)
{
    int groups = 0;
    bool gap = text.length >= 2 && memcmp(text.base, "::", 2) == 0;
    if (gap) text = text_after(text, 2);
    while (text.length > 0) {
        size_t group = group_length(text);
        if (group < text.length && text.base[group] == '.') {
            groups += 2;
            return ipv4_valid(text) && (gap ? groups < 8 : groups == 8);
        }
        if (group == 0 || group > 4 || ++groups > 8) return false;
        text = text_after(text, group);
        if (text.length == 0) break;
        if (text.length == 1 || text.base[0] != ':') return false;
        text = text_after(text, 1);
        if (text.base[0] == ':' && gap) return false;
        if (text.base[0] == ':') {
            gap = true;
            text = text_after(text, 1);
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* Returns whether `text` is empty, or ":" and a port of at most 65535, which may be empty. */
static bool port_valid(struct text text)
{
    unsigned port = 0;
    if (text.length > 0 && text.base[0] != ':') return false;
    for (size_t i = 1; i < text.length; i++) {
        if (!byte_is_digit(text.base[i])) return false;
        port = port * 10 + (unsigned)(text.base[i] - '0');
        if (port > 65535) return false;
    }
    return true;
}

bool authority_valid(struct text authority)
{
    if (authority.length == 0) return true;
    if (authority.base[0] != '[') return port_valid(text_after(authority, name_length(authority)));
    const char *bracket = memchr(authority.base, ']', authority.length);
    if (!bracket) return false;
    size_t literal = (size_t)(bracket - authority.base) + 1;
    return ipv6_valid((struct text){authority.base + 1, literal - 2}) &&
           port_valid(text_after(authority, literal));
}

struct text authority_host(struct text authority)
{
    struct text host = authority;
    while (host.length > 0 && byte_is_digit(host.base[host.length - 1]))
        host.length--;
    if (host.length > 0 && host.base[host.length - 1] == ':')
        host.length--;
    else
        host = authority;
    if (host.length > 1 && host.base[host.length - 1] == '.') host.length--;
    return host;
}
