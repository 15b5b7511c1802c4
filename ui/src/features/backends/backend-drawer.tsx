/** Everything about one backend: health, models with prices, test, settings. */
import { Copy, KeyRound, ScrollText, MessageCircleQuestion, Trash2, Zap } from "lucide-react";
import { useState, type ReactNode } from "react";
import { AskModelDialog } from "@/features/backends/ask-model";
import { kindLabel, sayDiffering } from "@/features/backends/dialects";
import { EditBackend } from "@/features/backends/edit-backend";
import { Resilience } from "@/features/backends/resilience";
import { BackendTest, useBackendTest } from "@/features/backends/test-steps";
import { useBackendSwitch, useRemovalLosses } from "@/features/backends/backend-actions";
import { ServiceSummary } from "@/features/backends/service-summary";
import { Confirm } from "@/components/overlay/confirm";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { Drawer } from "@/components/overlay/dialog";
import { Facts, type Fact } from "@/components/text/facts";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { SetPriceButton } from "@/connected/set-price";
import { Sparkline } from "@/components/chart/sparkline";
import { Spend } from "@/components/text/spend";
import { StateBadge } from "@/components/state/state-mark";
import { Switch } from "@/components/form/switch";
import { Tabs, type Tab } from "@/components/layout/tabs";
import { copyText, notify } from "@/components/overlay/toast";
import { Unpriced } from "@/components/text/unpriced";
import { useAction } from "@/ipc/actions";
import type { BackendView, HealthView } from "@/ipc/bindings";
import { formatPrice } from "@/lib/money";
import { formatCount, formatCounted, formatDuration } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { healthSign } from "@/lib/states";

interface BackendDrawerProps {
  backend: BackendView | undefined;
  /** A model of it is being asked, or about to be. */
  asking: boolean;
  onAsk: (asks: boolean) => void;
  onClose: () => void;
}

const FIRST_TAB = "summary";
const TEST_TAB = "test";

export function BackendDrawer({ backend, asking, onAsk, onClose }: BackendDrawerProps) {
  const [isRemoving, setRemoving] = useState(false);
  const [chosen, setChosen] = useState({ of: "", tab: FIRST_TAB });
  const losses = useRemovalLosses(backend);
  const test = useBackendTest();
  const remove = useAction("backendRemove", (call, id: string) => call({ id }));
  if (backend === undefined) return null;
  const { id, label } = backend;
  const show = (tab: string) => setChosen({ of: id, tab });
  return (
    <>
      <Drawer
        open
        onClose={onClose}
        title={label}
        description={
          <span className="flex items-start gap-2">
            <StateBadge sign={healthSign(backend.health)} />
            <span className="min-w-0 [overflow-wrap:anywhere] first-letter:uppercase">{backend.health.reason}</span>
          </span>
        }
        actions={
          <BackendActions
            backend={backend}
            onTest={() => {
              show(TEST_TAB);
              test.mutate(id);
            }}
            onAsk={() => onAsk(true)}
            onRemove={() => setRemoving(true)}
          />
        }
      >
        <Tabs
          key={id}
          label={`About ${label}`}
          tabs={tabsOf(backend, <BackendTest id={id} test={test} onAsk={() => onAsk(true)} />)}
          shown={{ id: chosen.of === id ? chosen.tab : FIRST_TAB, onShow: show }}
        />
        <AskModelDialog key={`ask ${id}`} backend={backend} open={asking} onClose={() => onAsk(false)} />
      </Drawer>
      <Confirm
        open={isRemoving}
        title={`Remove ${backend.label}?`}
        losses={losses}
        verb="Remove backend"
        busy={remove.isPending}
        error={remove.error}
        onClose={() => setRemoving(false)}
        onConfirm={() =>
          remove.mutate(backend.id, {
            onSuccess: () => {
              setRemoving(false);
              onClose();
              notify({ title: `Removed ${backend.label}` });
            },
          })
        }
      />
    </>
  );
}

function tabsOf(backend: BackendView, test: ReactNode): Tab[] {
  const tabs: Tab[] = [
    { id: FIRST_TAB, label: "Summary", content: <Summary backend={backend} /> },
    { id: "resilience", label: "Resilience", content: <Resilience backend={backend.id} /> },
    { id: "models", label: `Models (${backend.models.length})`, content: <Models backend={backend} /> },
    { id: TEST_TAB, label: "Test", content: test },
  ];
  if (!backend.built_in)
    tabs.push({ id: "settings", label: "Settings", content: <EditBackend key={backend.id} backend={backend} /> });
  return tabs;
}

interface BackendActionsProps {
  backend: BackendView;
  onTest: () => void;
  onAsk: () => void;
  onRemove: () => void;
}

