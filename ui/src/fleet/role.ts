// What one may do with the fleet itself: see the clusters one reaches, see all, or change it. It is read from the access rules, which
// only those may see who see all of the fleet; the gateway decides anew with each request.

import { useQuery } from "@tanstack/react-query";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault } from "../api/fault.ts";
import { useSession } from "../app/session.tsx";

export type FleetRole = "none" | "viewer" | "admin";

type Who = Pick<Shapes["SignedIn"], "user" | "groups">;

/** The highest that a rule gives. */
export function roleOf(who: Who, rules: Shapes["AccessRule"][]): FleetRole {
  const own = rules.filter(({ spec: { subjects } }) =>
    (subjects.users ?? []).some((user) => user === "*" || user === who.user) || (subjects.groups ?? []).some((group) => who.groups.includes(group)));
  const roles = own.map(({ spec }) => spec.fleet ?? "none");
  return roles.includes("admin") ? "admin" : roles.includes("viewer") ? "viewer" : "none";
}

/** Null while it is not known. */
export function useFleetRole(): FleetRole | null {
  const { who } = useSession();
  const { data } = useQuery({
    queryKey: ["fleet role", who.session],
    staleTime: 60_000,
    queryFn: async () => {
      try {
        return roleOf(who, (await take(rest.GET("/trunkline/v1/access/rules"))).items);
      } catch (error) {
        if (asFault(error).status === 403) return "none";
        throw error;
      }
    },
  });
  return data ?? null;
}
