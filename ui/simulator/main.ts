/**
 * A gateway that is none: it serves the built pages and answers as a gateway with its clusters would, from memory.
 *
 *     npm run simulator -- --port 8080 --scenario fleet=500
 *
 * It prints where it is as its first line, and listens on 127.0.0.1 alone.
 */
import { parseArgs } from "node:util";

import { listen } from "./door/listen.ts";
import { readScenario } from "./scenario.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: process.env["SIMULATOR_PORT"] ?? "8080" },
    scenario: { type: "string", default: process.env["SIMULATOR_SCENARIO"] ?? "default" },
    seed: { type: "string", default: process.env["SIMULATOR_SEED"] ?? "1" },
    pages: { type: "string", default: process.env["SIMULATOR_PAGES"] ?? new URL("../dist", import.meta.url).pathname },
  },
});

const scenario = readScenario(values.scenario, Number(values.seed));
const { origin } = await listen(scenario, { port: Number(values.port), pages: values.pages });
console.log(`${origin}/ui/`);
console.log(`signs in by itself: ${origin}/simulator/enter?return=/ui/`);
