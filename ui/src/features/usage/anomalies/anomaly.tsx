/** One thing that is unlike what it usually is, with what explains it and the requests behind it. */
import { dimensionFilter } from "@/features/usage/requests-link";
import { Button } from "@/components/button/button";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { StateMark } from "@/components/state/state-mark";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { UsageAnomalyView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { requestsPath } from "@/lib/request-filter";
import { USAGE_ANOMALY, type Sign } from "@/lib/tables";

const CALM: Sign = { word: "Usual", shape: "disc", tone: "ok" };

/** The sign of the newest finding, or of a calm period. */
export function anomalySign(first: UsageAnomalyView | undefined): Sign {
  return first ? USAGE_ANOMALY[first.rule] : CALM;
}

/** With the button that says it is fine, or takes that back. */
export function Anomaly({ anomaly, isFine = false }: { anomaly: UsageAnomalyView; isFine?: boolean }) {
  const { rule, subject, start, end, contributors } = anomaly;
  const sign = USAGE_ANOMALY[rule];
  const about = subject === null ? {} : dimensionFilter(subject);
  const explanation = explanationOf(anomaly);
  return (
    <li className="flex items-baseline gap-3 border-t border-line py-2 first:border-t-0">
      <span className="marked self-start pt-1" title={sign.word}>
        <StateMark sign={sign} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="text-ink-1">
          <span className="sr-only">{sign.word}: </span>
          <PanelLink look="plain" path={requestsPath({ ...about, since: start, until: end })}>
            {anomaly.finding}
          </PanelLink>
        </p>
        {(explanation !== "" || contributors.length > 0) && (
          <p className="flex flex-wrap gap-x-3 text-12 text-ink-3">
            {explanation !== "" && <span className="text-ink-2">{explanation}</span>}
            {contributors.map((one) => (
              <PanelLink
                key={`${one.dimension}-${one.key}`}
                look="plain"
                path={requestsPath({ ...dimensionFilter(one), since: start, until: end })}
              >
                {`${one.label} +${formatMoney(one.excess_nano_usd)}`}
              </PanelLink>
            ))}
          </p>
        )}
      </div>
      <span className="text-12 whitespace-nowrap text-ink-3">
        <Moment at={start} />
      </span>
      <FineButtons anomaly={anomaly} isFine={isFine} />
    </li>
  );
}

/** Volume, mix and price add up to what was more than usual. */
function explanationOf({ split }: UsageAnomalyView): string {
  if (split === null) return "";
  const parts = [
    { words: "more tokens", nano: split.volume_nano_usd },
    { words: "dearer models", nano: split.mix_nano_usd },
    { words: "dearer tokens", nano: split.price_nano_usd },
  ];
  return parts
    .filter((part) => part.nano > 0)
    .toSorted((left, right) => right.nano - left.nano)
    .map((part) => `${formatMoney(part.nano)} from ${part.words}`)
    .join(", ");
}

function FineButtons({ anomaly: { id, finding }, isFine }: { anomaly: UsageAnomalyView; isFine: boolean }) {
  const dismiss = useAction("usageAnomalyDismiss", (call, always: boolean) => call({ id, always }));
  const restore = useAction("usageAnomalyRestore", (call) => call({ id }));
  const showAgain = () => restore.mutate(undefined, { onError: notifyError });
  const sayFine = (always: boolean) =>
    dismiss.mutate(always, {
      onSuccess: () => notify({ title: always ? "Remembered as fine" : "Fine unless it goes on", undo: showAgain }),
      onError: notifyError,
    });
  const button = (label: string, busy: boolean, onClick: () => void) => (
    <Button size="small" look="quiet" busy={busy} aria-label={`${label}: ${finding}`} onClick={onClick}>
      {label}
    </Button>
  );
  if (isFine) return button("Show again", restore.isPending, showAgain);
  return (
    <span className="-my-1 -mr-2.5 flex">
      {button("It's fine", dismiss.isPending, () => sayFine(false))}
      {button("Always fine", dismiss.isPending, () => sayFine(true))}
    </span>
  );
}
