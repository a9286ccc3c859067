/*
 * The libraries that compress. The server loads them only when it compresses: to link them would
 * add a fifth to the time of every start. Their functions are called as in
 * `encoders.ZSTD_createCCtx()`.
 */
#ifndef ZCSERVE_ENCODE_LIBRARY_H
#define ZCSERVE_ENCODE_LIBRARY_H

#include <brotli/encode.h>
#include <libdeflate.h>
#include <zstd.h>
#include <zstd_errors.h>

/* The functions that are used, with the coding of their library. */
#define ENCODER_FUNCTIONS(X)                    \
    X(CODING_GZIP, libdeflate_alloc_compressor) \
    X(CODING_GZIP, libdeflate_gzip_compress)    \
    X(CODING_GZIP, libdeflate_free_compressor)  \
    X(CODING_BR, BrotliEncoderCreateInstance)   \
    X(CODING_BR, BrotliEncoderSetParameter)     \
    X(CODING_BR, BrotliEncoderCompressStream)   \
    X(CODING_BR, BrotliEncoderIsFinished)       \
    X(CODING_BR, BrotliEncoderDestroyInstance)  \
    X(CODING_ZSTD, ZSTD_createCCtx)             \
    X(CODING_ZSTD, ZSTD_CCtx_setParameter)      \
    X(CODING_ZSTD, ZSTD_compress2)              \
    X(CODING_ZSTD, ZSTD_freeCCtx)               \
    X(CODING_ZSTD, ZSTD_isError)                \
    X(CODING_ZSTD, ZSTD_getErrorCode)

extern struct encoders {
#define X(coding, name) __typeof__(name) *name;
    ENCODER_FUNCTIONS(X)
#undef X
} encoders;

#endif
