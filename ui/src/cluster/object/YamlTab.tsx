// An object's YAML: read live, or edited from one moment on. A Secret's values are covered until somebody wants to see them, and
// then it is read anew, so that the audit log has that moment.

import { Alert, Button, Switch, Toolbar, ToolbarContent, ToolbarItem } from "@patternfly/react-core";
import { LockIcon } from "@patternfly/react-icons";
import { useMemo, useState } from "react";
import { asFault, type Fault } from "../../api/fault.ts";
import { kube, resourcePath, type KubeObject } from "../../api/kube.ts";
import { Refused } from "../../parts/write.tsx";
import {
  ApplyDialog, covered, forEditing, isSecret, readObjects, uncovered, withoutBookkeeping, writeYaml, YamlEditor,
} from "../../parts/yaml/index.ts";
import type { Named } from "../places.ts";

interface YamlTabProps {
  cluster: string;
  of: Named;
  namespace: string;
  object: KubeObject;
  mayEdit: boolean;
  readOnly: boolean;
  /** Whether its status is written in another way, so that it is not edited here. */
  statusApart: boolean;
}

export function YamlTab({ cluster, of, namespace, object, mayEdit, readOnly, statusApart }: YamlTabProps) {
  const [editing, setEditing] = useState<KubeObject | null>(null);
  const [bare, setBare] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const secret = isSecret(object);
  const text = useMemo(() => writeYaml(withoutBookkeeping(secret && !bare ? covered(object) : object)), [object, secret, bare]);
  const uncover = async () => {
    setFault(null);
    try {
      await kube<KubeObject>(cluster, resourcePath(of, namespace, object.metadata.name));
      setBare(true);
    } catch (error) {
      setFault(asFault(error));
    }
  };
  const name = object.metadata.name;
  const kubectl = `kubectl get ${of.resource}${of.group === "" ? "" : `.${of.group}`} ${name}${namespace === "" ? "" : ` -n ${namespace}`} -o yaml`;
  return (
    <div className="tl-tab">
      <Toolbar inset={{ default: "insetNone" }}>
        <ToolbarContent>
          {editing === null && mayEdit && <ToolbarItem><Button variant="secondary" onClick={() => setEditing(object)}>Edit</Button></ToolbarItem>}
          {readOnly && <ToolbarItem alignSelf="center"><LockIcon /> Nothing is changed in this cluster</ToolbarItem>}
          {secret && (
            <ToolbarItem alignSelf="center">
              <Switch label="Show values" isChecked={bare} onChange={(_, on) => (on ? void uncover() : setBare(false))} />
            </ToolbarItem>
          )}
          {editing === null && (
            <ToolbarItem>
              <Button variant="link" onClick={() => void navigator.clipboard.writeText(kubectl)}>Copy as kubectl</Button>
            </ToolbarItem>
          )}
        </ToolbarContent>
      </Toolbar>
      {fault !== null && <Refused fault={fault} />}
      {editing === null
        ? <YamlEditor value={text} label={`The YAML of ${name}`} isReadOnly height={36} />
        : (
          <Editing
            // Covers are part of the text: switching them begins anew.
            key={String(bare)}
            cluster={cluster}
            kind={{ ...of, namespaced: namespace !== "" }}
            base={editing}
            now={object}
            isCovered={secret && !bare}
            statusApart={statusApart}
            onDone={() => setEditing(null)}
          />
        )}
    </div>
  );
}

interface EditingProps {
  cluster: string;
  kind: Named & { namespaced: boolean };
  base: KubeObject;
  now: KubeObject;
  isCovered: boolean;
  statusApart: boolean;
  onDone: () => void;
}

function Editing({ cluster, kind, base, now, isCovered, statusApart, onDone }: EditingProps) {
  const first = useMemo(() => {
    const shown = statusApart ? forEditing(base) : withoutBookkeeping(base);
    return writeYaml(isCovered ? covered(shown) : shown);
  }, [base, isCovered, statusApart]);
  const [text, setText] = useState(first);
  const [mine, setMine] = useState<KubeObject | null>(null);
  const [wrong, setWrong] = useState("");
  const apply = () => {
    const { objects, problems } = readObjects(text);
    const [one] = objects;
    const error = problems.find(({ severity }) => severity === "error");
    if (error !== undefined) return setWrong(`line ${error.line}: ${error.message}`);
    if (one === undefined || objects.length !== 1) return setWrong("there is to be one object here");
    try {
      setMine(uncovered(one, base));
      setWrong("");
    } catch (refused) {
      setWrong(refused instanceof Error ? refused.message : String(refused));
    }
  };
  const overtaken = now.metadata.resourceVersion !== base.metadata.resourceVersion && now.metadata.generation !== base.metadata.generation;
  return (
    <>
      {overtaken && <Alert isInline variant="info" title="It was changed meanwhile: applying shows both changes side by side" role="status" />}
      <YamlEditor value={first} label={`Edit the YAML of ${base.metadata.name}`} cluster={cluster} onChange={setText} height={32} />
      {wrong !== "" && <Alert isInline variant="danger" title={wrong} role="alert" />}
      <Toolbar inset={{ default: "insetNone" }}>
        <ToolbarContent>
          <ToolbarItem><Button onClick={apply} isDisabled={text === first}>Review and apply</Button></ToolbarItem>
          <ToolbarItem><Button variant="link" onClick={onDone}>Leave without applying</Button></ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {mine !== null && <ApplyDialog cluster={cluster} kind={kind} base={base} mine={mine} onApplied={onDone} onClose={() => setMine(null)} />}
    </>
  );
}
