/* The words of the column `warnings`; the guards (guards.h) set them. */
#ifndef LAB_WARNINGS_H
#define LAB_WARNINGS_H

enum warning {
#define WARNING(NAME, word, words) WARNING_##NAME,
#include "warnings.def"
#undef WARNING
    WARNINGS
};

static const char *const warning_word[WARNINGS] __attribute__((unused)) = {
#define WARNING(NAME, word, words) word,
#include "warnings.def"
#undef WARNING
};
static const char *const warning_words[WARNINGS] __attribute__((unused)) = {
#define WARNING(NAME, word, words) words,
#include "warnings.def"
#undef WARNING
};

#endif
