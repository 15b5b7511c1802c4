/** The keys of a backend: one, none, or several in an order or by weight. */
import { Plus, X } from "lucide-react";
import { useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { Button, IconButton } from "@/components/button";
import { Choice } from "@/components/choice";
import { TextInput } from "@/components/field";
import { FormSelect } from "@/components/select";
import { SortableList } from "@/components/sortable-list";
import { StateMark } from "@/components/state-mark";
import type { ApiError, PoolOrderView, KeyPoolView } from "@/ipc/bindings";
import { useKeys } from "@/ipc/queries";
import { faultOf } from "@/lib/fault";
import { KEY } from "@/lib/tables";

/** The form values that these fields use. */
export interface PoolValues {
  order: PoolOrderView;
  members: { credential: string; weight: string }[];
}

const ORDERS = [
  { value: "ordered", label: "In order" },
  { value: "weighted", label: "By weight" },
] as const;

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

export function KeyPool({ error }: { error: ApiError | null }) {
  const { control, register, setValue } = useFormContext<{ pool: PoolValues }>();
  const keys = useKeys().data ?? [];
  const rows = useFieldArray({ control, name: "pool.members" });
  const [order, members] = useWatch({ control, name: ["pool.order", "pool.members"] });
  const next = keys.find((key) => !members.some((member) => member.credential === key.id));
  const fault = faultOf(error, "credential") ?? faultOf(error, "pool") ?? faultOf(error, "members");
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
        {(_row, handle, index) => {
          const current = members[index]?.credential ?? "";
          const key = keys.find((known) => known.id === current);
          return (
            <div className="flex items-center gap-1.5">
              {rows.fields.length > 1 && handle}
              <StateMark sign={KEY[key?.state ?? "missing"]} />
              <FormSelect<{ pool: PoolValues }>
                aria-label={`Key ${index + 1}`}
                className="w-0 flex-1"
                name={`pool.members.${index}.credential`}
                options={[
                  ...(key === undefined ? [{ value: current, label: `${current} (removed)` }] : []),
                  ...keys.map((known) => ({ value: known.id, label: `${known.label} (${known.id})` })),
                ]}
              />
              {order === "weighted" && rows.fields.length > 1 && (
                <TextInput
                  aria-label={`Weight of key ${index + 1}`}
                  title="Weight; 0 is used only when the others fail"
                  inputMode="numeric"
                  className="w-14 text-right"
                  {...register(`pool.members.${index}.weight`)}
                />
              )}
              <IconButton label={`Remove key ${index + 1}`} icon={X} onClick={() => rows.remove(index)} />
            </div>
          );
        }}
      </SortableList>
      {rows.fields.length === 0 && <p className="text-12 text-ink-3">No key. Requests are sent without one.</p>}
      {fault !== null && (
        <p role="alert" className="text-12 text-bad">
          {fault}
        </p>
      )}
      <div className="flex items-center gap-3">
        <Button
          size="small"
          look="quiet"
          icon={Plus}
          disabled={next === undefined}
          onClick={() => next && rows.append({ credential: next.id, weight: "1" })}
        >
          {rows.fields.length === 0 ? "Add a key" : "Add another key"}
        </Button>
        {rows.fields.length > 1 && (
          <span className="ml-auto">
            <Choice
              label="Key selection"
              options={ORDERS}
              value={order}
              onChange={(value) => setValue("pool.order", value, { shouldDirty: true })}
            />
          </span>
        )}
      </div>
    </fieldset>
  );
}
