/** One alert from its cause to its end: what happened when, and what the user wrote about it. */
import {
  ArrowLeft,
  Bell,
  ClipboardCopy,
  HeartPulse,
  MessageSquarePlus,
  SquareArrowOutUpRight,
  StickyNote,
  Unplug,
  Wrench,
  type LucideIcon,
} from "lucide-react";
import { useForm } from "react-hook-form";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { ChartCard } from "@/components/chart/chart-card";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Facts } from "@/components/text/facts";
import { TextInput } from "@/components/form/field";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { Page } from "@/components/layout/page";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { StateBadge } from "@/components/state/state-mark";
import { SwimLanes } from "@/components/chart/swim-lanes";
import { SwimLanesTable } from "@/components/chart/swim-lanes-table";
import { WithCode } from "@/components/text/with-code";
import { copyText } from "@/components/overlay/toast";
import { useAlertActions } from "@/connected/alert-actions";
import { useAction } from "@/ipc/actions";
import { useAlerts, useIncident } from "@/ipc/alert-queries";
import { signOfEntry } from "@/features/alerts/alert-sign";
import type {
  FailedRequestsView,
  IncidentEventView,
  IncidentSource,
  IncidentView,
  InboxEntryView,
} from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatCount } from "@/lib/quantity";
import { formatSpan } from "@/lib/time";
import { requestsPath } from "@/lib/request-filter";

export function IncidentScreen({ number }: { number: number }) {
  const alert = useIncident(number);
  const { data } = alert;
  return (
    <Page
      title={data?.alert.title ?? `Alert ${number}`}
      lead={data && <WithCode>{data.alert.detail}</WithCode>}
      actions={data && <IncidentActions incident={data} />}
    >
      <p>
        <PanelLink look="plain" path="/alerts/history" className="inline-flex items-center gap-1.5 text-12 text-ink-2">
          <ArrowLeft size={14} strokeWidth={1.5} aria-hidden />
          All alerts
        </PanelLink>
      </p>
      <Reading of={alert} skeleton={<LoadingCard label="Loading alert" className="h-[420px]" />}>
        {(detail) => <Detail detail={detail} />}
      </Reading>
    </Page>
  );
}

function IncidentActions({ incident: { alert, markdown } }: { incident: IncidentView }) {
  const { number, title, path } = alert;
  const firing = useAlerts().data?.alerts.find((one) => one.number === number);
  const actionsOf = useAlertActions();
  // What has ended is neither acknowledged nor silenced.
  const { acknowledge = null, isAcknowledging = false, silences = [] } = firing ? actionsOf(firing) : {};
  const copy: MenuEntry = {
    label: "Copy as Markdown",
    icon: ClipboardCopy,
    onChoose: () => copyText(markdown, "the alert as Markdown"),
  };
  useContextualActions({
    kind: "Alert",
    id: String(number),
    name: title,
    isOpen: true,
    actions: [
      ...(acknowledge === null ? [] : [acknowledge]),
      ...silences,
      { label: "Open", icon: SquareArrowOutUpRight, path },
      copy,
    ],
  });
  return (
    <>
      {acknowledge !== null && (
        <Button icon={acknowledge.icon} busy={isAcknowledging} onClick={acknowledge.onChoose}>
          {acknowledge.label}
        </Button>
      )}
      <Button icon={copy.icon} onClick={copy.onChoose}>
        {copy.label}
      </Button>
      <Button asChild look="primary">
        <PanelLink look="none" path={path}>
          Open
        </PanelLink>
      </Button>
      {silences.length > 0 && <Menu label={`More for ${title}`} entries={silences} />}
    </>
  );
}

