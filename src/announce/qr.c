/* A character has two modules, one above the other, because a cell is about twice as high as wide. */
#include "announce/qr.h"
#include "base/symbol.h"

#include <qrencode.h>

#define LIBRARY "libqrencode.so.4"

static __typeof__(QRcode_encodeString) *encode;
static __typeof__(QRcode_free) *release;

static bool library_load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    return library && symbol_find(library, "QRcode_encodeString", &encode) &&
           symbol_find(library, "QRcode_free", &release);
}

static bool is_dark(const QRcode *code, int row, int column)
{
    bool inside = row >= 0 && row < code->width && column >= 0 && column < code->width;
    return inside && (code->data[row * code->width + column] & 1) != 0;
}

static void lines_print(const QRcode *code, FILE *out)
{
    static const char *const both[2][2] = {{" ", "▄"}, {"▀", "█"}}; /* [upper][lower] */
    for (int row = -QR_QUIET; row < code->width + QR_QUIET; row += 2) {
        fputs("  \033[30;107m", out); /* black on bright white */
        for (int column = -QR_QUIET; column < code->width + QR_QUIET; column++)
            fputs(both[is_dark(code, row, column)][is_dark(code, row + 1, column)], out);
        fputs("\033[0m\n", out);
    }
}

bool qr_print(const char *text, unsigned columns, FILE *out)
{
    QRcode *code = library_load() ? encode(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1) : NULL;
    if (!code) return false;
    bool fits = (unsigned)code->width + 2 * QR_QUIET + 2 <= columns;
    if (fits) lines_print(code, out);
    release(code);
    return fits;
}
