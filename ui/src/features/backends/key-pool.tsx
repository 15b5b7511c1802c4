/** The keys of a backend: one, none, or several in an order or by weight. */
import { Plus, X } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { Button, IconButton } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { Notice } from "@/components/notice/notice";
import { SortableList } from "@/components/table/sortable-list";
import { StateMark } from "@/components/state/state-mark";
import type { ApiError, KeyPoolView, KeyView, PoolOrder } from "@/ipc/bindings";
import { useKeys } from "@/ipc/queries";
import { faultOf } from "@/lib/fault";
import { POOL_ORDERS } from "@/lib/form-tables";
import { originOf } from "@/lib/origin";
import { KEY } from "@/lib/tables";

/** The form values that these fields use. */
export interface PoolValues {
  order: PoolOrder;
  members: { credential: string; weight: string }[];
}

export function poolValues(pool: KeyPoolView): PoolValues {
  return {
    order: pool.order,
    members: pool.members.map(({ credential, weight }) => ({ credential, weight: String(weight) })),
  };
}

/** Returns an error, shown under the keys, if a weight is not a whole number. */
export function readPool({ order, members }: PoolValues): KeyPoolView | ApiError {
  const read = members.map(({ credential, weight }) => ({ credential, weight: Number(weight) }));
  if (read.some(({ weight }) => !Number.isInteger(weight) || weight < 0))
    return { code: "invalid_input", message: "Weights must be whole numbers.", hint: null, field: "pool" };
  return { order, members: read };
}

/** The form values that the keys belong to. */
interface PoolFormValues {
  base_url: string;
  pool: PoolValues;
}

export function KeyPool({ error }: { error: ApiError | null }) {
  const { control, setValue } = useFormContext<PoolFormValues>();
  const add = useRef<HTMLButtonElement>(null);
  const keys = useKeys().data ?? [];
  const rows = useFieldArray({ control, name: "pool.members" });
  const [address, order, members] = useWatch({ control, name: ["base_url", "pool.order", "pool.members"] });
  const next = keys.find((key) => !members.some((member) => member.credential === key.id));
  const locked = lockedElsewhere(
    members.map(({ credential }) => keys.find((key) => key.id === credential)),
    address,
  );
  // The notice about locked keys says the same.
  const refused = locked.length > 0 ? null : faultOf(error, "key");
  const fault = refused ?? faultOf(error, "credential") ?? faultOf(error, "pool") ?? faultOf(error, "members");
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 text-12 font-medium">{rows.fields.length > 1 ? "Keys" : "Key"}</legend>
      <SortableList
        label="Keys"
        className="flex flex-col gap-1.5"
        items={rows.fields}
        idOf={(row) => row.id}
        nameOf={(row) => `key ${row.credential}`}
        onOrder={(_ids, from, to) => rows.move(from, to)}
      >
        {(_row, handle, index) => (
          <PoolRow
            index={index}
            credential={members[index]?.credential ?? ""}
            keys={keys}
            handle={rows.fields.length > 1 && handle}
            isWeighted={order === "weighted" && rows.fields.length > 1}
            onRemove={() => rows.remove(index)}
          />
        )}
      </SortableList>
      {rows.fields.length === 0 && <p className="text-12 text-ink-3">No key. Requests are sent without one.</p>}
      {locked.length > 0 && (
        <Locked
          keys={locked}
          onRemove={() => {
            rows.remove(locked.map(({ index }) => index));
            // The notice goes away with its button.
            add.current?.focus();
          }}
        />
      )}
      {fault !== null && (
        <p role="alert" className="text-12 text-bad">
          {fault}
        </p>
      )}
      <div className="flex items-center gap-3">
        <Button
          ref={add}
          size="small"
          look="quiet"
          icon={Plus}
          className="-ml-2.5"
          disabled={next === undefined}
          onClick={() => next && rows.append({ credential: next.id, weight: "1" })}
        >
          {rows.fields.length === 0 ? "Add a key" : "Add another key"}
        </Button>
        {rows.fields.length > 1 && (
          <span className="ml-auto">
            <Choice
              label="Key selection"
              options={POOL_ORDERS}
              value={order}
              onChange={(value) => setValue("pool.order", value, { shouldDirty: true })}
            />
          </span>
        )}
      </div>
    </fieldset>
  );
}

interface PoolRowProps {
  index: number;
  credential: string;
  keys: KeyView[];
  /** Nothing where there is no other row. */
  handle: ReactNode;
  isWeighted: boolean;
  onRemove: () => void;
}

function PoolRow({ index, credential, keys, handle, isWeighted, onRemove }: PoolRowProps) {
  const { register } = useFormContext<PoolFormValues>();
  const key = keys.find((known) => known.id === credential);
  return (
    <div className="flex items-center gap-1.5">
      {handle}
      <StateMark sign={KEY[key?.state ?? "missing"]} />
      <FormSelect<PoolFormValues>
        aria-label={`Key ${index + 1}`}
        className="w-0 flex-1"
        name={`pool.members.${index}.credential`}
        options={[
          ...(key === undefined ? [{ value: credential, label: `${credential} (removed)` }] : []),
          ...keys.map((known) => ({ value: known.id, label: `${known.label} (${known.id})` })),
        ]}
      />
      {isWeighted && (
        <TextInput
          aria-label={`Weight of key ${index + 1}`}
          title="Weight; 0 is used only when the others fail"
          inputMode="numeric"
          className="w-14 text-right"
          {...register(`pool.members.${index}.weight`)}
        />
      )}
      <IconButton label={`Remove key ${index + 1}`} icon={X} onClick={onRemove} />
    </div>
  );
}

interface LockedKey {
  index: number;
  id: string;
  origin: string;
}

/** The chosen keys that the core will not send to this address. An incomplete address says nothing about them. */
function lockedElsewhere(chosen: (KeyView | undefined)[], address: string): LockedKey[] {
  const target = originOf(address);
  if (target === null) return [];
  return chosen.flatMap((key, index) =>
    key === undefined || key.origin === null || key.origin === target
      ? []
      : [{ index, id: key.id, origin: key.origin }],
  );
}

function Locked({ keys, onRemove }: { keys: LockedKey[]; onRemove: () => void }) {
  const [first, ...others] = keys;
  const isOne = others.length === 0;
  return (
    <Notice
      tone="warn"
      title={
        isOne ? `The key ${first?.id} is locked to ${first?.origin}.` : `${keys.length} keys are locked to other hosts.`
      }
      action={
        <Button size="small" onClick={onRemove}>
          {isOne ? "Remove key" : "Remove keys"}
        </Button>
      }
    >
      {isOne ? "It is" : `${keys.map(({ id }) => id).join(", ")} are`} never sent to another host, so this address
      cannot be saved with {isOne ? "it" : "them"}. Choose a key for the new host, or remove{" "}
      {isOne ? "this one" : "these"} from the backend. The vault keeps {isOne ? "it" : "them"}.
    </Notice>
  );
}
