/** `[3, side, side]` values in [-1, 1]: what engines are measured with; `aedr measure` has the same. @param {number} side */
export function picture(side) {
  return Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i / 7) * Math.cos(i / 131));
}
