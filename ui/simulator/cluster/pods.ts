/** Pods, well and not. */
import { PODS } from "../kubernetes/kinds/pods.ts";
import type { KubeObject } from "../kubernetes/object.ts";
import { ago, DAY, HOUR, owner, put, type Seeding } from "./seeding.ts";

export type Condition = "runs" | "crashes" | "cannot pull" | "waits" | "is done" | "failed" | "goes" | "is out of memory";

export interface PodSeed {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  owner?: KubeObject;
  containers: { name: string; image: string }[];
  is: Condition;
}

export function seedPod(seeding: Seeding, seed: PodSeed): KubeObject {
  const { random } = seeding;
  const since = seed.is === "runs" ? random.whole(HOUR, 20 * DAY) : random.whole(300, 5 * HOUR);
  const started = ago(seeding, since - 4);
  const placed = seed.is !== "waits";
  const statuses = seed.containers.map(({ name, image }) => ({
    name, image, imageID: `sha256:${random.hex(64)}`, containerID: `containerd://${random.hex(64)}`, started: seed.is === "runs", ...stateOf(seeding, seed.is, started, image),
  }));
  const ready = seed.is === "runs";
  const condition = (type: string, holds: boolean, reason?: string, message?: string): unknown => ({
    type, status: holds ? "True" : "False", lastProbeTime: null, lastTransitionTime: started, ...(reason ? { reason, message } : {}),
  });
  return put(seeding, PODS, {
    name: seed.name,
    namespace: seed.namespace,
    labels: seed.labels,
    annotations: { "kubectl.kubernetes.io/restartedAt": ago(seeding, since) },
    creationTimestamp: ago(seeding, since),
    ...(seed.is === "goes" ? { deletionTimestamp: ago(seeding, 40), finalizers: ["example.com/waits"] } : {}),
    ...(seed.owner ? { ownerReferences: owner(seed.owner) } : {}),
  }, {
    spec: {
      serviceAccountName: "default", restartPolicy: "Always", terminationGracePeriodSeconds: 30,
      ...(placed ? { nodeName: random.pick(seeding.nodes) } : {}),
      containers: seed.containers.map(({ name, image }) => ({
        name, image, imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 8080, name: "http", protocol: "TCP" }],
        env: [{ name: "LOG_LEVEL", value: "info" }], resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
      })),
    },
    status: {
      phase: phaseOf(seed.is),
      qosClass: "Burstable",
      startTime: started,
      ...(placed ? { podIP: `10.244.${random.whole(0, 11)}.${random.whole(2, 250)}`, hostIP: `10.0.0.${random.whole(1, 12)}`, containerStatuses: statuses } : {}),
      conditions: [
        condition("PodScheduled", placed, placed ? undefined : "Unschedulable", "0/12 nodes are available: 12 Insufficient memory. preemption: 0/12 nodes are available."),
        condition("Initialized", placed),
        condition("ContainersReady", ready, ready ? undefined : "ContainersNotReady", `containers with unready status: [${seed.containers.map((one) => one.name).join(" ")}]`),
        condition("Ready", ready, ready ? undefined : "ContainersNotReady", `containers with unready status: [${seed.containers.map((one) => one.name).join(" ")}]`),
      ],
    },
  });
}

function phaseOf(is: Condition): string {
  if (is === "is done") return "Succeeded";
  if (is === "failed") return "Failed";
  return is === "waits" || is === "cannot pull" ? "Pending" : "Running";
}

function stateOf(seeding: Seeding, is: Condition, started: string, image: string): Record<string, unknown> {
  const ended = (exitCode: number, reason: string): unknown => ({ terminated: { exitCode, reason, startedAt: started, finishedAt: ago(seeding, 120) } });
  switch (is) {
    case "crashes":
      return {
        ready: false, restartCount: 17, lastState: ended(1, "Error"),
        state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 5m0s restarting failed container" } },
      };
    case "is out of memory":
      return { ready: false, restartCount: 6, lastState: ended(137, "OOMKilled"), state: ended(137, "OOMKilled") };
    case "cannot pull":
      return {
        ready: false, restartCount: 0, lastState: {},
        state: { waiting: { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}": unexpected status from HEAD request: 401 Unauthorized` } },
      };
    case "is done":
      return { ready: false, restartCount: 0, lastState: {}, state: ended(0, "Completed") };
    case "failed":
      return { ready: false, restartCount: 0, lastState: {}, state: ended(2, "Error") };
    case "waits":
      return {};
    case "runs":
    case "goes": {
      const again = seeding.random.chance(0.15);
      return { ready: is === "runs", restartCount: again ? 1 : 0, lastState: again ? ended(1, "Error") : {}, state: { running: { startedAt: started } } };
    }
  }
}

/** So many more, as a cluster has that runs batch work. */
export function seedManyPods(seeding: Seeding, count: number): void {
  const { random } = seeding;
  const widths = ["web", "cart", "search", "mail", "batch", "index", "report", "thumbs"];
  for (let index = 0; index < count; index += 1) {
    const app = widths[index % widths.length] ?? "web";
    const is: Condition = random.chance(0.97) ? "runs" : random.pick(["crashes", "waits", "cannot pull", "is done"] as const);
    seedPod(seeding, {
      name: `${app}-${String(index).padStart(5, "0")}-${random.suffix(5)}`,
      namespace: index % 3 === 0 ? "shop" : index % 3 === 1 ? "payments" : "default",
      labels: { app, "pod-template-hash": random.hex(9) },
      containers: [{ name: app, image: `registry.example.com/${app}:1.${index % 7}.0` }],
      is,
    });
  }
}
