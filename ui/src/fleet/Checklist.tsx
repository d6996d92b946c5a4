// How a cluster's joining goes, step by step, as the gateway sees it. Where it stands still: why, and what to do.

import { Alert, Spinner } from "@patternfly/react-core";
import { CheckCircleIcon, CircleIcon, ExclamationCircleIcon, ExclamationTriangleIcon } from "@patternfly/react-icons";
import { milliseconds } from "../parts/numbers.ts";
import { harmless } from "../parts/text.ts";
import { Age } from "../parts/time.tsx";
import { LineToCopy } from "./CodeToCopy.tsx";
import { checklist, progress, remedy, wantsToken, type Joining, type StepView } from "./joining.ts";
import { NewToken } from "./JoinBlock.tsx";

const LOOKS: Record<StepView["look"], string> = {
  done: "done", current: "under way", next: "to come", stalled: "stands still", failed: "failed",
};

export function Checklist({ name, joining, mayChange }: { name: string; joining: Joining; mayChange: boolean }) {
  return (
    <>
      <p className="pf-v6-screen-reader" role="status">{harmless(progress(joining))}</p>
      <ol className="tl-steps" aria-label={`How ${name} joins`}>
        {checklist(joining).map((view) => <Step key={view.step.name} name={name} view={view} mayChange={mayChange} />)}
      </ol>
    </>
  );
}

function Step({ name, view, mayChange }: { name: string; view: StepView; mayChange: boolean }) {
  const { step, title, look, words } = view;
  const stopped = look === "stalled" || look === "failed";
  return (
    <li className="tl-step" data-look={look} {...(look === "current" || stopped ? { "aria-current": "step" as const } : {})}>
      <span className="tl-step-mark"><Mark look={look} /></span>
      <div className="tl-step-what">
        <strong>{title}</strong>
        <span className="pf-v6-screen-reader"> {LOOKS[look]}</span>
        {step.ms != null && <span> {milliseconds(step.ms)}</span>}
        {!stopped && words !== "" && <span className="tl-subtle"> {harmless(words)}</span>}
        {look === "done" && step.since && <small className="tl-subtle"> <Age of={step.since} ago /></small>}
        {stopped && (
          <Alert
            isInline
            variant={look === "failed" ? "danger" : "warning"}
            title={<>{harmless(words || step.reason || "it stands still")}{step.since && <small className="tl-subtle"> for <Age of={step.since} /></small>}</>}
          >
            {look === "stalled" && <p>It may still come by itself.</p>}
            {remedy(step).map(({ text, isCommand }) => (isCommand ? <LineToCopy key={text} text={harmless(text)} /> : <p key={text}>{harmless(text)}</p>))}
            {mayChange && wantsToken(step) && <NewToken name={name} words="New token here" isButton />}
          </Alert>
        )}
      </div>
    </li>
  );
}

function Mark({ look }: { look: StepView["look"] }) {
  switch (look) {
    case "done": return <CheckCircleIcon />;
    case "current": return <Spinner size="md" aria-hidden />;
    case "next": return <CircleIcon />;
    case "stalled": return <ExclamationTriangleIcon />;
    case "failed": return <ExclamationCircleIcon />;
  }
}
