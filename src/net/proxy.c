/*
 * Reads a header of the PROXY protocol, and refuses at the first byte that cannot belong to one. It
 * reads strictly, because whoever writes it is a program: one space between the words of version 1,
 * no leading zeros in ports, and no protocols that cannot have opened this connection.
 */
#include "zcserve/proxy.h"

#include <arpa/inet.h>
#include <stdint.h>

/* Returns PARTIAL or WHOLE when `bytes` begin like `start`, or else BAD. */
static enum proxy_kind begins_with(struct text bytes, struct text start)
{
    size_t length = bytes.length < start.length ? bytes.length : start.length;
    if (memcmp(bytes.base, start.base, length) != 0) return PROXY_BAD;
    return bytes.length < start.length ? PROXY_PARTIAL : PROXY_WHOLE;
}

static void source_set_ipv4(struct proxy_header *header, const void *host, in_port_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};
    memcpy(&in.sin_addr, host, sizeof(in.sin_addr));
    memcpy(&header->source, &in, sizeof(in));
    header->has_source = true;
}

static void source_set_ipv6(struct proxy_header *header, const void *host, in_port_t port)
{
    header->source = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
    memcpy(&header->source.sin6_addr, host, sizeof(header->source.sin6_addr));
    header->has_source = true;
}

/* ---- version 1 ------------------------------------------------------------------------------- */

#define V1_BYTES_MAX 107 /* with its CRLF */
#define V1_BEGIN TEXT("PROXY ")

/* Takes the next word from *rest. Words are divided by one space. */
static struct text word_take(struct text *rest)
{
    const char *space = memchr(rest->base, ' ', rest->length);
    size_t length = space ? (size_t)(space - rest->base) : rest->length;
    struct text word = {rest->base, length};
    size_t used = length + (space != NULL);
    *rest = (struct text){rest->base + used, rest->length - used};
    return word;
}

static bool host_read(struct text word, int family, void *host)
{
    char copy[INET6_ADDRSTRLEN] = "";
    if (word.length >= sizeof(copy) || memchr(word.base, '\0', word.length)) return false;
    memcpy(copy, word.base, word.length);
    return inet_pton(family, copy, host) == 1;
}

static bool port_read(struct text word, in_port_t *port)
{
    uint32_t value = 0;
    if (word.length == 0 || word.length > 5) return false;
    if (word.length > 1 && word.base[0] == '0') return false;
    for (size_t i = 0; i < word.length; i++) {
        if (word.base[i] < '0' || word.base[i] > '9') return false;
        value = value * 10 + (uint32_t)(word.base[i] - '0');
    }
    *port = htons((uint16_t)value);
    return value <= UINT16_MAX;
}

/* Reads the line behind "TCP4 " or "TCP6 ": two addresses and two ports. */
static bool v1_addresses_read(struct text rest, int family, struct proxy_header *header)
{
    struct in6_addr source, destination; /* room for either family */
    in_port_t source_port, destination_port;
    if (!host_read(word_take(&rest), family, &source)) return false;
    if (!host_read(word_take(&rest), family, &destination)) return false;
    if (!port_read(word_take(&rest), &source_port)) return false;
    struct text last = rest; /* to the end: a further space is an error */
    if (!port_read(last, &destination_port)) return false;
    if (family == AF_INET)
        source_set_ipv4(header, &source, source_port);
    else
        source_set_ipv6(header, &source, source_port);
    return true;
}

static enum proxy_kind v1_read(struct text bytes, struct proxy_header *header)
{
    size_t most = bytes.length < V1_BYTES_MAX ? bytes.length : V1_BYTES_MAX;
    const char *end = memchr(bytes.base, '\n', most);
    if (!end) return bytes.length < V1_BYTES_MAX ? PROXY_PARTIAL : PROXY_BAD;
    if (end[-1] != '\r') return PROXY_BAD;
    size_t begin = V1_BEGIN.length;
    struct text rest = {bytes.base + begin, (size_t)(end - 1 - bytes.base) - begin};
    header->length = (size_t)(end + 1 - bytes.base);
    struct text protocol = word_take(&rest);
    if (text_equals(protocol, TEXT("UNKNOWN"))) return PROXY_WHOLE;
    int family = text_equals(protocol, TEXT("TCP4"))   ? AF_INET
                 : text_equals(protocol, TEXT("TCP6")) ? AF_INET6
                                                       : AF_UNSPEC;
    bool valid = family != AF_UNSPEC && v1_addresses_read(rest, family, header);
    return valid ? PROXY_WHOLE : PROXY_BAD;
}

/* ---- version 2 ------------------------------------------------------------------------------- */

