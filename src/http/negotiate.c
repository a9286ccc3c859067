/*
 * Reads Accept-Encoding into one weight for each coding. Each valid member sets the weight of the
 * coding that it names. At the end, "*" sets the weights of the codings that were not named. No
 * coding is chosen here, because it is not known which codings exist.
 */
#include "negotiate.h"

#define WEIGHT_MAX 1000

#define CODING_ANY CODING_COUNT /* "*" has an index of its own */
#define CODING_UNKNOWN (CODING_COUNT + 1)

/* Compares without regard to case. `lower` has only lower-case letters and is as long as `name`. */
static inline bool letters_are(struct text name, const char *lower)
{
    for (size_t i = 0; i < name.length; i++)
        if ((name.base[i] | 0x20) != lower[i]) return false;
    return true;
}

static unsigned coding_find(struct text name)
{
    switch (name.length) {
    case 1: return name.base[0] == '*' ? CODING_ANY : CODING_UNKNOWN;
    case 2: return letters_are(name, "br") ? CODING_BR : CODING_UNKNOWN;
    case 4:
        if (letters_are(name, "gzip")) return CODING_GZIP;
        return letters_are(name, "zstd") ? CODING_ZSTD : CODING_UNKNOWN;
    case 6: return text_equals_any_case(name, TEXT("x-gzip")) ? CODING_GZIP : CODING_UNKNOWN;
    case 8: return letters_are(name, "identity") ? CODING_IDENTITY : CODING_UNKNOWN;
    default: return CODING_UNKNOWN;
    }
}

uint16_t negotiate_weight(struct text text)
{
    static const uint16_t unit[] = {WEIGHT_MAX, 0, 100, 10, 1};
    unsigned weight = 0;
    if (text.length < 1 || text.length > 5 || (text.length > 1 && text.base[1] != '.'))
        return WEIGHT_NONE;
    for (size_t i = 0; i < text.length; i++) {
        unsigned digit = (unsigned char)text.base[i] - (unsigned)'0';
        if (i == 1) continue;
        if (digit > 9) return WEIGHT_NONE;
        weight += digit * unit[i];
    }
    return weight <= WEIGHT_MAX ? (uint16_t)weight : WEIGHT_NONE;
}

/* Returns the weight behind the ";" of a member. Only "q=" and a weight are allowed there. */
static uint16_t parameter_read(struct text text)
{
    while (text.length > 0 && byte_is_blank(text.base[0])) {
        text.base++;
        text.length--;
    }
    if (text.length < 2 || (text.base[0] | 0x20) != 'q' || text.base[1] != '=') return WEIGHT_NONE;
    return negotiate_weight((struct text){text.base + 2, text.length - 2});
}

static void member_read(struct text member, uint16_t weight[CODING_COUNT + 1])
{
    struct text name = member;
    uint16_t given = WEIGHT_MAX;
    const char *semicolon = memchr(member.base, ';', member.length);
    if (semicolon) {
        name.length = (size_t)(semicolon - member.base);
        given = parameter_read((struct text){semicolon + 1, member.length - name.length - 1});
        while (name.length > 0 && byte_is_blank(name.base[name.length - 1]))
            name.length--;
    }
    unsigned coding = coding_find(name);
    if (coding != CODING_UNKNOWN && given != WEIGHT_NONE) weight[coding] = given;
}

struct accepted negotiate_accepted(const struct fields *fields)
{
    struct accepted accepted = {.weight = {[CODING_IDENTITY] = WEIGHT_MAX}};
    uint16_t weight[CODING_COUNT + 1];
    uint32_t cursor = 0;
    struct text value, member;

    if (!fields_have(fields, FIELD_ACCEPT_ENCODING)) return accepted;
    for (unsigned i = 0; i <= CODING_ANY; i++)
        weight[i] = WEIGHT_NONE;
    while (fields_next(fields, FIELD_ACCEPT_ENCODING, &cursor, &value))
        while (list_next(&value, &member))
            member_read(member, weight);

    uint16_t any = weight[CODING_ANY];
    if (weight[CODING_IDENTITY] == WEIGHT_NONE) weight[CODING_IDENTITY] = any == 0 ? 0 : 1;
    for (unsigned i = 0; i < CODING_COUNT; i++) {
        if (weight[i] == WEIGHT_NONE) weight[i] = any == WEIGHT_NONE ? 0 : any;
        accepted.weight[i] = weight[i];
    }
    return accepted;
}
