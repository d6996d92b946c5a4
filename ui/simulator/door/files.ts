/** The built pages, with the fields that the gateway gives them. */
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
  ".json": "application/json", ".woff2": "font/woff2", ".woff": "font/woff", ".png": "image/png", ".ico": "image/x-icon", ".txt": "text/plain; charset=utf-8",
};

/** Those of the gateway (crates/trunkline-gateway/src/ui.rs): nothing but what it serves itself, and no text that becomes script. */
export const PAGE_FIELDS: Record<string, string> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
};

export interface File {
  type: string;
  body: Buffer;
  /** Its name has its content's hash in it. */
  lasting: boolean;
}

/** What lies at a path under /ui/; every path that is no file is the page, but for scripts that are gone. */
export async function fileAt(pages: string, path: string): Promise<File | undefined> {
  const inside = normalize(decodeURIComponent(path)).replace(/^(\.\.(\/|$))+/, "");
  const type = TYPES[extname(inside)];
  if (type !== undefined) {
    const body = await readFile(join(pages, inside)).catch(() => undefined);
    if (body !== undefined) return { type, body, lasting: inside.startsWith("assets/") };
  }
  if (inside.startsWith("assets/")) return undefined;
  const body = await readFile(join(pages, "index.html")).catch(() => Buffer.from("there are no pages yet: npx vite build\n"));
  return { type: TYPES[".html"] ?? "", body, lasting: false };
}
