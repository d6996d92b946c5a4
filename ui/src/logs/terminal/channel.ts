// The messages of a terminal: v5.channel.k8s.io (KEP-4006), and v4 before it. The first byte names the channel.

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
const RESIZE = 4;

export const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

export function typed(text: string): Uint8Array<ArrayBuffer> {
  return message(STDIN, new TextEncoder().encode(text));
}

export function sized(columns: number, rows: number): Uint8Array<ArrayBuffer> {
  return message(RESIZE, new TextEncoder().encode(JSON.stringify({ Width: columns, Height: rows })));
}

function message(channel: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(payload.length + 1);
  whole[0] = channel;
  whole.set(payload, 1);
  return whole;
}

/** How a command ended. */
export interface Exit {
  /** Null where none is told. */
  code: number | null;
  words: string;
}

export type Heard = { kind: "output"; bytes: Uint8Array } | { kind: "exit"; exit: Exit } | { kind: "nothing" };

export function heard(data: ArrayBuffer): Heard {
  const bytes = new Uint8Array(data);
  const payload = bytes.subarray(1);
  if (bytes[0] === STDOUT || bytes[0] === STDERR) return payload.length === 0 ? { kind: "nothing" } : { kind: "output", bytes: payload };
  if (bytes[0] === STATUS) return { kind: "exit", exit: exitOf(new TextDecoder().decode(payload)) };
  return { kind: "nothing" };
}

interface StatusObject {
  status?: string;
  message?: string;
  reason?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
}

function exitOf(text: string): Exit {
  let status: StatusObject;
  try {
    status = JSON.parse(text) as StatusObject;
  } catch {
    return { code: null, words: text };
  }
  if (status.status === "Success") return { code: 0, words: "" };
  const told = status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  const code = told === undefined ? NaN : Number(told);
  return { code: Number.isInteger(code) ? code : null, words: status.message ?? status.reason ?? "" };
}

/** Whether a command could not begin since there is no such program: the runtimes' words for it, and the shells' codes. */
export function isNoProgram({ code, words }: Exit): boolean {
  return code === 126 || code === 127 || /executable file not found|no such file or directory|exec format error|command not found/i.test(words);
}
