/** What runs pods, with its pods. */
import { CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, REPLICA_SETS, STATEFUL_SETS } from "../kubernetes/kinds/workloads.ts";
import { seedPod, type Condition } from "./pods.ts";
import { ago, DAY, HOUR, owner, put, type Seeding } from "./seeding.ts";

interface App {
  name: string;
  namespace: string;
  replicas: number;
  image: string;
  /** How its first pods are; the others run. */
  pods?: Condition[];
  sidecar?: boolean;
}

const APPS: readonly App[] = [
  { name: "web", namespace: "shop", replicas: 4, image: "registry.example.com/shop/web:2.14.1", sidecar: true, pods: ["runs", "runs", "runs", "goes"] },
  { name: "cart", namespace: "shop", replicas: 3, image: "registry.example.com/shop/cart:1.9.0", pods: ["crashes"] },
  { name: "search", namespace: "shop", replicas: 2, image: "registry.example.com/shop/search:0.31.4" },
  { name: "recommendations", namespace: "shop", replicas: 2, image: "registry.example.com/shop/recommendations:3.0.0-rc.1", pods: ["cannot pull", "cannot pull"] },
  { name: "gateway", namespace: "payments", replicas: 3, image: "registry.example.com/payments/gateway:7.2.0" },
  { name: "ledger", namespace: "payments", replicas: 2, image: "registry.example.com/payments/ledger:4.4.4", pods: ["is out of memory"] },
  { name: "fraud", namespace: "payments", replicas: 2, image: "registry.example.com/payments/fraud:1.0.9", pods: ["waits", "waits"] },
  { name: "grafana", namespace: "monitoring", replicas: 1, image: "docker.io/grafana/grafana:12.3.0" },
  { name: "coredns", namespace: "kube-system", replicas: 2, image: "registry.k8s.io/coredns/coredns:v1.12.4" },
  { name: "trunkline-agent", namespace: "trunkline", replicas: 2, image: "ghcr.io/trunkline/agent:0.1.0" },
];

export function seedWorkloads(seeding: Seeding): void {
  for (const app of APPS) seedDeployment(seeding, app);
  seedStatefulSet(seeding, "database", "shop", 2, "docker.io/library/postgres:17.4");
  seedStatefulSet(seeding, "prometheus", "monitoring", 1, "quay.io/prometheus/prometheus:v3.5.0");
  seedDaemonSet(seeding, "node-exporter", "monitoring", "quay.io/prometheus/node-exporter:v1.10.2");
  seedDaemonSet(seeding, "calico-node", "kube-system", "docker.io/calico/node:v3.30.3");
  seedJobs(seeding);
}

function template(app: string, containers: { name: string; image: string }[]): unknown {
  return { metadata: { labels: { app } }, spec: { containers: containers.map((one) => ({ ...one, imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 8080 }] })) } };
}

function seedDeployment(seeding: Seeding, app: App): void {
  const { random } = seeding;
  const { name, namespace, replicas } = app;
  const containers = [{ name, image: app.image }, ...(app.sidecar ? [{ name: "envoy", image: "docker.io/envoyproxy/envoy:v1.36.2" }] : [])];
  const states: Condition[] = Array.from({ length: replicas }, (_, index) => app.pods?.[index] ?? "runs");
  const up = states.filter((state) => state === "runs").length;
  const labels = { app: name, "app.kubernetes.io/name": name, team: namespace };
  const deployment = put(seeding, DEPLOYMENTS, { name, namespace, labels, generation: 3, annotations: { "deployment.kubernetes.io/revision": "2" } }, {
    spec: {
      replicas, revisionHistoryLimit: 10, selector: { matchLabels: { app: name } }, template: template(name, containers),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    },
    status: {
      observedGeneration: 3, replicas, updatedReplicas: replicas, readyReplicas: up, availableReplicas: up, unavailableReplicas: replicas - up,
      conditions: [
        { type: "Available", status: up > 0 ? "True" : "False", reason: up > 0 ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable", message: up > 0 ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", lastTransitionTime: ago(seeding, 3 * HOUR) },
        { type: "Progressing", status: up === replicas ? "True" : "False", reason: up === replicas ? "NewReplicaSetAvailable" : "ProgressDeadlineExceeded", message: `ReplicaSet "${name}" ${up === replicas ? "has successfully progressed" : "has timed out progressing"}.`, lastTransitionTime: ago(seeding, 3 * HOUR) },
      ],
    },
  });
  const old = put(seeding, REPLICA_SETS, { name: `${name}-${random.hex(9)}`, namespace, labels, ownerReferences: owner(deployment) }, { spec: { replicas: 0, selector: { matchLabels: { app: name } } }, status: { replicas: 0 } });
  const hash = old.metadata.uid?.slice(0, 8) ?? "0";
  const set = put(seeding, REPLICA_SETS, { name: `${name}-${hash}`, namespace, labels: { ...labels, "pod-template-hash": hash }, ownerReferences: owner(deployment) }, {
    spec: { replicas, selector: { matchLabels: { app: name, "pod-template-hash": hash } }, template: template(name, containers) },
    status: { replicas, readyReplicas: up, availableReplicas: up },
  });
  for (const is of states) {
    seedPod(seeding, { name: `${name}-${hash}-${random.suffix(5)}`, namespace, labels: { ...labels, "pod-template-hash": hash }, owner: set, containers, is });
  }
}

