import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../api/kube.ts";
import { sortConditions, tell } from "./conditions.ts";
import { byOwner, happening, inWords } from "./events.ts";
import { podStanding, restartsOf, type Pod } from "./pod.ts";
import { standingOf } from "./standing.ts";

function pod(status: Pod["status"], more: Partial<Pod> = {}): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "web-1" }, ...more, ...(status === undefined ? {} : { status }) };
}

describe("a pod", () => {
  it("that runs and is ready has nothing to explain", () => {
    const ok = pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }], containerStatuses: [{ name: "web", ready: true, restartCount: 2, state: { running: {} } }] });
    expect(podStanding(ok)).toEqual({ word: "Running", health: "good", why: "" });
    expect(restartsOf(ok)).toBe(2);
  });

  it("whose image does not come says why", () => {
    const waiting = { reason: "ImagePullBackOff", message: 'Back-off pulling image "reg.example/web:9": 401 Unauthorized' };
    expect(podStanding(pod({ phase: "Pending", containerStatuses: [{ name: "web", state: { waiting } }] })))
      .toEqual({ word: "ImagePullBackOff", health: "bad", why: 'Back-off pulling image "reg.example/web:9": 401 Unauthorized' });
  });

  it("that crashes says how it ended last", () => {
    const crashing = pod({
      phase: "Running",
      containerStatuses: [{
        name: "web", state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 5m0s" } },
        lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
      }],
    });
    expect(podStanding(crashing)).toEqual({ word: "CrashLoopBackOff", health: "bad", why: "last exit code 137 (OOMKilled); back-off 5m0s" });
  });

  it("of several containers says which one it is", () => {
    const containerStatuses = [{ name: "web", ready: true, state: { running: {} } }, { name: "proxy", state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } } }];
    expect(podStanding(pod({ phase: "Running", containerStatuses })).why).toBe("proxy: back-off");
  });

  it("that no node takes says what the scheduler said", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available: 3 Insufficient cpu." }];
    expect(podStanding(pod({ phase: "Pending", conditions }))).toEqual({ word: "Unschedulable", health: "bad", why: "0/3 nodes are available: 3 Insufficient cpu." });
  });

  it("whose init container fails or runs is named by it", () => {
    const failed = pod({ phase: "Pending", initContainerStatuses: [{ name: "migrate", state: { terminated: { exitCode: 1, reason: "Error", message: "x\nno such table" } } }] });
    expect(podStanding(failed)).toEqual({ word: "Init:Error", health: "bad", why: "init container migrate: exit code 1: no such table" });
    const running = pod({ phase: "Pending", initContainerStatuses: [{ name: "a", state: { terminated: { exitCode: 0 } } }, { name: "b", state: { running: {} } }] });
    expect(podStanding(running)).toMatchObject({ word: "Init:1/2", health: "busy" });
  });

  it("with a sidecar among its init containers is not held up by it", () => {
    const status = { phase: "Running", initContainerStatuses: [{ name: "proxy", state: { running: {} } }], containerStatuses: [{ name: "web", ready: true, state: { running: {} } }] };
    const spec = { initContainers: [{ name: "proxy", restartPolicy: "Always" }] };
    expect(podStanding(pod(status, { spec }))).toMatchObject({ word: "Running", health: "good" });
  });

  it("that was evicted, ended or is going says so", () => {
    expect(podStanding(pod({ phase: "Failed", reason: "Evicted", message: "The node was low on memory." }))).toEqual({ word: "Evicted", health: "bad", why: "The node was low on memory." });
    expect(podStanding(pod({ phase: "Succeeded", containerStatuses: [{ name: "a", state: { terminated: { exitCode: 0, reason: "Completed" } } }] }))).toMatchObject({ word: "Completed", health: "good" });
    expect(podStanding(pod({ phase: "Running" }, { metadata: { name: "a", deletionTimestamp: "2026-01-01T00:00:00Z" } }))).toMatchObject({ word: "Terminating", health: "busy" });
  });

  it("that runs and is not ready says which container is not", () => {
    const conditions = [{ type: "Ready", status: "False", reason: "ContainersNotReady", message: "containers with unready status: [web]" }];
    expect(podStanding(pod({ phase: "Running", conditions }))).toEqual({ word: "Running", health: "busy", why: "not ready: containers with unready status: [web]" });
  });
});

const object = (spec: object, status: object, metadata: object = {}): KubeObject => ({ apiVersion: "apps/v1", kind: "x", metadata: { name: "a", ...metadata }, spec, status });

