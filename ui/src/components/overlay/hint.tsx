/** A short explanation on hover and on focus, which `hint-layer` shows. */
import { Slot } from "@radix-ui/react-slot";
import type { ReactNode } from "react";

export interface Explanation {
  text: ReactNode;
  side: "top" | "right" | "bottom" | "left";
}

const explanations = new WeakMap<Element, Explanation>();

/** What is said of an element with `data-hint`. */
export function explanationOf(element: Element): Explanation | undefined {
  return explanations.get(element);
}

export function Hint({ text, side = "top", children }: Partial<Explanation> & { children: ReactNode }) {
  const remember = (element: HTMLElement | null) => {
    if (element !== null) explanations.set(element, { text, side });
  };
  return (
    <Slot ref={remember} data-hint="">
      {children}
    </Slot>
  );
}
