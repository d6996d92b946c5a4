// New certificates for a cluster's agents, ahead of their time. Nothing that is under way is cut.

import { rest, take } from "../api/client.ts";
import type { Cluster } from "../api/fleet.ts";
import { span, useNow } from "../parts/time.tsx";
import { WriteDialog } from "./WriteDialog.tsx";

export function RotateDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const name = cluster.metadata.name;
  const ends = cluster.status.certificateNotAfter;
  const now = useNow();
  const go = async () => {
    await take(rest.POST("/trunkline/v1/clusters/{name}/rotate", { params: { path: { name } } }));
    onClose();
  };
  return (
    <WriteDialog title={`New certificates for ${name}`} action="Rotate" clusters={[cluster]} ready onGo={go} onClose={onClose}>
      <p>
        The agents that are connected take new certificates now; links go over to them without a cut, and the ones before let nobody in.
        {ends ? <> They renew by themselves as well: the first that is in use ends in {span(Date.parse(ends) - now)}.</> : null}
      </p>
      <p>To keep somebody out who took the cluster's own key, lock the cluster.</p>
    </WriteDialog>
  );
}
