/** max |a − b| / max |b|; a NaN counts as the largest error. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function distance(a, b) {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    // Written so that a NaN is not skipped.
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return most / scale;
}
