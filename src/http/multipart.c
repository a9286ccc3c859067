/*
 * Writes the heads of parts and the end, and computes how long all is. output.c adds the bytes of
 * the parts.
 *
 * The boundary must not occur in any part (RFC 2046 §5.1.1), whatever the author of a file writes
 * into it. So it is a hash of the version of the file under a secret key. An author who has seen the
 * boundary cannot write it into the file, because that makes another version, which has another
 * boundary. The hash is SipHash-2-4 of one word (Aumasson and Bernstein, 2012).
 */
#include "multipart.h"
#include "line.h"

static uint64_t rotated(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void hash_rounds(uint64_t v[4], int rounds)
{
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotated(v[1], 13) ^ v[0];
        v[3] = rotated(v[3], 16) ^ v[2];
        v[0] = rotated(v[0], 32) + v[3];
        v[2] += v[1];
        v[1] = rotated(v[1], 17) ^ v[2];
        v[3] = rotated(v[3], 21) ^ v[0];
        v[2] = rotated(v[2], 32);
    }
}

static uint64_t keyed_hash(const uint64_t key[2], uint64_t word)
{
    const uint64_t words[2] = {word, UINT64_C(0x0800000000000000)}; /* the last: how many bytes */
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    for (int i = 0; i < 2; i++) {
        v[3] ^= words[i];
        hash_rounds(v, 2);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    hash_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct boundary multipart_boundary(const struct plan *plan, const struct conn_rules *rules)
{
    struct boundary boundary;
    uint64_t hash = keyed_hash(rules->seed, plan->selected->version);
    for (int i = 0; i < BOUNDARY_DIGITS; i++, hash <<= 4)
        boundary.digits[i] = "0123456789abcdef"[hash >> 60];
    return boundary;
}

static char *put_boundary(char *at, const struct boundary *boundary)
{
    return put(put(at, TEXT("--")), (struct text){boundary->digits, BOUNDARY_DIGITS});
}

size_t multipart_head_write(char *space, const struct plan *plan, uint32_t part,
                            const struct boundary *boundary)
{
    char *at = part == 0 ? space : put(space, TEXT("\r\n"));
    at = put(put_boundary(at, boundary), TEXT("\r\n"));
    at = put_type(at, plan);
    at =
        put_content_range(at, plan->ranges->part[part], representation_length_text(plan->selected));
    return (size_t)(put(at, TEXT("\r\n")) - space);
}

size_t multipart_end_write(char *space, const struct boundary *boundary)
{
    char *at = put_boundary(put(space, TEXT("\r\n")), boundary);
    return (size_t)(put(at, TEXT("--\r\n")) - space);
}

/* ---- length ---------------------------------------------------------------------------------- */

static uint64_t digits_of(uint64_t number)
{
    uint64_t digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

uint64_t multipart_length(const struct plan *plan)
{
    const struct representation *r = plan->selected;
    uint64_t same = sizeof("\r\n--\r\n") - 1 + BOUNDARY_DIGITS + type_length(plan) +
                    sizeof("Content-Range: bytes -/\r\n\r\n") - 1 +
                    representation_length_text(r).length;
    uint64_t length = plan->length + plan->ranges->count * same;
    for (uint32_t i = 0; i < plan->ranges->count; i++) {
        const struct range *part = &plan->ranges->part[i];
        length += digits_of(part->offset) + digits_of(part->offset + part->length - 1);
    }
    return length - (sizeof("\r\n") - 1) + sizeof("\r\n----\r\n") - 1 + BOUNDARY_DIGITS;
}
