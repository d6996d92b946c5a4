// What the first paint costs: index.html's own scripts and styles, in Brotli. Over the budget it fails.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";

const BUDGET = { js: 350 * 1024, css: 150 * 1024 };
const root = new URL("../dist", import.meta.url).pathname;
const page = readFileSync(join(root, "index.html"), "utf8");
const spent = { js: 0, css: 0 };
for (const [, name, kind] of page.matchAll(/(?:src|href)="\/ui\/(assets\/[^"]+\.(js|css))"/g)) {
  spent[kind] += brotliCompressSync(readFileSync(join(root, name))).length;
}
for (const kind of ["js", "css"]) {
  console.log(`first paint: ${(spent[kind] / 1024).toFixed(1)} KiB of ${kind} in Brotli, budget ${BUDGET[kind] / 1024} KiB`);
  if (spent[kind] === 0 || spent[kind] > BUDGET[kind]) process.exitCode = 1;
}
