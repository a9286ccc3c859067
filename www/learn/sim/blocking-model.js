/*
 * Three clients and one thread, step by step: what the thread calls, what the kernel answers, and how long each
 * client waits. Pure: no clock, no page; the same arrivals give the same frames.
 *
 * A call takes one step. A call that cannot go on has the thread sleep until it can; a call that never waits
 * answers EAGAIN instead. epoll_wait is the one call that waits in both worlds: for any of the clients.
 */

export const ARRIVALS = { A: 11, B: 2, C: 4 }; // in which step the request of each client comes
export const STEPS = 17;
export const MODES = ["blocking", "nonblocking"];

/* ---- the thread: a generator of calls, which is handed the result of each ---- */

function* blocking(names) {
    for (const of of names) {
        yield { call: "recv", of, waits: true };
        yield { call: "send", of, waits: true };
    }
}

/* Every client is tried once at first; from then on those that the kernel names. */
function* nonblocking(names) {
    let ready = names;
    for (;;) {
        for (const of of ready) {
            const result = yield { call: "recv", of, waits: false };
            if (result === "request") yield { call: "send", of, waits: false };
        }
        ready = yield { call: "epoll_wait", of: null, waits: true };
    }
}

const PROGRAMS = { blocking, nonblocking };

/* ---- the kernel ---- */

/* What a call gives now; null: it cannot go on yet, and the thread sleeps. */
function outcome(asked, clients) {
    if (asked.call === "send") return "sent";
    if (asked.call === "recv" && clients[asked.of].state === "waits") return "request";
    if (asked.call === "recv") return asked.waits ? null : "EAGAIN";
    const ready = Object.keys(clients).filter((name) => clients[name].state === "waits");
    return ready.length > 0 ? ready : null;
}

function clientAdvance(client, result, step) {
    if (result === "request") client.state = "taken";
    if (result === "sent") {
        client.state = "answered";
        client.answered = step;
    }
}

function waited(client, arrival, step) {
    if (client.state === "silent") return 0;
    return (client.state === "answered" ? client.answered : step) - arrival;
}

/* ---- what a reader of the frames gets ---- */

/*
 * A frame for each step: { step, sleeps, asleep, call, of, result, clients }. `sleeps`: the call cannot go on;
 * `asleep`: it could not in the step before either, so this call is not a new one. `result` is null, "request", "sent",
 * "EAGAIN", or the list of clients that are ready. `clients` has { state, waited } by name; states are silent, waits
 * (its request lies in the kernel), taken (the thread has it) and answered.
 */
export function trace(mode, arrivals = ARRIVALS, steps = STEPS) {
    const names = Object.keys(arrivals).sort();
    const clients = Object.fromEntries(names.map((name) => [name, { state: "silent", answered: null }]));
    const program = PROGRAMS[mode](names);
    const frames = [];
    let asked = program.next().value;
    let asleep = false;
    for (let step = 0; step < steps; step++) {
        for (const name of names) if (arrivals[name] === step) clients[name].state = "waits";
        const result = asked ? outcome(asked, clients) : null;
        if (asked?.of) clientAdvance(clients[asked.of], result, step);
        const sleeps = result === null;
        frames.push({
            step, sleeps, asleep, result, call: asked?.call ?? null, of: asked?.of ?? null,
            clients: Object.fromEntries(names.map((name) => [name, {
                state: clients[name].state, waited: waited(clients[name], arrivals[name], step),
            }])),
        });
        asleep = sleeps;
        if (asked && !sleeps) asked = program.next(result).value;
    }
    return frames;
}

/* The sum of all waits in a frame, and how many calls found nothing until then: what the two ways cost. */
export function costs(frames, step) {
    const seen = frames.slice(0, step + 1);
    const last = seen[seen.length - 1];
    return {
        waited: Object.values(last.clients).reduce((sum, client) => sum + client.waited, 0),
        eagain: seen.filter(({ result }) => result === "EAGAIN").length,
        asleep: seen.filter(({ sleeps }) => sleeps).length,
    };
}

/* The call as one writes it: recv(A), send(A), epoll_wait(). */
export function callText({ call, of }) {
    return call ? `${call}(${of ?? ""})` : "nothing";
}

/* What happens in a frame, in a sentence. */
export function words(frame) {
    const call = callText(frame);
    if (!frame.call) return "The thread has served all of them.";
    if (frame.sleeps && frame.asleep) return `The thread still sleeps in ${call}.`;
    if (frame.sleeps) return `The thread calls ${call}. Nothing is there, so it sleeps.`;
    const begin = frame.asleep ? `The thread wakes up in ${call}` : `The thread calls ${call}, which returns at once`;
    if (frame.result === "EAGAIN") return `${begin}: EAGAIN, nothing is there.`;
    if (frame.result === "request") return `${begin} with the request of ${frame.of}.`;
    if (frame.result === "sent") return `${begin}: ${frame.of} is answered.`;
    return `${begin}: ${frame.result.join(" and ")} can be read.`;
}

/* States of a client, in words. */
export const STATES = { silent: "says nothing", waits: "waits", taken: "is served", answered: "was answered" };

/* A client in words: its state, and for how long it has waited. */
export function clientWords({ state, waited: count }) {
    const steps = `${count} ${count === 1 ? "step" : "steps"}`;
    if (state === "silent") return STATES.silent;
    if (state === "waits") return `has waited for ${steps}`;
    return `${state === "taken" ? "is served now" : STATES.answered}, after ${steps}`;
}
