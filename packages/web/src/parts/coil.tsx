/** A coiled rope seen from above: the mark of the page. */
export function Coil({ turns = 4 }: { readonly turns?: number }) {
  const path = spiral(turns);
  return (
    <svg class="coil" viewBox="-52 -52 104 104" aria-hidden="true" focusable="false">
      <path class="coil-edge" d={path} />
      <path class="coil-rope" d={path} />
      <path class="coil-lay" d={path} />
    </svg>
  );
}

/** A spiral from the inside out whose loose end hangs down at the right. */
function spiral(turns: number): string {
  const steps = turns * 36;
  const points = Array.from({ length: steps + 1 }, (_, step) => {
    const angle = (step / 36) * 2 * Math.PI;
    const radius = 6 + (38 * step) / steps;
    return `${(radius * Math.cos(angle)).toFixed(1)} ${(radius * Math.sin(angle)).toFixed(1)}`;
  });
  return `M${points.join("L")}L44 46`;
}
