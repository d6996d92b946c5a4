// Who is signed in. Nothing but the sign-in page is shown to anybody else, and the page that was asked for comes after it.

import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from "react";
import { rest, setCsrf, take, whenSignedOut, type Shapes } from "../api/client.ts";
import type { Fault } from "../api/fault.ts";
import { asFault } from "../api/fault.ts";
import { fleet } from "../api/fleet.ts";
import { live, queries, whenCutOff } from "../api/tab.ts";
import { Failed, Loading } from "../parts/states.tsx";
import { SignIn } from "./SignIn.tsx";

export interface Session {
  who: Shapes["SignedIn"];
  gateway: Shapes["GatewayStatus"];
  signOut: () => void;
}

const SessionOf = createContext<Session | null>(null);

/** The session; only below `SessionGate`. */
export function useSession(): Session {
  const session = useContext(SessionOf);
  if (session === null) throw new Error("used outside of a session");
  return session;
}

type State =
  | { at: "asking" }
  | { at: "out"; why: string }
  | { at: "failed"; fault: Fault }
  | { at: "in"; who: Shapes["SignedIn"]; gateway: Shapes["GatewayStatus"] };

async function ask(): Promise<State> {
  try {
    const who = await take(rest.GET("/trunkline/v1/auth/session"));
    setCsrf(who.csrf ?? "");
    const gateway = await take(rest.GET("/trunkline/v1/status"));
    return { at: "in", who, gateway };
  } catch (error) {
    const fault = asFault(error);
    return fault.status === 401 ? { at: "out", why: "" } : { at: "failed", fault };
  }
}

export function SessionGate({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ at: "asking" });
  const begin = useCallback(() => {
    setState({ at: "asking" });
    void ask().then(setState);
  }, []);

  useEffect(() => {
    const out = (fault: Fault) => {
      // Before a session nobody is told that it ended.
      setState((before) => (before.at === "in" ? { at: "out", why: fault.detail } : before));
    };
    whenSignedOut(out);
    whenCutOff(out);
    void ask().then(setState);
  }, []);

  const signedIn = state.at === "in";
  useEffect(() => {
    if (!signedIn) return;
    live.start();
    const leave = fleet.follow(live);
    return () => {
      leave();
      live.stop();
      queries.clear();
    };
  }, [signedIn]);

  if (state.at === "asking") return <Loading of="who is signed in" />;
  if (state.at === "failed") return <Failed error={state.fault} onRetry={begin} />;
  if (state.at === "out") return <SignIn why={state.why} onSignedIn={begin} />;
  const signOut = () => {
    const done = () => setState({ at: "out", why: "" });
    void rest.POST("/trunkline/v1/auth/logout", {}).then(done, done);
  };
  return <SessionOf.Provider value={{ who: state.who, gateway: state.gateway, signOut }}>{children}</SessionOf.Provider>;
}
