// The objects of several kinds, or of several clusters, live together: a view for each, all of them one snapshot.

import { useMemo, useSyncExternalStore } from "react";
import type { KubeObject, Resource } from "./kube.ts";
import type { Live } from "./live.ts";
import { LiveList, type ListOf, type ListView } from "./objects.ts";

export type ObjectsOf = ListOf & { resource: Pick<Resource, "group" | "version" | "resource" | "kind"> };

export type ObjectsView = ListView<KubeObject>;

/** An object as it is kept: without managedFields; what an item of a list leaves out, its list's kind says. */
function kept({ group, version, kind }: ObjectsOf["resource"], object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return { ...object, apiVersion: object.apiVersion ?? apiVersion, kind: object.kind ?? kind, metadata };
}

/** Several lists as one store, which works while somebody looks. */
export class Lists {
  private readonly lists: LiveList<KubeObject>[];
  private users = 0;
  private shown: ObjectsView[] = [];

  constructor(of: ObjectsOf[], live: Live) {
    this.lists = of.map((one) => new LiveList(one, live, (object) => kept(one.resource, object)));
  }

  readonly subscribe = (hear: () => void): (() => void) => {
    const leave = this.lists.map((list) => list.subscribe(hear));
    if (this.users++ === 0) this.lists.forEach((list) => list.start());
    return () => {
      leave.forEach((each) => each());
      if (--this.users === 0) this.lists.forEach((list) => list.stop());
    };
  };

  /** The same array for as long as all views in it are the same. */
  readonly snapshot = (): ObjectsView[] => {
    const views = this.lists.map((list) => list.snapshot());
    if (this.shown.length !== views.length || views.some((view, at) => view !== this.shown[at])) this.shown = views;
    return this.shown;
  };

  readonly refresh = (): void => this.lists.forEach((list) => list.refresh());
}

/** The objects of each, live for as long as a page shows them. */
export function useLists(of: ObjectsOf[], live: Live): { views: ObjectsView[]; refresh: () => void } {
  const key = JSON.stringify(of);
  const lists = useMemo(() => new Lists(JSON.parse(key) as ObjectsOf[], live), [key, live]);
  return { views: useSyncExternalStore(lists.subscribe, lists.snapshot), refresh: lists.refresh };
}
