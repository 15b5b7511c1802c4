/** Pins a figure to the Overview, from wherever it is shown. */
import { Pin } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { Button, IconButton } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { PinMeasure, PinRange, PinSave, UsageFilter, UsageRange } from "@/ipc/bindings";
import { usePins } from "@/ipc/usage-queries";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { PIN_MEASURES, PIN_RANGES, PINS_MAX } from "@/lib/pins";

interface PinButtonProps {
  measure: PinMeasure;
  range: UsageRange;
  filter?: UsageFilter;
}

export function PinButton({ measure, range, filter = {} }: PinButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const known: PinRange = range === "last_day" ? "today" : range;
  const pin = { name: nameOf(measure, filter), measure, range: known, filter };
  return (
    <>
      <IconButton
        label={`Pin ${PIN_MEASURES.find((one) => one.value === measure)?.label.toLowerCase()} to the Overview`}
        icon={Pin}
        className="-my-1 size-6"
        onClick={() => setOpen(true)}
      />
      {isOpen && <PinDialog pin={pin} isNew onClose={() => setOpen(false)} />}
    </>
  );
}

/** What a pin is called until it gets a name: `cost-codex`. */
function nameOf(measure: PinMeasure, filter: UsageFilter): string {
  const words = [measure, ...Object.values(filter).filter((name) => typeof name === "string")];
  return words.map((word) => word.toLowerCase().replaceAll(/[^a-z0-9._]+/g, "-")).join("-");
}

const FIELDS = ["name", "measure", "range"] as const;

interface PinDialogProps {
  pin: PinSave;
  isNew: boolean;
  onClose: () => void;
}

export function PinDialog({ pin, isNew, onClose }: PinDialogProps) {
  const pins = usePins().data ?? [];
  const form = useForm<PinSave>({ defaultValues: pin });
  const save = useAction("pinSave", (call, values: PinSave) => call(values));
  const isFull = isNew && pins.length >= PINS_MAX;
  const send = (values: PinSave) => {
    const name = values.name.trim();
    save.mutate(
      { ...values, name, filter: pin.filter ?? {} },
      {
        onSuccess: () => {
          notify({ title: isNew ? `Pinned ${name} to the Overview` : `Changed ${name}` });
          onClose();
        },
      },
    );
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={isNew ? "Pin to the Overview" : `Edit ${pin.name}`}
      description={`Counts ${scopeWords(pin.filter ?? {})}.`}
    >
      <form noValidate onSubmit={(event) => void form.handleSubmit(send)(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          {isNew && (
            <Field
              label="Name"
              help="Lower-case letters, digits, dots and dashes. A name that exists is replaced."
              fault={faultOf(save.error, "name")}
            >
              {(control) => <TextInput {...control} {...form.register("name")} data-autofocus mono />}
            </Field>
          )}
          <div className="grid grid-cols-2 gap-4">
            <Field label="Figure" fault={faultOf(save.error, "measure")}>
              {(control) => (
                <FormSelect<PinSave> {...control} name="measure" control={form.control} options={PIN_MEASURES} />
              )}
            </Field>
            <Field label="Period" fault={faultOf(save.error, "range")}>
              {(control) => (
                <FormSelect<PinSave> {...control} name="range" control={form.control} options={PIN_RANGES} />
              )}
            </Field>
          </div>
          {isFull && (
            <p className="text-12 text-ink-2">
              Four figures are pinned, which is the most. To replace one, use its name:{" "}
              {pins.map(({ name }) => name).join(", ")}.
            </p>
          )}
          <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        </DialogBody>
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {isNew ? "Pin" : "Save"}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

/** `the requests of client codex and backend openai`. */
function scopeWords(filter: UsageFilter): string {
  const names = Object.entries(filter).flatMap(([by, name]) =>
    typeof name === "string" ? [`${by === "credential" ? "key" : by} ${name}`] : [],
  );
  return names.length === 0 ? "all requests" : `the requests of ${names.join(" and ")}`;
}
