// What does not work, first: broken workloads with their reasons, and the warnings of the last hour.

import { Alert } from "@patternfly/react-core";
import { CheckCircleIcon } from "@patternfly/react-icons";
import { useMemo } from "react";
import { Link } from "react-router";
import { count } from "../../parts/numbers.ts";
import { Failed, Loading, Stale } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { Age, useNow } from "../../parts/time.tsx";
import { useNaming } from "../kind.ts";
import { KNOWN, objectPath } from "../places.ts";
import { Status } from "../Status.tsx";
import { inWords, type Happening } from "../workloads/events.ts";
import { KINDS, rank, type WorkloadsView } from "../workloads/useWorkloads.ts";

const MOST = 8;
const HOUR_MS = 3_600_000;

export function Broken({ cluster, view }: { cluster: string; view: WorkloadsView }) {
  const broken = useMemo(() => view.all.filter(({ health }) => health === "bad").sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)), [view.all]);
  const moving = view.all.filter(({ health }) => health === "busy").length;
  const [first] = view.failed;
  if (view.loading && view.all.length === 0) return <Loading of="the workloads" />;
  if (first !== undefined && view.failed.length === KINDS.length) return <Failed error={first.fault} cluster={cluster} onRetry={view.refresh} />;
  const to = `/c/${encodeURIComponent(cluster)}/workloads`;
  return (
    <>
      {view.stale !== null && <Stale asOf={view.stale.asOf} fault={view.stale.fault} onRetry={view.refresh} />}
      {view.failed.map(({ resource, fault }) => <Alert key={resource} isInline isPlain variant="warning" title={`Without ${resource}: ${fault.reason}`} />)}
      {broken.length === 0 && <p><CheckCircleIcon className="tl-good" /> None of <Link to={to}>{count(view.all.length)} workloads</Link> is broken.</p>}
      {broken.length > 0 && (
        <ul className="tl-plain">
          {broken.slice(0, MOST).map(({ uid, kind, of, namespace, name, health, word, why }) => (
            <li key={uid}>
              <Status health={health} words={word} /> <Link to={objectPath(cluster, of, namespace, name)}>{asText(name)}</Link>{" "}
              <span className="tl-count">{kind} in {asText(namespace)}</span>
              {why !== "" && <p className="tl-more">{asText(why)}</p>}
            </li>
          ))}
        </ul>
      )}
      {broken.length > 0 && <Link to={`${to}?health=bad`}>{broken.length > MOST ? `All ${count(broken.length)} broken workloads` : "In the table"}</Link>}
      {moving > 0 && <p className="tl-count">{count(moving)} more are on their way.</p>}
    </>
  );
}

interface Grouped extends Happening {
  times: number;
}

/** Warnings of the last hour, those about one object for one reason together, the newest first. */
export function grouped(warnings: Happening[], now: number): Grouped[] {
  const found = new Map<string, Grouped>();
  for (const one of warnings) {
    if (now - one.at > HOUR_MS) continue;
    const key = `${one.namespace}/${one.kind}/${one.name}/${one.reason}`;
    const before = found.get(key);
    if (before === undefined) found.set(key, { ...one, times: one.count });
    else found.set(key, { ...(before.at > one.at ? before : one), times: before.times + one.count });
  }
  return [...found.values()].sort((a, b) => b.at - a.at);
}

export function Warnings({ cluster, warnings }: { cluster: string; warnings: Happening[] }) {
  const now = useNow();
  const naming = useNaming(cluster);
  const shown = useMemo(() => grouped(warnings, now), [warnings, now]);
  if (shown.length === 0) return <p><CheckCircleIcon className="tl-good" /> No warnings.</p>;
  return (
    <>
      <ul className="tl-plain">
        {shown.slice(0, MOST).map((one) => (
          <li key={`${one.uid} ${one.reason}`}>
            <Link to={objectPath(cluster, naming(one.apiVersion, one.kind), one.kind === "Node" ? "" : one.namespace, one.name)}>{asText(`${one.kind} ${one.name}`)}</Link>{" "}
            <span className="tl-count">{one.times > 1 && `${count(one.times)} times, `}<Age of={one.at} ago /></span>
            <p className="tl-more">{asText(inWords(one))}</p>
          </li>
        ))}
      </ul>
      <Link to={`${`/c/${encodeURIComponent(cluster)}/core/v1/${KNOWN.events.resource}`}?field=${encodeURIComponent("type=Warning")}`}>All warnings ({count(shown.length)})</Link>
    </>
  );
}
