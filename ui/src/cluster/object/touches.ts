// Audit records that are about one object. Pure.

import type { Shapes } from "../../api/client.ts";

export interface Touch {
  key: string;
  time: string;
  user: string;
  verb: string;
  allowed: boolean;
  why: string;
  from: string;
  request: string;
}

interface About {
  group: string;
  resource: string;
  namespace: string;
  name: string;
}

/** The decisions about an object and its parts, the newest first. */
export function touches(records: Shapes["AuditRecord"][], about: About): Touch[] {
  const found: Touch[] = [];
  for (const { event, time, sequence, writer } of records) {
    if (event.phase !== "decision") continue;
    const object = event.object;
    const fits =
      (object?.apiGroup ?? "") === about.group && object?.resource === about.resource &&
      (object.namespace ?? "") === about.namespace && object.name === about.name;
    if (!fits) continue;
    const part = object.subresource === undefined || object.subresource === "" ? "" : `/${object.subresource}`;
    found.push({
      key: `${writer}/${sequence}`, time, user: event.user ?? "", verb: `${event.verb ?? ""}${part}`, allowed: event.allowed === true,
      why: event.rule ?? event.why ?? "", from: event.from ?? "", request: event.request ?? "",
    });
  }
  return found.reverse();
}
