/* The part of the page that says whether other programs measure the same (agreement.json, see FORMATS.md). */
#ifndef LAB_PAGE_AGREEMENT_H
#define LAB_PAGE_AGREEMENT_H

#include <stdbool.h>
#include <stdio.h>

/* Returns whether FOLDER has one that can be read. When there is one that cannot, it says so on stderr. */
bool agreement_is_there(const char *folder);

/* Writes the section; nothing when there is none. */
void agreement_write(FILE *to, const char *folder);

#endif
