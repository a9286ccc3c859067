// Experiment 10: what Node does for zclab with Parquet. Arguments: file, packing, CSV to make it from, directory.
// It answers lines: "scan", "column" and "row N" with "ok SUM USER_US SYSTEM_US", or "failed WHY".
import { existsSync, readFileSync, renameSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import zlib from "node:zlib";

const [file, packing, csv, directory] = process.argv.slice(1);

async function library(name) {
    const places = [name, ...[directory, "/usr/lib", "/usr/local/lib"].map(
        (place) => pathToFileURL(`${place}/node_modules/${name}/src/node.js`).href)];
    for (const place of places)
        try { return await import(place); } catch { /* not there */ }
    console.log("missing");
    process.exit(0);
}

const { parquetRead, parquetMetadataAsync, asyncBufferFromFile } = await library("hyparquet");
const writer = await library("hyparquet-writer");

const codec = { plain: "UNCOMPRESSED", snappy: "SNAPPY", gzip: "GZIP", zstd: "ZSTD" }[packing];
const pack = { GZIP: (bytes) => zlib.gzipSync(bytes), ZSTD: zlib.zstdCompressSync };
const unpack = { GZIP: (bytes) => zlib.gunzipSync(bytes), ZSTD: zlib.zstdDecompressSync };
if (!codec || (codec === "ZSTD" && !pack.ZSTD)) {
    console.log("unsupported");
    process.exit(0);
}
for (const table of [pack, unpack]) // Buffers are views of memory that is shared: give away a copy
    for (const [name, f] of Object.entries(table))
        table[name] = f && ((bytes) => new Uint8Array(f(bytes)));

const names = ["id", "customer", "price", "quantity", "day", "note"];
if (!existsSync(file)) {
    const rows = readFileSync(csv, "utf8").trimEnd().split("\n").map((line) => line.split(","));
    const types = ["INT32", "INT32", "DOUBLE", "INT32", "INT32", "STRING"];
    writer.parquetWriteFile({
        filename: `${file}.part`, codec, compressors: pack, rowGroupSize: 10000,
        columnData: names.map((name, i) => ({
            name, type: types[i], nullable: false,
            data: rows.map((row) => (types[i] === "STRING" ? row[i] : Number(row[i]))),
        })),
    });
    renameSync(`${file}.part`, file);
}

const sums = {
    price: (values) => values.reduce((sum, value) => sum + Math.round(value * 100), 0),
    note: (values) => values.reduce((sum, value) => sum + value.charCodeAt(0), 0),
};
const plain = (values) => values.reduce((sum, value) => sum + value, 0);

async function answer(question, row) {
    const source = await asyncBufferFromFile(file);
    const metadata = await parquetMetadataAsync(source);
    let sum = 0;
    await parquetRead({
        file: source, metadata, compressors: unpack,
        columns: question === "column" ? ["price"] : names,
        ...(question === "row" ? { rowStart: row, rowEnd: row + 1, rowFormat: "object" } : {}),
        ...(question === "row"
            ? { onComplete: ([found]) => { sum = found.id; } }
            : { onChunk: ({ columnName, columnData }) => { sum += (sums[columnName] ?? plain)(columnData); } }),
    });
    return sum;
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
    const [question, row] = line.split(" ");
    const before = process.cpuUsage();
    try {
        const sum = await answer(question, Number(row));
        const used = process.cpuUsage(before);
        console.log(`ok ${sum} ${used.user} ${used.system}`);
    } catch (error) {
        console.log(`failed ${error.message}`);
    }
}