describe("a workload", () => {
  it("that has what it wants is ready", () => {
    expect(standingOf("Deployment", object({ replicas: 2 }, { replicas: 2, readyReplicas: 2, updatedReplicas: 2 }))).toEqual({ word: "Ready", health: "good", why: "", ready: "2/2" });
  });

  it("whose roll-out is stuck says what its condition says", () => {
    const conditions = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message: 'ReplicaSet "web-2" has timed out progressing.' }];
    expect(standingOf("Deployment", object({ replicas: 2 }, { updatedReplicas: 1, readyReplicas: 1, conditions })))
      .toEqual({ word: "ProgressDeadlineExceeded", health: "bad", why: 'ReplicaSet "web-2" has timed out progressing.', ready: "1/2" });
  });

  it("that may make no pods says why", () => {
    const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" }];
    expect(standingOf("Deployment", object({ replicas: 2 }, { conditions }))).toMatchObject({ word: "FailedCreate", health: "bad", why: "exceeded quota" });
  });

  it("is rolling out, degraded, down, paused or scaled to nothing", () => {
    const words = (spec: object, status: object, kind = "Deployment") => standingOf(kind, object(spec, status)).word;
    expect(words({ replicas: 3 }, { updatedReplicas: 1, readyReplicas: 3 })).toBe("Rolling out");
    expect(words({ replicas: 3 }, { updatedReplicas: 3, readyReplicas: 2 })).toBe("Degraded");
    expect(words({ replicas: 3 }, { updatedReplicas: 3 })).toBe("Down");
    expect(words({ replicas: 1, paused: true }, { updatedReplicas: 1, readyReplicas: 1 })).toBe("Paused");
    expect(words({ replicas: 0 }, {})).toBe("Scaled to 0");
    expect(words({ replicas: 2 }, { readyReplicas: 2 }, "StatefulSet")).toBe("Ready");
    expect(words({}, { desiredNumberScheduled: 3, numberReady: 2, updatedNumberScheduled: 3 }, "DaemonSet")).toBe("Degraded");
  });

  it("whose change was not seen yet is updating", () => {
    expect(standingOf("Deployment", object({ replicas: 1 }, { observedGeneration: 1, readyReplicas: 1, updatedReplicas: 1 }, { generation: 2 })).word).toBe("Updating");
  });

  it("that is a job has ended, failed, or runs with tries that failed", () => {
    expect(standingOf("Job", object({ completions: 1 }, { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] }))).toMatchObject({ word: "Complete", ready: "1/1" });
    expect(standingOf("Job", object({}, { conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "too often" }] }))).toMatchObject({ word: "BackoffLimitExceeded", why: "too often" });
    expect(standingOf("Job", object({}, { active: 1, failed: 2 }))).toMatchObject({ health: "bad", why: "2 tries failed so far" });
  });

  it("that is a cron job says whether the newest run worked", () => {
    expect(standingOf("CronJob", object({}, { lastScheduleTime: "2026-01-02T00:00:00Z", lastSuccessfulTime: "2026-01-01T00:00:00Z" }))).toMatchObject({ word: "Last run failed", health: "bad" });
    expect(standingOf("CronJob", object({ schedule: "@daily" }, { lastScheduleTime: "2026-01-02T00:00:00Z", lastSuccessfulTime: "2026-01-02T00:05:00Z" }))).toMatchObject({ word: "Scheduled", health: "good" });
  });
});

describe("conditions in plain words", () => {
  it("are good or bad by what they are about", () => {
    expect(tell({ type: "Ready", status: "True" })).toMatchObject({ words: "It is ready", health: "good" });
    expect(tell({ type: "DiskPressure", status: "True", reason: "KubeletHasDiskPressure" })).toMatchObject({ words: "The node runs out of disk", health: "bad" });
    expect(tell({ type: "DiskPressure", status: "False" }).health).toBe("good");
  });

  it("of kinds nobody knows are read by their name", () => {
    expect(tell({ type: "CertificateIssued", status: "False", reason: "NotYet", message: "soon" })).toEqual({ words: "Certificate issued: no", health: "bad", more: "NotYet: soon" });
    expect(tell({ type: "Reconciled", status: "Unknown" }).health).toBe("busy");
  });

  it("come with the bad ones first", () => {
    expect(sortConditions([{ type: "Available", status: "True" }, { type: "Progressing", status: "False" }]).map(({ type }) => type)).toEqual(["Progressing", "Available"]);
  });
});

describe("events", () => {
  const event = (name: string, reason: string, lastTimestamp: string) =>
    happening({ apiVersion: "v1", kind: "Event", metadata: { name: `${name}.1`, namespace: "shop", uid: `${name}${reason}` }, involvedObject: { kind: "Pod", name, namespace: "shop" }, reason, message: "m", lastTimestamp, eventTime: null });

  it("of a pod tell of the workload that it is named after, the newest first", () => {
    const found = byOwner([event("web-7d9f8c-x2x4k", "Old", "2026-01-01T00:00:00Z"), event("web-7d9f8c-zzzzz", "New", "2026-01-02T00:00:00Z")]);
    expect(found.get("shop/web")?.reason).toBe("New");
    expect(found.get("shop/web-7d9f8c-x2x4k")?.reason).toBe("Old");
    expect(found.get("other/web")).toBeUndefined();
  });

  it("take the newest of their times, and say a reason alone where there is no message", () => {
    expect(event("a", "R", "2026-01-02T00:00:00Z").at).toBe(Date.parse("2026-01-02T00:00:00Z"));
    expect(inWords({ reason: "R", message: "" })).toBe("R");
  });
});
