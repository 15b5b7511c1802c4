/**
 * Shows the explanation of the element that is under the pointer or has the focus. One layer for the whole panel, so that
 * an element with a hint costs no more than one without.
 */
import { Anchor, Content, Root } from "@radix-ui/react-popper";
import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { explanationOf } from "@/components/overlay/hint";

const OPEN_AFTER_MS = 400;
/** In which the pointer may cross from the element to its explanation, and the next one opens at once. */
const LEAVE_MS = 200;

const ID = "hint";

function hintOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("[data-hint]") : null;
}

/** Not what was clicked: it has the focus too, and needs no words. */
function isChosenByKeyboard(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches(":focus-visible");
}

/** Names the explanation as the element's description. Returns a function that undoes it. */
function describe(element: HTMLElement): () => void {
  const before = element.getAttribute("aria-describedby");
  element.setAttribute("aria-describedby", before === null ? ID : `${before} ${ID}`);
  return () => {
    if (before === null) element.removeAttribute("aria-describedby");
    else element.setAttribute("aria-describedby", before);
  };
}

/** Calls `show` with the element whose explanation is to be shown, until it is stopped. */
function watchHints(show: (anchor: HTMLElement | null) => void): () => void {
  let shown: HTMLElement | null = null;
  let undescribe: (() => void) | undefined;
  /** What the timer will show. */
  let pending: HTMLElement | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Pressed: silent until the pointer has left it. */
  let pressed: HTMLElement | null = null;
  const become = (next: HTMLElement | null) => {
    clearTimeout(timer);
    pending = next;
    if (next === shown) return;
    undescribe?.();
    undescribe = next === null ? undefined : describe(next);
    shown = next;
    show(next);
  };
  const becomeAfter = (next: HTMLElement | null, ms: number) => {
    if (next === pending) return;
    clearTimeout(timer);
    pending = next;
    timer = setTimeout(() => become(next), ms);
  };
  const stop = new AbortController();
  const listen = <Name extends keyof DocumentEventMap>(
    name: Name,
    handle: (event: DocumentEventMap[Name]) => void,
  ): void => document.addEventListener(name, handle, { capture: true, passive: true, signal: stop.signal });
  listen("pointerover", ({ target, pointerType }) => {
    if (pointerType === "touch") return;
    const isOverText = target instanceof Element && target.closest(`#${ID}`) !== null;
    const under = isOverText ? shown : hintOf(target);
    if (under !== pressed) pressed = null;
    if (under === null || under === pressed) becomeAfter(null, LEAVE_MS);
    else becomeAfter(under, shown === null ? OPEN_AFTER_MS : 0);
  });
  listen("focusin", ({ target }) => {
    if (isChosenByKeyboard(target)) become(hintOf(target));
  });
  listen("focusout", () => become(null));
  listen("pointerdown", ({ target }) => {
    pressed = hintOf(target);
    become(null);
  });
  listen("click", () => become(null));
  listen("keydown", ({ key }) => {
    if (key === "Escape") become(null);
  });
  listen("scroll", ({ target }) => {
    if (shown !== null && target instanceof Node && target.contains(shown)) become(null);
  });
  // The layer is loaded after the first screen, so the focus may have moved before anything listened.
  if (isChosenByKeyboard(document.activeElement)) become(hintOf(document.activeElement));
  return () => {
    stop.abort();
    become(null);
  };
}

export function HintLayer() {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  useEffect(() => watchHints(setAnchor), []);
  const said = anchor === null ? undefined : explanationOf(anchor);
  if (anchor === null || said === undefined) return null;
  return createPortal(
    <Root>
      <Anchor virtualRef={{ current: anchor }} />
      <Content
        id={ID}
        role="tooltip"
        side={said.side}
        sideOffset={6}
        collisionPadding={8}
        hideWhenDetached
        className="z-50 max-w-72 animate-fade-in rounded-control border border-line bg-surface-3 px-2 py-1 text-12 text-ink-1 shadow-float"
      >
        {said.text}
      </Content>
    </Root>,
    document.body,
  );
}
