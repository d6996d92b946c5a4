// What whoever looks may do here: the gateway's answer, and the cluster's own RBAC.

import { Link } from "react-router";
import { useFleet } from "../../api/fleet.ts";
import { isReadOnly } from "../../parts/cluster.tsx";
import { Asked } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { allows, useGatewayAnswer, useRights, type Asking } from "../rights.ts";
import { Status } from "../Status.tsx";

const ASKED: { title: string; asking: Asking; changes: boolean }[] = [
  { title: "See pods", asking: { verb: "list", group: "", resource: "pods" }, changes: false },
  { title: "Read logs", asking: { verb: "get", group: "", resource: "pods/log" }, changes: false },
  { title: "Open shells", asking: { verb: "create", group: "", resource: "pods/exec" }, changes: true },
  { title: "Change workloads", asking: { verb: "update", group: "apps", resource: "deployments" }, changes: true },
  { title: "Delete pods", asking: { verb: "delete", group: "", resource: "pods" }, changes: true },
  { title: "Read secrets", asking: { verb: "get", group: "", resource: "secrets" }, changes: false },
];

export function MyRights({ cluster, namespace }: { cluster: string; namespace: string }) {
  const rights = useRights(cluster, namespace);
  const reads = useGatewayAnswer(cluster, namespace, "get", "pods");
  const changes = useGatewayAnswer(cluster, namespace, "update", "deployments.apps");
  const readOnly = isReadOnly(useFleet().byName.get(cluster));
  return (
    <>
      <p className="tl-count">In {namespace === "" ? "the namespace default, and wherever rules hold for all" : `the namespace ${namespace}`}.</p>
      <Asked query={rights} of="your rights" cluster={cluster}>
        {(known) => (
          <ul className="tl-plain">
            {ASKED.map(({ title, asking, changes: isChange }) => {
              const gateway = (isChange ? changes : reads).data;
              const byGateway = gateway?.allowed !== false && !(isChange && readOnly);
              const byCluster = allows(known, asking);
              const why = byGateway ? (byCluster ? "" : "the cluster's RBAC does not allow it") : readOnly && isChange ? "nothing is changed in this cluster" : (gateway?.why ?? "the gateway does not allow it");
              return (
                <li key={title}>
                  <Status health={byGateway && byCluster ? "good" : "busy"} words={byGateway && byCluster ? "yes" : "no"} /> {title}
                  {why !== "" && <p className="tl-more">{asText(why)}</p>}
                </li>
              );
            })}
          </ul>
        )}
      </Asked>
      <Link to={`/access/test?cluster=${encodeURIComponent(cluster)}`}>Why can't I?</Link>
    </>
  );
}
