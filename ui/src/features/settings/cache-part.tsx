/** The server that shares cached responses between machines. */
import { useState } from "react";
import { DiscardAndSave } from "@/components/form/discard-and-save";
import { Card } from "@/components/layout/card";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Select } from "@/components/form/select";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import { useKeys } from "@/ipc/queries";
import type { SettingsValues, SettingsView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";

type Server = Pick<SettingsValues, "cache_redis_url" | "cache_redis_credential">;

const FIELDS = ["cache_redis_url", "cache_redis_credential"] as const;

/** A server for several machines: its address and password, saved together. */
export function SharedCachePart({ settings }: { settings: SettingsView }) {
  const { values, valid } = settings;
  const [typed, setTyped] = useState<Partial<Server>>({});
  const save = useAction("settingsEdit", (call, server: Partial<Server>) => call({ ...values, ...server }));
  const shown = { ...values, ...typed };
  const passwords = usePasswords(values.cache_redis_credential);
  const isDirty = FIELDS.some((key) => (shown[key] ?? "") !== (values[key] ?? ""));
  return (
    <Card title="Shared cache">
      <form
        noValidate
        aria-label="Shared cache"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(typed, {
            onSuccess: () => {
              setTyped({});
              notify({ title: "Settings saved" });
            },
          });
        }}
      >
        <Field
          label="Server"
          optional
          help="Redis or Valkey URL without a password, such as rediss://cache.example.com:6379/0. Default: none."
          fault={faultOf(save.error, "cache_redis_url")}
        >
          {(given) => (
            <TextInput
              {...given}
              mono
              disabled={!valid}
              value={shown.cache_redis_url ?? ""}
              onChange={(event) => setTyped((before) => ({ ...before, cache_redis_url: event.target.value }))}
            />
          )}
        </Field>
        <Field
          label="Password"
          optional
          help="A stored key with no allowed host."
          fault={faultOf(save.error, "cache_redis_credential")}
        >
          {(given) => (
            <Select
              {...given}
              className="w-full max-w-80"
              disabled={!valid}
              value={shown.cache_redis_credential ?? ""}
              onChange={(key) => setTyped((before) => ({ ...before, cache_redis_credential: key }))}
              options={passwords}
            />
          )}
        </Field>
        <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        {isDirty && (
          <div className="flex justify-end gap-2">
            <DiscardAndSave
              onDiscard={() => {
                setTyped({});
                save.reset();
              }}
              saving={save.isPending}
              label="Save server"
            />
          </div>
        )}
      </form>
    </Card>
  );
}

/** Keys without an allowed host. A key with one is sent to that host only, so it is not offered. */
function usePasswords(chosen: string | null): { value: string; label: string }[] {
  const keys = useKeys().data ?? [];
  const free = keys.filter(({ id, origin }) => origin === null || id === chosen);
  const isUnknown = chosen !== null && !keys.some(({ id }) => id === chosen);
  return [
    { value: "", label: "None" },
    ...(isUnknown ? [{ value: chosen, label: chosen }] : []),
    ...free.map(({ id, label }) => ({ value: id, label })),
  ];
}
