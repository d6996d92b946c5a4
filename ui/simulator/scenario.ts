/** What is simulated. Everything comes from the seed: the same scenario is the same fleet, each time. */
export interface Scenario {
  readonly seed: number;
  /** How many managed clusters; the ten of `fleet/named.ts` if none is said. */
  readonly fleet: number | undefined;
  /** How many pods the first cluster has beyond its own. */
  readonly pods: number;
  /** How many changes of pods there are in the first cluster each second, while somebody watches. */
  readonly storm: number;
  /** Nothing yet: the first run, with the code that makes the first admin. */
  readonly empty: boolean;
  /** Every string that a cluster controls holds something that wants to be run. */
  readonly xss: boolean;
}

/** Reads `default`, `empty`, `xss`, `fleet=500`, `pods=30000`, `storm=5000`, or several with commas between. */
export function readScenario(text: string, seed = 1): Scenario {
  const said = new Map<string, number>();
  for (const word of text.split(",").filter((word) => word !== "" && word !== "default")) {
    const [name = "", value = "1"] = word.split("=");
    if (!["fleet", "pods", "storm", "empty", "xss"].includes(name)) throw new Error(`there is no scenario ${name}`);
    if (!/^\d{1,6}$/.test(value)) throw new Error(`${name}=${value} is no number that can be`);
    said.set(name, Number(value));
  }
  return {
    seed,
    fleet: said.get("fleet"),
    pods: said.get("pods") ?? 0,
    storm: said.get("storm") ?? 0,
    empty: said.has("empty"),
    xss: said.has("xss"),
  };
}
