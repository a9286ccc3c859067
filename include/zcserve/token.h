/*
 * The characters of a token (tchar, RFC 9110 §5.6.2). Methods, field names, and the type and
 * subtype of a media type are tokens.
 */
#ifndef ZCSERVE_TOKEN_H
#define ZCSERVE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

static inline bool is_token_char(char c)
{
    /* One bit for each ASCII character: ! # $ % & ' * + - . 0-9 A-Z ^ _ ` a-z | ~ */
    static const uint32_t chars[4] = {0x00000000, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    unsigned char u = (unsigned char)c;
    return u < 128 && (chars[u / 32] >> u % 32 & 1) != 0;
}

#endif
