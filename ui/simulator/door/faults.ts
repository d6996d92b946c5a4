/** What tests have go wrong, by the beginning of a path. */
import { plain, problem, status, type Answer } from "./answer.ts";

export interface Fault {
  /** The beginning of the path, from /trunkline on. */
  path: string;
  /** How many requests it is for; all if not said. */
  times?: number;
  /** How long an answer waits, in milliseconds. */
  delay?: number;
  /** Answers so in place of what would be; a `Status` for what goes to a cluster, else a problem. */
  refuse?: { status: number; reason: string; detail: string };
  /** The connection is closed without an answer. */
  hangUp?: boolean;
}

export class Faults {
  private faults: Fault[] = [];

  add(fault: Fault): void {
    this.faults.push({ ...fault });
  }

  clear(): void {
    this.faults = [];
  }

  /** What happens to a request, if anything; waits as long as it should. */
  async meet(path: string): Promise<Answer | "hang up" | undefined> {
    const fault = this.faults.find((fault) => path.startsWith(fault.path) && (fault.times ?? 1) > 0);
    if (fault === undefined) return undefined;
    if (fault.times !== undefined) fault.times -= 1;
    if (fault.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delay));
    if (fault.hangUp) return "hang up";
    if (fault.refuse === undefined) return undefined;
    const { status: code, reason, detail } = fault.refuse;
    if (!path.includes("/k8s/")) return problem(code, reason, detail);
    return reason === "" ? plain(detail, code) : status(code, reason, detail);
  }
}
