// What went wrong, as people and pages see it: one shape for the gateway's problems (RFC 9457), for the Status objects of
// clusters and of the way to them, and for a gateway that does not answer at all.

/** A step on the way from this page to a cluster's API server. */
export type Hop = "browser" | "gateway" | "tunnel" | "cluster";

export class Fault extends Error {
  constructor(
    /** For programs: `ClusterDisconnected`, `Forbidden`, `Conflict`, ... */
    readonly reason: string,
    /** For people: what happened, why, what to do. */
    readonly detail: string,
    /** The HTTP status; 0 when nothing was answered. */
    readonly status: number,
    /** Where on the way it went wrong. */
    readonly hop: Hop,
    /** What the gateway's logs have as well. */
    readonly request: string = "",
    /** When to ask again, in seconds. */
    readonly retryAfter: number | null = null,
    /** The whole answer, where it was JSON. */
    readonly answer: unknown = null,
  ) {
    super(detail);
    this.name = "Fault";
  }

  /** All there is to say of it, to be copied. */
  get words(): string {
    const parts = [`${this.reason} (${this.status})`, this.detail, `at: ${this.hop}`];
    if (this.request !== "") parts.push(`request: ${this.request}`);
    return parts.join("\n");
  }
}

/** Reasons that the way to a cluster has, and not the cluster. */
const ON_THE_WAY: Record<string, Hop> = {
  ClusterDisconnected: "tunnel",
  ClusterBusy: "tunnel",
  TunnelLost: "tunnel",
  UpstreamUnreachable: "cluster",
  UpstreamTimeout: "cluster",
};

interface StatusObject {
  kind?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number; causes?: { reason?: string; message?: string }[] };
}

interface ProblemObject {
  detail?: string;
  reason?: string;
  request?: string;
  title?: string;
}

/** The fault that an answer tells of. */
export function faultOf(status: number, body: string, retryAfter: string | null = null): Fault {
  const answer = parsed(body);
  const after = Number(retryAfter ?? NaN);
  if (isStatus(answer)) {
    const reason = answer.reason ?? "Unknown";
    const causes = answer.details?.causes ?? [];
    const request = causes.find((cause) => cause.reason === "RequestId")?.message ?? "";
    const wait = answer.details?.retryAfterSeconds ?? (Number.isFinite(after) ? after : null);
    const ours = reason.startsWith("Cluster") || reason === "AccessDenied" || reason === "Overloaded";
    const hop = ON_THE_WAY[reason] ?? (ours ? "gateway" : "cluster");
    return new Fault(reason, answer.message ?? "", status, hop, request, wait, answer);
  }
  const problem = (answer ?? {}) as ProblemObject;
  const detail = problem.detail ?? problem.title ?? (body.trim().slice(0, 500) || `the answer was ${status}`);
  const wait = Number.isFinite(after) ? after : null;
  return new Fault(problem.reason ?? "Unknown", detail, status, "gateway", problem.request ?? "", wait, answer);
}

/** The fault of a gateway that was not reached. */
export function unreachable(error: unknown, writes = false): Fault {
  const why = error instanceof Error ? error.message : String(error);
  // What writes is not sent twice by itself.
  const then = writes ? "whether it was done is not known; look, and try again" : "this page tries again";
  return new Fault("GatewayUnreachable", `the gateway does not answer (${why}); ${then}`, 0, "browser");
}

/** Whatever was thrown, as a fault. */
export function asFault(error: unknown): Fault {
  return error instanceof Fault ? error : unreachable(error);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function isStatus(answer: unknown): answer is StatusObject {
  return typeof answer === "object" && answer !== null && (answer as StatusObject).kind === "Status";
}
