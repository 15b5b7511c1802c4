/** A placeholder of the content's size, so that the layout does not shift when it loads. */
import { classNames } from "@/lib/class-names";

export function Skeleton({ className }: { className?: string }) {
  const isCard = className?.includes("rounded-card") ?? false;
  const isRound = className?.includes("rounded-") ?? false;
  return (
    <span
      aria-hidden="true"
      className={classNames(
        "block",
        isCard ? "border border-line bg-surface-1" : "bg-surface-2",
        !isRound && "rounded-mark",
        className,
      )}
    />
  );
}

/** Where a card of a known height will be. */
export function LoadingCard({ label, className }: { label: string; className: string }) {
  return (
    <div role="status" aria-label={label}>
      <Skeleton className={`${className} rounded-card`} />
    </div>
  );
}

/** Rows in the frame of a card, where a list will be. */
export function SkeletonCard({ rows, label }: { rows: number; label: string }) {
  return (
    <div className="rounded-card border border-line bg-surface-1">
      <SkeletonRows rows={rows} label={label} />
    </div>
  );
}

export function SkeletonRows({ rows, label }: { rows: number; label: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="flex h-10 items-center gap-4 border-b border-line px-4 last:border-0">
          <Skeleton className="size-3 rounded-full" />
          <Skeleton className={index % 2 === 0 ? "h-3 w-40" : "h-3 w-32"} />
          <Skeleton className="ml-auto h-3 w-24" />
          <Skeleton className="h-3 w-16" />
        </div>
      ))}
    </div>
  );
}
