// A registration as it is filled in, and what of it goes to the gateway.

import type { Shapes } from "../api/client.ts";
import { typedLabels } from "./labels.ts";
import { nameFault, type NameFault } from "./name.ts";

export const COLLECTS = {
  nothing: "Nothing",
  shippers: "What log shippers hand in",
  pods: "The logs of all pods",
} as const;

export interface Registration {
  name: string;
  displayName: string;
  labels: string;
  environment: string;
  protection: Shapes["Protection"];
  collect: keyof typeof COLLECTS;
  access: "impersonate" | "pass-through";
  /** Whom the tokens must be made for that go through, with commas between. */
  audiences: string;
  /** The bindings that are made in the cluster. */
  bindings: Record<Shapes["Binding"], boolean>;
  storageClass: string;
  ephemeral: boolean;
}

export const EMPTY: Registration = {
  name: "", displayName: "", labels: "", environment: "", protection: "none", collect: "nothing", access: "impersonate", audiences: "",
  bindings: { viewers: true, operators: true, admins: true }, storageClass: "", ephemeral: false,
};

export interface Faults {
  name: NameFault | null;
  labels: string;
  audiences: string;
}

export function faultsOf(registration: Registration, taken: (name: string) => boolean): Faults {
  const typed = typedLabels(registration.labels);
  const none = registration.access === "pass-through" && audiencesOf(registration).length === 0;
  return {
    name: nameFault(registration.name, taken),
    labels: "wrong" in typed ? typed.wrong : "",
    audiences: none ? "name at least one audience: tokens that go through are made for it, and for nobody else" : "",
  };
}

export function isReady(registration: Registration, faults: Faults): boolean {
  return registration.name !== "" && faults.name === null && faults.labels === "" && faults.audiences === "";
}

function audiencesOf({ audiences }: Registration): string[] {
  return audiences.split(/[,\s]+/).filter((audience) => audience !== "");
}

/** What is sent; what is as it is anyway is left out. */
export function newCluster(registration: Registration): Shapes["NewCluster"] {
  const { name, displayName, environment, protection, collect, access, bindings, storageClass, ephemeral } = registration;
  const typed = typedLabels(registration.labels);
  const passes = access === "pass-through";
  const manifest: Shapes["ManifestOptions"] = {};
  const without = (Object.keys(bindings) as Shapes["Binding"][]).filter((binding) => !bindings[binding]);
  // An agent that passes tokens through has no binding at all.
  if (without.length > 0 && !passes) manifest.withoutBindings = without;
  if (passes) manifest.passThrough = audiencesOf(registration);
  if (collect !== "nothing") manifest.logs = true;
  if (collect === "pods") manifest.logTail = true;
  if (ephemeral) manifest.ephemeralSpool = true;
  else if (storageClass.trim() !== "") manifest.storageClass = storageClass.trim();
  const labels = "labels" in typed ? Object.fromEntries(Object.entries(typed.labels).map(([key, value]) => [key, value ?? ""])) : {};
  return { name, labels, displayName: displayName.trim(), description: "", environment: environment.trim(), protection, manifest };
}

/** What changes of a manifest when something else is collected than before. */
export function collecting(collect: Registration["collect"]): Shapes["ManifestPatch"] {
  return { logs: collect !== "nothing", logTail: collect === "pods" };
}
