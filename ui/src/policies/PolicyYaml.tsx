// A policy's YAML: read, changed, tried, and applied; with the pods that the change gains and loses.
//
// Invariant: the text that somebody is changing is theirs: what the watch tells meanwhile is offered, and not put over it.

import { ActionList, ActionListItem, Alert, AlertActionLink, Button } from "@patternfly/react-core";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { useFleet } from "../api/fleet.ts";
import type { KubeObject, Resource } from "../api/kube.ts";
import { isReadOnly } from "../parts/cluster.tsx";
import { save } from "../parts/download.ts";
import { ApplyDialog, forEditing, readObjects, writeYaml, YamlEditor } from "../parts/yaml/index.ts";
import { yamlOf } from "./compare.ts";
import type { PolicyKind } from "./kinds.ts";
import { policyOf } from "./policy.ts";
import { PodsChange } from "./PodsChange.tsx";

interface PolicyYamlProps {
  cluster: string;
  kind: PolicyKind;
  resource: Resource;
  object: KubeObject;
}

export function PolicyYaml({ cluster, kind, resource, object }: PolicyYamlProps) {
  const readOnly = isReadOnly(useFleet().byName.get(cluster)) || !resource.verbs.includes("update");
  const [base, setBase] = useState(object);
  const asRead = useMemo(() => asEdited(base), [base]);
  const [text, setText] = useState(asRead);
  /** What stands in the editor now: `text` follows when the page is drawn. */
  const typed = useRef(text);
  const [editor, setEditor] = useState(0);
  const [wrong, setWrong] = useState("");
  const [mine, setMine] = useState<KubeObject | null>(null);
  const [done, setDone] = useState(false);
  /** The version that the watch told when ours was written: an older one, however late it is. */
  const [passed, setPassed] = useState<string>();
  const { resourceVersion } = object.metadata;
  const newer = resourceVersion !== base.metadata.resourceVersion && resourceVersion !== passed;
  const touched = text !== asRead;
  const { name } = object.metadata;
  const type = (now: string) => {
    typed.current = now;
    setText(now);
  };
  const take = (next: KubeObject) => {
    setBase(next);
    type(asEdited(next));
    setWrong("");
  };
  /** With an editor that has nothing of what was typed. */
  const begin = (next: KubeObject) => {
    take(next);
    setEditor((before) => before + 1);
  };
  // Nothing of anybody's is lost while the text is as it was read: to the key that was just pressed.
  useLayoutEffect(() => {
    if (newer && mine === null && typed.current === asRead) take(object);
  });
  const review = () => {
    const read = meant(text, base);
    setDone(false);
    setWrong(typeof read === "string" ? read : "");
    if (typeof read !== "string") setMine(read);
  };
  return (
    <>
      {readOnly && <Alert isInline isPlain variant="info" title="Nothing can be changed here: it is to be read and exported." />}
      {done && !touched && <Alert isInline variant="success" title="Applied" role="status" />}
      {newer && touched && (
        <Alert
          isInline variant="warning" title="It was changed by somebody else meanwhile"
          actionLinks={<AlertActionLink onClick={() => begin(object)}>Leave mine, take theirs</AlertActionLink>}
        >
          You can go on: what both changed is shown before anything is written.
        </Alert>
      )}
      <YamlEditor
        key={editor}
        cluster={cluster}
        label={`the YAML of ${name}`}
        value={asRead}
        height={26}
        isReadOnly={readOnly}
        {...(readOnly ? {} : { onChange: type })}
      />
      {wrong !== "" && <Alert isInline variant="danger" title={wrong} role="alert" />}
      <ActionList>
        {!readOnly && <ActionListItem><Button isDisabled={!touched} onClick={review}>Try it (dry run)</Button></ActionListItem>}
        {!readOnly && touched && <ActionListItem><Button variant="secondary" onClick={() => begin(object)}>Undo my changes</Button></ActionListItem>}
        <ActionListItem><Button variant="link" onClick={() => save(`${name}.yaml`, "application/yaml", yamlOf(object))}>Export YAML</Button></ActionListItem>
      </ActionList>
      {mine !== null && (
        <ApplyDialog
          cluster={cluster}
          kind={resource}
          base={base}
          mine={mine}
          {...(kind.shape === "tier" ? {} : {
            preview: (result: KubeObject) => <PodsChange cluster={cluster} before={policyOf(base, kind)} after={policyOf(result, kind)} />,
          })}
          onApplied={(written) => {
            setMine(null);
            setPassed(resourceVersion);
            begin(written);
            setDone(true);
          }}
          onClose={() => setMine(null)}
        />
      )}
    </>
  );
}

function asEdited(object: KubeObject): string {
  return writeYaml(forEditing(object));
}

/** The object that the text is; or why it is none that can be applied here. */
function meant(text: string, base: KubeObject): KubeObject | string {
  const { objects, problems } = readObjects(text);
  const error = problems.find(({ severity }) => severity === "error");
  if (error !== undefined) return `Line ${error.line}: ${error.message}`;
  const [first, ...others] = objects;
  if (first === undefined || others.length > 0) return "There must be one object";
  const same = first.kind === base.kind && first.metadata.name === base.metadata.name && first.metadata.namespace === base.metadata.namespace;
  return same ? first : "Kind, name and namespace cannot be changed: that would be another object";
}
