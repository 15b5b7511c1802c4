/** The product's mark: a gate arch that is also a keyhole. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" className="shrink-0 text-accent">
      <path
        fill="currentColor"
        fillRule="evenodd"
        d="M2 15V7a6 6 0 0 1 12 0v8zM8 5.2a2 2 0 0 0-1.1 3.7L6.3 15h3.4l-.6-6.1A2 2 0 0 0 8 5.2"
      />
    </svg>
  );
}
