/*
 * The same work in Node and in Python, each written as its users would write it: fs.promises, and asyncio
 * with threads (asyncio.to_thread). A script gets PATH DIRECT DEPTH BLOCK BLOCKS LIMIT SECONDS. It prints
 * one line of figures, then the latency of each read in ns as doubles. Its clock starts when it is ready,
 * so its start is not measured.
 */
#include "async_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 << 20 };

/* O_DIRECT needs aligned memory, which JavaScript cannot allocate: an aligned place is found by trying. */
static const char node_script[] =
    "const fs = require('fs');\n"
    "const [path, direct, ...rest] = process.argv.slice(1);\n"
    "const [depth, block, blocks, limit, seconds] = rest.map(Number);\n"
    "const flags = fs.constants.O_RDONLY | (direct === '1' ? fs.constants.O_DIRECT : 0);\n"
    "const each = Math.ceil(block / 4096) * 4096;\n"
    "const memory = Buffer.alloc(each * depth + 4096);\n"
    "const latency = [];\n"
    "function aligned() {\n"
    "  if (direct !== '1') return 0;\n"
    "  const fd = fs.openSync(path, flags);\n"
    "  try {\n"
    "    for (let at = 0; at < 4096; at += 8)\n"
    "      try { fs.readSync(fd, memory, at, block, 0); return at; } catch (e) {\n"
    "        if (e.code !== 'EINVAL') throw e; }\n"
    "    throw Object.assign(new Error('alignment'), {errno: -22});\n"
    "  } finally { fs.closeSync(fd); }\n"
    "}\n"
    "async function main() {\n"
    "  const from = aligned();\n"
    "  const file = await fs.promises.open(path, flags);\n"
    "  let started = 0, state = 1;\n"
    "  const before = process.resourceUsage(), begun = process.hrtime.bigint();\n"
    "  const end = begun + BigInt(Math.round(seconds * 1e9));\n"
    "  async function reader(i) {\n"
    "    let now = process.hrtime.bigint();\n"
    "    while ((limit === 0 || started < limit) && (started === 0 || now < end)) {\n"
    "      started++;\n"
    "      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;\n"
    "      const place = Math.floor(state / 4294967296 * blocks) * block;\n"
    "      await file.read(memory, from + i * each, block, place);\n"
    "      const then = process.hrtime.bigint();\n"
    "      latency.push(Number(then - now));\n"
    "      now = then;\n"
    "    }\n"
    "  }\n"
    "  await Promise.all(Array.from({length: depth}, (_, i) => reader(i)));\n"
    "  const ns = Number(process.hrtime.bigint() - begun), after = process.resourceUsage();\n"
    "  const threads = /Threads:\\s*(\\d+)/.exec(fs.readFileSync('/proc/self/status', "
    "'utf8'))[1];\n"
    "  const used = (key) => after[key] - before[key];\n"
    "  const line = [latency.length, ns, used('userCPUTime'), used('systemCPUTime'), threads,\n"
    "    used('minorPageFault') + used('majorPageFault'),\n"
    "    used('voluntaryContextSwitches') + used('involuntaryContextSwitches')].join(' ') + "
    "'\\n';\n"
    "  const all = Buffer.concat([Buffer.from(line), "
    "Buffer.from(Float64Array.from(latency).buffer)]);\n"
    "  for (let at = 0; at < all.length;) at += fs.writeSync(1, all, at);\n"
    "  await file.close();\n"
    "}\n"
    "main().catch((e) => fs.writeSync(1, `failed ${-(e.errno || -5)}\\n`));\n";

