/*
 * Splits a Host: an IPv6 address in brackets, an IPv4 address with dots, or a name; and perhaps a
 * port. Other ways to write an address (127.1, 0x7f.0.0.1) are refused: no browser sends them.
 */
#include "status/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define HOST_BYTES_MAX 255

/* Returns whether `text` is empty, or a colon with any number of digits (RFC 3986 §3.2.3). */
static bool is_port(const char *text)
{
    return *text == '\0' || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

static bool is_address(int family, const char *text)
{
    struct in6_addr address; /* also large enough for IPv4 */
    return inet_pton(family, text, &address) == 1;
}

static bool is_name_known(const char *name, const char *const *names)
{
    if (strcasecmp(name, "localhost") == 0) return true;
    for (; *names; names++)
        if (strcasecmp(name, *names) == 0) return true;
    return false;
}

/* Copies `length` bytes and adds a NUL. Returns false when there are too many. */
static bool host_copy(char host[HOST_BYTES_MAX + 1], const char *text, size_t length)
{
    if (length > HOST_BYTES_MAX) return false;
    memcpy(host, text, length);
    host[length] = '\0';
    return true;
}

static bool any_is_known(const char *const *names)
{
    for (; *names; names++)
        if (strcmp(*names, "*") == 0) return true;
    return false;
}

bool host_is_known(const char *value, const char *const *names)
{
    char host[HOST_BYTES_MAX + 1];
    bool bracketed = value[0] == '[';
    size_t length = strcspn(value, bracketed ? "]" : ":");
    if (any_is_known(names)) return true;
    if (bracketed && value[length] != ']') return false;
    if (!is_port(value + length + bracketed)) return false;
    if (bracketed) return host_copy(host, value + 1, length - 1) && is_address(AF_INET6, host);
    if (!host_copy(host, value, length)) return false;
    if (is_address(AF_INET, host)) return true;
    if (length > 1 && host[length - 1] == '.') host[length - 1] = '\0';
    return is_name_known(host, names);
}
