// A shell in a container. Where one is stands in its frame, in the environment's colour. It ends once: a new session is a new
// press of a button.

import { Alert, Button, ClipboardCopy, FormSelect, FormSelectOption, Label, Switch } from "@patternfly/react-core";
import { CopyIcon, RedoIcon, TimesIcon, VideoIcon } from "@patternfly/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { titleOf, useFleet } from "../api/fleet.ts";
import { kube, resourcePath, type KubeObject } from "../api/kube.ts";
import { useKept } from "../app/kept.ts";
import { useSession } from "../app/session.tsx";
import { EnvironmentLabel, environmentLook } from "../parts/cluster.tsx";
import { Nothing } from "../parts/states.tsx";
import { span } from "../parts/time.tsx";
import { TypedName, useConfirmation, WriteTarget } from "../parts/write.tsx";
import "./logs.css";
import { podOf } from "./pod/pods.ts";
import type { Screen } from "./terminal/screen.ts";
import { Session, type SessionState, type Step, type Target } from "./terminal/session.ts";
import { worldOf } from "./terminal/world.ts";

export interface TerminalProps {
  cluster: string;
  namespace: string;
  pod: string;
  container?: string;
}

export function Terminal({ cluster, namespace, pod, container }: TerminalProps) {
  const [chosen, setChosen] = useState(container ?? "");
  const [confirmed, setConfirmed] = useState(false);
  const [nth, setNth] = useState(1);
  const known = useFleet().byName.get(cluster);
  const found = useQuery({
    queryKey: ["containers", cluster, namespace, pod],
    queryFn: async ({ signal }) => podOf(await kube<KubeObject>(cluster, resourcePath({ group: "", version: "v1", resource: "pods" }, namespace, pod), { signal })),
    staleTime: 30_000,
  });
  const containers = found.data?.containers.filter(({ kind }) => kind !== "init").map(({ name }) => name) ?? [];
  const protection = known?.spec.protection ?? "none";
  if (protection === "read-only") return <Nothing title="The cluster is read-only">Nobody gets into a pod of {cluster}: it is protected so.</Nothing>;
  if (protection === "confirm" && !confirmed) return <Confirm cluster={cluster} namespace={namespace} pod={pod} onConfirmed={() => setConfirmed(true)} />;
  // Which container is known first, so that the session is not begun twice.
  if (chosen === "" && found.isPending) return <p className="tl-log-uncounted" role="status">Looking at the pod</p>;
  const target = { cluster, namespace, pod, container: chosen || containers[0] || "" };
  return (
    <Shell
      key={`${target.container} ${nth}`} of={target} containers={containers} environment={known?.spec.environment ?? ""} title={known === undefined ? cluster : titleOf(known)}
      onContainer={setChosen} onAgain={() => setNth(nth + 1)}
    />
  );
}

