/** A hypothetical request: which backend would serve it and why, and how many of them would be distributed. */
import { useId, useState } from "react";
import { Decision } from "@/features/routing/decision";
import { Simulation } from "@/features/routing/simulation";
import { Choice } from "@/components/form/choice";
import { Field, TextInput } from "@/components/form/field";
import { Select } from "@/components/form/select";
import { useBackends, useClients } from "@/ipc/queries";
import type { HypotheticalRequest, RouteView } from "@/ipc/bindings";
import { formatCount } from "@/lib/quantity";

const VIEWS = [
  { value: "explain", label: "Explain" },
  { value: "simulate", label: "Simulate" },
] as const;
type View = (typeof VIEWS)[number]["value"];

const NEEDS = [
  { name: "tools", label: "tools" },
  { name: "vision", label: "images" },
  { name: "json_schema", label: "a JSON schema" },
] as const;

const LENGTHS = [1_000, 8_000, 32_000, 128_000, 400_000];

export function AskPanel({ routes }: { routes: RouteView[] }) {
  const [view, setView] = useState<View>("explain");
  const [ask, setAsk] = useState<HypotheticalRequest>({
    model: firstName(routes),
    client: null,
    project: null,
    tools: false,
    vision: false,
    json_schema: false,
    input_tokens: 8_000,
  });
  return (
    <section
      aria-label="Try a request"
      className="@container flex min-w-0 flex-col rounded-card border border-line bg-surface-1"
    >
      <header className="flex min-h-11 flex-wrap items-center gap-2 px-4 py-1.5">
        <h2 className="text-13 font-semibold">Try a request</h2>
        <span className="ml-auto [--control-height:28px]">
          <Choice label="View" options={VIEWS} value={view} onChange={setView} />
        </span>
      </header>
      <AskFields routes={routes} ask={ask} onAsk={setAsk} />
      <div className="border-t border-line px-4 py-3">
        {ask.model.trim() === "" ? (
          <p className="text-ink-2">Enter a route or backend/model. Nothing is sent.</p>
        ) : view === "explain" ? (
          <Decision ask={ask} />
        ) : (
          <Simulation ask={ask} />
        )}
      </div>
    </section>
  );
}

/** A name that a tool might ask for: the first route's own, without its pattern. */
function firstName(routes: RouteView[]): string {
  const names = routes.filter((route) => route.enabled && route.in_profile).flatMap((route) => route.models);
  return names.find((name) => !name.includes("*")) ?? "";
}

function AskFields({
  routes,
  ask,
  onAsk,
}: {
  routes: RouteView[];
  ask: HypotheticalRequest;
  onAsk: (ask: HypotheticalRequest) => void;
}) {
  const backends = useBackends().data ?? [];
  const clients = useClients().data ?? [];
  const listId = useId();
  const names = [
    ...routes.flatMap((route) => route.models.filter((model) => !model.includes("*"))),
    ...backends.flatMap((backend) => backend.models.map((model) => `${backend.id}/${model.id}`)),
  ];
  return (
    <div className="flex flex-col gap-3 px-4 pb-3">
      <div className="grid grid-cols-[minmax(0,1.3fr)_minmax(0,1fr)_92px] gap-2">
        <Field label="Model">
          {(given) => (
            <>
              <TextInput
                {...given}
                mono
                list={listId}
                placeholder="model"
                value={ask.model}
                onChange={(event) => onAsk({ ...ask, model: event.target.value })}
              />
              <datalist id={listId}>
                {names.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label="Client">
          {(given) => (
            <Select
              {...given}
              value={ask.client ?? ""}
              onChange={(client) => onAsk({ ...ask, client: client === "" ? null : client })}
              options={[
                { value: "", label: "any client" },
                ...clients.map((client) => ({ value: client.id, label: client.id })),
              ]}
            />
          )}
        </Field>
        <Field label="Input tokens">
          {(given) => (
            <Select
              {...given}
              value={String(ask.input_tokens)}
              onChange={(length) => onAsk({ ...ask, input_tokens: Number(length) })}
              options={LENGTHS.map((length) => ({ value: String(length), label: formatCount(length) }))}
            />
          )}
        </Field>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-12">
        <span className="text-ink-3">Uses</span>
        {NEEDS.map(({ name, label }) => (
          <label key={name} className="flex items-center gap-1.5 text-ink-2">
            <input
              type="checkbox"
              checked={ask[name]}
              onChange={(event) => onAsk({ ...ask, [name]: event.target.checked })}
              className="size-3.5 accent-[var(--accent)]"
            />
            {label}
          </label>
        ))}
      </div>
    </div>
  );
}
