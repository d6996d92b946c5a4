// The log of a pod, or of all pods of a workload, as it goes on. How it is looked at stands in the address.

import { Alert, Button, Label } from "@patternfly/react-core";
import { DownloadIcon, PauseIcon, PlayIcon, SearchIcon } from "@patternfly/react-icons";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Link } from "react-router";
import { live } from "../api/tab.ts";
import { useKeys } from "../app/keys.ts";
import { count } from "../parts/numbers.ts";
import { save } from "../parts/download.ts";
import { Failed, Loading, Nothing } from "../parts/states.tsx";
import { Age } from "../parts/time.tsx";
import "./logs.css";
import { patternOf, useLogAsked } from "./pod/asked.ts";
import type { LogLine } from "./pod/line.ts";
import { Lines } from "./pod/Lines.tsx";
import type { Workload } from "./pod/pods.ts";
import { LogStore, MOST_FOLLOWED, ONE_IN, type LogsOf, type LogView } from "./pod/store.ts";
import { Tools } from "./pod/Tools.tsx";
import { addressOf } from "./search/asked.ts";
import { term } from "./search/grammar.ts";
import { plain } from "./text/harmless.ts";
import type { Pattern } from "./text/pattern.ts";

export interface PodLogsProps {
  cluster: string;
  namespace: string;
  pod?: string;
  workload?: Workload;
}

export function PodLogs(props: PodLogsProps) {
  const [asked, ask] = useLogAsked();
  const of: LogsOf = { ...props, container: asked.container, since: asked.since, tail: asked.tail, previous: asked.previous };
  const key = JSON.stringify(of);
  // Another log is another page: nothing of the one before stays.
  return <Following key={key} of={of} asked={asked} ask={ask} />;
}

function Following({ of, asked, ask }: { of: LogsOf; asked: ReturnType<typeof useLogAsked>[0]; ask: ReturnType<typeof useLogAsked>[1] }) {
  const [store] = useState(() => new LogStore(live, of));
  useEffect(() => {
    store.start();
    return () => store.stop();
  }, [store]);
  const now = useSyncExternalStore(store.subscribe, store.snapshot);
  const [held, setHeld] = useState<LogView | null>(null);
  const [unfolded, setUnfolded] = useState(false);
  const view = held ?? now;
  const { pattern, error } = useMemo(() => patternOf(asked.find, asked.isExpression), [asked.find, asked.isExpression]);
  const lines = useMemo(() => (pattern === null || !asked.only ? view.lines : view.lines.filter((line) => line.mark === true || isIn(pattern, line))), [view, pattern, asked.only]);
  const places = useMemo(() => (pattern === null ? undefined : (text: string) => pattern.places(text)), [pattern]);
  const hold = (hold: boolean) => setHeld(hold ? now : null);
  useKeys([{ keys: "f", words: held === null ? "Pause the log" : "Go on with the log", run: () => hold(held === null) }]);

  const { cluster, namespace, pod, workload } = of;
  const name = pod ?? workload?.name ?? "";
  const containers = [...new Set(now.pods.flatMap((one) => one.containers.map((container) => container.name)))];
  const refused = now.sources.find(({ state }) => state.at === "refused")?.state;
  const file = () => save(`${name}.log`, "text/plain", lines.map((line) => written(line, view)).join("\n"));
  const q = [term("namespace", namespace), pod === undefined ? `pod:${name}-*` : term("pod", pod), asked.container === "" ? "" : term("container", asked.container), asked.isExpression ? "" : words(asked.find)];
  return (
    <div className="tl-pod">
      <Tools asked={asked} ask={ask} containers={containers} error={error} unfolded={unfolded} onUnfold={setUnfolded} />
      {error !== "" && <Alert isInline isPlain component="p" variant="danger" title={`The expression is not understood: ${error}`} />}
      <div className="tl-pod-status">
        <Standing view={now} previous={of.previous} />
        <Button variant="link" isInline icon={held === null ? <PauseIcon /> : <PlayIcon />} onClick={() => hold(held === null)}>{held === null ? "Pause" : "Go on"}</Button>
        <Button variant="link" isInline icon={<DownloadIcon />} isDisabled={lines.length === 0} onClick={file}>Download</Button>
        <Link to={addressOf({ clusters: [cluster], q: q.filter((part) => part !== "").join(" ") })}><SearchIcon /> Open in Logs</Link>
      </div>
      <Cut view={now} />
      {now.fault !== null && now.synced && now.sources.every(({ state }) => state.at !== "away") && <Alert isInline component="p" variant="warning" title="New pods are not seen now">{now.fault.detail}</Alert>}
      {now.notFollowed > 0 && <Alert isInline isPlain component="p" variant="info" title={`${MOST_FOLLOWED} logs are followed at once; ${now.notFollowed} more are not. Choose a container, or one pod.`} />}
      {now.sampling && <Alert isInline isPlain component="p" variant="warning" title={`It is said faster than can be shown: of what is too much 1 in ${ONE_IN} is shown. ${count(now.sampledOut)} lines were left out so far.`} />}
      {now.waiting.slice(0, 5).map(({ pod: from, container }) => (
        <Alert key={`${from} ${container.name}`} isInline isPlain component="p" variant="info" title={waitingWords(from, container.name, plain(container.why), of.previous)} />
      ))}
      <Body view={now} of={of} refusal={refused?.at === "refused" ? refused.fault : null}>
        {lines.length === 0 && view.lines.length > 0 ? (
          <Nothing title="No line fits" action={<Button variant="link" onClick={() => ask({ find: "" })}>Show all {count(view.lines.length)}</Button>} />
        ) : (
          <Lines
            lines={lines} sources={view.sources} label={`Log of ${name}`} times={asked.times} wrap={asked.wrap} unfolded={unfolded} places={places}
            held={held !== null} fresh={held === null ? 0 : now.arrived - held.arrived} onHold={hold}
          />
        )}
      </Body>
    </div>
  );
}

