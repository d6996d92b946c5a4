// Tiers as columns from left to right as they are evaluated, policies as cards from top to bottom.
//
// A tier of a great many policies shows the first of them, and the rest on demand: a board is for looking, the list for length.

import { Button, Label } from "@patternfly/react-core";
import { Fragment, memo, useState } from "react";
import { Link } from "react-router";
import { count } from "../parts/numbers.ts";
import { asText } from "../parts/text.ts";
import { Age } from "../parts/time.tsx";
import { TIERS } from "./kinds.ts";
import { ActionLabel, forWords, KindLabel, PolicyLink, rulesWords, StagedLabel } from "./looks.tsx";
import { orderWords, placeWords, tierTitle, type Tier } from "./order.ts";
import type { Policy } from "./policy.ts";
import { pageOf } from "./usePolicies.ts";

export interface ViewProps {
  cluster: string;
  tiers: Tier[];
  picked: ReadonlySet<string>;
  onPick: (key: string, on: boolean) => void;
  /** All that are chosen, anew. */
  onPicked: (keys: ReadonlySet<string>) => void;
}

const STEP = 100;

export function Board({ cluster, tiers, picked, onPick }: ViewProps) {
  return (
    <div className="tl-board" role="group" aria-label="Tiers in the order in which they are evaluated" tabIndex={0}>
      {tiers.map((tier, at) => (
        <Fragment key={tier.name}>
          {at > 0 && <span className="tl-arrow" aria-hidden>→</span>}
          <Column cluster={cluster} tier={tier} picked={picked} onPick={onPick} />
        </Fragment>
      ))}
    </div>
  );
}

function Column({ cluster, tier, picked, onPick }: Omit<ViewProps, "tiers" | "onPicked"> & { tier: Tier }) {
  const [most, setMost] = useState(STEP);
  const title = asText(tierTitle(tier));
  const { policies } = tier;
  return (
    <section className="tl-tier" aria-label={`Tier ${title}`} {...(tier.missing ? { "data-look": "missing" } : {})}>
      <header>
        <h2>
          {tier.object === null ? title : <Link to={pageOf(cluster, TIERS, tier.object)}>{title}</Link>}
          <Label isCompact variant="outline">{count(policies.length)}</Label>
        </h2>
        {tier.missing
          ? <p>There is no such tier: Calico evaluates none of these</p>
          : <p>{tier.object === null ? "" : `${orderWords(tier.order)} · `}at the end <ActionLabel action={tier.defaultAction} /></p>}
      </header>
      {policies.length === 0
        ? <p>No policy in this tier.</p>
        : (
          <ol aria-label={`Policies of ${title}`} tabIndex={0}>
            {policies.slice(0, most).map((policy) => <Card key={policy.key} cluster={cluster} policy={policy} isCalicos={tier.object !== null} isPicked={picked.has(policy.key)} onPick={onPick} />)}
          </ol>
        )}
      {policies.length > most && <Button variant="link" isBlock onClick={() => setMost(most + STEP)}>Show more of {count(policies.length - most)}</Button>}
    </section>
  );
}

interface CardProps {
  cluster: string;
  policy: Policy;
  /** The tier is one of Calico's. */
  isCalicos: boolean;
  isPicked: boolean;
  onPick: ViewProps["onPick"];
}

const Card = memo(function Card({ cluster, policy, isCalicos, isPicked, onPick }: CardProps) {
  const place = placeWords(policy, isCalicos);
  return (
    <li className="tl-policy" {...(policy.staged ? { "data-look": "staged" } : {})}>
      <div className="tl-policy-head">
        <h3><PolicyLink cluster={cluster} policy={policy} /></h3>
        <Pick policy={policy} isPicked={isPicked} onPick={onPick} />
      </div>
      <div className="tl-policy-labels">
        <KindLabel policy={policy} />
        {policy.namespace !== "" && <Label isCompact color="teal" variant="outline">{asText(policy.namespace)}</Label>}
        <StagedLabel policy={policy} />
      </div>
      {policy.subject.unreadable === "" ? <code>{forWords(policy)}</code> : <Label isCompact color="orange">{asText(policy.subject.unreadable)}</Label>}
      <dl>
        <dt>Ingress</dt><dd>{rulesWords(policy, "ingress")}</dd>
        <dt>Egress</dt><dd>{rulesWords(policy, "egress")}</dd>
      </dl>
      <small>{place === "" ? "" : `${place} · `}<Age of={policy.object.metadata.creationTimestamp} ago /></small>
    </li>
  );
});

/** Takes a policy among the chosen ones. */
function Pick({ policy, isPicked, onPick }: { policy: Policy; isPicked: boolean; onPick: ViewProps["onPick"] }) {
  return (
    <label className="tl-pick">
      <span className="pf-v6-screen-reader">Choose {asText(policy.name)}{policy.namespace === "" ? "" : ` in ${asText(policy.namespace)}`}</span>
      <input type="checkbox" checked={isPicked} onChange={(event) => onPick(policy.key, event.target.checked)} />
    </label>
  );
}
