// Empties dist/, but for the file that keeps it in the checkout.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../dist", import.meta.url).pathname;
for (const name of readdirSync(root)) {
  if (name !== ".gitignore") rmSync(join(root, name), { recursive: true });
}
