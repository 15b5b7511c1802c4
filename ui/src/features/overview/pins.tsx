/** The figures that the user pinned, at most four. */
import { Pencil, PinOff } from "lucide-react";
import { useState } from "react";
import { Change } from "@/components/text/change";
import { Menu } from "@/components/menu/menu";
import { PanelLink } from "@/components/layout/panel-link";
import { Partly } from "@/components/text/spend";
import { Sparkline } from "@/components/chart/sparkline";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { PinSave, PinView } from "@/ipc/bindings";
import { PinDialog } from "@/connected/pin-dialog";
import { formatPin, pinScreen } from "@/lib/pins";
import { pathWith } from "@/lib/request-filter";

export function Pins({ pins }: { pins: PinView[] }) {
  if (pins.length === 0) return null;
  return (
    <ul
      aria-label="Pinned figures"
      className="grid grid-cols-2 gap-px overflow-hidden rounded-card border border-line bg-line @min-[960px]:grid-flow-col @min-[960px]:auto-cols-fr @min-[960px]:grid-cols-none"
    >
      {pins.map((pin) => (
        <Pin key={pin.name} pin={pin} />
      ))}
    </ul>
  );
}

function Pin({ pin }: { pin: PinView }) {
  const { name, text, unit, value, days, unpriced_requests: unpriced, previous_label: before } = pin;
  const about = `${pin.measure_label}, ${pin.scope_label}`;
  return (
    <li className="flex min-w-0 flex-col bg-surface-1 px-4 pt-2 pb-2.5 odd:last:col-span-2 @min-[960px]:odd:last:col-span-1">
      <span className="flex h-6 items-center gap-1">
        <h2 className="min-w-0 flex-1 truncate text-12 font-medium text-ink-2" title={`${name}: ${about}`}>
          {name}
        </h2>
        <PinMenu pin={pin} />
      </span>
      <span className="flex items-baseline gap-2 overflow-hidden whitespace-nowrap">
        <PanelLink
          look="plain"
          path={pathWith(pinScreen(pin.measure), { range: pin.range, ...namesOf(pin) })}
          title={text}
          className="focus-inset text-18 leading-6 font-semibold tracking-[-0.01em]"
        >
          <Partly unpriced={value === null ? 0 : unpriced}>
            {unit === "tokens" && value !== null ? formatPin(unit, value) : text}
          </Partly>
        </PanelLink>
        <span
          className="text-12 text-ink-2"
          title={before === null ? undefined : `${formatPin(unit, pin.previous)} in ${before}`}
        >
          <PinChange pin={pin} />
        </span>
        <span className="ml-auto w-12 shrink-0">
          <Sparkline
            height={16}
            label={`${name} by day: ${days.map((day) => `${day.label} ${formatPin(unit, day.value)}`).join(", ")}`}
            values={days.map((day) => day.value)}
          />
        </span>
      </span>
      <span className="truncate text-11 text-ink-3" title={about}>
        {about}
      </span>
    </li>
  );
}

/** Of a percentage the difference in points: a percentage of it would mislead. */
function PinChange({ pin: { unit, change } }: { pin: PinView }) {
  if (change === null) return null;
  if (unit !== "percent") return <Change percent={Math.round(change)} />;
  const points = Math.abs(Math.round(change * 10) / 10);
  return points === 0 ? "as before" : `${change > 0 ? "+" : "−"}${points} points`;
}

/** The filter as the address has it. */
function namesOf({ filter: { credential, ...names } }: PinView): Record<string, string> {
  const known = Object.entries({ ...names, key: credential });
  return Object.fromEntries(known.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

const report = {
  onError: notifyError,
};

function PinMenu({ pin: { name, measure, range, filter } }: { pin: PinView }) {
  const [isEditing, setEditing] = useState(false);
  const remove = useAction("pinDelete", (call) => call({ name }));
  const restore = useAction("pinSave", (call, pin: PinSave) => call(pin));
  const pin = { name, measure, range, filter };
  return (
    <>
      <Menu
        label={`Actions for ${name}`}
        entries={[
          { label: "Edit", icon: Pencil, onChoose: () => setEditing(true) },
          {
            label: "Unpin",
            icon: PinOff,
            onChoose: () =>
              remove.mutate(undefined, {
                ...report,
                onSuccess: () => notify({ title: `Unpinned ${name}`, undo: () => restore.mutate(pin, report) }),
              }),
          },
        ]}
      />
      {isEditing && <PinDialog pin={pin} isNew={false} onClose={() => setEditing(false)} />}
    </>
  );
}
