// New objects from YAML: one or many, each tried by the server before any is made.
//
// Invariants: nothing is made unless all were taken by the dry run; what is there already is never overwritten; where one fails
// after others were made, it is said which.

import { Alert, Button, Form, List, ListItem, PageSection, Stack, StackItem, Toolbar, ToolbarContent, ToolbarItem } from "@patternfly/react-core";
import { LockIcon } from "@patternfly/react-icons";
import { lazy, Suspense, useState } from "react";
import { Link, useParams } from "react-router";
import { useDiscovery } from "../api/discovery.ts";
import { asFault, type Fault } from "../api/fault.ts";
import { useFleet } from "../api/fleet.ts";
import type { KubeObject } from "../api/kube.ts";
import { useNamespace } from "../app/place.ts";
import { isReadOnly } from "../parts/cluster.tsx";
import { Head } from "../parts/Head.tsx";
import { Loading, Nothing } from "../parts/states.tsx";
import { asText } from "../parts/text.ts";
import { TypedName, useConfirmation, WriteTarget } from "../parts/write.tsx";
import { readObjects } from "../parts/yaml/guard.ts";
import { kindOf, write, type Kind } from "../parts/yaml/write.ts";
import { objectPath } from "./places.ts";
import { Status } from "./Status.tsx";

const YamlEditor = lazy(() => import("../parts/yaml/YamlEditor.tsx").then((m) => ({ default: m.YamlEditor })));

interface Outcome {
  object: KubeObject;
  kind: Kind | undefined;
  state: "unknown kind" | "fits" | "refused" | "made" | "failed";
  fault: Fault | null;
  made: KubeObject | null;
}

const EMPTY = "";

export function CreatePage() {
  const { cluster = "" } = useParams();
  const readOnly = isReadOnly(useFleet().byName.get(cluster));
  return (
    <>
      <Head title="Create from YAML" />
      <PageSection hasBodyWrapper={false} isFilled>
        {readOnly
          ? <Nothing title="Nothing is changed in this cluster" icon={LockIcon}>It is read-only, for everybody.</Nothing>
          : <Create key={cluster} cluster={cluster} />}
      </PageSection>
    </>
  );
}

function Create({ cluster }: { cluster: string }) {
  const [namespace] = useNamespace();
  const [text, setText] = useState(EMPTY);
  const [outcomes, setOutcomes] = useState<Outcome[]>([]);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const { data: resources } = useDiscovery(cluster);
  const confirmation = useConfirmation(cluster);
  const { objects, problems } = readObjects(text);
  const broken = problems.some(({ severity }) => severity === "error");

  const placed = (object: KubeObject, kind: Kind | undefined): KubeObject =>
    kind?.namespaced === true && object.metadata.namespace === undefined
      ? { ...object, metadata: { ...object.metadata, namespace: namespace || "default" } }
      : object;
  const attempt = async (list: Outcome[], dry: boolean): Promise<void> => {
    const done = [...list];
    for (const [at, one] of list.entries()) {
      if (one.kind === undefined || one.state === "made") continue;
      try {
        const made = await write({ cluster, kind: one.kind, base: null, mine: one.object }, dry);
        done[at] = { ...one, state: dry ? "fits" : "made", fault: null, made: dry ? null : made };
      } catch (error) {
        done[at] = { ...one, state: dry ? "refused" : "failed", fault: asFault(error) };
      }
      setOutcomes([...done]);
    }
  };
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setFault(null);
    try {
      await confirmation.tell();
      await work();
    } catch (error) {
      setFault(asFault(error));
    }
    setBusy(false);
  };
  const attemptAll = () =>
    run(async () => {
      const list = objects.map((object): Outcome => {
        const kind = kindOf(object, resources);
        return { object: placed(object, kind), kind, state: "unknown kind", fault: null, made: null };
      });
      setOutcomes(list);
      await attempt(list, true);
    });
  const all = outcomes.length > 0 && outcomes.every(({ state }) => state === "fits" || state === "failed" || state === "made");
  const left = outcomes.filter(({ state }) => state !== "made").length;
  return (
    <Stack hasGutter>
      <StackItem><WriteTarget cluster={cluster} namespace={namespace} /></StackItem>
      <StackItem>
        <Suspense fallback={<Loading of="the editor" />}>
          <YamlEditor
            value={EMPTY}
            label="YAML of the new objects"
            cluster={cluster}
            height={24}
            onChange={(now) => {
              setText(now);
              // What was tried is not what stands there any more.
              setOutcomes([]);
            }}
          />
        </Suspense>
        <p className="tl-count">Several documents are separated by ---. What names no namespace goes to {namespace || "default"}.</p>
      </StackItem>
      <StackItem><Form onSubmit={(event) => event.preventDefault()}><TypedName confirmation={confirmation} /></Form></StackItem>
      {fault !== null && <StackItem><Alert isInline variant="danger" title={fault.reason} role="alert">{asText(fault.detail)}</Alert></StackItem>}
      {outcomes.length > 0 && <StackItem><Outcomes cluster={cluster} outcomes={outcomes} /></StackItem>}
      <StackItem>
        <Toolbar inset={{ default: "insetNone" }}>
          <ToolbarContent>
            <ToolbarItem>
              <Button
                variant={all ? "secondary" : "primary"}
                isDisabled={busy || broken || objects.length === 0 || !confirmation.ready || resources === undefined}
                isLoading={busy && !all}
                onClick={() => void attemptAll()}
              >
                Try it (dry run)
              </Button>
            </ToolbarItem>
            {all && left > 0 && (
              <ToolbarItem>
                <Button isDisabled={busy || !confirmation.ready} isLoading={busy} onClick={() => void run(() => attempt(outcomes, false))}>
                  {left === 1 ? "Create" : `Create ${left} objects`}
                </Button>
              </ToolbarItem>
            )}
          </ToolbarContent>
        </Toolbar>
      </StackItem>
    </Stack>
  );
}

const LOOKS = { "unknown kind": "busy", fits: "good", refused: "bad", made: "good", failed: "bad" } as const;

function Outcomes({ cluster, outcomes }: { cluster: string; outcomes: Outcome[] }) {
  return (
    <List isPlain aria-label="What becomes of each">
      {outcomes.map(({ object, kind, state, fault, made }, at) => {
        const { name, namespace = "" } = (made ?? object).metadata;
        const words = kind === undefined ? `${cluster} has no ${object.kind} of ${object.apiVersion}` : state === "unknown kind" ? "being tried" : state;
        const there = fault?.reason === "AlreadyExists";
        return (
          <ListItem key={`${at} ${object.kind} ${name}`}>
            <Status health={kind === undefined ? "bad" : LOOKS[state]} words={words} />{" "}
            {(state === "made" || there) && kind !== undefined
              ? <Link to={objectPath(cluster, kind, kind.namespaced ? namespace : "", name)}>{asText(`${object.kind} ${name}`)}</Link>
              : asText(`${object.kind} ${name ?? ""}`)}
            {namespace !== "" && ` in ${namespace}`}
            {fault !== null && <p className="tl-more">{asText(fault.detail)}{there && " Edit the one that is there."}</p>}
          </ListItem>
        );
      })}
    </List>
  );
}
