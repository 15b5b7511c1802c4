/** The candidates of a route in the form, in order: backend, model requested from it, weight. */
import { Plus, X } from "lucide-react";
import { useId, type ReactNode } from "react";
import { useFieldArray, useFormContext, useWatch } from "react-hook-form";
import { policyOf } from "@/features/routing/policies";
import type { RouteValues } from "@/features/routing/route-values";
import { Button, IconButton } from "@/components/button/button";
import { TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { SortableList } from "@/components/table/sortable-list";
import { StateMark } from "@/components/state/state-mark";
import type { ApiError, BackendView } from "@/ipc/bindings";
import { useBackends } from "@/ipc/queries";
import { faultOf } from "@/lib/fault";
import { HEALTH } from "@/lib/tables";

export function CandidateFields({ error }: { error: ApiError | null }) {
  const { control } = useFormContext<RouteValues>();
  const backends = useBackends().data ?? [];
  const rows = useFieldArray({ control, name: "candidates" });
  const policy = policyOf(useWatch({ control, name: "policy" }));
  const chosen = useWatch({ control, name: "candidates" });
  const fault = faultOf(error, "candidates");
  const next = backends.find((backend) => !chosen.some((one) => one.backend === backend.id)) ?? backends[0];
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 flex w-full items-baseline justify-between text-12 font-medium">
        Backends
        <span className="font-normal text-ink-3">
          {policy.shape === "queue" ? "tried in this order" : "order breaks ties"}
        </span>
      </legend>
      <SortableList
        label="Candidates"
        className="flex flex-col gap-1.5"
        items={rows.fields}
        idOf={(row) => row.id}
        nameOf={(row) => row.backend}
        onOrder={(_ids, from, to) => rows.move(from, to)}
      >
        {(_row, handle, index) => (
          <Candidate
            index={index}
            handle={handle}
            backends={backends}
            current={chosen[index]?.backend ?? ""}
            hasWeight={policy.shape === "shares"}
            onRemove={() => rows.remove(index)}
          />
        )}
      </SortableList>
      {rows.fields.length === 0 && (
        <p className="rounded-control border border-dashed border-line-strong/60 px-3 py-2 text-ink-2">
          No backends yet.
        </p>
      )}
      {fault !== null && (
        <p role="alert" className="text-12 text-bad">
          {fault}
        </p>
      )}
      <div>
        <Button
          size="small"
          look="quiet"
          icon={Plus}
          className="-ml-2.5"
          disabled={next === undefined}
          onClick={() => rows.append({ backend: next?.id ?? "", model: next?.models[0]?.id ?? "", weight: "1" })}
        >
          Add backend
        </Button>
      </div>
    </fieldset>
  );
}

interface CandidateProps {
  index: number;
  handle: ReactNode;
  backends: BackendView[];
  current: string;
  hasWeight: boolean;
  onRemove: () => void;
}

function Candidate({ index, handle, backends, current, hasWeight, onRemove }: CandidateProps) {
  const { register } = useFormContext<RouteValues>();
  const listId = useId();
  const backend = backends.find((known) => known.id === current);
  const place = index + 1;
  return (
    <div className="flex items-center gap-1.5 rounded-control border border-line bg-surface-1 py-1.5 pr-1 pl-0.5">
      {handle}
      <StateMark sign={HEALTH[backend?.health.state ?? "unknown"]} />
      <FormSelect<RouteValues>
        aria-label={`Backend ${place}`}
        className="w-36"
        name={`candidates.${index}.backend`}
        options={[
          ...(backend === undefined && current !== "" ? [{ value: current, label: `${current} (removed)` }] : []),
          ...backends.map((known) => ({ value: known.id, label: known.label })),
        ]}
      />
      <TextInput
        aria-label={`Model ${place}`}
        mono
        list={listId}
        placeholder="requested model"
        className="w-0 flex-1"
        {...register(`candidates.${index}.model`)}
      />
      <datalist id={listId}>
        {backend?.models.map((model) => (
          <option key={model.id}>{model.id}</option>
        ))}
      </datalist>
      {hasWeight && (
        <TextInput
          aria-label={`Weight ${place}`}
          title="Weight"
          inputMode="numeric"
          className="w-14 text-right"
          {...register(`candidates.${index}.weight`)}
        />
      )}
      <IconButton label={`Remove ${backend?.label ?? current}`} icon={X} onClick={onRemove} />
    </div>
  );
}
