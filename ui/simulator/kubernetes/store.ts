/**
 * The objects of one cluster and how they changed, as etcd has it.
 *
 * - Every change has a version, higher than all before it in the cluster.
 * - A watch reads the changes from a version on at its own pace; what is too old to be there any more is told as gone, never passed over.
 */
import { Random } from "../random.ts";
import { keyOf, type KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";

export interface Change {
  version: number;
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: KubeObject;
  /** As it was before: a selector may have let it through then. */
  before: KubeObject | undefined;
}

/** How many changes of one resource are remembered. */
const REMEMBERED = 20_000;

export class Collection {
  readonly objects = new Map<string, KubeObject>();
  private changes: Change[] = [];
  /** The version through which changes have been forgotten. */
  private forgotten = 0;
  private sorted: string[] | undefined;
  private waiting = new Set<() => void>();
  private lastRead = 0;

  constructor(
    readonly resource: Resource,
    private readonly store: Store,
  ) {}

  keys(): readonly string[] {
    this.sorted ??= [...this.objects.keys()].sort((a, b) => (a < b ? -1 : 1));
    return this.sorted;
  }

  put(made: KubeObject): KubeObject {
    const key = keyOf(made.metadata);
    const before = this.objects.get(key);
    const version = this.store.next();
    const object: KubeObject = {
      ...made,
      metadata: {
        ...made.metadata,
        uid: before?.metadata.uid ?? made.metadata.uid ?? this.store.random.uid(),
        resourceVersion: String(version),
        creationTimestamp: before?.metadata.creationTimestamp ?? made.metadata.creationTimestamp ?? new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      },
    };
    this.objects.set(key, object);
    if (before === undefined) this.sorted = undefined;
    this.note({ version, type: before === undefined ? "ADDED" : "MODIFIED", object, before });
    return object;
  }

  remove(key: string): KubeObject | undefined {
    const before = this.objects.get(key);
    if (before === undefined) return undefined;
    this.objects.delete(key);
    this.sorted = undefined;
    const version = this.store.next();
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    this.note({ version, type: "DELETED", object, before });
    return object;
  }

  /** The changes after a version, at most `most`; `gone` if some of them are forgotten. */
  after(version: number, most: number): readonly Change[] | "gone" {
    this.lastRead = Date.now();
    if (version < this.forgotten) return "gone";
    let low = 0;
    let high = this.changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.changes[middle]?.version ?? Infinity) <= version) low = middle + 1;
      else high = middle;
    }
    return this.changes.slice(low, low + most);
  }

  /** Forgets all changes so far, as etcd's compaction does. */
  compact(): void {
    this.changes = [];
    this.forgotten = this.store.version;
    this.wake();
  }

  /** Resolves with the next change, or when the time or the reader is over. */
  next(signal: AbortSignal, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.waiting.add(done);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  }

  /** Whether somebody waits for changes, or took some lately. */
  get watched(): boolean {
    return this.waiting.size > 0 || Date.now() - this.lastRead < 1000;
  }

  private note(change: Change): void {
    this.changes.push(change);
    if (this.changes.length > 2 * REMEMBERED) {
      const cut = this.changes.splice(0, REMEMBERED);
      this.forgotten = cut.at(-1)?.version ?? this.forgotten;
    }
    this.wake();
  }

  private wake(): void {
    for (const done of [...this.waiting]) done();
  }
}

export class Store {
  version: number;
  readonly random: Random;
  private readonly collections = new Map<string, Collection>();

  constructor(seed: string) {
    this.random = new Random(seed);
    this.version = this.random.whole(10_000, 900_000);
  }

  next(): number {
    this.version += 1;
    return this.version;
  }

  of(resource: Resource): Collection {
    const key = `${resource.group}/${resource.plural}`;
    let collection = this.collections.get(key);
    if (collection === undefined) {
      collection = new Collection(resource, this);
      this.collections.set(key, collection);
    }
    return collection;
  }

  all(): Iterable<Collection> {
    return this.collections.values();
  }
}
