/** What came of trying what a connected tool does: its steps, with the reason of the one that failed. */
import { StateMark } from "@/components/state/state-mark";
import { WithCode } from "@/components/text/with-code";
import type { ToolCheckView } from "@/ipc/bindings";
import { TEST_STEP, TOOL_CHECK } from "@/lib/tables";

export function ToolAttempt({ tried }: { tried: ToolCheckView }) {
  return (
    <div role="status" className="flex flex-col gap-1.5 border-t border-line pt-2.5">
      <p className="flex gap-2 text-ink-1 [overflow-wrap:anywhere]">
        <span className="pt-[3px]">
          <StateMark sign={TOOL_CHECK[tried.outcome]} />
        </span>
        <span className="min-w-0">
          <WithCode>{tried.sentence}</WithCode>
        </span>
      </p>
      <ol aria-label={`Steps tried for ${tried.name}`} className="flex flex-col gap-1 pl-5 text-ink-2">
        {tried.steps.map((step) => (
          <li key={step.title} className="[overflow-wrap:anywhere]">
            <span className="font-medium">{step.title}</span>{" "}
            <span className="text-ink-3">{TEST_STEP[step.state].word}</span>
            {": "}
            <WithCode>{step.detail}</WithCode>
            {step.fix !== null && (
              <>
                {" "}
                <WithCode>{step.fix}</WithCode>
              </>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