static const char python_script[] =
    "import array, asyncio, mmap, os, re, resource, sys, time\n"
    "path, direct = sys.argv[1], sys.argv[2] == '1'\n"
    "depth, block, blocks, limit = map(int, sys.argv[3:7])\n"
    "seconds = float(sys.argv[7])\n"
    "fd = os.open(path, os.O_RDONLY | (os.O_DIRECT if direct else 0))\n"
    "each = -(-block // 4096) * 4096\n"
    "memory = memoryview(mmap.mmap(-1, each * depth))\n"
    "latency, started, state = array.array('d'), 0, 1\n"
    "async def reader(i, end):\n"
    "    global started, state\n"
    "    into = [memory[i * each:i * each + block]]\n"
    "    now = time.perf_counter_ns()\n"
    "    while (limit == 0 or started < limit) and (started == 0 or now < end):\n"
    "        started += 1\n"
    "        state = (state * 1664525 + 1013904223) & 0xffffffff\n"
    "        await asyncio.to_thread(os.preadv, fd, into, (state * blocks >> 32) * block)\n"
    "        then = time.perf_counter_ns()\n"
    "        latency.append(then - now)\n"
    "        now = then\n"
    "async def main():\n"
    "    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter_ns()\n"
    "    end = begun + int(seconds * 1e9)\n"
    "    await asyncio.gather(*(reader(i, end) for i in range(depth)))\n"
    "    ns, after = time.perf_counter_ns() - begun, resource.getrusage(resource.RUSAGE_SELF)\n"
    "    threads = re.search(r'Threads:\\s*(\\d+)', open('/proc/self/status').read())[1]\n"
    "    us = [round((after[i] - before[i]) * 1e6) for i in (0, 1)]\n"
    "    faults = sum(after[i] - before[i] for i in (6, 7))\n"
    "    switches = sum(after[i] - before[i] for i in (14, 15))\n"
    "    print(len(latency), ns, *us, threads, faults, switches, flush=True)\n"
    "    sys.stdout.buffer.write(latency.tobytes())\n"
    "    sys.stdout.buffer.flush()\n"
    "try:\n"
    "    asyncio.run(main())\n"
    "except OSError as error:\n"
    "    print('failed', error.errno, flush=True)\n";

/*
 * Finds a program: the system's, else by PATH (where it may be a script that selects one). Returns false
 * when there is none.
 */
static bool program_find(const char *name, char into[280])
{
    const char *at = getenv("PATH");
    snprintf(into, 280, "/usr/bin/%s", name);
    if (access(into, X_OK) == 0) return true;
    while (at && *at) {
        size_t length = strcspn(at, ":");
        snprintf(into, 280, "%.*s/%s", length < 200 ? (int)length : 0, at, name);
        if (length > 0 && access(into, X_OK) == 0) return true;
        at += length + (at[length] == ':');
    }
    return false;
}

bool runtime_command(const char *name, const struct job *job, struct command *command)
{
    bool node = !strcmp(name, "node");
    if (!program_find(node ? "node" : "python3", command->program)) return false;
    const unsigned long long whole[] = {job->depth, job->block, job->blocks, job->limit};
    for (unsigned i = 0; i < 4; i++)
        snprintf(command->number[i], sizeof command->number[i], "%llu", whole[i]);
    snprintf(command->number[4], sizeof command->number[4], "%.6f", (double)job->ns / 1e9);
    snprintf(command->number[5], sizeof command->number[5], "%d", job->direct);
    unsigned n = 0;
    command->argv[n++] = command->program;
    command->argv[n++] = node ? "-e" : "-c";
    command->argv[n++] = node ? node_script : python_script;
    if (node) command->argv[n++] = "--";
    command->argv[n++] = job->path;
    command->argv[n++] = command->number[5];
    for (unsigned i = 0; i < 5; i++)
        command->argv[n++] = command->number[i];
    command->argv[n] = NULL;
    return true;
}

static void output_take(const char *text, size_t length, struct outcome *outcome)
{
    unsigned long long reads;
    double ns;
    int used = 0, failed;
    const char *end = memchr(text, '\n', length);
    outcome->failure = -EPROTO; /* it printed something else, or nothing */
    if (!end) return;
    if (sscanf(text, "failed %d", &failed) == 1) outcome->failure = failed > 0 ? -failed : -EIO;
    if (sscanf(text, "%llu %lf %lf %lf %lf %lf %lf%n", &reads, &ns, &outcome->user_us,
               &outcome->system_us, &outcome->threads, &outcome->faults, &outcome->switches,
               &used) != 7)
        return;
    const char *at = end + 1;
    if (reads > (length - (size_t)(at - text)) / sizeof(double) || !(ns > 0)) return;
    outcome->failure = 0;
    outcome->ns = (uint64_t)ns;
    for (unsigned long long i = 0; i < reads; i++) {
        double latency;
        memcpy(&latency, at + i * sizeof latency, sizeof latency);
        tally_latency(&outcome->tally, latency > 0 ? (uint64_t)latency : 0, 0);
    }
}

void runtime_read(int pipe, struct outcome *outcome)
{
    size_t length = 0, room = 1 << 16;
    char *text = malloc(room);
    while (text) {
        ssize_t got = read(pipe, text + length, room - length - 1);
        if (got < 0 && errno == EINTR && !measure_stopped) continue;
        if (got <= 0) break;
        length += (size_t)got;
        if (length + 1 < room) continue;
        char *more = room < OUTPUT_MAX ? realloc(text, room *= 2) : NULL;
        if (!more) break;
        text = more;
    }
    outcome->failure = text ? 0 : -ENOMEM;
    if (text) text[length] = '\0';
    if (text) output_take(text, length, outcome);
    free(text);
}
