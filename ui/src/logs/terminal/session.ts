// One session in a container: asked whether it may be, a ticket, a socket, a shell. It ends once and is not opened again by itself.
//
// The browser cannot send WebSocket pings, and the protocol has none of its own; every 20 s the terminal's size is told once
// more, which changes nothing there and keeps what is in between from taking the way for idle.
//
// Invariants: the ticket goes nowhere but into the socket's subprotocol; a shell is looked for at most as often as there are
// SHELLS; what is said after the end is not heard.

import { asFault, type Fault } from "../../api/fault.ts";
import { heard, isNoProgram, PROTOCOLS, sized, typed, type Exit } from "./channel.ts";

const KEEP_EVERY_MS = 20_000;

/** `sh` takes the best shell that there is; where there is no `sh`, the others are tried by themselves. */
export const SHELLS: { name: string; command: string[] }[] = [
  { name: "bash, ash or sh", command: ["sh", "-c", "TERM=xterm-256color; export TERM; for s in bash ash; do command -v $s >/dev/null 2>&1 && exec $s; done; exec sh"] },
  { name: "bash", command: ["bash"] },
  { name: "ash", command: ["ash"] },
];

export type Step = "rights" | "ticket" | "way" | "shell";

export type SessionState =
  | { at: "connecting"; step: Step; shell: string }
  | { at: "running"; since: number }
  | { at: "ended"; since: number; exit: Exit; lasted: number }
  | { at: "lost"; since: number; why: string }
  | { at: "refused"; fault: Fault | null; verb: string; by: "gateway" | "cluster"; why: string }
  | { at: "no shell" };

export interface Target {
  cluster: string;
  namespace: string;
  pod: string;
  container: string;
}

/** What a session needs of the world. */
export interface World {
  /** Whether the gateway lets it through, and whether it is recorded. */
  may(): Promise<{ allowed: boolean; recorded: boolean; why: string }>;
  /** Whether the cluster lets it through; asked when the way was not opened. */
  mayThere(): Promise<{ allowed: boolean; why: string }>;
  ticket(path: string): Promise<string>;
  dial(path: string, protocols: string[]): WebSocket;
}

export class Session {
  state: SessionState = { at: "connecting", step: "rights", shell: "" };
  recorded = false;
  private socket: WebSocket | null = null;
  private size = { columns: 80, rows: 24 };
  private keeping: ReturnType<typeof setInterval> | undefined;
  private over = false;

  constructor(
    private readonly of: Target,
    private readonly world: World,
    private readonly onOutput: (bytes: Uint8Array) => void,
    private readonly onChange: () => void,
  ) {}

  start(): void {
    void this.begin().catch((error: unknown) => this.refused(asFault(error)));
  }

  /** Ends it; who is in it hears no more. */
  close(): void {
    this.over = true;
    clearInterval(this.keeping);
    this.socket?.close(1000);
  }

  type(text: string): void {
    this.send(typed(text));
  }

  resize(columns: number, rows: number): void {
    if (columns === this.size.columns && rows === this.size.rows) return;
    this.size = { columns, rows };
    this.tellSize();
  }

  private async begin(): Promise<void> {
    const may = await this.world.may();
    if (this.over) return;
    this.recorded = may.recorded;
    if (!may.allowed) {
      this.is({ at: "refused", fault: null, verb: "create pods/exec", by: "gateway", why: may.why });
      return;
    }
    await this.open(0);
  }

  private async open(attempt: number): Promise<void> {
    const shell = SHELLS[attempt];
    if (shell === undefined) {
      this.is({ at: "no shell" });
      return;
    }
    this.is({ at: "connecting", step: "ticket", shell: shell.name });
    const path = pathOf(this.of, shell.command);
    const ticket = await this.world.ticket(path);
    if (this.over) return;
    this.is({ at: "connecting", step: "way", shell: shell.name });
    const socket = this.world.dial(path, [...PROTOCOLS, `trunkline.ticket.${ticket}`]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    let opened = false;
    let exit: Exit | null = null;
    socket.onopen = () => {
      opened = true;
      this.is({ at: "connecting", step: "shell", shell: shell.name });
      this.tellSize();
      this.keeping = setInterval(() => this.tellSize(), KEEP_EVERY_MS);
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      // The protocol has no texts.
      if (this.over || typeof data === "string") return;
      const told = heard(data as ArrayBuffer);
      if (told.kind === "exit") exit = told.exit;
      if (told.kind !== "output") return;
      if (this.state.at === "connecting") this.is({ at: "running", since: Date.now() });
      this.onOutput(told.bytes);
    };
    socket.onclose = (event) => {
      clearInterval(this.keeping);
      if (this.over) return;
      const ran = this.state.at === "running" ? this.state.since : null;
      if (exit !== null && ran === null && isNoProgram(exit)) void this.open(attempt + 1).catch((error: unknown) => this.refused(asFault(error)));
      else if (exit !== null) this.is({ at: "ended", since: Date.now(), exit, lasted: ran === null ? 0 : Date.now() - ran });
      else if (opened) this.is({ at: "lost", since: Date.now(), why: reasonOf(event) });
      else void this.notOpened(event);
    };
  }

  /** A browser does not say why a socket was not opened: the cluster is asked whether it may be. */
  private async notOpened(event: CloseEvent): Promise<void> {
    let there: { allowed: boolean; why: string };
    try {
      there = await this.world.mayThere();
    } catch (error) {
      this.refused(asFault(error));
      return;
    }
    if (this.over) return;
    if (!there.allowed) this.is({ at: "refused", fault: null, verb: "create pods/exec", by: "cluster", why: there.why });
    else this.is({ at: "lost", since: Date.now(), why: event.reason || "the way was not opened; the pod may be gone, or the gateway refused it" });
  }

  private refused(fault: Fault): void {
    if (this.over) return;
    const by = fault.hop === "cluster" ? "cluster" : "gateway";
    if (fault.status === 403) this.is({ at: "refused", fault, verb: "create pods/exec", by, why: fault.detail });
    else this.is({ at: "lost", since: Date.now(), why: fault.detail });
  }

  private tellSize(): void {
    this.send(sized(this.size.columns, this.size.rows));
  }

  private send(message: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === 1) this.socket.send(message);
  }

  private is(state: SessionState): void {
    this.state = state;
    this.onChange();
  }
}

function pathOf({ namespace, pod, container }: Target, command: string[]): string {
  const query = new URLSearchParams();
  if (container !== "") query.set("container", container);
  for (const word of command) query.append("command", word);
  for (const name of ["stdin", "stdout", "tty"]) query.set(name, "true");
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec?${query.toString()}`;
}

function reasonOf({ code, reason }: CloseEvent): string {
  if (reason !== "") return reason;
  if (code === 1001) return "the gateway restarts";
  if (code === 1000) return "the other end closed it and did not say how the shell ended";
  return "the connection was lost";
}
