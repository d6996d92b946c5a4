// What is run in a cluster so that it joins: one block to copy for each way of installing, and for how long its token is good.
// Without a token in this tab: how to get a new one.

import { Alert, Button, FormGroup, FormSelect, FormSelectOption, Stack, StackItem, Tab, Tabs, TabTitleText } from "@patternfly/react-core";
import { useState } from "react";
import type { Shapes } from "../api/client.ts";
import { asFault, type Fault } from "../api/fault.ts";
import { useAsked } from "../app/place.ts";
import { useSession } from "../app/session.tsx";
import { harmless } from "../parts/text.ts";
import { CodeToCopy } from "./CodeToCopy.tsx";
import { blocks, WAY_TITLES, WAYS, type Join, type Way } from "./commands.ts";
import { collecting, COLLECTS, type Registration } from "./registration.ts";
import { clock, renew, useHanded, useSecondsLeft } from "./handed.ts";

export function JoinBlock({ name, joined }: { name: string; joined: boolean }) {
  const join = useHanded(name);
  return join === null ? <NoToken name={name} joined={joined} /> : <Handed name={name} join={join} />;
}

function Handed({ name, join }: { name: string; join: Join }) {
  const { gateway } = useSession();
  const [asked, setAsked] = useAsked("by", "helm");
  const way: Way = WAYS.find((one) => one === asked) ?? "helm";
  return (
    <Stack hasGutter>
      {join.warnings.map((warning) => (
        <StackItem key={warning}><Alert isInline variant="warning" title={harmless(warning)} /></StackItem>
      ))}
      <StackItem>
        <Tabs activeKey={way} onSelect={(_, key) => setAsked(String(key))} aria-label="How the agent is installed" mountOnEnter unmountOnExit>
          {WAYS.map((one) => (
            <Tab key={one} eventKey={one} title={<TabTitleText>{WAY_TITLES[one]}</TabTitleText>}>
              <div className="tl-part">
                {blocks(one, name, join, gateway).map(({ words, text }) => <CodeToCopy key={words} words={words} text={text} />)}
              </div>
            </Tab>
          ))}
        </Tabs>
      </StackItem>
      <StackItem><Timer name={name} expires={join.expires} /></StackItem>
    </Stack>
  );
}

function Timer({ name, expires }: { name: string; expires: string }) {
  const left = useSecondsLeft(Date.parse(expires));
  return (
    <p className="tl-timer">
      <span role="timer">The join token ends in {clock(left)}</span> and is good for one use. Keep it to yourself until then. <NewToken name={name} words="New token" />
    </p>
  );
}

type Collect = Registration["collect"] | "as before";

function NoToken({ name, joined }: { name: string; joined: boolean }) {
  const [collect, setCollect] = useState<Collect>("as before");
  if (!joined) {
    return (
      <div>
        <p>Join tokens are shown once, and none is kept here: it was made elsewhere, it has ended, or the page was loaded anew.</p>
        <NewToken name={name} words="New token" isButton />
      </div>
    );
  }
  return (
    <Stack hasGutter>
      <StackItem>To update the agent, or to change what is installed: a new manifest, applied over the one before. Links that are up stay up.</StackItem>
      <StackItem>
        <FormGroup label="What to collect" fieldId="collect">
          <FormSelect id="collect" value={collect} onChange={(_, value) => setCollect(value as Collect)}>
            <FormSelectOption value="as before" label="As before" />
            {Object.entries(COLLECTS).map(([value, label]) => <FormSelectOption key={value} value={value} label={label} />)}
          </FormSelect>
        </FormGroup>
      </StackItem>
      <StackItem><NewToken name={name} words="New manifest and join token" isButton {...(collect === "as before" ? {} : { change: collecting(collect) })} /></StackItem>
    </Stack>
  );
}

/** Makes a new token; the one before ends. */
export function NewToken(props: { name: string; words: string; isButton?: boolean; change?: Shapes["ManifestPatch"] }) {
  const { name, words, isButton = false, change } = props;
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const make = () => {
    setBusy(true);
    setFault(null);
    renew(name, change).catch((error: unknown) => setFault(asFault(error))).finally(() => setBusy(false));
  };
  return (
    <>
      <Button variant={isButton ? "secondary" : "link"} isInline={!isButton} onClick={make} isLoading={busy} isDisabled={busy}>{words}</Button>
      {fault !== null && <Alert isInline isPlain variant="danger" title={fault.detail} />}
    </>
  );
}
