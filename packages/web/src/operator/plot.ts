import uPlot from "uplot";
import { rateInWords } from "../words/amounts.ts";
import type { LiveSample } from "./live-words.ts";

const height = 200;

function timeInWords(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString();
}

/** Two lines over time that fit whatever place they are given. */
export class Plot {
  readonly #plot: uPlot;
  readonly #observer: ResizeObserver;

  constructor(place: HTMLElement) {
    const style = getComputedStyle(place);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--ink-soft"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    this.#plot = new uPlot(
      {
        width: place.clientWidth,
        height,
        cursor: { show: false },
        legend: { show: false },
        scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1000)] } },
        series: [
          {},
          {
            stroke: colour("--rope-pale"),
            width: 2,
            fill: colour("--rope-wash"),
            points: { show: false },
          },
          { stroke: colour("--accent"), width: 2, points: { show: false } },
        ],
        axes: [
          { ...axis, size: 28, space: 90, values: (_, splits) => splits.map(timeInWords) },
          { ...axis, size: 76, values: (_, splits) => splits.map(rateInWords) },
        ],
      },
      [[], [], []],
      place,
    );
    this.#observer = new ResizeObserver(() => {
      this.#plot.setSize({ width: place.clientWidth, height });
    });
    this.#observer.observe(place);
  }

  show(samples: readonly LiveSample[]): void {
    this.#plot.setData([
      samples.map(({ at }) => Date.parse(at) / 1000),
      samples.map(({ receivedBytes }) => receivedBytes),
      samples.map(({ durableBytes }) => durableBytes),
    ]);
  }

  remove(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }
}
