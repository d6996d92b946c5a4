// The rules of policies of all kinds in one shape, in words that people read, and with the one thing that can be said of a rule
// without traffic: whether everything fits it, so that nothing after it is ever reached.
//
// Invariant: `everything` is only said where it is certain; a field that is not known here makes it false.

import { labelSelectorWords } from "./labelSelector.ts";
import { fields, isThere, list, text, texts, type Fields } from "./read.ts";

export type Direction = "ingress" | "egress";
export type Action = "Allow" | "Deny" | "Pass" | "Log";

export interface Rule {
  action: Action;
  /** As the policy names it; mostly empty. */
  name: string;
  /** Who is at the other end: `anyone`, `pods app=web in namespaces team=a`, `10.0.0.0/8`. */
  who: string;
  /** By what: `everything`, `TCP 80, 443`. */
  what: string;
  /** What must be so as well; mostly empty. */
  further: string;
  everything: boolean;
}

const ANYONE = "anyone";
const EVERYTHING = "everything";

/** What an action is called; null for none that there is. `Accept` is what ClusterNetworkPolicy says for Allow. */
function actionOf(value: unknown): Action | null {
  switch (text(value).toLowerCase()) {
    case "allow":
    case "accept":
      return "Allow";
    case "deny":
      return "Deny";
    case "pass":
    case "next-tier":
      return "Pass";
    case "log":
      return "Log";
    default:
      return null;
  }
}

/** Whether it is all of both kinds of addresses. */
function allNets(nets: string[]): boolean {
  return nets.includes("0.0.0.0/0") && nets.includes("::/0");
}

function filled(value: Fields): string[] {
  return Object.keys(value).filter((key) => isThere(value[key]) && !(Array.isArray(value[key]) && (value[key] as unknown[]).length === 0) && value[key] !== "");
}

/** A Calico rule (projectcalico.org/v3 Rule: all that it says must fit). */
export function calicoRule(value: unknown, direction: Direction): Rule | null {
  const rule = fields(value);
  const action = actionOf(rule["action"]);
  if (action === null) return null;
  const [source, destination] = [fields(rule["source"]), fields(rule["destination"])];
  const [other, own] = direction === "ingress" ? [source, destination] : [destination, source];
  const protocol = text(rule["protocol"]);
  const ports = texts(destination["ports"]);
  const further = [
    ...unless("not protocol", text(rule["notProtocol"])),
    ...unless("not ports", texts(destination["notPorts"]).join(", ")),
    ...unless("from ports", texts(source["ports"]).join(", ")),
    ...unless("not from ports", texts(source["notPorts"]).join(", ")),
    ...unless("IPv", text(rule["ipVersion"])).map((one) => one.replace(" ", "")),
    ...unless("ICMP", icmp(rule["icmp"])),
    ...unless("not ICMP", icmp(rule["notICMP"])),
    ...unless("HTTP", http(rule["http"])),
    ...unless("where this end is", entity(own)),
  ];
  const named = fields(fields(rule["metadata"])["annotations"]);
  const conditions = filled(rule).filter((key) => !["action", "source", "destination", "metadata"].includes(key));
  return {
    action,
    name: text(named["name"]),
    who: entity(other) || ANYONE,
    what: protocol === "" && ports.length === 0 ? EVERYTHING : `${protocol} ${ports.join(", ")}`.trim(),
    further: further.join("; "),
    everything: conditions.length === 0 && [source, destination].every(isAnyone),
  };
}

/** Whether an end of a Calico rule can be anyone. */
function isAnyone(end: Fields): boolean {
  const asked = filled(end);
  return asked.length === 0 || (asked.length === 1 && asked[0] === "nets" && allNets(texts(end["nets"])));
}

function entity(end: Fields): string {
  const accounts = fields(end["serviceAccounts"]);
  const service = fields(end["services"]);
  const namespaces = text(end["namespaceSelector"]);
  const pods = text(end["selector"]);
  return [
    ...unless("endpoints", pods),
    ...unless("in namespaces", namespaces),
    ...unless("not endpoints", text(end["notSelector"])),
    ...unless("service accounts", [...texts(accounts["names"]), ...unless("", text(accounts["selector"]))].join(", ")),
    ...unless("service", [text(service["namespace"]), text(service["name"])].filter((one) => one !== "").join("/")),
    ...unless("domains", texts(end["domains"]).join(", ")),
    ...unless("", texts(end["nets"]).join(", ")),
    ...unless("not", texts(end["notNets"]).join(", ")),
  ].join(" ");
}

function icmp(value: unknown): string {
  const { type, code } = fields(value);
  return [...unless("type", text(type)), ...unless("code", text(code))].join(" ");
}

