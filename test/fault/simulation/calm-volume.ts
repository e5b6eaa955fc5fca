import { Chance } from "./chance.ts";
import { SimulatedVolume } from "./simulated-volume.ts";
import { calm, type Weather } from "./weather.ts";

/** A volume in memory on which nothing fails, unless `weather` says so. */
export function calmVolume({
  weather = calm,
  strays = () => undefined,
}: {
  readonly weather?: Weather;
  /** Called for every operation that met another file than it was meant for. */
  readonly strays?: (meant: string, met: string | undefined) => void;
} = {}): SimulatedVolume {
  const ignore = (): void => undefined;
  return new SimulatedVolume({
    chance: new Chance(1),
    later: setImmediate,
    weather: () => weather,
    watch: {
      creates: ignore,
      writes: ignore,
      truncates: ignore,
      removes: ignore,
      quarantines: ignore,
      strays,
      injects: ignore,
    },
  });
}
