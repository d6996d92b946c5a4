/** The core group's other kinds. */
import { age, at, isFields, list, text, type KubeObject } from "../object.ts";
import { column, field, resource, wide, type Resource } from "../resource.ts";

function nodeStatus(node: KubeObject): string {
  const ready = list(at(node, "status", "conditions")).find((condition) => at(condition, "type") === "Ready");
  const said = at(ready, "status") === "True" ? "Ready" : at(ready, "status") === "False" ? "NotReady" : "Unknown";
  return at(node, "spec", "unschedulable") === true ? `${said},SchedulingDisabled` : said;
}

function roles(node: KubeObject): string {
  const found = Object.keys(node.metadata.labels ?? {})
    .filter((label) => label.startsWith("node-role.kubernetes.io/"))
    .map((label) => label.slice(label.indexOf("/") + 1));
  return found.join(",") || "<none>";
}

function ports(service: KubeObject): string {
  return list(at(service, "spec", "ports"))
    .map((port) => `${text(at(port, "port"))}/${text(at(port, "protocol"))}`)
    .join(",");
}

function held(object: KubeObject): number {
  const data = object["data"];
  return isFields(data) ? Object.keys(data).length : 0;
}

export const NODES = resource("Node", "v1", {
  namespaced: false,
  short: ["no"],
  subresources: ["status"],
  columns: [
    column("Status", nodeStatus),
    column("Roles", roles),
    { ...field("Version", "status", "nodeInfo", "kubeletVersion") },
    wide(column("Internal-IP", (node) => text(at(node, "status", "addresses", 0, "address")))),
    wide(field("OS-Image", "status", "nodeInfo", "osImage")),
    wide(field("Kernel-Version", "status", "nodeInfo", "kernelVersion")),
    wide(field("Container-Runtime", "status", "nodeInfo", "containerRuntimeVersion")),
  ],
});

export const NAMESPACES = resource("Namespace", "v1", {
  namespaced: false,
  short: ["ns"],
  columns: [field("Status", "status", "phase")],
});

export const SERVICES = resource("Service", "v1", {
  short: ["svc"],
  categories: ["all"],
  columns: [
    field("Type", "spec", "type"),
    field("Cluster-IP", "spec", "clusterIP"),
    column("External-IP", (service) => text(at(service, "status", "loadBalancer", "ingress", 0, "ip")) || "<none>"),
    column("Port(s)", ports),
    wide(column("Selector", (service) => Object.entries(at(service, "spec", "selector") ?? {}).map((pair) => pair.join("=")).join(",") || "<none>")),
  ],
});

export const CONFIG_MAPS = resource("ConfigMap", "v1", { short: ["cm"], columns: [column("Data", held, { type: "integer" })] });

export const SECRETS = resource("Secret", "v1", { columns: [field("Type", "type"), column("Data", held, { type: "integer" })] });

export const SERVICE_ACCOUNTS = resource("ServiceAccount", "v1", {
  short: ["sa"],
  columns: [column("Secrets", () => 0, { type: "integer" })],
});

export const VOLUMES = resource("PersistentVolume", "v1", {
  namespaced: false,
  short: ["pv"],
  columns: [
    field("Capacity", "spec", "capacity", "storage"),
    column("Access Modes", (volume) => list(at(volume, "spec", "accessModes")).map((mode) => (mode === "ReadWriteOnce" ? "RWO" : text(mode))).join(",")),
    field("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy"),
    field("Status", "status", "phase"),
    column("Claim", (volume) => `${text(at(volume, "spec", "claimRef", "namespace"))}/${text(at(volume, "spec", "claimRef", "name"))}`),
    field("StorageClass", "spec", "storageClassName"),
  ],
});

export const CLAIMS = resource("PersistentVolumeClaim", "v1", {
  short: ["pvc"],
  columns: [
    field("Status", "status", "phase"),
    field("Volume", "spec", "volumeName"),
    field("Capacity", "status", "capacity", "storage"),
    column("Access Modes", () => "RWO"),
    field("StorageClass", "spec", "storageClassName"),
  ],
});

export const EVENTS: Resource = {
  ...resource("Event", "v1", { short: ["ev"] }),
  columns: [
    column("Last Seen", (event) => age(event["lastTimestamp"])),
    field("Type", "type"),
    field("Reason", "reason"),
    column("Object", (event) => `${text(at(event, "involvedObject", "kind")).toLowerCase()}/${text(at(event, "involvedObject", "name"))}`),
    field("Message", "message"),
    wide(column("Name", (event) => event.metadata.name, { format: "name" })),
  ],
};
