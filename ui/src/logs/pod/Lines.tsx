// The lines in sight. At the end it stays at the end; whoever scrolls up holds what is shown, and it is counted what comes.

import { Button } from "@patternfly/react-core";
import { ArrowDownIcon } from "@patternfly/react-icons";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { count } from "../../parts/numbers.ts";
import { plain } from "../text/harmless.ts";
import { Line, type Places } from "../text/Line.tsx";
import { indented, objectOf } from "../text/tree.ts";
import type { LogLine } from "./line.ts";
import type { Source } from "./store.ts";

const COLOURS = 8;

interface LinesProps {
  lines: readonly LogLine[];
  sources: Source[];
  label: string;
  times: boolean;
  wrap: boolean;
  unfolded: boolean;
  places: Places | undefined;
  /** What is shown does not change. */
  held: boolean;
  /** How many came meanwhile. */
  fresh: number;
  onHold: (held: boolean) => void;
}

export function Lines({ lines, sources, label, times, wrap, unfolded, places, held, fresh, onHold }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const [folds, setFolds] = useState<ReadonlySet<number>>(new Set());
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 20,
    getItemKey: (index) => lines[index]?.seq ?? index,
    overscan: 30,
    initialRect: { width: 1000, height: 600 },
  });
  const several = new Set(sources.map(({ pod, container }) => `${pod} ${container}`)).size > 1;
  const onePod = new Set(sources.map(({ pod }) => pod)).size <= 1;
  const last = lines.at(-1)?.seq;
  useEffect(() => {
    if (!held && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [held, last, lines.length, virtual, wrap, unfolded]);

  const onScroll = () => {
    const element = box.current;
    if (element === null) return;
    const above = element.scrollHeight - element.scrollTop - element.clientHeight;
    // Only a person moves up: what is put at the end moves down.
    if (!held && above > 200 && element.dataset["moving"] === "person") onHold(true);
    else if (held && above < 4 && fresh === 0) onHold(false);
  };
  const byPerson = () => {
    const element = box.current;
    if (element === null) return;
    element.dataset["moving"] = "person";
    setTimeout(() => delete element.dataset["moving"], 500);
  };
  const fold = (seq: number) => {
    const next = new Set(folds);
    if (!next.delete(seq)) next.add(seq);
    setFolds(next);
  };

  return (
    <div className="tl-pod-view">
      <div
        className="tl-pod-lines" ref={box} role="log" aria-live="off" aria-label={label} tabIndex={0} data-wrap={wrap}
        onScroll={onScroll} onWheel={byPerson} onTouchMove={byPerson} onPointerDown={byPerson}
        onKeyDown={(event) => /^(Arrow(Up|Down)|Page(Up|Down)|Home|End)$/.test(event.key) && byPerson()}
      >
        <div className="tl-pod-space" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index];
            if (line === undefined) return null;
            const source = sources[line.source];
            const object = line.mark === true ? null : objectOf(line.text);
            const isOpen = object !== null && folds.has(line.seq) !== unfolded;
            return (
              <div key={item.key} ref={virtual.measureElement} data-index={item.index} className="tl-pod-line" data-mark={line.mark ?? false} style={{ transform: `translateY(${item.start}px)` }}>
                {times && line.at !== "" && <time className="tl-pod-at" dateTime={line.at}>{shortTime(line.at)}</time>}
                {several && source !== undefined && (
                  <span className={`tl-pod-source tl-source-${line.source % COLOURS}`} title={`${source.pod} / ${source.container}`}>
                    {onePod ? source.container : tailOf(source.pod)}{!onePod && ` ${source.container}`}
                  </span>
                )}
                {object !== null && (
                  <button type="button" className="tl-pod-fold" aria-expanded={isOpen} aria-label="JSON" onClick={() => fold(line.seq)}>{isOpen ? "▾" : "▸"}</button>
                )}
                <span className="tl-pod-text">
                  {line.mark === true ? <em>{plain(line.text)}</em> : <Line text={line.text} places={places} />}
                  {isOpen && <span className="tl-pod-json">{indented(object).join("\n")}</span>}
                </span>
              </div>
            );
          })}
        </div>
      </div>
      {held && (
        <Button variant="primary" size="sm" className="tl-pod-jump" icon={<ArrowDownIcon />} onClick={() => onHold(false)}>
          {fresh === 0 ? "Go on" : `${count(fresh)} new: go on`}
        </Button>
      )}
    </div>
  );
}

/** `06:54:33.123` of a moment, in UTC as the container's node says it. */
function shortTime(at: string): string {
  return at.slice(11, 23).replace(/Z$/, "").padEnd(12, " ");
}

/** The end of a pod's name, which tells it from its siblings. */
function tailOf(pod: string): string {
  return pod.length > 18 ? `…${pod.slice(-16)}` : pod;
}
