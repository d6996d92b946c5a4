/** What runs pods. */
import { age, at, list, text, type KubeObject } from "../object.ts";
import { column, field, resource, wide } from "../resource.ts";

const number = (object: KubeObject, ...path: string[]): number => Number(at(object, ...path) ?? 0);

const images = column("Images", (object) =>
  list(at(object, "spec", "template", "spec", "containers"))
    .map((container) => text(at(container, "image")))
    .join(","),
);

const whole = { type: "integer" } as const;

export const DEPLOYMENTS = resource("Deployment", "apps/v1", {
  short: ["deploy"],
  categories: ["all"],
  subresources: ["scale", "status"],
  columns: [
    column("Ready", (object) => `${number(object, "status", "readyReplicas")}/${number(object, "spec", "replicas")}`),
    column("Up-to-date", (object) => number(object, "status", "updatedReplicas"), whole),
    column("Available", (object) => number(object, "status", "availableReplicas"), whole),
    wide(images),
  ],
});

export const REPLICA_SETS = resource("ReplicaSet", "apps/v1", {
  short: ["rs"],
  categories: ["all"],
  subresources: ["scale", "status"],
  columns: [
    column("Desired", (object) => number(object, "spec", "replicas"), whole),
    column("Current", (object) => number(object, "status", "replicas"), whole),
    column("Ready", (object) => number(object, "status", "readyReplicas"), whole),
    wide(images),
  ],
});

export const STATEFUL_SETS = resource("StatefulSet", "apps/v1", {
  short: ["sts"],
  categories: ["all"],
  subresources: ["scale", "status"],
  columns: [column("Ready", (object) => `${number(object, "status", "readyReplicas")}/${number(object, "spec", "replicas")}`), wide(images)],
});

export const DAEMON_SETS = resource("DaemonSet", "apps/v1", {
  short: ["ds"],
  categories: ["all"],
  subresources: ["status"],
  columns: [
    column("Desired", (object) => number(object, "status", "desiredNumberScheduled"), whole),
    column("Current", (object) => number(object, "status", "currentNumberScheduled"), whole),
    column("Ready", (object) => number(object, "status", "numberReady"), whole),
    column("Up-to-date", (object) => number(object, "status", "updatedNumberScheduled"), whole),
    column("Available", (object) => number(object, "status", "numberAvailable"), whole),
    wide(images),
  ],
});

export const JOBS = resource("Job", "batch/v1", {
  categories: ["all"],
  subresources: ["status"],
  columns: [
    column("Status", (job) => (number(job, "status", "failed") > 0 ? "Failed" : number(job, "status", "succeeded") > 0 ? "Complete" : "Running")),
    column("Completions", (job) => `${number(job, "status", "succeeded")}/${number(job, "spec", "completions")}`),
    column("Duration", (job) => age(at(job, "status", "startTime"), Date.parse(text(at(job, "status", "completionTime"))) || Date.now())),
    wide(images),
  ],
});

export const CRON_JOBS = resource("CronJob", "batch/v1", {
  short: ["cj"],
  categories: ["all"],
  subresources: ["status"],
  columns: [
    field("Schedule", "spec", "schedule"),
    column("Timezone", () => "<none>"),
    column("Suspend", (job) => at(job, "spec", "suspend") === true, { type: "boolean" }),
    column("Active", (job) => list(at(job, "status", "active")).length, whole),
    column("Last Schedule", (job) => age(at(job, "status", "lastScheduleTime"))),
  ],
});