function http(value: unknown): string {
  const { methods, paths } = fields(value);
  const ways = list(paths).map((path) => text(fields(path)["exact"]) || `${text(fields(path)["prefix"])}*`);
  return [texts(methods).join(", "), ways.join(", ")].filter((one) => one !== "").join(" ");
}

/** A rule of networking.k8s.io/v1 NetworkPolicy: it always allows; nobody named is anyone, no port named is everything. */
export function kubernetesRule(value: unknown, direction: Direction): Rule {
  const rule = fields(value);
  const peers = list(rule[direction === "ingress" ? "from" : "to"]);
  const ports = list(rule["ports"]);
  return {
    action: "Allow",
    name: "",
    who: peers.length === 0 ? ANYONE : peers.map((peer) => kubernetesPeer(fields(peer))).join(" or "),
    what: ports.length === 0 ? EVERYTHING : ports.map((port) => kubernetesPort(fields(port))).join(", "),
    further: "",
    everything: peers.length === 0 && ports.length === 0,
  };
}

function kubernetesPeer(peer: Fields): string {
  if (isThere(peer["ipBlock"])) {
    const { cidr, except } = fields(peer["ipBlock"]);
    return [text(cidr), ...unless("except", texts(except).join(", "))].join(" ");
  }
  return podsWords(peer["podSelector"], peer["namespaceSelector"], "this namespace");
}

function podsWords(pods: unknown, namespaces: unknown, otherwise: string): string {
  const which = labelSelectorWords(pods);
  const where = isThere(namespaces) ? labelSelectorWords(namespaces) : null;
  const place = where === null ? `in ${otherwise}` : where === "" ? "in any namespace" : `in namespaces ${where}`;
  return `${which === "" ? "all pods" : `pods ${which}`} ${place}`;
}

function kubernetesPort(port: Fields): string {
  const protocol = text(port["protocol"]) || "TCP";
  const [first, last] = [text(port["port"]), text(port["endPort"])];
  return `${protocol} ${first}${last === "" ? "" : `-${last}`}`.trim();
}

/** A rule of policy.networking.k8s.io: AdminNetworkPolicy and its baseline (v1alpha1), ClusterNetworkPolicy (v1alpha2). */
export function adminRule(value: unknown, direction: Direction): Rule | null {
  const rule = fields(value);
  const action = actionOf(rule["action"]);
  if (action === null) return null;
  const peers = list(rule[direction === "ingress" ? "from" : "to"]).map(fields);
  const ports = list(rule["ports"]).map((port) => adminPort(fields(port)));
  const protocols = list(rule["protocols"]).map((protocol) => clusterProtocol(fields(protocol)));
  const what = [...ports, ...protocols];
  return {
    action,
    name: text(rule["name"]),
    who: peers.map(adminPeer).join(" or "),
    what: what.length === 0 ? EVERYTHING : what.join(", "),
    further: "",
    everything: what.length === 0 && peers.some((peer) => allNets(texts(peer["networks"]))),
  };
}

function adminPeer(peer: Fields): string {
  if (isThere(peer["namespaces"])) {
    const which = labelSelectorWords(peer["namespaces"]);
    return which === "" ? "all pods" : `pods in namespaces ${which}`;
  }
  if (isThere(peer["pods"])) {
    const pods = fields(peer["pods"]);
    return podsWords(pods["podSelector"], pods["namespaceSelector"], "any namespace");
  }
  if (isThere(peer["nodes"])) return `nodes ${labelSelectorWords(peer["nodes"])}`.trim();
  const networks = texts(peer["networks"]);
  if (networks.length > 0) return networks.join(", ");
  return texts(peer["domainNames"]).join(", ") || "somebody that is not known here";
}

function adminPort(port: Fields): string {
  const { portNumber, portRange, namedPort } = port;
  if (isThere(portNumber)) return `${text(fields(portNumber)["protocol"]) || "TCP"} ${text(fields(portNumber)["port"])}`;
  if (isThere(portRange)) {
    const range = fields(portRange);
    return `${text(range["protocol"]) || "TCP"} ${text(range["start"])}-${text(range["end"])}`;
  }
  return `port ${text(namedPort)}`;
}

function clusterProtocol(protocol: Fields): string {
  for (const name of ["tcp", "udp", "sctp"]) {
    if (!isThere(protocol[name])) continue;
    const port = fields(fields(protocol[name])["destinationPort"]);
    const range = fields(port["range"]);
    const which = text(port["number"]) || [text(range["start"]), text(range["end"])].filter((one) => one !== "").join("-");
    return `${name.toUpperCase()} ${which}`.trim();
  }
  return `port ${text(protocol["destinationNamedPort"])}`;
}

function unless(before: string, words: string): string[] {
  return words === "" ? [] : [before === "" ? words : `${before} ${words}`];
}
