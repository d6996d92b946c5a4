// The live tail on the page: records as they come, the newest first unless the other way round was asked for.

import { Alert, Button } from "@patternfly/react-core";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { live } from "../../api/tab.ts";
import { count } from "../../parts/numbers.ts";
import { Failed } from "../../parts/states.tsx";
import { Age } from "../../parts/time.tsx";
import { WithDetails, type Common } from "./Found.tsx";
import { clockTime, type Zone } from "./moments.ts";
import { withoutRepeats, type LogRecord } from "./record.ts";
import { Results, type Shown } from "./Results.tsx";
import { MOST_KEPT, Tail, type Tailed, type TailOf, type TailView } from "./tail.ts";

export function Tailing({ of, ...common }: Common & { of: TailOf }) {
  const { asked } = common;
  const [tail] = useState(() => new Tail(live, of));
  useEffect(() => {
    tail.start();
    return () => tail.stop();
  }, [tail]);
  const view = useSyncExternalStore(tail.subscribe, tail.snapshot);
  const [held, setHeld] = useState<TailView | null>(null);
  const shown = held ?? view;
  const rows = useMemo(() => rowsOf(shown.items, asked.dedup, asked.order, asked.zone), [shown, asked.dedup, asked.order, asked.zone]);
  const records = useMemo<LogRecord[]>(() => shown.items.flatMap((item) => (item.kind === "record" ? [item.record] : [])), [shown]);
  if (view.fault !== null && view.fault.status >= 400 && view.fault.status < 500) {
    return <div className="tl-log-main"><Failed error={view.fault} onRetry={() => tail.start()} /></div>;
  }
  return (
    <WithDetails records={records} {...common}>
      <div className="tl-log-summary">
        <span role="status">
          {view.state === "live" ? "Live" : view.state === "opening" ? "Beginning" : "Not live"} <Age of={view.since} />
          {": "}{count(view.arrived)} arrived{view.dropped > 0 ? `, the last ${count(MOST_KEPT)} are kept` : ""}
        </span>{" "}
        <Button variant="link" isInline onClick={() => setHeld(held === null ? view : null)}>
          {held === null ? "Pause" : `Go on (${count(view.arrived - held.arrived)} new)`}
        </Button>
      </div>
      {view.state === "away" && <Alert isInline component="p" variant="warning" title="The tail was cut">{view.fault?.detail ?? "The connection is being made again."} A tail does not catch up: the search has what arrived meanwhile.</Alert>}
      {view.state === "live" && rows.length === 0 && <p className="tl-log-uncounted">Waiting for a record that fits.</p>}
      <Results
        rows={rows} columns={asked.columns} zone={asked.zone} wrap={asked.wrap} several={common.several} places={common.places} open={asked.open}
        onOpen={(record) => common.onOpen(record.at)} more={null}
      />
    </WithDetails>
  );
}

function rowsOf(items: Tailed[], dedup: boolean, order: "newest" | "oldest", zone: Zone): Shown[] {
  const rows: Shown[] = [];
  let lot: Extract<Tailed, { kind: "record" }>[] = [];
  const flush = () => {
    if (dedup) {
      const keys = new Map(lot.map(({ record, key }) => [record, key]));
      for (const { record, times } of withoutRepeats(lot.map(({ record }) => record))) rows.push({ kind: "record", key: String(keys.get(record)), record, times });
    } else for (const { record, key } of lot) rows.push({ kind: "record", key: String(key), record, times: 1 });
    lot = [];
  };
  for (const item of items) {
    if (item.kind === "record") lot.push(item);
    else {
      flush();
      const words = item.kind === "passedOver"
        ? `${count(item.records)} records came faster than they are read and were passed over; the search has them`
        : `Not live from ${clockTime(item.from, zone, "seconds")} to ${item.to === null ? "now" : clockTime(item.to, zone, "seconds")}; the search has what arrived`;
      rows.push({ kind: "mark", key: String(item.key), words });
    }
  }
  flush();
  return order === "newest" ? rows.reverse() : rows;
}
