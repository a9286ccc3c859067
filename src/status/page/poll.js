/*
 * Asks the server for a reading each second, one request at a time. When it does not respond,
 * onGone() is called, and the server is asked again, a little less often.
 */
const EVERY_MS = 1000;
const AGAIN_MS = 2000;
const GIVE_UP_MS = 5000;

/* Calls onReading(object) for each reading, or onGone(reason text). */
export function pollStart(address, onReading, onGone) {
    async function ask() {
        const began = performance.now();
        let again = EVERY_MS;
        try {
            onReading(await reading(address));
        } catch (error) {
            onGone(error.name === "TimeoutError" ? "it does not answer" : error.message);
            again = AGAIN_MS;
        }
        setTimeout(ask, Math.max(50, again - (performance.now() - began)));
    }
    ask();
}

async function reading(address) {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(GIVE_UP_MS) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const object = await answer.json();
    if (object.schema !== 1) throw new Error(`its figures are of schema ${object.schema}, this page knows 1`);
    return object;
}
