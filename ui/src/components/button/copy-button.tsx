/** Copies a text to the clipboard and confirms it. */
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button/button";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [state, setState] = useState<"idle" | "copied" | "refused">("idle");
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState("copied"),
      () => setState("refused"),
    );
  };
  return (
    <Button
      size="small"
      look="quiet"
      icon={state === "copied" ? Check : Copy}
      onClick={copy}
      onBlur={() => setState("idle")}
    >
      <span aria-live="polite">
        {state === "copied" ? "Copied" : state === "refused" ? "Could not copy. Select the text instead." : label}
      </span>
    </Button>
  );
}

export function CodeBlock({ title, code }: { title: string; code: string }) {
  return (
    <figure className="overflow-hidden rounded-control border border-line bg-surface-0">
      <figcaption className="flex h-9 items-center justify-between border-b border-line pr-1 pl-3 text-12 text-ink-2">
        {title}
        <CopyButton text={code} label={`Copy ${title}`} />
      </figcaption>
      <pre className="p-3 font-mono text-12 leading-5 whitespace-pre-wrap text-ink-1 [overflow-wrap:anywhere]">
        <code>{code}</code>
      </pre>
    </figure>
  );
}
