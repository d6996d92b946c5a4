/** Who is signed in: a cookie, and the CSRF token that goes with it. */
import { randomBytes } from "node:crypto";

import { problem, Refused } from "./answer.ts";

export const COOKIE = "trunkline-session";

export interface Session {
  id: string;
  secret: string;
  csrf: string;
  user: string;
  groups: string[];
  first: number;
  last: number;
  from: string;
  ends: number;
}

/** The local users there are, with one password for all of them: these are no secrets. */
export const PASSWORD = "simulated password";

export class Sessions {
  readonly users = new Map<string, string[]>();
  private readonly sessions = new Map<string, Session>();
  private readonly onEnd = new Set<(session: Session, why: string) => void>();

  constructor(users: Record<string, string[]>) {
    for (const [name, groups] of Object.entries(users)) this.users.set(name, groups);
  }

  begin(user: string, from: string): Session {
    const session: Session = {
      id: `web:${randomBytes(6).toString("hex")}`, secret: randomBytes(16).toString("hex"), csrf: randomBytes(16).toString("hex"),
      user, groups: this.users.get(user) ?? [], first: Date.now(), last: Date.now(), from, ends: Date.now() + 12 * 3_600_000,
    };
    this.sessions.set(session.secret, session);
    return session;
  }

  of(cookies: string | undefined): Session | undefined {
    const secret = new RegExp(`(?:^|;\\s*)${COOKIE}=([0-9a-f]+)`).exec(cookies ?? "")?.[1];
    const session = secret === undefined ? undefined : this.sessions.get(secret);
    if (session) session.last = Date.now();
    return session;
  }

  /** A page that changes something says the token that only it could read. */
  check(session: Session, csrf: string | undefined): void {
    if (csrf === session.csrf) return;
    throw new Refused(problem(403, "Forbidden", "the field x-trunkline-csrf is missing or not this session's; read it from /trunkline/v1/auth/session"));
  }

  all(): Session[] {
    return [...this.sessions.values()].sort((a, b) => b.last - a.last);
  }

  end(session: Session, why: string): void {
    this.sessions.delete(session.secret);
    for (const hear of this.onEnd) hear(session, why);
  }

  ended(hear: (session: Session, why: string) => void): () => void {
    this.onEnd.add(hear);
    return () => this.onEnd.delete(hear);
  }
}