function seedStatefulSet(seeding: Seeding, name: string, namespace: string, replicas: number, image: string): void {
  const containers = [{ name, image }];
  const set = put(seeding, STATEFUL_SETS, { name, namespace, labels: { app: name } }, {
    spec: { replicas, serviceName: name, selector: { matchLabels: { app: name } }, template: template(name, containers) },
    status: { replicas, readyReplicas: replicas, currentReplicas: replicas, updatedReplicas: replicas, availableReplicas: replicas },
  });
  for (let index = 0; index < replicas; index += 1) seedPod(seeding, { name: `${name}-${index}`, namespace, labels: { app: name }, owner: set, containers, is: "runs" });
}

function seedDaemonSet(seeding: Seeding, name: string, namespace: string, image: string): void {
  const count = Math.min(seeding.nodes.length, 6);
  const containers = [{ name, image }];
  const set = put(seeding, DAEMON_SETS, { name, namespace, labels: { app: name } }, {
    spec: { selector: { matchLabels: { app: name } }, template: template(name, containers) },
    status: { desiredNumberScheduled: count, currentNumberScheduled: count, numberReady: count, updatedNumberScheduled: count, numberAvailable: count },
  });
  for (let index = 0; index < count; index += 1) seedPod(seeding, { name: `${name}-${seeding.random.suffix(5)}`, namespace, labels: { app: name }, owner: set, containers, is: "runs" });
}

function seedJobs(seeding: Seeding): void {
  const { random } = seeding;
  const cron = put(seeding, CRON_JOBS, { name: "settle", namespace: "payments", labels: { app: "settle" } }, {
    spec: { schedule: "*/30 * * * *", suspend: false, concurrencyPolicy: "Forbid", jobTemplate: { spec: { template: template("settle", [{ name: "settle", image: "registry.example.com/payments/settle:1.1.0" }]) } } },
    status: { lastScheduleTime: ago(seeding, 25 * 60) },
  });
  put(seeding, CRON_JOBS, { name: "report", namespace: "monitoring" }, { spec: { schedule: "0 4 * * 1", suspend: true }, status: { lastScheduleTime: ago(seeding, 9 * DAY) } });
  for (const [index, is] of (["is done", "failed"] as const).entries()) {
    const name = `settle-2938${index}0`;
    const done = is === "is done";
    const job = put(seeding, JOBS, { name, namespace: "payments", labels: { app: "settle" }, ownerReferences: owner(cron), creationTimestamp: ago(seeding, (index + 1) * HOUR) }, {
      spec: { completions: 1, parallelism: 1, backoffLimit: 2, template: template("settle", [{ name: "settle", image: "registry.example.com/payments/settle:1.1.0" }]) },
      status: { startTime: ago(seeding, (index + 1) * HOUR), ...(done ? { succeeded: 1, completionTime: ago(seeding, (index + 1) * HOUR - 41) } : { failed: 1, conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" }] }) },
    });
    seedPod(seeding, { name: `${name}-${random.suffix(5)}`, namespace: "payments", labels: { app: "settle", "job-name": name }, owner: job, containers: [{ name: "settle", image: "registry.example.com/payments/settle:1.1.0" }], is });
  }
}
