/*
 * Embeds the files of the page with .incbin of the assembler. It takes any bytes, and works with
 * gcc, clang and link-time optimisation (for which the symbols must be global). In the Makefile,
 * this file depends on all of page/. Paths are relative to the directory in which make runs.
 */
#include "asset.h"

#include <string.h>

#define PAGE "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define DRAWING "image/svg+xml"

/* ASSET(symbol, path, file, media type) */
#define ASSETS                                                \
    ASSET(index, "/", "index.html", PAGE)                     \
    ASSET(style, "/page.css", "page.css", STYLE)              \
    ASSET(icon, "/icon.svg", "icon.svg", DRAWING)             \
    ASSET(page, "/page.js", "page.js", SCRIPT)                \
    ASSET(poll, "/poll.js", "poll.js", SCRIPT)                \
    ASSET(history, "/history.js", "history.js", SCRIPT)       \
    ASSET(figures, "/figures.js", "figures.js", SCRIPT)       \
    ASSET(histogram, "/histogram.js", "histogram.js", SCRIPT) \
    ASSET(panels, "/panels.js", "panels.js", SCRIPT)          \
    ASSET(chart, "/chart.js", "chart.js", SCRIPT)             \
    ASSET(plot, "/plot.js", "plot.js", SCRIPT)                \
    ASSET(scale, "/scale.js", "scale.js", SCRIPT)             \
    ASSET(format, "/format.js", "format.js", SCRIPT)          \
    ASSET(theme, "/theme.js", "theme.js", SCRIPT)             \
    ASSET(workers, "/workers.js", "workers.js", SCRIPT)       \
    ASSET(tables, "/tables.js", "tables.js", SCRIPT)          \
    ASSET(dom, "/dom.js", "dom.js", SCRIPT)

#define ASSET(symbol, path, file, media_type)                                                  \
    __asm__(".pushsection .rodata\n"                                                           \
            ".global asset_" #symbol "_begin, asset_" #symbol "_end\n"                         \
            ".hidden asset_" #symbol "_begin, asset_" #symbol "_end\n"                         \
            "asset_" #symbol "_begin: .incbin \"src/status/page/" file "\"\n"                  \
            "asset_" #symbol "_end: .byte 0\n"                                                 \
            ".popsection\n");                                                                  \
    extern const unsigned char asset_##symbol##_begin[] __attribute__((visibility("hidden"))); \
    extern const unsigned char asset_##symbol##_end[] __attribute__((visibility("hidden")));
ASSETS
#undef ASSET

#define ASSET(symbol, path, file, media_type) {path, media_type, asset_##symbol##_begin, 0},
static struct asset asset[] = {ASSETS{NULL, NULL, NULL, 0}};
#undef ASSET

/* The end of each file: the difference of two addresses cannot be in an initialiser. */
#define ASSET(symbol, path, file, media_type) asset_##symbol##_end,
static const unsigned char *const asset_end[] = {ASSETS};
#undef ASSET

/* Runs before main(), so that the table is constant when it is read. */
__attribute__((constructor)) static void lengths_fill(void)
{
    for (size_t i = 0; i < sizeof asset_end / sizeof asset_end[0]; i++)
        asset[i].length = (size_t)(asset_end[i] - asset[i].bytes);
}

const struct asset *asset_all(void)
{
    return asset;
}

const struct asset *asset_find(const char *path)
{
    for (const struct asset *one = asset; one->path; one++)
        if (strcmp(one->path, path) == 0) return one;
    return NULL;
}
