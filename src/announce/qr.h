/*
 * Draws a QR code (ISO/IEC 18004) for a terminal, with libqrencode, which is loaded only when a code
 * is drawn: no other start of the server needs it.
 */
#ifndef ZCSERVE_ANNOUNCE_QR_H
#define ZCSERVE_ANNOUNCE_QR_H

#include <stdbool.h>
#include <stdio.h>

#define QR_QUIET \
    2 /* light modules around the code; phones read codes with fewer than the 4 asked for */

/*
 * Prints the code of `text` in at most `columns` columns, two modules a character, dark on light
 * whatever the colours of the terminal are. Returns false, and prints nothing, when the code is
 * wider, or when there is no library or no memory.
 */
bool qr_print(const char *text, unsigned columns, FILE *out);

#endif
