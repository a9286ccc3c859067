#include "markup.h"

void escaped(FILE *to, const char *from)
{
    for (; *from; from++) {
        const char *as = *from == '<'   ? "&lt;"
                         : *from == '>' ? "&gt;"
                         : *from == '&' ? "&amp;"
                         : *from == '"' ? "&quot;"
                                        : NULL;
        if (as)
            fputs(as, to);
        else
            fputc(*from, to);
    }
}

void tagged(FILE *to, const char *before, const char *inside, const char *after)
{
    fputs(before, to);
    escaped(to, inside);
    fputs(after, to);
}

const char *json_words(const json_t *object, const char *name)
{
    const char *said = json_string_value(json_object_get(object, name));
    return said ? said : "";
}
