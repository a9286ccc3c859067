/*
 * Pieces of log lines, formatted by hand: a whole line costs less than one printf conversion would.
 * Texts come from peers. They are copied eight bytes at a time as long as all eight are clean, and
 * byte by byte, with escapes, where they are not. So no byte can end a text or a line early, or
 * move the cursor of a terminal.
 */
#define _GNU_SOURCE
#include "base/put.h"

#include "zcserve/now.h"
#include "zcserve/utf8.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define ELLIPSIS TEXT("…")
#define ESCAPE_MAX 6 /* \u00ff */

/* ---- numbers and addresses -------------------------------------------------------------------- */

char *put_text(char *at, struct text text)
{
    memcpy(at, text.base, text.length);
    return at + text.length;
}

char *put_name(char *at, const char *name)
{
    return put_text(at, (struct text){name, strlen(name)});
}

char *put_digits(char *at, uint64_t number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + digits;
}

char *put_number(char *at, uint64_t number)
{
    int digits = 1;

    for (uint64_t rest = number; rest >= 10; rest /= 10)
        digits++;
    return put_digits(at, number, digits);
}

char *put_seconds(char *at, uint64_t ns)
{
    at = put_number(at, ns / NS_PER_SECOND);
    *at++ = '.';
    return put_digits(at, ns % NS_PER_SECOND / 1000, 6);
}

static char *put_ipv4(char *at, const uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++) {
        at = put_number(at, bytes[i]);
        *at++ = '.';
    }
    return at - 1;
}

/* A peer that reached a dual-stack socket through IPv4 is shown by its IPv4 address. */
static char *put_ipv6(char *at, const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) return put_ipv4(at, address->s6_addr + 12);
    if (!inet_ntop(AF_INET6, address, at, INET6_ADDRSTRLEN)) return at;
    return at + strlen(at);
}

char *put_peer(char *at, const struct sockaddr *peer)
{
    const void *address = peer;
    switch (!peer ? AF_UNSPEC : peer->sa_family) {
    case AF_INET:
        return put_ipv4(at, (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
    case AF_INET6: return put_ipv6(at, &((const struct sockaddr_in6 *)address)->sin6_addr);
    default: *at++ = '-'; return at;
    }
}

/* ---- texts of peers --------------------------------------------------------------------------- */

static bool put_is_clean(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/*
 * Returns 0 when no byte of `word` is zero. Else the top bit of the lowest zero byte is set, and
 * perhaps those of bytes above it.
 */
static uint64_t put_zero_bytes(uint64_t word)
{
    return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Returns whether all eight bytes are clean. */
static bool put_is_clean_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t control = (word - ones * 0x20) & ~word;
    uint64_t beyond = (word + ones) | word; /* 0x7f and above */
    uint64_t found = ((control | beyond) & (ones * 0x80)) | put_zero_bytes(word ^ (ones * '"')) |
                     put_zero_bytes(word ^ (ones * '\\'));

    return found == 0;
}

static char *put_hex(char *at, unsigned char c)
{
    static const char digit[] = "0123456789ABCDEF";

    *at++ = digit[c >> 4];
    *at++ = digit[c & 15];
    return at;
}

/* Writes \uHHHH. All characters that must be escaped (utf8_shown_length) have at most 16 bits. */
static char *put_number_of_character(char *at, uint32_t number)
{
    at = put_hex(put_text(at, TEXT("\\u")), (unsigned char)(number >> 8));
    return put_hex(at, (unsigned char)number);
}

/* Escapes the first character of `text`, which is not clean. Returns how many bytes it had. */
static size_t put_escape(char **at, struct text text, enum escapes escapes)
{
    unsigned char c = (unsigned char)text.base[0];
    size_t length = utf8_length(text.base, text.length);
    size_t shown = utf8_shown_length(text.base, text.length);

    if (escapes == ESCAPES_LOG) {
        *at = put_hex(put_text(*at, TEXT("\\x")), c);
        length = 1;
    } else if (c == '"' || c == '\\') {
        *(*at)++ = '\\';
        *(*at)++ = (char)c;
    } else if (shown > 0) {
        *at = put_text(*at, (struct text){text.base, shown});
    } else if (length > 0) {
        *at = put_number_of_character(*at, utf8_decode(text.base, length));
    } else {
        *at = put_number_of_character(*at, c);
        length = 1;
    }
    return length;
}

char *put_escaped(char *at, struct text text, size_t max, enum escapes escapes)
{
    const char *limit = at + max;

    while (text.length > 0) {
        uint64_t word = 0;
        size_t length = 1;

        if (text.length >= sizeof(word) && limit - at >= (ptrdiff_t)sizeof(word))
            memcpy(&word, text.base, sizeof(word));
        if (word != 0 && put_is_clean_word(word)) {
            memcpy(at, &word, sizeof(word));
            at += sizeof(word);
            length = sizeof(word);
        } else if (limit - at < ESCAPE_MAX) {
            return put_text(at, ELLIPSIS);
        } else if (put_is_clean((unsigned char)text.base[0])) {
            *at++ = text.base[0];
        } else {
            length = put_escape(&at, text, escapes);
        }
        text.base += length;
        text.length -= length;
    }
    return at;
}
