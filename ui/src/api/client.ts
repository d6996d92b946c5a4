// The gateway's REST API. Types come from its OpenAPI document; a no is thrown as a Fault.
//
// Invariants: the CSRF token is kept in memory and goes only to this origin; a 401 tells the page that its session is over.

import createClient from "openapi-fetch";
import type { Fault} from "./fault.ts";
import { faultOf, unreachable } from "./fault.ts";
import type { components, paths } from "./schema";

/** The shapes of the REST API by their names. */
export type Shapes = components["schemas"];

let csrf = "";
let onSignedOut: (fault: Fault) => void = () => undefined;

/** What the session's answer said is sent with everything that changes something. */
export function setCsrf(token: string): void {
  csrf = token;
}

export function csrfToken(): string {
  return csrf;
}

/** Who hears that the session is over. */
export function whenSignedOut(hear: (fault: Fault) => void): void {
  onSignedOut = hear;
}

/** Fetches as this session: like `fetch`, but a no is a Fault. */
export async function send(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const request = new Request(input, { credentials: "same-origin", cache: "no-store", ...init });
  const writes = request.method !== "GET" && request.method !== "HEAD";
  if (writes) request.headers.set("x-trunkline-csrf", csrf);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable(error, writes);
  }
  if (response.ok) return response;
  const fault = faultOf(response.status, await response.text(), response.headers.get("retry-after"));
  if (response.status === 401) onSignedOut(fault);
  throw fault;
}

/** The REST API, typed: `await rest.GET("/trunkline/v1/clusters")`. Use `take` for the answer's data. */
export const rest = createClient<paths>({ baseUrl: "/", fetch: (request) => send(request) });

/** The data of an answer. */
export async function take<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data } = await answer;
  return data as T;
}