function Body({ view, of, refusal, children }: { view: LogView; of: LogsOf; refusal: unknown; children: React.ReactNode }) {
  if (view.lines.length > 0) return <>{children}</>;
  if (view.fault !== null && !view.synced) return <Failed error={view.fault} cluster={of.cluster} />;
  if (refusal !== null) return <Failed error={refusal} cluster={of.cluster} />;
  if (!view.synced) return <Loading of={`the pods of ${of.pod ?? of.workload?.name ?? ""}`} />;
  if (view.pods.length === 0) {
    return <Nothing title="There are no pods">{of.pod === undefined ? "The workload has none now; when one comes, its log is shown here." : `Pod ${of.pod} is not in ${of.namespace}, or is gone. The records that were collected of it may still be found in Logs.`}</Nothing>;
  }
  if (view.sources.length === 0) return null;
  if (view.sources.every(({ state }) => state.at === "ended")) return <Nothing title="Nothing was said">In the time that is asked for the log is empty.</Nothing>;
  if (view.sources.some(({ state }) => state.at === "live")) return <p className="tl-log-uncounted" role="status">Nothing is said. It is waited for.</p>;
  return <Loading of="the log" />;
}

/** In a word, and in numbers. */
function Standing({ view, previous }: { view: LogView; previous: boolean }) {
  const of = (at: string) => view.sources.filter(({ state }) => state.at === at).length;
  const cut = of("away");
  const running = of("live");
  const state = cut > 0 ? { words: "Cut", colour: "orange" as const } : running > 0 && !previous ? { words: "Live", colour: "green" as const } : of("opening") > 0 || !view.synced ? { words: "Opening", colour: "grey" as const } : view.waiting.length > 0 ? { words: "Not started", colour: "grey" as const } : { words: "Ended", colour: "grey" as const };
  const pods = Math.max(view.pods.length, new Set(view.sources.map(({ pod }) => pod)).size);
  return (
    <span role="status" className="tl-pod-standing">
      <Label isCompact color={state.colour}>{state.words}</Label>
      {count(pods)} {pods === 1 ? "pod" : "pods"}, {count(view.arrived)} {view.arrived === 1 ? "line" : "lines"}
      {view.dropped > 0 && `, the last ${count(view.lines.length)} are kept`}
      {view.sampledOut > 0 && `, ${count(view.sampledOut)} left out`}
    </span>
  );
}

/** The way is cut: since when, why, and that nobody has to do anything. */
function Cut({ view }: { view: LogView }) {
  const away = view.sources.flatMap(({ state }) => (state.at === "away" ? [state] : []));
  const [first] = away;
  if (first === undefined) return null;
  const since = Math.min(...away.map((state) => state.since));
  return (
    <Alert isInline component="p" variant="warning" title={<>The log is cut since <Age of={since} />{away.length > 1 ? ` (${away.length} containers)` : ""}</>}>
      {first.fault?.detail} It is opened again by itself, from the last line on; lines that cannot be had any more are told.
    </Alert>
  );
}

function waitingWords(pod: string, container: string, why: string, previous: boolean): string {
  if (previous) return `${pod} / ${container} has not been restarted: there is no start before this one`;
  return `${pod} / ${container} has not started${why === "" ? "" : `: ${why}`}`;
}

/** Whether a line has what is looked for; each is looked at once. */
function isIn(pattern: Pattern, line: LogLine): boolean {
  if (line.looked?.for !== pattern) line.looked = { for: pattern, hit: pattern.matches(plain(line.text)) };
  return line.looked.hit;
}

function written(line: LogLine, view: LogView): string {
  const source = view.sources[line.source];
  const head = line.at === "" ? "" : `${line.at} `;
  const from = view.sources.length > 1 && source !== undefined ? `[${source.pod}/${source.container}] ` : "";
  return `${head}${from}${plain(line.text)}`;
}

/** What is looked for, as words that Logs looks for. */
function words(find: string): string {
  return /[\p{L}\p{N}]/u.test(find) ? `"${find.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : "";
}
