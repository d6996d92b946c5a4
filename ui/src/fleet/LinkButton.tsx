import { Button, type ButtonProps } from "@patternfly/react-core";
import { Link } from "react-router";

/** A link that looks like a button. */
export function LinkButton({ to, ...props }: { to: string } & Omit<ButtonProps, "component" | "onClick">) {
  return <Button {...props} {...{ component: Link, to }} />;
}
