/** Nodes, namespaces, configuration and storage. */
import { CLAIMS, CONFIG_MAPS, NAMESPACES, NODES, SECRETS, SERVICE_ACCOUNTS, VOLUMES } from "../kubernetes/kinds/core.ts";
import { DEFINITIONS, STORAGE_CLASSES, TEAPOTS } from "../kubernetes/kinds/all.ts";
import { ago, DAY, HOUR, put, type Seeding } from "./seeding.ts";

export const SPACES = ["default", "kube-system", "monitoring", "payments", "shop", "trunkline"];

export function seedBase(seeding: Seeding, nodes: number): void {
  const { random } = seeding;
  for (let index = 0; index < nodes; index += 1) seedNode(seeding, index);
  for (const name of SPACES) {
    put(seeding, NAMESPACES, { name, labels: { "kubernetes.io/metadata.name": name } }, { spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
    put(seeding, SERVICE_ACCOUNTS, { name: "default", namespace: name });
    put(seeding, CONFIG_MAPS, { name: "kube-root-ca.crt", namespace: name }, { data: { "ca.crt": "-----BEGIN CERTIFICATE-----\nMIIB simulated\n-----END CERTIFICATE-----\n" } });
  }
  for (const namespace of ["shop", "payments"]) {
    put(seeding, CONFIG_MAPS, { name: "settings", namespace, labels: { app: "web" } }, { data: { "LOG_LEVEL": "info", "features.yaml": "cart: true\ncheckout:\n  v2: false\n" } });
    put(seeding, SECRETS, { name: "database", namespace }, { type: "Opaque", data: { user: "c2ltdWxhdGVk", password: "bm90IGEgc2VjcmV0" } });
    put(seeding, SECRETS, { name: "tls", namespace }, { type: "kubernetes.io/tls", data: { "tls.crt": "c2ltdWxhdGVk", "tls.key": "c2ltdWxhdGVk" } });
  }
  put(seeding, STORAGE_CLASSES, { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }, { provisioner: "csi.example.com", reclaimPolicy: "Delete" });
  for (const [index, name] of ["data-database-0", "data-database-1", "data-prometheus-0"].entries()) seedClaim(seeding, name, index === 2 ? "monitoring" : "shop");
  put(seeding, CLAIMS, { name: "waits-for-a-volume", namespace: "payments", creationTimestamp: ago(seeding, 3 * HOUR) }, { spec: { storageClassName: "fast" }, status: { phase: "Pending" } });
  put(seeding, DEFINITIONS, { name: `${TEAPOTS.plural}.${TEAPOTS.group}` }, {
    spec: { group: TEAPOTS.group, scope: "Namespaced", names: { plural: TEAPOTS.plural, singular: TEAPOTS.singular, kind: TEAPOTS.kind, shortNames: TEAPOTS.short }, versions: [{ name: TEAPOTS.version, served: true, storage: true }] },
    status: { conditions: [{ type: "Established", status: "True" }] },
  });
  for (const name of ["brown-betty", "kyusu", "samovar"]) {
    put(seeding, TEAPOTS, { name, namespace: "default" }, {
      spec: { blend: random.pick(["assam", "sencha", "rooibos"]), strength: random.whole(1, 22) / 2 },
      status: { boiling: random.chance(0.5), lastBrew: ago(seeding, random.whole(60, 9000)) },
    });
  }
}

function seedNode(seeding: Seeding, index: number): void {
  const { random, version } = seeding;
  const control = index < Math.min(3, Math.ceil(seeding.nodes.length / 4));
  const name = seeding.nodes[index] ?? "";
  const broken = index === seeding.nodes.length - 1 && seeding.nodes.length > 4;
  const condition = (type: string, status: string, reason: string, message: string): unknown => ({
    type, status, reason, message, lastHeartbeatTime: ago(seeding, 20), lastTransitionTime: ago(seeding, broken ? 2 * HOUR : 20 * DAY),
  });
  put(seeding, NODES, {
    name,
    labels: {
      "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": random.pick(["amd64", "amd64", "arm64"]),
      "topology.kubernetes.io/zone": `zone-${"abc"[index % 3] ?? "a"}`,
      ...(control ? { "node-role.kubernetes.io/control-plane": "" } : {}),
    },
  }, {
    spec: { podCIDR: `10.244.${index}.0/24`, ...(index === seeding.nodes.length - 2 && seeding.nodes.length > 4 ? { unschedulable: true, taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] } : {}) },
    status: {
      capacity: { cpu: "8", memory: "32Gi", pods: "110", "ephemeral-storage": "100Gi" },
      allocatable: { cpu: "7800m", memory: "30Gi", pods: "110", "ephemeral-storage": "92Gi" },
      conditions: [
        condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        condition("DiskPressure", broken ? "True" : "False", broken ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure", broken ? "kubelet has disk pressure" : "kubelet has no disk pressure"),
        condition("Ready", broken ? "False" : "True", broken ? "KubeletNotReady" : "KubeletReady", broken ? "container runtime is down" : "kubelet is posting ready status"),
      ],
      addresses: [{ type: "InternalIP", address: `10.0.${index >> 8}.${(index & 255) + 1}` }, { type: "Hostname", address: name }],
      nodeInfo: { kubeletVersion: version, osImage: "Debian GNU/Linux 12 (bookworm)", kernelVersion: "6.1.0-28-amd64", containerRuntimeVersion: "containerd://2.0.2", architecture: "amd64" },
    },
  });
}

function seedClaim(seeding: Seeding, name: string, namespace: string): void {
  const volume = `pvc-${seeding.random.uid()}`;
  put(seeding, CLAIMS, { name, namespace }, { spec: { accessModes: ["ReadWriteOnce"], storageClassName: "standard", volumeName: volume, resources: { requests: { storage: "20Gi" } } }, status: { phase: "Bound", capacity: { storage: "20Gi" } } });
  put(seeding, VOLUMES, { name: volume }, {
    spec: { capacity: { storage: "20Gi" }, accessModes: ["ReadWriteOnce"], persistentVolumeReclaimPolicy: "Delete", storageClassName: "standard", claimRef: { namespace, name } },
    status: { phase: "Bound" },
  });
}
