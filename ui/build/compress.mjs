// Beside each file of the build that text compression helps, the same in Brotli: the gateway hands out what is there.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const root = new URL("../dist", import.meta.url).pathname;
for (const name of readdirSync(root, { recursive: true })) {
  if (!/\.(js|css|html|svg|json)$/.test(name)) continue;
  const text = readFileSync(join(root, name));
  const packed = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  if (packed.length < text.length) writeFileSync(join(root, `${name}.br`), packed);
}
