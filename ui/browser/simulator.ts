/** The simulator as a process of its own, over the built pages. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export class Simulator {
  private constructor(
    readonly origin: string,
    private readonly stopIt: () => Promise<void>,
  ) {}

  static async start(scenario: string): Promise<Simulator> {
    const run = new URL("../simulator/run.mjs", import.meta.url).pathname;
    const child = spawn(process.execPath, [run, "--port", "0", "--scenario", scenario], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    const [first] = (await once(lines, "line")) as [string];
    lines.on("line", () => undefined);
    return new Simulator(new URL(first).origin, async () => {
      child.kill();
      await once(child, "exit");
    });
  }

  stop(): Promise<void> {
    return this.stopIt();
  }

  /** Has something happen: see simulator/door/control.ts. */
  async has(path: string, body: object = {}): Promise<unknown> {
    const answer = await fetch(`${this.origin}/simulator/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }
}