#define V2_BEGIN TEXT("\r\n\r\n\0\r\nQUIT\n")
#define V2_HEAD_BYTES 16

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21 };                              /* version and command */
enum { V2_UNSPEC = 0, V2_TCP4 = 0x11, V2_TCP6 = 0x21, V2_UNIX = 0x31 }; /* family, transport */

#define TLV_CRC32C 0x03
#define TLV_HEAD_BYTES 3

static size_t length_read(const uint8_t *at)
{
    return (size_t)(at[0] << 8 | at[1]);
}

/* Goes on with the CRC32c (Castagnoli, reflected polynomial 0x82F63B78) of RFC 9260, Appendix A. */
static uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78U : 0);
    }
    return crc;
}

/* Returns whether the checksum at `sum` is that of the header with zeros in its place. */
static bool checksum_right(const uint8_t *bytes, size_t length, const uint8_t *sum)
{
    static const uint8_t zeros[4];
    size_t before = (size_t)(sum - bytes), after = before + sizeof(zeros);
    uint32_t crc = crc32c(UINT32_MAX, bytes, before);
    crc = crc32c(crc, zeros, sizeof(zeros));
    crc = ~crc32c(crc, bytes + after, length - after);
    return crc ==
           ((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3]);
}

/* Checks the TLVs from `at` to the end of the header. */
static bool tlvs_right(const uint8_t *bytes, size_t length, size_t at)
{
    while (at < length) {
        if (length - at < TLV_HEAD_BYTES) return false;
        size_t value = length_read(bytes + at + 1), begin = at + TLV_HEAD_BYTES;
        if (value > length - begin) return false;
        if (bytes[at] == TLV_CRC32C &&
            (value != 4 || !checksum_right(bytes, length, bytes + begin)))
            return false;
        at = begin + value;
    }
    return true;
}

/* Returns how many bytes the two addresses have, or -1: such a connection cannot be forwarded here. */
static int addresses_size(uint8_t protocol)
{
    switch (protocol) {
    case V2_UNSPEC: return 0;
    case V2_TCP4: return 12;
    case V2_TCP6: return 36;
    case V2_UNIX: return 216;
    default: return -1;
    }
}

static void v2_source_read(uint8_t protocol, const uint8_t *at, struct proxy_header *header)
{
    in_port_t port;
    switch (protocol) {
    case V2_TCP4:
        memcpy(&port, at + 8, sizeof(port));
        source_set_ipv4(header, at, port);
        break;
    case V2_TCP6:
        memcpy(&port, at + 32, sizeof(port));
        source_set_ipv6(header, at, port);
        break;
    case V2_UNIX:
        header->source.sin6_family = AF_UNIX;
        header->has_source = true;
        break;
    default: break;
    }
}

/* Reads what follows the first 16 bytes, of which all are there. What LOCAL says is not used. */
static enum proxy_kind v2_rest_read(const uint8_t *bytes, struct proxy_header *header)
{
    uint8_t command = bytes[12], protocol = bytes[13];
    if (command == V2_LOCAL) return PROXY_WHOLE;
    int size = addresses_size(protocol);
    size_t begin = V2_HEAD_BYTES;
    if (size < 0 || header->length - begin < (size_t)size) return PROXY_BAD;
    if (protocol != V2_UNSPEC && !tlvs_right(bytes, header->length, begin + (size_t)size))
        return PROXY_BAD;
    v2_source_read(protocol, bytes + begin, header);
    return PROXY_WHOLE;
}

static enum proxy_kind v2_read(struct text text, struct proxy_header *header)
{
    const uint8_t *bytes = (const uint8_t *)text.base;
    if (text.length > 12 && bytes[12] != V2_LOCAL && bytes[12] != V2_PROXY) return PROXY_BAD;
    if (text.length < V2_HEAD_BYTES) return PROXY_PARTIAL;
    header->length = V2_HEAD_BYTES + length_read(bytes + 14);
    if (header->length > PROXY_BYTES_MAX) return PROXY_BAD;
    return text.length < header->length ? PROXY_PARTIAL : v2_rest_read(bytes, header);
}

/* ---- both ------------------------------------------------------------------------------------ */

enum proxy_kind proxy_read(struct text bytes, struct proxy_header *header)
{
    *header = (struct proxy_header){.source.sin6_family = AF_UNSPEC};
    if (bytes.length == 0) return PROXY_PARTIAL;
    bool binary = bytes.base[0] == '\r';
    enum proxy_kind kind = begins_with(bytes, binary ? V2_BEGIN : V1_BEGIN);
    if (kind != PROXY_WHOLE) return kind;
    return binary ? v2_read(bytes, header) : v1_read(bytes, header);
}
