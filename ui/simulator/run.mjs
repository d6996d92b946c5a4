// Starts the simulator: Node 20 does not read TypeScript by itself, and Vite, which is here anyway, does.
import { runnerImport } from "vite";

await runnerImport(new URL("./main.ts", import.meta.url).pathname, { configFile: false, logLevel: "error" });
