/** The product's mark for small sizes: a gate arch that is also a keyhole, with a brass keystone. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="1 0 14 15" aria-hidden="true" className="-mx-px shrink-0">
      <path className="fill-ink-1" d="M2 14V8a6 6 0 0 1 12 0v6h-4l-.8-3.25a3 3 0 1 0-2.4 0L6 14Z" />
      <path className="fill-accent stroke-surface-1 [paint-order:stroke]" d="M6.4 1h3.2L9 5H7Z" />
    </svg>
  );
}
