/** What a client may ask of the gateway, whether its answers may come from the cache, and whether somebody waits for them. */
import { FormProvider, useForm } from "react-hook-form";
import { DiscardAndSave } from "@/components/discard-and-save";
import { ErrorNotice } from "@/components/error-notice";
import { Field, Select } from "@/components/field";
import { LIMITS, LimitsFields, limitTexts, readLimits, type LimitTexts } from "@/components/limits-fields";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { CacheWishView, ClientPriorityView, ClientView } from "@/ipc/bindings";
import { faultElsewhere } from "@/lib/fault";

interface ClientValues extends LimitTexts {
  cache: CacheWishView | "";
  priority: ClientPriorityView;
}

const FIELDS = LIMITS.map((limit) => limit.name);

export function ClientSettings({ client }: { client: ClientView }) {
  const form = useForm<ClientValues>({
    defaultValues: { limits: limitTexts(client.limits), cache: client.cache ?? "", priority: client.priority },
  });
  const save = useAction(["clients"], (host, { limits: texts, cache, priority }: ClientValues) => {
    const limits = readLimits(texts);
    if ("code" in limits) return Promise.reject(limits);
    return host.clientEdit({ id: client.id, limits, cache: cache === "" ? null : cache, priority });
  });
  const submit = form.handleSubmit((values) =>
    save.mutate(values, {
      onSuccess: () => {
        form.reset(values);
        notify({ title: `${client.id} was saved`, detail: "It holds for its next request." });
      },
    }),
  );
  return (
    <FormProvider {...form}>
      <form noValidate aria-label="Limits" onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <LimitsFields error={save.error} />
        <div className="grid grid-cols-2 gap-3">
          <Field label="When all places are taken">
            {(given) => (
              <Select {...given} {...form.register("priority")}>
                <option value="interactive">Goes first: somebody waits</option>
                <option value="background">Goes last: nobody waits</option>
              </Select>
            )}
          </Field>
          <Field label="Answers from the cache">
            {(given) => (
              <Select {...given} {...form.register("cache")}>
                <option value="">As the request or its route says</option>
                <option value="auto">If the same question has the same answer</option>
                <option value="on">Always, whatever the temperature</option>
                <option value="off">Never</option>
                <option value="refresh">Ask again and keep the new answer</option>
              </Select>
            )}
          </Field>
        </div>
        <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        <div className="flex justify-end gap-2">
          <DiscardAndSave onDiscard={() => form.reset()} saving={save.isPending} unchanged={!form.formState.isDirty} />
        </div>
      </form>
    </FormProvider>
  );
}
