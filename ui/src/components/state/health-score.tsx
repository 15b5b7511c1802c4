/** A health score with the parts that it is made of. */
import type { HealthScoreView } from "@/ipc/bindings";

export function HealthScore({ score }: { score: HealthScoreView }) {
  return (
    <div className="min-w-0">
      <h3 className="text-12 font-medium text-ink-1">
        {score.points === null ? "No score yet" : `Score ${score.points} of 100`}{" "}
        <span className="font-normal text-ink-3">{score.confidence} confidence</span>
      </h3>
      {score.cap_sentence !== null && <p className="text-12 text-warn">{score.cap_sentence}</p>}
      <table className="w-full text-12">
        <tbody>
          {score.parts.map(({ part, meaning, points, points_max: most }) => (
            <tr key={part}>
              <th scope="row" className="py-1 pr-3 text-left font-normal text-ink-2">
                {meaning}
              </th>
              <td className="numeric py-1 whitespace-nowrap text-ink-1">
                {points === null ? "not measured" : `${points.toFixed(1)} of ${most}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
