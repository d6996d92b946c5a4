// The tab's one WebSocket: every stream that is live goes over it, each a GET under /trunkline/v1 that the gateway answers
// line by line.
//
// Invariants:
// - a stream whose reader is slow gets no more than its credit, and holds up no other;
// - when the socket is lost, every stream ends with `lost`, and whoever wants goes on with `keep`;
// - the state says since when what is shown is not live.

import { Fault, faultOf } from "./fault.ts";

/** So many bytes of a stream may be on their way before more are asked for. */
const CREDIT = 256 * 1024;
/** The gateway pings every 15 s; browsers do not show that, so the page relies on the close. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 4_000;
const PROTOCOL = "trunkline.live.v1";

export type LiveState =
  | { at: "connecting"; since: number }
  | { at: "live"; since: number }
  | { at: "away"; since: number; tries: number; why: string };

export interface End {
  /** Why it ended; null when the answer came to its end. */
  fault: Fault | null;
  /** The socket was lost, or could not carry it: worth another try. */
  lost: boolean;
}

export interface Reader {
  lines(lines: string[], cut: boolean): void;
  begun?(type: string): void;
  ended(end: End): void;
}

/** What is asked for: a path under /trunkline/v1, and for watches whether rows are wanted in place of objects. */
export type Ask = string | { path: string; as: "table" };

interface Stream {
  ask: Ask;
  reader: Reader;
  taken: number;
}

type FromGateway =
  | { begun: number; status: number; type: string }
  /** `bytes` is what the message cost of the credit, and is given back when it was dealt with. */
  | { lines: number; data: string[]; bytes: number; cut?: boolean }
  | { ended: number; status?: number; body?: string; reason?: string; why?: string };

export class Live {
  private socket: WebSocket | null = null;
  private readonly streams = new Map<number, Stream>();
  private readonly listeners = new Set<() => void>();
  private state: LiveState = { at: "connecting", since: Date.now() };
  private last = 0;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = true;

  constructor(
    private readonly url: string,
    private readonly csrf: () => string,
    private readonly onSignedOut: (fault: Fault) => void = () => undefined,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.dial();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.socket?.close(1000);
  }

  /** For useSyncExternalStore. */
  readonly subscribe = (hear: () => void): (() => void) => {
    this.listeners.add(hear);
    return () => this.listeners.delete(hear);
  };

  readonly snapshot = (): LiveState => this.state;

  /** Opens a stream; what comes back closes it, and its reader hears nothing more. */
  open(ask: Ask, reader: Reader): () => void {
    const id = ++this.last;
    this.streams.set(id, { ask, reader, taken: 0 });
    if (this.state.at === "live") this.begin(id, ask);
    return () => {
      if (this.streams.delete(id) && this.state.at === "live") this.say({ close: id });
    };
  }

  /** Opens a stream, and opens it again when it ends, by what is asked then; null, or the reader's `false`, ends it. */
  keep(ask: () => Ask | null, reader: Omit<Reader, "ended"> & { ended?(end: End): boolean | void }): () => void {
    let close: () => void = () => undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let tries = 0;
    const begin = () => {
      const to = ask();
      if (to === null) return;
      close = this.open(to, {
        begun: (type) => reader.begun?.(type),
        lines: (lines, cut) => {
          tries = 0;
          reader.lines(lines, cut);
        },
        ended: (end) => {
          if (reader.ended?.(end) === false) return;
          // A lost socket has waited already.
          timer = setTimeout(begin, end.lost ? 0 : wait(tries++));
        },
      });
    };
    begin();
    return () => {
      clearTimeout(timer);
      close();
    };
  }

  /** Dials at once, as when somebody asks for it. */
  retry(): void {
    if (this.state.at !== "away") return;
    clearTimeout(this.timer);
    this.dial();
  }

  private dial(): void {
    const socket = new WebSocket(this.url, [PROTOCOL, `trunkline.csrf.${this.csrf()}`]);
    this.socket = socket;
    socket.onopen = () => {
      this.tries = 0;
      this.is({ at: "live", since: Date.now() });
      for (const [id, stream] of this.streams) this.begin(id, stream.ask);
    };
    socket.onmessage = (message) => this.hear(String(message.data));
    socket.onclose = (event) => this.lost(event);
  }

  private lost(event: CloseEvent): void {
    this.socket = null;
    if (this.stopped) return;
    const why = event.reason || (event.code === 1001 ? "the gateway restarts" : "the connection to the gateway was lost");
    if (event.code === 4401) {
      this.stopped = true;
      this.onSignedOut(new Fault("Unauthorized", why, 401, "gateway"));
    }
    const since = this.state.at === "away" ? this.state.since : Date.now();
    const begun = this.state.at === "live";
    this.is({ at: "away", since, tries: this.tries, why });
    if (begun) {
      const gone = [...this.streams.values()];
      this.streams.clear();
      const fault = new Fault("SocketLost", why, 0, "browser");
      for (const stream of gone) stream.reader.ended({ fault, lost: true });
    }
    if (!this.stopped) this.timer = setTimeout(() => this.dial(), wait(this.tries++));
  }

  private hear(text: string): void {
    const message = JSON.parse(text) as FromGateway;
    if ("begun" in message) {
      this.streams.get(message.begun)?.reader.begun?.(message.type);
    } else if ("lines" in message) {
      const stream = this.streams.get(message.lines);
      if (stream === undefined) return;
      stream.reader.lines(message.data, message.cut === true);
      stream.taken += message.bytes;
      if (stream.taken >= CREDIT / 2) {
        this.say({ more: message.lines, bytes: stream.taken });
        stream.taken = 0;
      }
    } else {
      const stream = this.streams.get(message.ended);
      this.streams.delete(message.ended);
      stream?.reader.ended({ fault: faultOfEnd(message), lost: false });
    }
  }

  private begin(id: number, ask: Ask): void {
    this.say({ open: id, ...(typeof ask === "string" ? { path: ask } : ask) });
  }

  private say(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private is(state: LiveState): void {
    this.state = state;
    for (const hear of this.listeners) hear();
  }
}

function faultOfEnd(end: { status?: number; body?: string; reason?: string; why?: string }): Fault | null {
  if (end.status !== undefined) return faultOf(end.status, end.body ?? "");
  return end.why === undefined ? null : new Fault(end.reason ?? "Cut", end.why, 0, "gateway");
}

/** Full jitter, so that all tabs do not come at once after a restart. */
function wait(tries: number): number {
  const most = Math.min(FIRST_RETRY_MS * 2 ** tries, LAST_RETRY_MS);
  return most / 2 + (Math.random() * most) / 2;
}
