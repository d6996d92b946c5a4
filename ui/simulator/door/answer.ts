/** What is asked and what is answered, whether by HTTP or over the live socket. */

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  accept: string;
  contentType: string;
  body: string;
  /** Who asks: the session's user. */
  user: string;
  session: string;
  /** Whoever asked went away. */
  signal: AbortSignal;
}

/** Lines of a body, many at a time, given when they are asked for. */
export type Lines = AsyncIterable<string[]>;

export interface Answer {
  status: number;
  type: string;
  headers: Record<string, string>;
  body: string | Lines;
  /** Each line is a server-sent event's data. */
  events?: boolean;
}

export function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json", headers: {}, body: JSON.stringify(value) };
}

export function plain(body: string | Lines, status = 200): Answer {
  return { status, type: "text/plain; charset=utf-8", headers: {}, body };
}

export function nothing(): Answer {
  return { status: 204, type: "", headers: {}, body: "" };
}

export function events(lines: Lines): Answer {
  return { status: 200, type: "text/event-stream", headers: {}, body: lines, events: true };
}

let requests = 0;

/** The next request's id. */
export function requestId(): string {
  requests += 1;
  return `5151${requests.toString(16).padStart(12, "0")}`;
}

const TITLES: Record<number, string> = {
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
  410: "Gone", 413: "Payload Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Entity", 429: "Too Many Requests",
  500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
};

/** A no of the REST API. */
export function problem(status: number, reason: string, detail: string): Answer {
  const request = requestId();
  const body = { type: "about:blank", title: TITLES[status] ?? "Error", status, reason, detail, request };
  const headers: Record<string, string> = { "x-request-id": request };
  if (status === 429 || status === 503) headers["retry-after"] = "5";
  return { status, type: "application/problem+json", headers, body: JSON.stringify(body) };
}

/** A no of the gateway or of the API server to a Kubernetes client. */
export function status(code: number, reason: string, message: string, details: Record<string, unknown> = {}): Answer {
  const request = requestId();
  const retry = details["retryAfterSeconds"];
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, details, code };
  const headers: Record<string, string> = { "x-request-id": request };
  if (typeof retry === "number") headers["retry-after"] = String(retry);
  return { status: code, type: "application/json", headers, body: JSON.stringify(body) };
}

/** A no of the gateway about a cluster. */
export function refusal(code: number, reason: string, cluster: string, why: string, retryAfterSeconds?: number): Answer {
  const request = requestId();
  return status(code, reason, `trunkline gateway: ${why} (request ${request})`, {
    name: cluster,
    kind: "clusters",
    causes: [{ reason: "RequestId", message: request }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Thrown where an answer is found deep down. */
export class Refused extends Error {
  constructor(readonly answer: Answer) {
    super("refused");
  }
}

/** The body as JSON, or a no. */
export function bodyOf<T>(asked: Asked): T {
  if (asked.body === "") return {} as T;
  try {
    return JSON.parse(asked.body) as T;
  } catch (error) {
    throw new Refused(problem(400, "Invalid", `the body does not parse: ${String(error)}`));
  }
}
