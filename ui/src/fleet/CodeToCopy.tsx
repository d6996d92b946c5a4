// Text to be run or read elsewhere, as it is, with a button that copies all of it.

import { Button, CodeBlock, CodeBlockAction } from "@patternfly/react-core";
import { CheckIcon, CopyIcon } from "@patternfly/react-icons";
import { useEffect, useState } from "react";

export function CodeToCopy({ words, text }: { words?: string; text: string }) {
  const lines = text.trimEnd().split("\n").length;
  return (
    <>
      {words !== undefined && <p className="tl-code-words">{words}</p>}
      <CodeBlock
        className="tl-code-block"
        actions={<CodeBlockAction><Copy text={text} />{lines > 20 && <small className="tl-subtle">{lines} lines</small>}</CodeBlockAction>}
      >
        {/* What is longer than its box is scrolled by keyboard too. */}
        <pre className="tl-code-text" tabIndex={0} role="region" aria-label={words ?? "to copy"}><code>{text}</code></pre>
      </CodeBlock>
    </>
  );
}

/** A line to be run, with its button. */
export function LineToCopy({ text }: { text: string }) {
  return (
    <div className="tl-line">
      <code className="tl-code">{text}</code>
      <Copy text={text} isSmall />
    </div>
  );
}

const SHOWN_MS = 2_000;

function Copy({ text, isSmall = false }: { text: string; isSmall?: boolean }) {
  const [state, setState] = useState<"" | "copied" | "refused">("");
  useEffect(() => {
    if (state === "") return;
    const timer = setTimeout(() => setState(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(() => setState("copied"), () => setState("refused"));
  };
  const words = state === "copied" ? "Copied" : state === "refused" ? "Select and copy by hand" : "Copy";
  return (
    <Button
      variant={isSmall ? "plain" : "secondary"}
      size="sm"
      icon={state === "copied" ? <CheckIcon /> : <CopyIcon />}
      onClick={copy}
      {...(isSmall ? { "aria-label": `${words}: ${text}` } : {})}
    >
      {isSmall ? undefined : <span aria-live="polite">{words}</span>}
    </Button>
  );
}
