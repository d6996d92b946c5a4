// A fleet that a test tells what the gateway's watch would.

import { fleet } from "./fleet.ts";
import type { Live } from "./live.ts";

/** Follows; what is given to the function is heard as events of the watch. */
export function followed(): (events: object[]) => void {
  let tell: (events: object[]) => void = () => undefined;
  const live = {
    keep: (begin: () => string, { lines }: { lines: (lines: string[]) => void }) => {
      begin();
      tell = (events) => lines(events.map((event) => JSON.stringify(event)));
      return () => undefined;
    },
  };
  fleet.follow(live as unknown as Live);
  return (events) => tell(events);
}

/** A cluster in a state, as far as the drop-down and the states of pages look at it. */
export function clusterIn(name: string, state: string): object {
  return { metadata: { name, labels: {} }, spec: {}, status: { state } };
}
