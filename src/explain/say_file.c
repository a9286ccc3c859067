/* What was found: the file, its codings, and where its content comes from. */
#include "config/quantity.h"
#include "page.h"
#include "say.h"
#include "start/sites.h"
#include "zcserve/date.h"

#include <string.h>
#include <sys/stat.h>

/* The lookup that found a file, or NULL. */
static const struct trial_lookup *found_of(const struct trial *t)
{
    const struct trial_lookup *last = trial_last(t);
    return last && last->found.kind == RESOLUTION_FOUND ? last : NULL;
}

static bool is_listing(const struct trial_lookup *found)
{
    return found->lists && found->seen->file.bare;
}

/* ---- the file -------------------------------------------------------------------------------- */

static const char *symlinks_word(const struct trial *t, uint16_t tree)
{
    static const char *const word[] = {"beneath", "never", "inside", "owner"};
    return word[t->p->tree[tree].symlinks];
}

/* The date of the file on disk. It is not sent while a change could still get the same one. */
static void date_say(const struct trial_lookup *found, FILE *out)
{
    const struct representation *r = found->found.representation;
    const struct identity *file = &found->seen->file.identity[CODING_IDENTITY];
    char date[DATE_LENGTH + 1];
    if (is_listing(found)) return;
    date_format(file->modified_seconds, date);
    page_line(out, "", "modified %s%s", date,
              r->modified_seconds == MODIFIED_UNKNOWN ? ", which is too young to be sent" : "");
}

static void validators_say(const struct trial_lookup *found, FILE *out)
{
    const struct representation *r = found->found.representation;
    page_line(out, "", "%.*s, %llu bytes to send", (int)r->media_type.length, r->media_type.base,
              (unsigned long long)r->length);
    date_say(found, out);
    if (r->etag.length > 0)
        page_line(out, "", "entity-tag %.*s", (int)r->etag.length, r->etag.base);
    else
        page_line(out, "",
                  "no entity-tag: it changed a moment ago, and its times cannot prove its "
                  "content yet");
}

void say_file(const struct trial *t, FILE *out)
{
    const struct trial_lookup *found = found_of(t);
    if (!found) return;
    const struct config_root *root = &t->p->sites->tree[found->tree];
    if (is_listing(found))
        page_line(out, "Listing", "of the directory %s%s, which has no index; listing = on",
                  root->root, found->path);
    else
        page_line(out, "File", "%s/%s", root->root, found->seen->name);
    if (!is_listing(found) && found->seen->linked)
        page_line(out, "", "through a symbolic link, which symlinks = %s allows",
                  symlinks_word(t, found->tree));
    validators_say(found, out);
}

/* ---- codings --------------------------------------------------------------------------------- */

#define WEIGHT_UNSAID 1 /* of identity, when the client does not name it: the last choice */

/* Writes "accepted with q=0.500" for 500. */
static const char *weight_text(uint16_t weight, char text[32])
{
    if (weight == 0)
        snprintf(text, 32, "not accepted");
    else if (weight == WEIGHT_UNSAID)
        snprintf(text, 32, "accepted as the last choice");
    else
        snprintf(text, 32, "accepted with q=%u.%03u", weight / 1000U, weight % 1000U);
    return text;
}

static const char *sidecar_reason(const struct trial *t, const struct trial_lookup *found,
                                  enum coding coding)
{
    const struct file *file = &found->seen->file;
    const struct identity *sidecar = &file->identity[coding];
    if (!t->p->tree[found->tree].sidecar[coding]) return "is not looked for (sidecars)";
    if (!identity_exists(sidecar)) return "is not there";
    if (!identity_is_regular(sidecar)) return "is not a regular file";
    if (sidecar->size == 0) return "is empty";
    if (!identity_not_older(sidecar, &file->identity[CODING_IDENTITY]))
        return "is older than the file";
    return "may not be read";
}

static void coding_say(const struct trial *t, const struct trial_lookup *found, enum coding coding,
                       FILE *out)
{
    const struct file *file = &found->seen->file;
    const char *suffix = coding_file_suffix(coding).base;
    bool chosen =
        found->found.kind == RESOLUTION_FOUND && found->found.representation->coding == coding;
    char label[32], weight[32];
    snprintf(label, sizeof(label), "  %s", coding_name(coding));
    weight_text(found->accepted.weight[coding], weight);
    if (file->usable[coding])
        page_line(out, label, "%llu bytes%s%s, %s%s",
                  (unsigned long long)file->identity[coding].size, suffix[0] ? " in " : "", suffix,
                  weight, chosen ? ": chosen" : "");
    else
        page_line(out, label, "the sidecar %s %s", suffix, sidecar_reason(t, found, coding));
}

/* Returns how many codings there are that the client likes as much as `coding`. */
static int liked_as_much(const struct trial_lookup *found, enum coding coding)
{
    int count = 0;
    for (enum coding other = CODING_IDENTITY; other < CODING_COUNT; other++)
        count += found->seen->file.usable[other] &&
                 found->accepted.weight[other] == found->accepted.weight[coding];
    return count;
}

