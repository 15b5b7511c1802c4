/** Sets one's own price of a model at a backend, in one step, wherever a cost is not known. */
import { useState } from "react";
import { useForm } from "react-hook-form";
import { Button } from "@/components/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/dialog";
import { ErrorNotice } from "@/components/error-notice";
import { Field, TextInput } from "@/components/field";
import { Select } from "@/components/select";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { PriceSet } from "@/ipc/bindings";
import { useBackends } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";

interface SetPriceProps {
  /** Null if the user has to choose it. */
  backend: string | null;
  model: string;
}

export function SetPriceButton({ backend, model }: SetPriceProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="small" look="quiet" onClick={() => setOpen(true)}>
        Set price
      </Button>
      {isOpen && <SetPriceDialog backend={backend} model={model} onClose={() => setOpen(false)} />}
    </>
  );
}

const RATES = [
  { name: "input", label: "Input", placeholder: "2.50" },
  { name: "output", label: "Output", placeholder: "10" },
  { name: "cache_read", label: "Cached input", placeholder: "0.25" },
  { name: "cache_write", label: "Cache write", placeholder: "3.125" },
] as const;

const FIELDS = ["backend", "model", ...RATES.map((rate) => rate.name)] as const;

export function SetPriceDialog({ backend, model, onClose }: SetPriceProps & { onClose: () => void }) {
  const backends = useBackends().data ?? [];
  const [chosen, setChosen] = useState(backend);
  const options = backends.filter((one) => !one.built_in).map(({ id, label }) => ({ value: id, label }));
  const offering = backends.find((one) => one.models.some((listed) => listed.id === model))?.id;
  const which = chosen ?? offering ?? options[0]?.value ?? "";
  const form = useForm<Omit<PriceSet, "backend">>({
    defaultValues: { model, input: "", output: "", cache_read: "", cache_write: "" },
  });
  const set = useAction("priceSet", (call, price: PriceSet) => call(price));
  const send = (price: Omit<PriceSet, "backend">) =>
    set.mutate(
      { ...price, backend: which },
      {
        onSuccess: ({ sentence }) => {
          notify({ title: sentence });
          onClose();
        },
      },
    );
  return (
    <Dialog
      open
      onClose={onClose}
      title="Set price"
      description="US dollars per million tokens, from now on. Requests without a price are priced with it too; others keep theirs."
    >
      <form noValidate onSubmit={(event) => void form.handleSubmit(send)(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          <div className="grid grid-cols-2 gap-4">
            <Field label="Backend" fault={faultOf(set.error, "backend")}>
              {(control) => <Select {...control} value={which} onChange={setChosen} options={options} />}
            </Field>
            <Field label="Model" fault={faultOf(set.error, "model")}>
              {(control) => <TextInput {...control} mono {...form.register("model")} />}
            </Field>
            {RATES.map(({ name, label, placeholder }, index) => (
              <Field key={name} label={label} optional={index > 0} fault={faultOf(set.error, name)}>
                {(control) => (
                  <TextInput
                    {...control}
                    {...form.register(name)}
                    data-autofocus={index === 0 || undefined}
                    inputMode="decimal"
                    placeholder={placeholder}
                  />
                )}
              </Field>
            ))}
          </div>
          <ErrorNotice error={faultElsewhere(set.error, FIELDS)} />
        </DialogBody>
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={set.isPending}>
            Set price
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
