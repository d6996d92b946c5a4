// YAML in an editor that knows the cluster's kinds: completes their fields, and says early what the API server would not take.
//
// Invariants: the text is the editor's own until `value` changes; what is typed goes out by `onChange` and must not come back as
// `value`, where it would be late by a key or two and overwrite them; problems are listed beneath as text as well; the keys of
// the page do nothing in here.

import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, Transaction } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { Button } from "@patternfly/react-core";
import { ExclamationCircleIcon, ExclamationTriangleIcon } from "@patternfly/react-icons";
import { useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { harmless } from "../text.ts";
import { changed } from "./changed.ts";
import { check } from "./check.ts";
import { completion } from "./complete.ts";
import { readObjects, readYaml, type Problem } from "./guard.ts";
import { basics, editing, reading, shadowOf } from "./mirror.ts";
import { useKinds } from "./schema.ts";

interface YamlEditorProps {
  /** What is put into it, at first and whenever this is another text. */
  value: string;
  /** What it is, for screen readers: `the YAML of web`. */
  label: string;
  /** Whose kinds complete and check; without, only YAML is checked. */
  cluster?: string;
  onChange?: (text: string) => void;
  isReadOnly?: boolean;
  /** In rem. */
  height?: number;
}

const MOST_LISTED = 5;
/** So many apiVersions of one text are looked up. */
const MOST_VERSIONS = 8;
const API_VERSION = /^apiVersion:\s*["']?([a-z0-9.-]+(?:\/[a-z0-9]+)?)["']?\s*$/gm;

export function YamlEditor(props: YamlEditorProps) {
  const { value, label, cluster, onChange, isReadOnly = false, height = 32 } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const [text, setText] = useState(value);
  const settled = useDeferredValue(text);
  const versions = useMemo(
    () => (isReadOnly ? "" : [...new Set([...settled.matchAll(API_VERSION)].map((found) => found[1] ?? ""))].slice(0, MOST_VERSIONS).join(" ")),
    [settled, isReadOnly],
  );
  const { kinds, missing } = useKinds(cluster, versions === "" ? [] : versions.split(" "));
  const latest = useRef({ kinds, onChange });
  useEffect(() => {
    latest.current = { kinds, onChange };
  });

  useEffect(() => {
    if (host.current === null) return;
    const root = shadowOf(host.current);
    const source = completion(() => latest.current.kinds);
    // What was typed stays when it is not to be edited any more.
    const before = view.current?.state.doc;
    const own = new Compartment();
    const made = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: before ?? value,
        extensions: [
          basics(label, root),
          own.of(isReadOnly ? reading() : editing({ override: [source] })),
          keymap.of(lintKeymap),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            const now = update.state.doc.toString();
            setText(now);
            latest.current.onChange?.(now);
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
    // A new text is put into the editor that is there, below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isReadOnly, label]);

  // Before another key can come in.
  useLayoutEffect(() => {
    const there = view.current;
    if (there === null) return;
    const changes = changed(there.state.doc.toString(), value);
    // What somebody else changed is not one's own to undo.
    if (changes !== null) there.dispatch({ changes, annotations: Transaction.addToHistory.of(false) });
  }, [value]);

  const problems = useMemo(() => {
    if (isReadOnly) return [];
    const { documents, lines } = readYaml(settled);
    return [...readObjects(settled).problems, ...documents.flatMap(({ parsed }) => check(parsed, kinds, lines))];
  }, [settled, kinds, isReadOnly]);
  useEffect(() => {
    const there = view.current;
    if (there === null || isReadOnly) return;
    const end = there.state.doc.length;
    const marks = problems.map(({ from, to, severity, message }) => ({
      from: Math.min(from, end), to: Math.min(Math.max(to, from), end), severity, message: harmless(message),
    }));
    there.dispatch(setDiagnostics(there.state, marks));
  }, [problems, isReadOnly]);

  const goTo = ({ from }: Problem) => {
    const there = view.current;
    if (there === null) return;
    there.dispatch({ selection: { anchor: Math.min(from, there.state.doc.length) }, scrollIntoView: true });
    there.focus();
  };
  return (
    <div className="tl-yaml">
      <div ref={host} data-keys="own" style={{ height: `${height}rem` }} />
      {!isReadOnly && (
        <div className="tl-yaml-foot" role="status">
          <Problems problems={problems} onGo={goTo} />
          {missing && <p>The cluster tells no schema of this kind: its fields are checked by the dry run only.</p>}
          <p className="tl-count">Ctrl+Space completes. Escape, then Tab, leaves the editor.</p>
        </div>
      )}
    </div>
  );
}

function Problems({ problems, onGo }: { problems: Problem[]; onGo: (problem: Problem) => void }) {
  if (problems.length === 0) return null;
  return (
    <ul className="tl-problems" aria-label="Problems">
      {problems.slice(0, MOST_LISTED).map((problem, at) => (
        <li key={`${problem.from} ${at}`} data-severity={problem.severity}>
          {problem.severity === "error" ? <ExclamationCircleIcon /> : <ExclamationTriangleIcon />}
          <Button variant="link" isInline onClick={() => onGo(problem)}>Line {problem.line}</Button>
          <span>{harmless(problem.message)}</span>
        </li>
      ))}
      {problems.length > MOST_LISTED && <li>and {problems.length - MOST_LISTED} more</li>}
    </ul>
  );
}
