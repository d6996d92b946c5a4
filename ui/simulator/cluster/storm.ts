/** Changes of pods, so many each second, while somebody watches them. */
import { PODS } from "../kubernetes/kinds/pods.ts";
import { at, list, type Fields, type KubeObject } from "../kubernetes/object.ts";
import type { ApiServer } from "../kubernetes/api.ts";
import { Random } from "../random.ts";

const TICK_MS = 20;

/** As after one more restart: a change that the table shows. */
function restarted(pod: KubeObject): KubeObject {
  const statuses = list(at(pod, "status", "containerStatuses")).map((status) => ({ ...(status as Fields), restartCount: Number(at(status, "restartCount") ?? 0) + 1 }));
  return { ...pod, status: { ...(pod["status"] as Fields), containerStatuses: statuses } };
}

export function storm(server: ApiServer, perSecond: number): () => void {
  const pods = server.store.of(PODS);
  const random = new Random("storm");
  let owed = 0;
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (!pods.watched) {
      last = now;
      return;
    }
    owed = Math.min(perSecond, owed + ((now - last) * perSecond) / 1000);
    last = now;
    const keys = pods.keys();
    for (; owed >= 1; owed -= 1) {
      const pod = pods.objects.get(keys[random.whole(0, keys.length - 1)] ?? "");
      if (pod !== undefined) pods.put(restarted(pod));
    }
    owed = pods.watched ? owed : 0;
  }, TICK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
