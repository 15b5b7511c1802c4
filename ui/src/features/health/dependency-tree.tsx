/**
 * What answers depend on, as a tree: the cause of trouble, and what it explains. Branches where all is well are folded.
 * One place for Tab; the arrow keys walk and fold it, Enter opens what looks after the node.
 */
import { ChevronRight } from "lucide-react";
import { useState, type KeyboardEvent } from "react";
import { StateMark, TONE_TEXT } from "@/components/state/state-mark";
import type { DependencyKind, DependencyNodeView } from "@/ipc/bindings";
import { actionTarget } from "@/lib/action";
import { classNames } from "@/lib/class-names";
import { useNow } from "@/lib/clock";
import { formatCounted } from "@/lib/quantity";
import { DEPENDENCY } from "@/lib/tables";
import { formatExact, formatSpan } from "@/lib/time";

const INDENT_PX = 20;

const KIND_WORDS: Record<DependencyKind, string> = {
  network: "",
  machine: "",
  provider: "host",
  backend: "backend",
  key: "",
  models: "",
  model: "model",
  gateway: "",
  ledger: "",
  vault: "",
  settings: "",
  web_view: "",
  service: "service",
};

export function DependencyTree({ nodes }: { nodes: DependencyNodeView[] }) {
  /** What the user folded or opened; the rest is as the core says. */
  const [opened, setOpened] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [focused, setFocused] = useState<string | null>(null);
  const hasChildren = (node: DependencyNodeView) => nodes.some(({ parent }) => parent === node.id);
  const isOpen = (node: DependencyNodeView) => opened.get(node.id) ?? !node.folded;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const isShown = (node: DependencyNodeView): boolean => {
    const parent = node.parent === null ? undefined : byId.get(node.parent);
    return parent === undefined || (isOpen(parent) && isShown(parent));
  };
  const shown = nodes.filter(isShown);
  const current = shown.find(({ id }) => id === focused) ?? shown[0];

  const fold = (node: DependencyNodeView, open: boolean) => setOpened(new Map(opened).set(node.id, open));
  const go = (tree: EventTarget & Element, node: DependencyNodeView | undefined) => {
    if (node === undefined) return;
    setFocused(node.id);
    tree.querySelector<HTMLElement>(`[data-node="${CSS.escape(node.id)}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (current === undefined) return;
    const index = shown.indexOf(current);
    const tree = event.currentTarget;
    const step = {
      ArrowDown: () => go(tree, shown[index + 1]),
      ArrowUp: () => go(tree, shown[index - 1]),
      Home: () => go(tree, shown[0]),
      End: () => go(tree, shown.at(-1)),
      ArrowRight: () => {
        if (hasChildren(current) && !isOpen(current)) fold(current, true);
        else if (hasChildren(current)) go(tree, shown[index + 1]);
      },
      ArrowLeft: () => {
        if (hasChildren(current) && isOpen(current)) fold(current, false);
        else go(tree, current.parent === null ? undefined : byId.get(current.parent));
      },
      Enter: () => tree.querySelector<HTMLAnchorElement>(`[data-node="${CSS.escape(current.id)}"] a`)?.click(),
      " ": () => fold(current, !isOpen(current)),
    }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    step();
  };

  return (
    <ul role="tree" aria-label="What answers depend on" onKeyDown={onKeyDown} className="py-1">
      {shown.map((node) => (
        <TreeRow
          key={node.id}
          node={node}
          open={hasChildren(node) ? isOpen(node) : null}
          below={nodes.filter(({ parent }) => parent === node.id).map((child) => child.label)}
          isCurrent={node.id === current?.id}
          onFocus={() => setFocused(node.id)}
          onFold={() => fold(node, !isOpen(node))}
        />
      ))}
    </ul>
  );
}

interface TreeRowProps {
  node: DependencyNodeView;
  /** None for a leaf. */
  open: boolean | null;
  /** What is directly below it. */
  below: string[];
  isCurrent: boolean;
  onFocus: () => void;
  onFold: () => void;
}

function TreeRow({ node, open, below, isCurrent, onFocus, onFold }: TreeRowProps) {
  const { id, depth, kind, label, state, reason, since, suppressed_by: by, suppresses } = node;
  const now = useNow();
  const sign = DEPENDENCY[state];
  const isWell = state === "up" || state === "off";
  const kindWord = node.required === true ? `required ${KIND_WORDS[kind]}` : KIND_WORDS[kind];
  const target = node.action && actionTarget(node.action, id);
  const spoken = [
    `${label}: ${sign.word}`,
    since !== null && !isWell ? `for ${formatSpan(now - since)}` : "",
    node.required === true ? "required" : "",
    reason,
    by === null ? "" : `Because of ${by}.`,
    suppresses > 0 ? `Explains ${formatCounted(suppresses, "other", "others")}.` : "",
  ];
  return (
    <li
      role="treeitem"
      data-node={id}
      aria-level={depth + 1}
      aria-expanded={open ?? undefined}
      aria-label={spoken.filter((part) => part !== "").join(", ")}
      tabIndex={isCurrent ? 0 : -1}
      onFocus={onFocus}
      style={{ paddingLeft: 16 + depth * INDENT_PX }}
      className="focus-inset flex h-8 items-center gap-2 pr-4 hover:bg-surface-2"
    >
      {open === null ? (
        <span className="w-4 shrink-0" />
      ) : (
        <button type="button" tabIndex={-1} aria-hidden="true" onClick={onFold} className="shrink-0 text-ink-3">
          <ChevronRight
            size={16}
            strokeWidth={1.5}
            className={classNames("transition-transform duration-150", open && "rotate-90")}
          />
        </button>
      )}
      <StateMark sign={sign} size={13} />
      {target === null ? (
        <span className={classNames("shrink-0 truncate", depth === 0 ? "font-medium text-ink-1" : "text-ink-1")}>
          {label}
        </span>
      ) : (
        <a
          href={`#${target.path}`}
          tabIndex={-1}
          className="max-w-64 shrink-0 truncate rounded-mark text-ink-1 underline-offset-2 hover:underline"
        >
          {label}
        </a>
      )}
      {kindWord !== "" && <span className="shrink-0 text-12 text-ink-3">{kindWord}</span>}
      <span className="min-w-0 flex-1 truncate text-12 text-ink-2" title={reason}>
        {by !== null ? (
          ""
        ) : reason === "" && open === false ? (
          <span className="text-ink-3">{below.join(", ")}</span>
        ) : (
          reason
        )}
      </span>
      {by !== null && <span className="min-w-0 truncate text-12 text-ink-3">because of {by}</span>}
      {suppresses > 0 && (
        <span className="shrink-0 rounded-mark bg-surface-2 px-1.5 text-11 text-ink-2">explains {suppresses}</span>
      )}
      <span
        className={classNames(
          "w-36 shrink-0 text-right text-12 whitespace-nowrap",
          isWell ? "text-ink-3" : TONE_TEXT[sign.tone],
        )}
        title={since === null ? undefined : `Since ${formatExact(since)}`}
      >
        {sign.word}
        {since !== null && !isWell && ` for ${formatSpan(now - since)}`}
      </span>
    </li>
  );
}
