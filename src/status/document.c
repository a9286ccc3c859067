/*
 * The part of a document that both forms share: memory for a reading, allocated once.
 */
#include "status/document.h"

#include <stdlib.h>

struct document *document_open(const struct status_subject *subject)
{
    struct document *document = calloc(1, sizeof(*document));
    if (!document) return NULL;
    document->subject = subject;
    if (reading_open(&document->reading, subject->board, subject->shared->slots)) return document;
    free(document);
    return NULL;
}

void document_close(struct document *document)
{
    if (!document) return;
    reading_close(&document->reading);
    free(document);
}

bool document_begun(const struct document *document)
{
    return atomic_load(&document->subject->shared->begun);
}

bool document_draining(const struct document *document)
{
    return atomic_load(&document->subject->shared->draining);
}
