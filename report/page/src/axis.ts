import type { Span } from "./document";

// Fold is quiet time between stretches that belong together. While it is closed it
// takes a small part of the axis.
export interface Fold extends Span {
  open: boolean;
}

const foldShare = 0.045; // of the length that is shown first

// Axis maps time to the horizontal. Between its knots it is linear; folds are short.
export class Axis {
  readonly folds: Fold[] = [];
  private readonly foldLength: number;
  private times: number[] = [];
  private places: number[] = [];
  origin = 0; // place at the left edge
  scale = 1; // pixels per unit

  constructor(view: Span[]) {
    let shown = 0;
    for (const [i, s] of view.entries()) {
      shown += s.until - s.from;
      if (i > 0) this.folds.push({ from: view[i - 1].until, until: s.from, open: false });
    }
    this.foldLength = Math.max(shown * foldShare, 1);
    this.arrange();
  }

  // arrange computes the places anew after a fold was opened or closed.
  arrange(): void {
    this.times = [0];
    this.places = [0];
    for (const f of this.folds) {
      const from = this.place(f.from);
      const length = f.open ? f.until - f.from : Math.min(this.foldLength, f.until - f.from);
      this.times.push(f.from, f.until);
      this.places.push(from, from + length);
    }
  }

  // place is where on the axis a time lies, before zoom and pan.
  place(t: number): number {
    let i = this.times.length - 1;
    while (i > 0 && this.times[i] > t) i--;
    const next = this.times[i + 1];
    if (next === undefined || next === this.times[i]) return this.places[i] + (t - this.times[i]);
    return this.places[i] + ((t - this.times[i]) * (this.places[i + 1] - this.places[i])) / (next - this.times[i]);
  }

  time(place: number): number {
    let i = this.places.length - 1;
    while (i > 0 && this.places[i] > place) i--;
    const next = this.places[i + 1];
    if (next === undefined || next === this.places[i]) return this.times[i] + (place - this.places[i]);
    return this.times[i] + ((place - this.places[i]) * (this.times[i + 1] - this.times[i])) / (next - this.places[i]);
  }

  x(t: number): number {
    return (this.place(t) - this.origin) * this.scale;
  }

  at(x: number): number {
    return this.time(x / this.scale + this.origin);
  }

  // fit shows a stretch of time in so many pixels.
  fit(s: Span, width: number): void {
    const from = this.place(s.from);
    const length = Math.max(this.place(s.until) - from, 1);
    this.origin = from;
    this.scale = width / length;
  }

  zoom(by: number, x: number, least: number, most: number): void {
    const under = x / this.scale + this.origin;
    this.scale = Math.min(Math.max(this.scale * by, least), most);
    this.origin = under - x / this.scale;
  }

  // ticks returns round times in a stretch, at least so many pixels apart, outside
  // of closed folds, and their step.
  ticks(shown: Span, apart: number): { at: number[]; step: number } {
    const step = roundUp(apart / this.scale);
    const at: number[] = [];
    for (let t = Math.ceil(shown.from / step) * step; t <= shown.until && at.length < 300; ) {
      const fold = this.folds.find((f) => !f.open && f.from < t && t < f.until);
      if (fold) {
        t = Math.ceil(fold.until / step) * step;
        continue;
      }
      if (t >= 0) at.push(t);
      t += step;
    }
    return { at, step };
  }
}

// roundUp returns the least 1, 2 or 5 times a power of ten that is not below n.
function roundUp(n: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  for (const m of [1, 2, 5]) if (m * power >= n) return m * power;
  return 10 * power;
}