function Detail({ detail: { alert, failed, timeline, events } }: { detail: IncidentView }) {
  return (
    <div className="grid items-start gap-4 @min-[760px]:grid-cols-[minmax(0,1fr)_320px]">
      <ChartCard
        finding="States during the alert"
        note="hatched: not observed"
        table={<SwimLanesTable lanes={timeline.lanes} />}
        className="@min-[760px]:col-span-2"
      >
        <SwimLanes
          label="States around the alert"
          from={timeline.from}
          to={timeline.to}
          lanes={timeline.lanes}
          markers={timeline.markers}
          shade={{ from: alert.since, to: alert.ended_at ?? timeline.to }}
        />
      </ChartCard>
      <Card title="What happened" note="oldest first" flush>
        <ol aria-label="Time line">
          {events.map((event) => (
            <Event key={`${event.at} ${event.source} ${event.text}`} event={event} />
          ))}
        </ol>
        <AddNote number={alert.number} />
      </Card>
      <Card title="Alert">
        <Facts facts={factsOf(alert, failed)} />
      </Card>
    </div>
  );
}

function factsOf(alert: InboxEntryView, failed: FailedRequestsView | null) {
  const until = alert.ended_at ?? undefined;
  return [
    { name: "State", value: <StateBadge sign={signOfEntry(alert)} /> },
    { name: "About", value: alert.scopes.length === 0 ? "–" : alert.scopes.join(", ") },
    { name: "Began", value: <Moment at={alert.since} focusable /> },
    {
      name: "Lasted",
      value: alert.ended_at === null ? "still firing" : formatSpan(alert.ended_at - alert.since),
    },
    { name: "Notified", value: alert.notified_at === null ? "no" : <Moment at={alert.notified_at} focusable /> },
    {
      name: "Acknowledged",
      value: alert.acknowledged_at === null ? "no" : <Moment at={alert.acknowledged_at} focusable />,
    },
    ...(failed === null ? [] : [failedRow(failed, alert.since, until)]),
  ];
}

function failedRow(failed: FailedRequestsView, since: number, until: number | undefined) {
  return {
    name: failed.backend === null ? "Failed requests" : `Failed at ${failed.backend}`,
    value:
      failed.count === 0 ? (
        "none"
      ) : (
        <PanelLink
          path={requestsPath({
            since: since,
            ...(until !== undefined && { until }),
            ...(failed.backend !== null && { backend: failed.backend }),
            state: "failed",
          })}
        >
          {failed.is_at_least ? `${formatCount(failed.count)} or more` : formatCount(failed.count)}
        </PanelLink>
      ),
  };
}

const SOURCES: Record<IncidentSource, { word: string; icon: LucideIcon }> = {
  alert: { word: "Alert", icon: Bell },
  health: { word: "Health", icon: HeartPulse },
  breaker: { word: "Breaker", icon: Unplug },
  note: { word: "Your note", icon: StickyNote },
  action: { word: "Changed", icon: Wrench },
};

function Event({ event: { at, source, text } }: { event: IncidentEventView }) {
  const { word, icon: Icon } = SOURCES[source];
  return (
    <li className="flex gap-3 border-b border-line px-4 py-2">
      <span title={word} className="pt-0.5 text-ink-3">
        <Icon size={14} strokeWidth={1.5} aria-hidden />
        <span className="sr-only">{word}: </span>
      </span>
      <span
        className={classNames(
          "min-w-0 flex-1 [overflow-wrap:anywhere]",
          source === "note" ? "text-ink-1" : "text-ink-2",
        )}
      >
        <WithCode>{text}</WithCode>
      </span>
      <span className="numeric text-12 whitespace-nowrap text-ink-3">
        <Moment at={at} focusable />
      </span>
    </li>
  );
}

function AddNote({ number }: { number: number }) {
  const form = useForm({ defaultValues: { note: "" } });
  const add = useAction("incidentNote", (call, note: string) => call({ number, note }));
  const submit = form.handleSubmit(({ note }) => add.mutate(note, { onSuccess: () => form.reset() }));
  const fault = faultOf(add.error, "note");
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-2 px-4 py-3">
      <div className="flex gap-2">
        <TextInput
          aria-label="Note"
          aria-invalid={fault !== null || undefined}
          placeholder="What was the cause? What helped?"
          {...form.register("note")}
        />
        <Button type="submit" icon={MessageSquarePlus} busy={add.isPending}>
          Add note
        </Button>
      </div>
      {fault !== null && (
        <p role="alert" className="text-12 text-bad">
          {fault}
        </p>
      )}
      <ErrorNotice error={faultElsewhere(add.error, ["note"])} />
    </form>
  );
}
