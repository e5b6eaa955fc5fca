import type { Filter } from "../state/rows.ts";
import { filter, setFilter, totals } from "../state/rows.ts";

/** Fewer rows than this are seen at a glance. */
const worthIt = 8;

/** Among thousands of rows, finds those that failed. */
export function RowFilter() {
  const { rows, active, paused, leaveWanted, fileWanted, finished, failed } = totals.value;
  if (rows < worthIt && filter.value === "all") return null;
  const choices: readonly [Filter, string, number][] = [
    ["all", "All", rows],
    ["active", "Under way", active + paused + leaveWanted + fileWanted],
    ["finished", "Done", finished],
    ["failed", "Failed", failed],
  ];
  return (
    <div class="filter" role="group" aria-label="Show">
      {choices.map(([name, words, count]) => (
        <button
          key={name}
          type="button"
          aria-pressed={filter.value === name}
          onClick={() => {
            setFilter(name);
          }}
        >
          {words} <span class="numbers">{count.toLocaleString("en")}</span>
        </button>
      ))}
    </div>
  );
}
