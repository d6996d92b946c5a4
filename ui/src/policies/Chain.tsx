// One direction of a pod's traffic: what becomes of it in a sentence, and the tiers, policies and rules that it goes through.

import { Label, Title } from "@patternfly/react-core";
import { asText } from "../parts/text.ts";
import { verdictWords, type Effect, type PolicyStep, type TierStep, type Verdict } from "./applies.ts";
import { ActionLabel, KindLabel, PolicyLink, StagedLabel } from "./looks.tsx";
import { tierTitle } from "./order.ts";
import type { Direction, Rule } from "./rules.ts";

export function Chain({ cluster, verdict }: { cluster: string; verdict: Verdict }) {
  const { direction, tiers, action } = verdict;
  const title = direction === "ingress" ? "Ingress: who reaches it" : "Egress: whom it reaches";
  return (
    <section aria-label={title}>
      <Title headingLevel="h3">{title}</Title>
      <p><ActionLabel action={action} /> {asText(verdictWords(verdict))}</p>
      <ol className="tl-chain">
        {tiers.map((step) => <TierPart key={step.tier.name} cluster={cluster} step={step} direction={direction} verdict={verdict} />)}
        <li>
          <h4>Default</h4>
          <p>What no tier decided is allowed{verdict.by.what === "default" ? "." : "; nothing comes this far."}</p>
        </li>
      </ol>
    </section>
  );
}

function TierPart({ cluster, step, direction, verdict }: { cluster: string; step: TierStep; direction: Direction; verdict: Verdict }) {
  const { tier, policies, end } = step;
  return (
    <li>
      <h4>Tier {asText(tierTitle(tier))}</h4>
      {policies.map((each) => <PolicyPart key={each.policy.key} cluster={cluster} step={each} direction={direction} />)}
      {end !== null && (
        <p className="tl-end">
          <ActionLabel action={end} /> {end === "Deny" ? "What no rule of the tier fitted is denied." : "What no rule of the tier fitted goes on to the next tier."}
          {verdict.by.what === "tier" && verdict.by.tier.name === tier.name && <> <Decides /></>}
        </p>
      )}
    </li>
  );
}

const STATES: Partial<Record<PolicyStep["state"], string>> = {
  unreached: "never reached", unknown: "not known whether it is for this pod", staged: "changes nothing",
};

function PolicyPart({ cluster, step, direction }: { cluster: string; step: PolicyStep; direction: Direction }) {
  const { policy, state, rules } = step;
  const words = STATES[state];
  return (
    <div data-state={state}>
      <h5>
        <PolicyLink cluster={cluster} policy={policy} /> <KindLabel policy={policy} /> <StagedLabel policy={policy} />
        {words !== undefined && <small>{words}</small>}
      </h5>
      {policy.subject.unreadable !== "" && <p>{asText(policy.subject.unreadable)}</p>}
      {rules.length === 0 && <p>No rule: none of it is allowed here.</p>}
      <ol className="tl-rules" aria-label={`Rules of ${asText(policy.name)}`}>
        {rules.map(({ rule, effect }, at) => <RuleLine key={at} rule={rule} place={at + 1} direction={direction} effect={state === "applies" ? effect : undefined} />)}
      </ol>
    </div>
  );
}

const EFFECTS: Partial<Record<Effect, string>> = { unreached: "never reached", passes: "all goes on to the next tier" };

/** A rule in words; with what it does where that is known. */
export function RuleLine({ rule, place, direction, effect }: { rule: Rule; place: number; direction: Direction; effect?: Effect | undefined }) {
  const words = effect === undefined ? undefined : EFFECTS[effect];
  return (
    <li className="tl-rule" data-effect={effect}>
      <small>{place}.</small>
      <ActionLabel action={rule.action} />
      <span className="tl-rule-words">
        <code>{asText(rule.what)}</code> {direction === "ingress" ? "from" : "to"} <code>{asText(rule.who)}</code>
        {rule.further !== "" && <> if <code>{asText(rule.further)}</code></>}
        {rule.name !== "" && <small> {asText(rule.name)}</small>}
        {effect === "decides" && <> <Decides /></>}
        {words !== undefined && <small> {words}</small>}
      </span>
    </li>
  );
}

function Decides() {
  return <Label isCompact color="blue">Decides all that comes this far</Label>;
}
