/*
 * A rate is kept without counting bytes: each byte that moves earns time, and the time that was earned ends.
 */
#include "deadline.h"

/* The deadline moves by a time for each byte, but not beyond `most_ns` from now. */
static void deadline_earn(struct conn *c, uint64_t bytes, uint64_t byte_ns, uint64_t most_ns,
                          const struct now *now)
{
    c->deadline_ns = earlier(c->deadline_ns + bytes * byte_ns, now->monotonic_ns + most_ns);
}

/* Returns the latest end of a silence in the lingering. */
static uint64_t linger_latest_ns(const struct conn *c, const struct now *now)
{
    return earlier(now->monotonic_ns + c->rules->linger_ns, c->work->linger_until_ns);
}

void deadline_linger(struct conn *c, const struct now *now)
{
    c->deadline_ns = linger_latest_ns(c, now);
}

void deadline_lingered(struct conn *c, uint64_t bytes, const struct now *now)
{
    uint64_t earned_ns = bytes * (NS_PER_SECOND / BODY_BYTES_PER_SECOND_MIN);
    c->deadline_ns = earlier(c->deadline_ns + earned_ns, linger_latest_ns(c, now));
}

void deadline_received(struct conn *c, enum reader_phase before, size_t length,
                       const struct now *now)
{
    enum reader_phase phase = http1_phase(&c->work->http1);
    if (phase == READER_BODY && before == READER_BODY)
        deadline_earn(c, length, NS_PER_SECOND / BODY_BYTES_PER_SECOND_MIN, c->rules->body_ns, now);
    else if (phase == READER_BODY)
        c->deadline_ns = now->monotonic_ns + c->rules->body_ns;
    else if (phase == READER_HEAD && before != READER_HEAD)
        c->deadline_ns = now->monotonic_ns + c->rules->head_ns;
}

void deadline_sent(struct conn *c, uint64_t bytes, const struct now *now)
{
    const struct conn_rules *rules = c->rules;
    if (rules->send_byte_ns > 0)
        deadline_earn(c, bytes, rules->send_byte_ns, rules->send_ns, now);
    else
        c->deadline_ns = now->monotonic_ns + rules->send_ns;
    c->slow = c->deadline_ns < now->monotonic_ns + rules->send_ns;
}
