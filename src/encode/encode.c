/*
 * Each coding is made by the library of its authors, but gzip by libdeflate, which makes it smaller
 * than zlib can. All work on whole buffers: content is compressed once and sent often, so memory is
 * cheaper here than bytes are there.
 */
#include "encode/encode.h"
#include "encode/library.h"

#include <stdint.h>

#define ZSTD_WINDOW_BITS_MAX 23 /* 8 MiB */
#define BROTLI_WINDOW_SPARE 16  /* so many bytes less are kept (RFC 7932 §9.1) */

static enum coded gzip_encode(int level, struct text content, char *space, size_t room,
                              size_t *length)
{
    struct libdeflate_compressor *compressor = encoders.libdeflate_alloc_compressor(level);
    if (!compressor) return CODED_NO_MEMORY;
    *length =
        encoders.libdeflate_gzip_compress(compressor, content.base, content.length, space, room);
    encoders.libdeflate_free_compressor(compressor);
    return *length > 0 ? CODED : CODED_TOO_LARGE;
}

/* The smallest window that holds the content: a decoder needs no more memory than that. */
static uint32_t brotli_window_bits(size_t length)
{
    uint32_t bits = BROTLI_MIN_WINDOW_BITS;
    while (bits < BROTLI_MAX_WINDOW_BITS && (UINT64_C(1) << bits) - BROTLI_WINDOW_SPARE < length)
        bits++;
    return bits;
}

static enum coded brotli_encode(int level, struct text content, char *space, size_t room,
                                size_t *length)
{
    BrotliEncoderState *encoder = encoders.BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (!encoder) return CODED_NO_MEMORY;
    uint32_t hint = content.length < UINT32_MAX ? (uint32_t)content.length : UINT32_MAX;
    encoders.BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, (uint32_t)level);
    encoders.BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LGWIN,
                                       brotli_window_bits(content.length));
    encoders.BrotliEncoderSetParameter(encoder, BROTLI_PARAM_SIZE_HINT, hint);
    const uint8_t *in = (const uint8_t *)content.base;
    uint8_t *out = (uint8_t *)space;
    size_t in_left = content.length, out_left = room;
    bool went = true;
    while (went && out_left > 0 && !encoders.BrotliEncoderIsFinished(encoder))
        went = encoders.BrotliEncoderCompressStream(encoder, BROTLI_OPERATION_FINISH, &in_left, &in,
                                                    &out_left, &out, NULL);
    bool finished = encoders.BrotliEncoderIsFinished(encoder);
    encoders.BrotliEncoderDestroyInstance(encoder);
    *length = room - out_left;
    if (!went) return CODED_NO_MEMORY; /* there is no other reason for an encoder to fail */
    return finished ? CODED : CODED_TOO_LARGE;
}

static enum coded zstd_encode(int level, struct text content, char *space, size_t room,
                              size_t *length)
{
    ZSTD_CCtx *context = encoders.ZSTD_createCCtx();
    if (!context) return CODED_NO_MEMORY;
    encoders.ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    encoders.ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, ZSTD_WINDOW_BITS_MAX);
    size_t result = encoders.ZSTD_compress2(context, space, room, content.base, content.length);
    encoders.ZSTD_freeCCtx(context);
    *length = result;
    if (!encoders.ZSTD_isError(result)) return CODED;
    bool full = encoders.ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall;
    return full ? CODED_TOO_LARGE : CODED_NO_MEMORY;
}

enum coded encode(enum coding coding, int level, struct text content, char *space, size_t room,
                  size_t *length)
{
    switch (coding) {
    case CODING_GZIP: return gzip_encode(level, content, space, room, length);
    case CODING_BR: return brotli_encode(level, content, space, room, length);
    case CODING_ZSTD: return zstd_encode(level, content, space, room, length);
    case CODING_IDENTITY:
    case CODING_COUNT: break;
    }
    return CODED_TOO_LARGE;
}