static const char *choice_reason(const struct trial_lookup *found, enum coding chosen)
{
    const struct file *file = &found->seen->file;
    int usable = 0;
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++)
        usable += file->usable[coding];
    if (usable == 1) return "there is no other";
    if (found->accepted.weight[chosen] == 0) return "none is accepted, and not_acceptable = off";
    if (liked_as_much(found, chosen) > 1) return "the shortest of those that are liked the most";
    return "no other one is liked as much";
}

/* Returns whether the client accepts one of the codings that can be made as much as the file itself. */
static bool likes_made(const struct trial_lookup *found, const struct compress_options *options)
{
    const struct accepted *accepted = &found->accepted;
    bool likes = false;
    for (uint32_t i = 0; i < options->codings; i++) {
        uint16_t weight = accepted->weight[options->coding[i]];
        likes |= weight > 0 && weight >= accepted->weight[CODING_IDENTITY];
    }
    return likes;
}

/* Returns why no coding is made on the fly. */
static const char *making_reason(const struct trial *t, const struct trial_lookup *found)
{
    const struct compress_options *options = &t->p->tree[found->tree].compress;
    const struct file *file = &found->seen->file;
    uint64_t size = file->identity[CODING_IDENTITY].size;
    if (options->codings == 0) return "no coding is set (compress)";
    if (found->accepted.as_stored) return "a rule has compress = off";
    if (found->found.representation->coding != CODING_IDENTITY) return "a sidecar is sent";
    if (size < options->bytes_min) return "the file is smaller than compress.least";
    if (size > options->bytes_max) return "the file is larger than compress.most";
    if (file->makeable == 0) return "its type is not among compress.types, or there are sidecars";
    if (!likes_made(found, options)) return "the client accepts none as much as the file itself";
    if (found->found.representation->fd >= 0) return "the file is not in memory";
    if (file_ripens_in_ns(file, &t->now) > 0) return "the file changed a moment ago";
    return "one that was tried saved too little, or nothing more can be made now";
}

static void making_say(const struct trial *t, const struct trial_lookup *found, FILE *out)
{
    if (found->improvable)
        page_line(out, "  on the fly",
                  "one is made for later requests; until then the file itself is sent");
    else
        page_line(out, "  on the fly", "none is made: %s", making_reason(t, found));
}

void say_codings(const struct trial *t, FILE *out)
{
    const struct trial_lookup *last = trial_last(t);
    bool refused = last && last->found.kind == RESOLUTION_NOT_ACCEPTABLE;
    if ((!found_of(t) && !refused) || is_listing(last)) return;
    const struct file *file = &last->seen->file;
    if (file->own_coding != CODING_IDENTITY) {
        page_line(out, "Codings",
                  "the file itself is in %s, by its type; it is sent to all clients",
                  coding_name(file->own_coding));
        return;
    }
    if (refused)
        page_line(out, "Codings", "none is accepted");
    else
        page_line(out, "Codings", "%s: %s", coding_name(last->found.representation->coding),
                  choice_reason(last, last->found.representation->coding));
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++)
        coding_say(t, last, coding, out);
    if (!refused) making_say(t, last, out);
}

/* ---- the cache ------------------------------------------------------------------------------- */

/* Writes an option that is a size, and where it was set. */
static const char *limit_text(const struct trial *t, char *text, size_t size)
{
    const struct config *config = t->p->config;
    char bytes[QUANTITY_TEXT_MAX];
    quantity_write(config->cache_file_max, quantity_bytes, bytes);
    snprintf(text, size, "cache.file_max = %s (%s)", bytes,
             config_place(config, &config->cache_file_max));
    return text;
}

static void memory_say(const struct trial *t, const struct trial_lookup *found, FILE *out)
{
    char limit[512];
    page_line(out, "Content", "from memory: it is not larger than %s", limit_text(t, limit, 512));
    if (found->kept)
        page_line(out, "", "a worker keeps it in its cache of %llu KiB, for later requests",
                  (unsigned long long)t->p->service.store.memory_bytes_max / 1024);
    else
        page_line(out, "", "it is not kept: a change could go unnoticed, or there is no room");
}

static void open_file_say(const struct trial *t, const struct trial_lookup *found, FILE *out)
{
    char limit[512];
    uint64_t length = found->found.representation->length;
    bool large = length > t->p->service.store.file_bytes_max;
    if (large)
        page_line(out, "Content", "from the file, by sendfile: it is larger than %s",
                  limit_text(t, limit, 512));
    else
        page_line(out, "Content",
                  "from the file, by sendfile: it would take more than a quarter of "
                  "the %llu KiB that a worker may hold in memory, or all of that is in use",
                  (unsigned long long)t->p->service.store.memory_bytes_max / 1024);
    page_line(out, "",
              found->kept ? "a worker keeps the file open for later requests"
                          : "the file is closed again after the response");
}

void say_cache(const struct trial *t, FILE *out)
{
    const struct trial_lookup *found = found_of(t);
    if (!found) return;
    if (found->found.representation->fd < 0)
        memory_say(t, found, out);
    else
        open_file_say(t, found, out);
}
