// @vitest-environment node
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { PAGE_FIELDS } from "./files.ts";

it("pages come with the very fields that the gateway gives them", () => {
  const source = readFileSync(new URL("../../../crates/trunkline-gateway/src/ui.rs", import.meta.url), "utf8").replace(/\\\n\s*/g, "");
  for (const value of Object.values(PAGE_FIELDS)) expect(source).toContain(`"${value}"`);
});
