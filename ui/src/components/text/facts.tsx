/** A list of names and values. */
import { Fragment, type ReactNode } from "react";

export interface Fact {
  name: string;
  value: ReactNode;
}

export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className="grid grid-cols-[minmax(108px,max-content)_minmax(0,1fr)] items-baseline gap-x-4 gap-y-2">
      {facts.map((fact) => (
        <Fragment key={fact.name}>
          <dt className="text-ink-3">{fact.name}</dt>
          <dd className="min-w-0 text-ink-1 [overflow-wrap:anywhere]">{fact.value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
