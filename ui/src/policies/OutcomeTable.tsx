// What came of a copy, or would come: a row for each cluster, and in it what is to be said of the policies, with what changes on demand.

import { Label, Spinner } from "@patternfly/react-core";
import { BanIcon, CheckCircleIcon, MinusCircleIcon, PlusCircleIcon } from "@patternfly/react-icons";
import { lazy, Suspense, useState } from "react";
import { useFleet } from "../api/fleet.ts";
import { EnvironmentLabel } from "../parts/cluster.tsx";
import { asText } from "../parts/text.ts";
import { yamlOf } from "./compare.ts";
import { outcomeWords, type Item, type Outcome, type Outcomes } from "./copy.ts";

const YamlDiff = lazy(() => import("../parts/yaml/YamlDiff.tsx").then((m) => ({ default: m.YamlDiff })));

export function OutcomeTable({ clusters, items, outcomes }: { clusters: string[]; items: Item[]; outcomes: Outcomes }) {
  const { byName } = useFleet();
  return (
    <div className="tl-scroll" role="region" aria-label="Results" tabIndex={0}>
      <table className="tl-outcomes" aria-live="polite">
        <thead><tr><th scope="col">Cluster</th><th scope="col">In short</th><th scope="col">Policies</th></tr></thead>
        <tbody>
          {clusters.map((cluster) => {
            const own = outcomes.get(cluster);
            return (
              <tr key={cluster}>
                <th scope="row">{cluster} <EnvironmentLabel environment={byName.get(cluster)?.spec.environment ?? ""} /></th>
                <td>{outcomeWords(own?.values() ?? [])}</td>
                <td>{alike(items, own).map((group) => <Group key={group.key} items={group.items} cluster={cluster} outcome={group.outcome} />)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Items of which the same is to be said, in their order; what changes is looked at one by one. */
function alike(items: Item[], of: ReadonlyMap<string, Outcome> | undefined): { key: string; items: Item[]; outcome: Outcome }[] {
  const groups = new Map<string, { key: string; items: Item[]; outcome: Outcome }>();
  for (const item of items) {
    const outcome = of?.get(item.key) ?? { at: "waiting" };
    const own = outcome.at === "tried" && outcome.change === "changed" ? item.key : outcome.at === "refused" ? outcome.fault.detail : outcome.at === "waiting" ? "" : outcome.change;
    const key = `${outcome.at} ${own}`;
    const group = groups.get(key) ?? { key, items: [], outcome };
    group.items.push(item);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function titleOf({ object: { metadata: { name, namespace } } }: Item): string {
  return asText(namespace === undefined ? name : `${namespace}/${name}`);
}

function Group({ items, cluster, outcome }: { items: Item[]; cluster: string; outcome: Outcome }) {
  const [open, setOpen] = useState(false);
  const title = items.map(titleOf).join(", ");
  return (
    <div>
      <Word outcome={outcome} /> {title}
      {outcome.at === "refused" && <p className="tl-code">{asText(outcome.fault.detail)}</p>}
      {outcome.at === "tried" && outcome.change === "changed" && (
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>What changes in {cluster}</summary>
          {open && (
            <Suspense fallback={<Spinner size="md" />}>
              <YamlDiff label={`what changes of ${title} in ${cluster}`} height={14} before={outcome.before === null ? "" : yamlOf(outcome.before)} after={yamlOf(outcome.after)} />
            </Suspense>
          )}
        </details>
      )}
    </div>
  );
}

const TRIED = { new: "To create", changed: "To change", same: "The same" } as const;
const WRITTEN = { new: "Created", changed: "Changed", same: "The same" } as const;

function Word({ outcome }: { outcome: Outcome }) {
  switch (outcome.at) {
    case "waiting":
      return <Spinner size="md" aria-label="Waiting" />;
    case "refused":
      return <Label isCompact color="red" icon={<BanIcon />}>Refused</Label>;
    case "tried":
      return <Label isCompact color={outcome.change === "same" ? "grey" : "blue"} icon={outcome.change === "same" ? <MinusCircleIcon /> : <PlusCircleIcon />}>{TRIED[outcome.change]}</Label>;
    case "written":
      return <Label isCompact color={outcome.change === "same" ? "grey" : "green"} icon={<CheckCircleIcon />}>{WRITTEN[outcome.change]}</Label>;
  }
}
