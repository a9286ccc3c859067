/*
 * A whole connection over the simulated socket. The input says what the peer sends and what happens to the
 * socket; what must always hold is asserted after each step. The input is one byte of limits and troubles,
 * two bytes for the length of the script of choices, the script, and the bytes that the peer sends.
 */
#include "../unit/core_link.c"
#include "../unit/core_simulation.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct core_troubles troubles_of(uint8_t byte)
{
    bool park = (byte & 16) != 0;
    switch (byte & 3) {
    case 0: return (struct core_troubles){.park = park};
    case 1: return (struct core_troubles){.timeout = 100, .park = park};
    case 2: return (struct core_troubles){.drain = 50, .finish = 50, .park = park};
    default: return (struct core_troubles){.reset = 20, .finish = 20, .timeout = 50, .drain = 20};
    }
}

/* What comes of it in one go, which no cut may change. */
static void whole_compare(const struct core_link *cut, const char *bytes, size_t length)
{
    struct core_link whole;
    core_link_open(&whole, &cut->rules);
    core_link_feed(&whole, bytes, length);
    size_t known =
        cut->output_length < whole.output_length ? cut->output_length : whole.output_length;
    if (known > 0) core_holds(memcmp(cut->output, whole.output, known) == 0);
    if (!whole.conn.closing) core_holds(cut->output_length >= whole.output_length);
    if (whole.conn.closing) core_holds(cut->output_length == whole.output_length);
    core_link_close(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > 100000) return 0;
    size_t script = ((size_t)data[1] | (size_t)data[2] << 8) % (size - 2);
    struct core_troubles troubles = troubles_of(data[0]);
    struct core_choices choices = {.script = data + 3, .length = script, .seed = 1};
    struct conn_rules rules = core_rules();
    struct core_link link;
    rules.keep_alive = (data[0] & 4) == 0;
    rules.body_bytes_max = data[0] & 8 ? 20 : 5000;
    snprintf(core_link_story, sizeof(core_link_story), "fuzz_conn");
    core_link_open(&link, &rules);
    const char *bytes = (const char *)data + 3 + script;
    size_t length = size - 3 - script;
    core_simulate(&link, bytes, length, &choices, troubles);
    if ((data[0] & 3) == 0) whole_compare(&link, bytes, length);
    core_link_close(&link);
    return 0;
}
