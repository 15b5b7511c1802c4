/** Sets one's own price of a model at a backend, in one step, wherever a cost is not known. */
import { useState } from "react";
import { useForm, type UseFormReturn } from "react-hook-form";
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Select } from "@/components/form/select";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError, Meter, MissingPriceView, PriceSet, PriceTier } from "@/ipc/bindings";
import { useBackends } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { METERS, PRICE_TIERS } from "@/lib/form-tables";

interface SetPriceProps {
  /** Null if the user has to choose it. */
  backend: string | null;
  model: string;
  /** What the price has to state, where that is known. */
  missing?: MissingPriceView | null | undefined;
}

export function SetPriceButton(props: SetPriceProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="small" look="quiet" onClick={() => setOpen(true)}>
        Set price
      </Button>
      {isOpen && <SetPriceDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

/** The meters of most models; a form that nothing is missing in begins with them. */
const COMMON: readonly Meter[] = ["input", "output", "cache_read", "cache_write_5m"];

const FIELDS = ["backend", "model", "tier", "above_tokens", "region", "factor", ...METERS.map((meter) => meter.value)];

interface PriceForm {
  model: string;
  above: string;
  region: string;
  factor: string;
  prices: Partial<Record<Meter, string>>;
}

function request(backend: string, tier: PriceTier, form: PriceForm): PriceSet {
  const { model, above, region, factor, prices } = form;
  return {
    backend,
    model,
    rates: METERS.map(({ value }) => ({ meter: value, price: prices[value] ?? "" })).filter(
      ({ price }) => price.trim() !== "",
    ),
    tier: tier === "standard" ? null : tier,
    // What is no number is sent as none that is valid, so that the core names the field.
    above_tokens: above.trim() === "" ? null : /^\d+$/.test(above.trim()) ? Number(above) : 0,
    region: region.trim() === "" && factor.trim() === "" ? null : { name: region, factor },
  };
}

export function SetPriceDialog({ backend, model, missing, onClose }: SetPriceProps & { onClose: () => void }) {
  const backends = useBackends().data ?? [];
  const [chosen, setChosen] = useState(backend);
  const [tier, setTier] = useState<PriceTier>(missing?.tier ?? "standard");
  const [meters, setMeters] = useState<readonly Meter[]>(() => shownFirst(missing));
  const options = backends.filter((one) => !one.built_in).map(({ id, label }) => ({ value: id, label }));
  const offering = backends.find((one) => one.models.some((listed) => listed.id === model))?.id;
  const which = chosen ?? offering ?? options[0]?.value ?? "";
  const form = useForm<PriceForm>({
    defaultValues: { model, above: "", region: missing?.region ?? "", factor: "", prices: {} },
  });
  const set = useAction("priceSet", (call, price: PriceSet) => call(price));
  const send = (price: PriceForm) =>
    set.mutate(request(which, tier, price), {
      onSuccess: ({ sentence }) => {
        notify({ title: sentence });
        onClose();
      },
    });
  const others = METERS.filter(({ value }) => !meters.includes(value));
  const isRegion = missing?.region != null;
  return (
    <Dialog
      open
      onClose={onClose}
      title="Set price"
      description="In US dollars, from now on. Empty fields stay unchanged. Past requests without a price get this one; the others keep theirs."
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
            <Field label="Service tier" fault={faultOf(set.error, "tier")}>
              {(control) => <Select {...control} value={tier} onChange={setTier} options={PRICE_TIERS} />}
            </Field>
            <Field
              label="Above input tokens"
              optional
              help="For longer requests alone."
              fault={faultOf(set.error, "above_tokens")}
            >
              {(control) => (
                <TextInput {...control} {...form.register("above")} inputMode="numeric" placeholder="200000" />
              )}
            </Field>
            {meters.map((meter, index) => (
              <RateField key={meter} meter={meter} form={form} error={set.error} isFirst={index === 0 && !isRegion} />
            ))}
            {others.length > 0 && (
              <Field label="Another rate">
                {(control) => (
                  <Select<Meter | "">
                    {...control}
                    value=""
                    onChange={(meter) => meter !== "" && setMeters([...meters, meter])}
                    options={[{ value: "", label: "Choose…" }, ...others]}
                  />
                )}
              </Field>
            )}
          </div>
          <RegionFields form={form} error={set.error} isFirst={isRegion} />
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

interface FormPartProps {
  form: UseFormReturn<PriceForm>;
  error: ApiError | null;
  /** Gets the focus first. */
  isFirst: boolean;
}

function RateField({ meter, form, error, isFirst }: FormPartProps & { meter: Meter }) {
  const { label, note } = METERS.find(({ value }) => value === meter) ?? { label: meter, note: "" };
  return (
    <Field label={label} help={note} fault={faultOf(error, meter)}>
      {(control) => (
        <TextInput
          {...control}
          {...form.register(`prices.${meter}`)}
          data-autofocus={isFirst || undefined}
          inputMode="decimal"
          placeholder="2.50"
        />
      )}
    </Field>
  );
}

function RegionFields({ form, error, isFirst }: FormPartProps) {
  return (
    <div className="grid grid-cols-2 gap-4">
      <Field label="Region" optional help="As the backend names it." fault={faultOf(error, "region")}>
        {(control) => <TextInput {...control} mono {...form.register("region")} placeholder="us" />}
      </Field>
      <Field
        label="Its factor"
        optional
        help="What tokens cost there, times the other rates."
        fault={faultOf(error, "factor")}
      >
        {(control) => (
          <TextInput
            {...control}
            {...form.register("factor")}
            data-autofocus={isFirst || undefined}
            inputMode="decimal"
            placeholder="1.1"
          />
        )}
      </Field>
    </div>
  );
}

/** The missing meter alone, where one is known to be missing. */
function shownFirst(missing: MissingPriceView | null | undefined): readonly Meter[] {
  if (missing?.meter != null) return [missing.meter];
  return missing?.region == null ? COMMON : [];
}
