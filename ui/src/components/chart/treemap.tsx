/**
 * Parts of a whole as tiles, the largest first, with a cursor for pointer and keyboard; a click or Enter chooses its
 * tile.
 */
import { hierarchy, Treemap as Layout, treemapSquarify } from "@visx/hierarchy";
import { useChartCursor } from "@/components/chart/chart-cursor";
import { ChartReadout } from "@/components/chart/chart-readout";
import { useMeasuredWidth } from "@/components/chart/measured";
import { classNames } from "@/lib/class-names";

export interface TreemapTile {
  key: string;
  label: string;
  value: number;
  /** A CSS colour. */
  colour: string;
  /** Beside the value, for example its share. */
  note?: string | undefined;
  /** False if nothing stands behind it to list. */
  opens: boolean;
  /** What the readout divides it into. */
  parts: { key: string; label: string; value: number; colour: string }[];
}

interface TreemapProps {
  /** What the tiles show, for example "Cost by project". */
  label: string;
  tiles: TreemapTile[];
  height: number;
  format: (value: number) => string;
  onChoose: (index: number) => void;
}

interface Node {
  tile?: TreemapTile;
  children?: Node[];
}

/** The smallest tile with words inside; the cursor names the others. */
const WORDS_PX = { width: 72, height: 40 };
const GAP_PX = 2;

export function Treemap({ label, tiles, height, format, onChoose }: TreemapProps) {
  const [width, measure] = useMeasuredWidth(760);
  const root = hierarchy<Node>({ children: tiles.map((tile) => ({ tile })) }).sum((node) => node.tile?.value ?? 0);
  return (
    <Layout<Node> root={root} size={[width, height]} tile={treemapSquarify} paddingInner={GAP_PX} round>
      {(laid) => (
        <div ref={measure} className="relative">
          <Tiles
            label={label}
            tiles={tiles}
            boxes={(laid.children ?? []).map(({ x0, y0, x1, y1 }) => ({ x0, y0, x1, y1 }))}
            size={{ width, height }}
            format={format}
            onChoose={onChoose}
          />
        </div>
      )}
    </Layout>
  );
}

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

interface TilesProps extends Omit<TreemapProps, "height"> {
  /** One for each tile, in pixels. */
  boxes: Box[];
  size: { width: number; height: number };
}

function Tiles({ label, tiles, boxes, size, format, onChoose }: TilesProps) {
  const indexAt = (across: number, down: number) => {
    const found = boxes.findIndex(({ x0, x1, y0, y1 }) => across >= x0 && across < x1 && down >= y0 && down < y1);
    return found === -1 ? null : found;
  };
  const { index: cursor, handlers } = useChartCursor({ count: tiles.length, indexAt, onChoose });
  const current = cursor === null ? undefined : tiles[cursor];
  const box = cursor === null ? undefined : boxes[cursor];
  return (
    <>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Left and right arrows move along the tiles, the largest first; Enter lists the requests of one.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(tiles.length - 1, 0)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={current ? spell(current, format) : "No tile chosen"}
        className="relative cursor-pointer rounded-control"
        style={{ height: size.height }}
        {...handlers}
      >
        {tiles.map((tile, index) => {
          const { x0, x1, y0, y1 } = boxes[index] ?? { x0: 0, x1: 0, y0: 0, y1: 0 };
          const hasWords = x1 - x0 >= WORDS_PX.width && y1 - y0 >= WORDS_PX.height;
          return (
            <div
              key={tile.key}
              aria-hidden
              data-mark
              className={classNames(
                "absolute overflow-hidden rounded-mark border-t-2 px-2 pt-1 text-12 leading-4",
                index === cursor && "outline-2 -outline-offset-2 outline-ink-1",
              )}
              style={{
                left: x0,
                top: y0,
                width: x1 - x0,
                height: y1 - y0,
                borderColor: tile.colour,
                background: `color-mix(in oklab, ${tile.colour} 26%, var(--surface-1))`,
              }}
            >
              {hasWords && (
                <>
                  <p className="truncate font-medium text-ink-1">{tile.label}</p>
                  <p className="truncate text-ink-2">
                    {format(tile.value)}
                    {tile.note === undefined ? "" : `, ${tile.note}`}
                  </p>
                </>
              )}
            </div>
          );
        })}
      </div>
      {current !== undefined && box !== undefined && (
        <ChartReadout
          title={current.label}
          total={format(current.value)}
          parts={current.parts.map((part) => ({ ...part, value: format(part.value) }))}
          hint={current.opens ? "Click to list the requests" : undefined}
          left={(box.x0 + box.x1) / 2}
          width={size.width}
        />
      )}
    </>
  );
}

function spell({ label, value, note, parts }: TreemapTile, format: (value: number) => string): string {
  const named = parts.map((part) => `${part.label} ${format(part.value)}`).join(", ");
  return `${label}: ${format(value)}${note === undefined ? "" : `, ${note}`}${named === "" ? "" : `. ${named}`}`;
}
