/** What the user does for a tool, in order, with what to run or to paste. */
import { CodeBlock } from "@/components/button/copy-button";
import { WithCode } from "@/components/text/with-code";
import type { GuideStepView } from "@/ipc/bindings";

interface GuideStepsProps {
  /** The tool's own name. */
  name: string;
  steps: GuideStepView[];
}

export function GuideSteps({ name, steps }: GuideStepsProps) {
  if (steps.length === 0) return null;
  return (
    <ol aria-label={`Steps for ${name}`} className="flex flex-col gap-3">
      {steps.map((step, index) => (
        <li key={step.text} className="flex min-w-0 flex-col gap-1.5">
          <span className="text-ink-1">
            {index + 1}. <WithCode>{step.text}</WithCode>
          </span>
          {step.code !== null && <CodeBlock title={`Step ${index + 1}`} code={step.code} />}
        </li>
      ))}
    </ol>
  );
}
