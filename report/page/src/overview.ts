import type { Colors } from "./diagram";
import type { Run, Span } from "./document";

// Overview is the whole run in a strip, with the time in view marked in it.
export class Overview {
  private readonly ctx: CanvasRenderingContext2D;
  private width = 0;
  private readonly height = 40;
  found: number[] = []; // times
  colors: Colors = {};

  constructor(readonly canvas: HTMLCanvasElement, private readonly run: Run) {
    const ctx = canvas.getContext("2d");
    if (!ctx) throw new Error("this browser has no canvas");
    this.ctx = ctx;
  }

  size(width: number, ratio: number): void {
    this.width = width;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.height = this.height + "px";
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  private x(t: number): number {
    return (t / Math.max(this.run.run.until, 1)) * this.width;
  }

  time(x: number): number {
    return (x / Math.max(this.width, 1)) * this.run.run.until;
  }

  draw(shown: Span): void {
    const c = this.ctx;
    const base = this.height - 1;
    c.fillStyle = this.colors.paper;
    c.fillRect(0, 0, this.width, this.height);
    for (const b of this.run.bands) {
      c.fillStyle = this.colors["fault-fill"];
      c.fillRect(this.x(b.from), 9, Math.max(this.x(b.until) - this.x(b.from), 2), 5);
    }
    const [ops, messages] = this.run.bins;
    this.area(messages, base, this.colors.line, 1);
    this.area(ops, base, this.colors.soft, 0.55);
    for (const op of this.run.ops) {
      if (op.rank === 0) continue;
      c.fillStyle = this.colors.bad;
      c.fillRect(this.x(op.from) - 0.75, 0, Math.max(this.x(op.until) - this.x(op.from), 1.5), 6);
      if (op === this.run.answer) c.fillRect(this.x(op.until) - 0.75, 0, 1.5, base);
    }
    c.fillStyle = this.colors.mark;
    for (const t of this.found) c.fillRect(this.x(t), base - 8, 1.5, 8);
    c.fillStyle = this.colors.wash;
    c.globalAlpha = 0.75;
    let from = 0;
    for (const k of [...this.run.kept, { from: this.run.run.until, until: this.run.run.until }]) {
      c.fillRect(this.x(from), 0, this.x(k.from) - this.x(from), base);
      from = k.until;
    }
    c.globalAlpha = 1;
    const left = Math.max(this.x(shown.from), 0.5);
    const right = Math.min(Math.max(this.x(shown.until), left + 3), this.width - 0.5);
    c.globalAlpha = 0.07;
    c.fillStyle = this.colors.ink;
    c.fillRect(left, 0, right - left, base);
    c.globalAlpha = 1;
    c.strokeStyle = this.colors.ink;
    c.lineWidth = 1.2;
    c.strokeRect(left, 0.6, right - left, base - 1.2);
  }

  private area(bins: number[], base: number, color: string, alpha: number): void {
    const c = this.ctx;
    const most = Math.max(1, ...bins);
    const w = this.width / bins.length;
    c.globalAlpha = alpha;
    c.fillStyle = color;
    for (const [i, n] of bins.entries()) {
      if (n > 0) c.fillRect(i * w, base - 2 - (n / most) * (base - 18), w, 2 + (n / most) * (base - 18));
    }
    c.globalAlpha = 1;
  }
}
