// Two versions of a text, one below the other: what goes and what comes, the rest folded away.

import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { basics, reading, shadowOf } from "./mirror.ts";

/** A diff of texts that are larger would hold up the page. */
const SCAN_LIMIT = 500;

export function YamlDiff({ before, after, label, height = 24 }: { before: string; after: string; label: string; height?: number }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return;
    const root = shadowOf(host.current);
    const view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: after,
        extensions: [
          basics(label, root),
          reading(),
          unifiedMergeView({
            original: before, mergeControls: false, gutter: true, highlightChanges: true,
            collapseUnchanged: { margin: 3, minSize: 6 }, diffConfig: { scanLimit: SCAN_LIMIT, timeout: 500 },
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after, label]);
  return <div ref={host} data-keys="own" style={{ height: `${height}rem` }} />;
}
