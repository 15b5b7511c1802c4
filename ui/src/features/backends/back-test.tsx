/** Tests other breaker thresholds against past requests. Changes nothing. */
import { useState } from "react";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { useBacktest } from "@/ipc/route-queries";
import type { BacktestQuery } from "@/ipc/bindings";
import { formatCounted, formatDuration } from "@/lib/quantity";

const NUMBERS = [
  { name: "consecutive_failures", label: "Failures in a row", standard: "3" },
  { name: "failure_percent", label: "Failed in 60 s, %", standard: "50" },
  { name: "window_calls_min", label: "Minimum calls", standard: "10" },
  { name: "open_secs", label: "First trip, s", standard: "5" },
] as const;

type Typed = Partial<Record<(typeof NUMBERS)[number]["name"], string>>;

function whole(text: string | undefined): number | null {
  const number = Number(text);
  return text === undefined || text.trim() === "" || !Number.isInteger(number) || number < 0 ? null : number;
}

export function BackTest({ backend }: { backend: string }) {
  const [typed, setTyped] = useState<Typed>({});
  const query: BacktestQuery = {
    backend,
    days: 7,
    consecutive_failures: whole(typed.consecutive_failures),
    failure_percent: whole(typed.failure_percent),
    window_calls_min: whole(typed.window_calls_min),
    open_secs: whole(typed.open_secs),
  };
  const { data, error } = useBacktest(query);
  return (
    <section aria-label="Back-test" className="flex flex-col gap-3 border-t border-line pt-4">
      <h3 className="font-semibold">Test other thresholds against history</h3>
      <div className="grid grid-cols-4 items-end gap-2">
        {NUMBERS.map(({ name, label, standard }) => (
          <Field key={name} label={label}>
            {(given) => (
              <TextInput
                {...given}
                inputMode="numeric"
                placeholder={standard}
                value={typed[name] ?? ""}
                onChange={(event) => setTyped((before) => ({ ...before, [name]: event.target.value }))}
              />
            )}
          </Field>
        ))}
      </div>
      <ErrorNotice error={error} />
      <p role="status" className="min-h-10 text-ink-2">
        {data !== undefined && (
          <>
            <span className="font-medium text-ink-1">{data.sentence}</span> It actually tripped{" "}
            {formatCounted(data.opened_really, "time", "times")}
            {data.opened > 0 && ` and would have stayed tripped for ${formatDuration(data.open_secs * 1_000)}`}, over{" "}
            {formatCounted(data.attempts, "attempt", "attempts")}. Your settings are not changed.
          </>
        )}
      </p>
    </section>
  );
}
