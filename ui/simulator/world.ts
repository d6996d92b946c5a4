/** All that is simulated, in one place. */
import type { WebSocket } from "ws";

import { Faults } from "./door/faults.ts";
import { Sessions } from "./door/sessions.ts";
import { Fleet } from "./fleet/fleet.ts";
import { LiveSockets } from "./live/sockets.ts";
import { builtIn } from "./rest/access.ts";
import { Audit } from "./rest/audit.ts";
import type { Scenario } from "./scenario.ts";

export class World {
  readonly fleet: Fleet;
  readonly faults = new Faults();
  readonly sessions: Sessions;
  readonly audit: Audit;
  readonly live = new LiveSockets();
  readonly rules: ReturnType<typeof builtIn>;
  /** Until when who may change a protected cluster: `user/cluster`. */
  readonly confirmed = new Map<string, number>();
  readonly endedSessions = new Set<string>();
  /** Once each: what a terminal is opened with. */
  readonly tickets = new Map<string, { session: string; path: string; expires: number }>();
  /** The terminals that are open. */
  readonly terminals = new Set<WebSocket>();
  rotating = false;
  waitsForSetUp: boolean;

  constructor(readonly scenario: Scenario) {
    this.fleet = new Fleet(scenario);
    this.rules = builtIn(scenario.empty);
    this.sessions = new Sessions(scenario.empty ? {} : { jane: ["trunkline:admins"], omar: ["trunkline:operators", "shop"], li: ["trunkline:viewers"], nobody: [] });
    this.audit = new Audit(Date.now(), scenario.empty ? 1 : 600);
    this.waitsForSetUp = scenario.empty;
  }
}