function Confirm({ cluster, namespace, pod, onConfirmed }: { cluster: string; namespace: string; pod: string; onConfirmed: () => void }) {
  const confirmation = useConfirmation(cluster);
  const [fault, setFault] = useState("");
  const go = async () => {
    if (!confirmation.ready) return;
    try {
      await confirmation.tell();
      onConfirmed();
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form className="tl-shell-confirm" onSubmit={(event) => { event.preventDefault(); void go(); }}>
      <p>A shell in pod <strong>{pod}</strong> can change what runs there.</p>
      <WriteTarget cluster={cluster} namespace={namespace} />
      <TypedName confirmation={confirmation} />
      {fault !== "" && <Alert isInline isPlain component="p" variant="danger" title={fault} />}
      <Button type="submit" variant="primary" isDisabled={!confirmation.ready}>Open a shell</Button>
    </form>
  );
}

interface ShellProps {
  of: Target;
  containers: string[];
  environment: string;
  title: string;
  onContainer: (container: string) => void;
  onAgain: () => void;
}

function Shell({ of, containers, environment, title, onContainer, onAgain }: ShellProps) {
  const { who } = useSession();
  const box = useRef<HTMLDivElement>(null);
  const away = useRef<HTMLButtonElement>(null);
  const [screen, setScreen] = useState<Screen | null>(null);
  const [session, setSession] = useState<Session | null>(null);
  const [state, setState] = useState<SessionState>({ at: "connecting", step: "rights", shell: "" });
  const [aloud, setAloud] = useKept("terminal.aloud", false);
  const first = useRef({ of, who, aloud });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const { of, who, aloud } = first.current;
    let gone = false;
    let close = () => undefined as void;
    // Only who opens a terminal loads it.
    void import("./terminal/screen.ts").then(({ openScreen }) => {
      if (gone) return;
      let opened: Screen | null = null;
      const session: Session = new Session(of, worldOf(of, who), (bytes) => opened?.write(bytes), () => setState(session.state));
      const screen = openScreen(element, {
        dark: isDark(), readAloud: aloud,
        onType: (text) => session.type(text),
        onSize: (columns, rows) => session.resize(columns, rows),
        onKey: (event) => {
          if (event.type !== "keydown") return false;
          // Tab is the shell's; this is the way out.
          if (event.key === "F6" && event.shiftKey) away.current?.focus();
          else if (event.ctrlKey && event.shiftKey && event.key.toLowerCase() === "c") void copy(screen.selection());
          else return false;
          event.preventDefault();
          return true;
        },
      });
      opened = screen;
      const themes = new MutationObserver(() => screen.dark(isDark()));
      themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
      close = () => {
        themes.disconnect();
        session.close();
        screen.close();
      };
      setScreen(screen);
      setSession(session);
      session.start();
      screen.focus();
    });
    return () => {
      gone = true;
      close();
    };
  }, []);
  const isOver = state.at !== "connecting" && state.at !== "running";
  useEffect(() => {
    if (screen === null || !isOver) return;
    if (state.at === "ended" || state.at === "lost") screen.note("the session is over");
    away.current?.focus();
  }, [screen, isOver, state.at]);

  return (
    <section className="tl-shell" data-environment={environmentLook(environment)} aria-label={`Shell in ${of.pod}`}>
      <header className="tl-shell-head">
        <span><strong>{title}</strong> / {of.namespace} / {of.pod}</span>
        {containers.length > 1 ? (
          <FormSelect aria-label="Container" value={of.container} onChange={(_, name) => onContainer(name)} className="tl-pod-select">
            {containers.map((name) => <FormSelectOption key={name} value={name} label={name} />)}
          </FormSelect>
        ) : <span>{of.container}</span>}
        <EnvironmentLabel environment={environment} />
        {session?.recorded === true && <Label isCompact color="red" icon={<VideoIcon />}>Recorded: what is shown and typed is kept</Label>}
        <Told state={state} />
        <span className="tl-shell-acts">
          <Switch label="Read aloud" isChecked={aloud} onChange={(_, on) => { setAloud(on); screen?.readAloud(on); }} />
          <Button variant="plain" size="sm" icon={<CopyIcon />} aria-label="Copy what is marked (Ctrl+Shift+C)" onClick={() => screen !== null && void copy(screen.selection())} />
          {isOver ? (
            <Button ref={away} variant="primary" size="sm" icon={<RedoIcon />} onClick={onAgain}>New session</Button>
          ) : (
            <Button ref={away} variant="secondary" size="sm" icon={<TimesIcon />} onClick={() => { session?.close(); setState({ at: "lost", since: Date.now(), why: "you ended it" }); }}>End</Button>
          )}
        </span>
      </header>
      <Over state={state} of={of} />
      <div className="tl-shell-screen" ref={box} data-keys="own" />
      <p className="tl-shell-foot">Shift+F6 leaves the terminal. Programs in it cannot set the clipboard or titles.</p>
    </section>
  );
}

const STEPS: [Step, string][] = [["rights", "rights"], ["ticket", "ticket"], ["way", "way to the container"], ["shell", "shell"]];

/** Where it stands, in a word that is told when it changes. */
function Told({ state }: { state: SessionState }) {
  if (state.at === "running") return <><Label isCompact color="green">Connected</Label><Timer since={state.since} /></>;
  if (state.at === "connecting") {
    const at = STEPS.findIndex(([step]) => step === state.step);
    return <span role="status" className="tl-shell-steps">Connecting: {STEPS.slice(0, at + 1).map(([, words]) => words).join(" → ")}{state.shell === "" ? "" : ` (${state.shell})`}</span>;
  }
  const words = { ended: "Ended", lost: "Lost", refused: "Refused", "no shell": "No shell" }[state.at];
  return <Label isCompact color={state.at === "ended" ? "grey" : "orange"}>{words}</Label>;
}

function Timer({ since }: { since: number }) {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <span className="tl-shell-timer" aria-label="For how long">{span(now - since)}</span>;
}

/** Why there is no shell any more, or none at all. */
function Over({ state, of }: { state: SessionState; of: Target }) {
  const alert = (variant: "info" | "warning" | "danger", title: string, body?: React.ReactNode) => (
    <Alert isInline component="p" variant={variant} title={title} role="alert">{body}</Alert>
  );
  if (state.at === "ended") {
    const { code, words } = state.exit;
    if (code === 0) return alert("info", `The shell ended with exit code 0 after ${span(state.lasted)}`);
    return alert("info", code === null ? "The shell ended" : `The shell ended with exit code ${code} after ${span(state.lasted)}`, code === null ? words : undefined);
  }
  if (state.at === "lost") return alert("warning", `The session is over: ${state.why}`, "What ran in the shell may have been ended with it. A new session is another shell.");
  if (state.at === "refused") {
    const where = state.by === "gateway" ? "The gateway" : `RBAC of ${of.cluster}`;
    return alert("danger", `You may not open a shell here: ${state.verb} is missing`, `${where} says: ${state.why || "no rule allows it"}`);
  }
  if (state.at === "no shell") {
    return alert("warning", "There is no bash, ash or sh in this container", (
      <>
        <p>A debug container beside it has one, and sees its processes:</p>
        <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel="The command">
          {`kubectl --context ${of.cluster} -n ${of.namespace} debug -it ${of.pod} --image=busybox:stable --target=${of.container}`}
        </ClipboardCopy>
      </>
    ));
  }
  return null;
}

function isDark(): boolean {
  return document.documentElement.classList.contains("pf-v6-theme-dark");
}

async function copy(text: string): Promise<void> {
  if (text !== "") await navigator.clipboard.writeText(text).catch(() => undefined);
}
