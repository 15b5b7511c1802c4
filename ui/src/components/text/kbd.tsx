/** Keyboard keys. */
export function Kbd({ keys }: { keys: string[] }) {
  return (
    <span className="inline-flex gap-1">
      {keys.map((key) => (
        <kbd
          key={key}
          className="inline-flex h-5 min-w-5 items-center justify-center rounded-mark border border-line bg-surface-2 px-1 font-sans text-11 text-ink-2"
        >
          {key}
        </kbd>
      ))}
    </span>
  );
}