function BackendActions({ backend, onTest, onAsk, onRemove }: BackendActionsProps) {
  const { id, label, base_url: address, credential, enabled } = backend;
  const toggle = useBackendSwitch();
  const copy: MenuEntry[] =
    address === null
      ? []
      : [{ label: "Copy address", icon: Copy, onChoose: () => copyText(address, `the address of ${label}`) }];
  const remove: MenuEntry = {
    label: "Remove backend",
    icon: Trash2,
    danger: true,
    blocked: backend.built_in ? "Built in. Switch it off instead." : null,
    onChoose: onRemove,
  };
  // The palette finds the switch and the question from everywhere.
  useContextualActions({
    kind: "Backend",
    id,
    name: label,
    isOpen: true,
    actions: [
      { label: "Test", icon: Zap, onChoose: onTest },
      { label: "Show requests", icon: ScrollText, path: requestsPath({ backend: id, within: "24h" }) },
      ...(credential === null
        ? []
        : [{ label: "Open key", icon: KeyRound, path: `/keys/${encodeURIComponent(credential)}` }]),
      ...copy,
      remove,
    ],
  });
  return (
    <>
      <Switch label={`${label} switched on`} checked={enabled} onChange={(next) => toggle.change(backend, next)} />
      <Menu
        label="More for this backend"
        entries={[{ label: "Ask a model…", icon: MessageCircleQuestion, onChoose: onAsk }, ...copy, remove]}
      />
    </>
  );
}

function Summary({ backend }: { backend: BackendView }) {
  const { health, last_day: day } = backend;
  const requests = { backend: backend.id, within: "24h" };
  const facts: Fact[] = [
    { name: "ID", value: <code className="font-mono text-12">{backend.id}/model</code> },
    { name: "Kind", value: <Kind backend={backend} /> },
    {
      name: "Address",
      value: backend.base_url === null ? "built in" : <code className="font-mono text-12">{backend.base_url}</code>,
    },
    {
      name: "Key",
      value:
        backend.credential === null ? (
          "none"
        ) : (
          <PanelLink path={`/keys/${encodeURIComponent(backend.credential)}`}>{backend.credential}</PanelLink>
        ),
    },
    {
      name: `${healthSign(health).word} since`,
      value: health.since === null ? "–" : <Moment at={health.since} focusable />,
    },
    {
      name: "Last checked",
      value: health.last_checked === null ? "never" : <Moment at={health.last_checked} focusable />,
    },
    { name: "Last probe", value: sayProbe(health) },
  ];
  return (
    <div className="flex flex-col gap-5">
      <Facts facts={facts} />
      <section aria-label="Last 24 hours" className="flex flex-col gap-3 border-t border-line pt-4">
        <h3 className="font-semibold">Last 24 hours</h3>
        <Sparkline
          height={40}
          values={day.requests_per_hour}
          failed={day.failed_per_hour ?? []}
          label={`${formatCounted(day.spend.requests, "request", "requests")} in 24 hours by hour, ${formatCount(day.failed)} failed`}
        />
        <dl className="grid grid-cols-4 gap-3">
          <Figure
            name="Requests"
            value={<PanelLink path={requestsPath(requests)}>{formatCount(day.spend.requests)}</PanelLink>}
          />
          <Figure
            name="Failed"
            value={
              <PanelLink path={requestsPath({ ...requests, state: "failed" })}>{formatCount(day.failed)}</PanelLink>
            }
          />
          <Figure name="First token" value={day.first_token_ms === null ? "–" : formatDuration(day.first_token_ms)} />
          <Figure name="Spend" value={<Spend spend={day.spend} />} />
        </dl>
      </section>
      {!backend.built_in && <ServiceSummary id={backend.id} />}
    </div>
  );
}

/** Only an answer has a time, so a failed probe has none; a backend that is down may still answer with an error. */
function sayProbe({ state, probe_ms }: HealthView): string {
  if (probe_ms === null) return state === "down" ? "failed" : "–";
  return `${state === "down" ? "answered in " : ""}${formatDuration(probe_ms)} (free)`;
}

function Kind({ backend }: { backend: BackendView }) {
  const differing = sayDiffering(backend);
  return (
    <>
      {kindLabel(backend.kind)}
      {differing !== null && <span className="block text-12 text-ink-3 first-letter:uppercase">{differing}</span>}
    </>
  );
}

function Figure({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div>
      <dt className="text-12 text-ink-3">{name}</dt>
      <dd className="text-15 font-semibold">{value}</dd>
    </div>
  );
}

function Models({ backend: { id, built_in, models } }: { backend: BackendView }) {
  if (models.length === 0) return <p className="text-ink-2">No models yet. Test the backend to fetch its list.</p>;
  return (
    <table className="w-full">
      <caption className="pb-3 text-left text-12 text-ink-3">Prices in USD per million tokens.</caption>
      <thead className="text-12 text-ink-3">
        <tr>
          <th scope="col" className="pb-2 text-left font-medium">
            Model
          </th>
          <th scope="col" className="numeric pb-2 font-medium">
            Input
          </th>
          <th scope="col" className="numeric pb-2 font-medium">
            Cached
          </th>
          <th scope="col" className="numeric pb-2 font-medium">
            Output
          </th>
        </tr>
      </thead>
      <tbody>
        {models.map((model) => (
          <tr
            key={model.id}
            title={model.price === null ? undefined : `${model.price.source}, from ${model.price.valid_from}`}
          >
            <td className="border-t border-line py-2 pr-3 font-mono text-12 [overflow-wrap:anywhere]">{model.id}</td>
            {model.price === null ? (
              <td colSpan={3} className="numeric border-t border-line py-2">
                <Unpriced />
                {!built_in && <SetPriceButton backend={id} model={model.id} />}
              </td>
            ) : (
              [model.price.input_nano_usd, model.price.cache_read_nano_usd, model.price.output_nano_usd].map(
                (amount, index) => (
                  <td key={index} className="numeric border-t border-line py-2 pl-3">
                    {formatPrice(amount)}
                  </td>
                ),
              )
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
