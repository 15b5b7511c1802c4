/** A unified diff, with added and removed lines told apart by their sign and colour. */
import { classNames } from "@/lib/class-names";

export function Diff({ label, text }: { label: string; text: string }) {
  return (
    <pre
      role="region"
      aria-label={label}
      tabIndex={0}
      className="focus-inset overflow-x-auto rounded-control border border-line bg-surface-0 py-2 font-mono text-12 leading-5"
    >
      {text
        .trimEnd()
        .split("\n")
        .map((line, index) => (
          <div key={`${index}${line}`} className={classNames("w-max min-w-full px-3", lineLook(line))}>
            {line === "" ? " " : line}
          </div>
        ))}
    </pre>
  );
}

function lineLook(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---") || line.startsWith("@@")) return "text-ink-3";
  if (line.startsWith("+")) return "bg-ok-wash text-ok";
  if (line.startsWith("-")) return "bg-bad-wash text-bad";
  return "text-ink-2";
}
