/*
 * The three codings, each decompressed by the library that encode/encode.c compresses with.
 */
#include "precompress/coder.h"

#include <brotli/decode.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_WINDOW_BITS_MAX 23 /* 8 MiB */

/* ---- gzip ------------------------------------------------------------------------------------ */

/* Decompresses all members (RFC 1952 §2.2), which together must give `length` bytes. */
static bool gzip_decode(struct libdeflate_decompressor *decompressor, struct text encoded,
                        char *space, size_t length)
{
    size_t filled = 0;
    while (encoded.length > 0) {
        size_t taken = 0, given = 0;
        if (libdeflate_gzip_decompress_ex(decompressor, encoded.base, encoded.length,
                                          space + filled, length - filled, &taken,
                                          &given) != LIBDEFLATE_SUCCESS)
            return false;
        encoded = (struct text){encoded.base + taken, encoded.length - taken};
        filled += given;
    }
    return filled == length;
}

static enum match gzip_match(struct text encoded, char *space, size_t length)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!decompressor) return MATCH_NO_MEMORY;
    bool decoded = gzip_decode(decompressor, encoded, space, length);
    libdeflate_free_decompressor(decompressor);
    return decoded ? MATCH_EQUAL : MATCH_DIFFERENT;
}

/* ---- br -------------------------------------------------------------------------------------- */

static enum match brotli_match(struct text encoded, char *space, size_t length)
{
    BrotliDecoderState *decoder = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!decoder) return MATCH_NO_MEMORY;
    const uint8_t *in = (const uint8_t *)encoded.base;
    uint8_t *out = (uint8_t *)space;
    size_t in_left = encoded.length, out_left = length;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(decoder, &in_left, &in, &out_left, &out, NULL);
    BrotliDecoderErrorCode error = BrotliDecoderGetErrorCode(decoder);
    BrotliDecoderDestroyInstance(decoder);
    if (error <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
        error >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
        return MATCH_NO_MEMORY;
    bool whole = result == BROTLI_DECODER_RESULT_SUCCESS && in_left == 0 && out_left == 0;
    return whole ? MATCH_EQUAL : MATCH_DIFFERENT;
}

/* ---- zstd ------------------------------------------------------------------------------------ */

/*
 * Decompresses all frames (RFC 8878 §3.1). Returns 0, or an error of zstd. A frame begins with no
 * space to write to: else zstd could decompress all of it at once, and then it does not look at the
 * size of the window.
 */
static size_t zstd_decode(ZSTD_DCtx *context, ZSTD_inBuffer *in, char *space, size_t length,
                          size_t *filled)
{
    size_t left = 0, before;
    ZSTD_outBuffer out = {space, length, 0};
    do {
        before = in->pos + out.pos;
        out.size = left == 0 ? out.pos : length;
        left = ZSTD_decompressStream(context, &out, in);
    } while (!ZSTD_isError(left) && in->pos + out.pos > before && (left > 0 || in->pos < in->size));
    *filled = out.pos;
    return left;
}

static enum match zstd_match(struct text encoded, char *space, size_t length)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!context) return MATCH_NO_MEMORY;
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW_BITS_MAX);
    ZSTD_inBuffer in = {encoded.base, encoded.length, 0};
    size_t filled, left = zstd_decode(context, &in, space, length, &filled);
    ZSTD_freeDCtx(context);
    if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
        return MATCH_NO_MEMORY;
    return left == 0 && in.pos == in.size && filled == length ? MATCH_EQUAL : MATCH_DIFFERENT;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Decompresses into `space` of `length` bytes. EQUAL: exactly so many came out. */
static enum match decode(enum coding coding, struct text encoded, char *space, size_t length)
{
    switch (coding) {
    case CODING_GZIP: return gzip_match(encoded, space, length);
    case CODING_BR: return brotli_match(encoded, space, length);
    case CODING_ZSTD: return zstd_match(encoded, space, length);
    case CODING_IDENTITY:
    case CODING_COUNT: break;
    }
    return MATCH_DIFFERENT;
}

enum match coder_compare(enum coding coding, struct text encoded, struct text content)
{
    char *space = malloc(content.length + 1);
    if (!space) return MATCH_NO_MEMORY;
    enum match match = decode(coding, encoded, space, content.length);
    if (match == MATCH_EQUAL && memcmp(space, content.base, content.length) != 0)
        match = MATCH_DIFFERENT;
    free(space);
    return match;
}
