/** What is not looked for, and why. */
export function Unavailable({ rules }: { rules: string[] }) {
  if (rules.length === 0) return null;
  return (
    <ul aria-label="Not looked for" className="border-t border-line py-2 text-12 text-ink-3">
      {rules.map((rule) => (
        <li key={rule}>{rule}</li>
      ))}
    </ul>
  );
}
