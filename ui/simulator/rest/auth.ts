/** Signing in and out, and the local users. */
import { bodyOf, json, nothing, problem, Refused, type Answer, type Asked } from "../door/answer.ts";
import { COOKIE, PASSWORD, type Session } from "../door/sessions.ts";
import { iso, type Schemas } from "../fleet/shapes.ts";
import type { World } from "../world.ts";

/** The code of the first run. */
export const CODE = "simulated-first-run-code";

export function cookie(session: Session | undefined): Record<string, string> {
  return { "set-cookie": session ? `${COOKIE}=${session.secret}; Path=/; HttpOnly; SameSite=Lax` : `${COOKIE}=; Path=/; Max-Age=0` };
}

export function signedIn(session: Session): Schemas["SignedIn"] {
  return { user: session.user, groups: session.groups, how: "local", session: session.id, csrf: session.csrf, expires: iso(session.ends) };
}

/** What everybody may ask, signed in or not. */
export function openAuth(world: World, asked: Asked, action: string, from: string): Answer | undefined {
  switch (`${asked.method} ${action}`) {
    case "GET methods": {
      const body: Schemas["SignInMethods"] = {
        issuers: world.scenario.empty ? [] : [{ name: "corp", url: "https://idp.example.com", clientId: "trunkline-cli", scopes: ["openid", "groups"], roots: null }],
        local: true, serviceAccounts: true, setup: world.waitsForSetUp,
      };
      return json(body);
    }
    case "GET login": {
      const session = world.sessions.begin("jane", from);
      return { status: 302, type: "", headers: { ...cookie(session), location: returnTo(asked.query.get("return")) }, body: "" };
    }
    case "POST local": {
      const { user, password } = bodyOf<Schemas["LocalSignIn"]>(asked);
      if (!world.sessions.users.has(user) || password !== PASSWORD) {
        return problem(401, "Unauthorized", "no local user has this name and this password");
      }
      return begin(world, user, from);
    }
    case "POST setup": {
      const { user, password, code } = bodyOf<Schemas["SetUp"]>(asked);
      if (!world.waitsForSetUp || code !== CODE) return problem(401, "Unauthorized", "this is not the first-run code, or it was used; the gateway printed it when it started");
      if (password.length < 12) return problem(400, "Invalid", "the password is shorter than 12 bytes");
      world.waitsForSetUp = false;
      world.sessions.users.set(user, ["trunkline:admins"]);
      return begin(world, user, from);
    }
    default:
      return undefined;
  }
}

function begin(world: World, user: string, from: string): Answer {
  const session = world.sessions.begin(user, from);
  const answer = json(signedIn(session));
  return { ...answer, headers: cookie(session) };
}

/** Only to a page of the Manager's. */
export function returnTo(path: string | null): string {
  return path !== null && /^\/ui\/[\w\-./?=&%+:,~]*$/.test(path) ? path : "/ui/";
}

export function auth(world: World, asked: Asked, session: Session, action: string, name: string): Answer {
  switch (`${asked.method} ${action}`) {
    case "GET session":
      return json(signedIn(session));
    case "POST logout":
      world.sessions.end(session, "signed out");
      return { ...nothing(), headers: cookie(undefined) };
    case "GET users":
      return json({ items: [...world.sessions.users].map(([user, groups]) => ({ name: user, groups, created: iso(world.fleet.began - 40 * 86_400_000) })) });
    case "POST users": {
      const wants = bodyOf<Schemas["NewLocalUser"]>(asked);
      if (world.sessions.users.has(wants.name)) return problem(409, "Exists", `there is a user ${wants.name} already`);
      if (wants.password.length < 12) return problem(400, "Invalid", "the password is shorter than 12 bytes");
      world.sessions.users.set(wants.name, wants.groups ?? []);
      return json({ name: wants.name, groups: wants.groups ?? [], created: iso(Date.now()) }, 201);
    }
    case "DELETE users":
      if (!world.sessions.users.delete(name)) throw new Refused(problem(404, "NotFound", `there is no local user ${name}`));
      return nothing();
    default:
      return problem(404, "NotFound", "there is nothing at this path");
  }
}
