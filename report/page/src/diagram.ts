import { Axis } from "./axis";
import { type Band, type Event, type Lane, type Message, type Op, type Run, type Span, lasting, unit, when } from "./document";

export interface Colors {
  [name: string]: string;
}

// Thing is what can be pointed at.
export type Thing = { op: Op } | { message: Message } | { words: string };

interface Placed {
  lane: Lane;
  top: number;
  height: number;
  line: number; // where messages leave and arrive
  bars: number; // where the first row of operations begins
}

interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

interface Segment {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

const barHeight = 16;
const barStep = 19;
const labelHeight = 17;
const bandStep = 20;
const maxBandRows = 6;
const axisHeight = 24;
const groupGap = 24;
const fontSize = 12;
const mono = 'ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';
const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif';
const mostMessages = 1000; // more than these in view are thinned out
const openIt = " · click to open";
const mostLabels = 60; // emphasised messages in view, to write what they say

const meets = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

// Diagram draws a run on a canvas. What is visible, emphasised and selected is told
// from outside; draw draws all of it anew.
export class Diagram {
  readonly axis: Axis;
  lanes: Placed[] = [];
  width = 0;
  height = 0; // of what can be seen
  content = 0; // of all lanes
  scroll = 0; // of lanes, from the top
  gutter = 100;
  colors: Colors = {};
  shows: (lane: number) => boolean = () => true;
  seesOp: (op: Op) => boolean = () => true;
  seesMessage: (m: Message) => boolean = () => true;
  cone: Set<Op | Message> | null = null; // what stands out instead of the witness: causes and effects, or what was found
  selected: Op | Message | null = null;
  hovered: Op | Message | null = null;
  cursor: Event | null = null;
  roles: (lane: number) => string = () => "";
  drawn = 0; // messages
  inView = 0; // messages

  private readonly ctx: CanvasRenderingContext2D;
  private readonly bandRow: number[] = [];
  private readonly bandRows: number;
  private readonly rankKind = new Map<number, string>();
  private byLane: (Placed | undefined)[] = []; // by number of the lane
  private char = 7.2;
  private ratio = 1;
  private hatches = new Map<string, CanvasPattern | null>();
  private top = 0; // of the lanes
  private readonly longest: number; // time that a message takes
  private readonly sent: Float64Array; // by message
  private readonly ends: Float64Array;
  private readonly look: Uint8Array; // 0: not seen, 1: seen, 2: stands out

  constructor(readonly canvas: HTMLCanvasElement, readonly run: Run) {
    const ctx = canvas.getContext("2d");
    if (!ctx) throw new Error("this browser has no canvas");
    this.ctx = ctx;
    this.axis = new Axis(run.view);
    this.bandRows = this.stackBands();
    this.stackOps();
    for (const op of run.ops) if (op.rank > 0) this.rankKind.set(op.rank, op.kind);
    this.sent = Float64Array.from(run.messages, (m) => m.sent);
    this.ends = Float64Array.from(run.messages, (m) => m.ends);
    this.look = new Uint8Array(run.messages.length);
    this.longest = run.messages.reduce((most, m) => Math.max(most, m.ends - m.sent), 0);
  }

  private stackBands(): number {
    const ends: number[] = [];
    for (const [i, b] of this.run.bands.entries()) {
      let row = ends.findIndex((end) => end < b.from);
      if (row < 0) row = ends.length;
      if (row < maxBandRows) ends[row] = b.until;
      this.bandRow[i] = row;
    }
    return ends.length;
  }

  private stackOps(): void {
    const ends = new Map<number, number[]>();
    for (const op of this.run.ops) {
      const rows = ends.get(op.lane) ?? [];
      ends.set(op.lane, rows);
      let row = rows.findIndex((end) => end <= op.from);
      if (row < 0) row = rows.length;
      rows[row] = op.until;
      op.row = row;
    }
  }

  // layout places the lanes that are shown.
  layout(): void {
    const rows = new Map<number, number>();
    for (const op of this.run.ops) if (this.seesOp(op)) rows.set(op.lane, Math.max(rows.get(op.lane) ?? 1, op.row + 1));
    this.lanes = [];
    this.byLane = new Array(this.run.lanes.length);
    this.top = axisHeight + this.bandRows * bandStep + 4;
    let y = this.top;
    let group: boolean | null = null;
    const nodes = this.run.lanes.filter((l) => l.node && this.shows(l.id)).length;
    const nodeHeight = nodes > 12 ? 36 : nodes > 7 ? 48 : 58;
    const order = [...this.run.lanes.filter((l) => !l.node), ...this.run.lanes.filter((l) => l.node)];
    let widest = 6;
    for (const lane of order) {
      if (!this.shows(lane.id)) continue;
      if (lane.node !== group) y += groupGap;
      group = lane.node;
      const n = rows.get(lane.id) ?? (lane.node ? 0 : 1);
      const bars = y + labelHeight;
      const height = n === 0 ? nodeHeight : labelHeight + n * barStep + 14;
      const line = n === 0 ? y + height / 2 : bars + n * barStep - 3;
      const placed = { lane, top: y, height, line, bars };
      this.lanes.push(placed);
      this.byLane[lane.id] = placed;
      y += height;
      widest = Math.max(widest, Math.min(lane.name.length, 18));
    }
    this.content = y + 10;
    this.decide();
    this.gutter = Math.max(this.run.marks.length > 0 ? 124 : 84, widest * this.char + 26);
  }

  // size fits the canvas to the width of its place on the page.
  size(width: number, height: number, ratio: number): void {
    this.width = Math.max(width, 200);
    this.height = height;
    this.ratio = ratio;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = height + "px";
    this.ctx.font = `${fontSize}px ${mono}`;
    this.char = this.ctx.measureText("0").width;
    this.hatches.clear();
    this.scrollTo(this.scroll);
  }

  get plot(): number {
    return this.width - this.gutter;
  }

  get shown(): Span {
    return { from: this.axis.at(0), until: this.axis.at(this.plot) };
  }

  scrollTo(y: number): void {
    this.scroll = Math.max(0, Math.min(y, this.content - this.height));
  }

  private x(t: number): number {
    return this.gutter + this.axis.x(t);
  }

  private y(lane: number): number | null {
    const l = this.byLane[lane];
    return l ? l.line - this.scroll : null;
  }

  // hot says whether something stands out.
  private hot(thing: Op | Message): boolean {
    return this.cone ? this.cone.has(thing) : thing.rank > 0;
  }

  private kindOf(m: Message): string {
    return (this.cone ? m.op?.kind : this.rankKind.get(m.rank)) ?? "other";
  }

  private color(kind: string): string {
    return this.colors[kind] ?? this.colors.other;
  }

  // segment is a message in pixels, or null if one of its lanes is not shown. What
  // was lost gets a stub, and what was dropped on arrival stops short.
  segment(m: Message): Segment | null {
    const y1 = this.y(m.from);
    let y2 = this.y(m.to);
    if (y1 === null || y2 === null) return null;
    let x1 = this.x(m.sent);
    let x2 = this.x(m.ends);
    const down = y2 < y1 ? -1 : 1;
    if (!m.ended || (m.dropped && m.ends === m.sent)) {
      x2 = x1 + 22;
      y2 = y1 + down * Math.min(Math.abs(y2 - y1) * 0.45, 60);
    } else if (m.dropped && !m.late) y2 -= 9 * down;
    if (x2 - x1 < 2) {
      x1 -= 2.5 * down;
      x2 -= 2.5 * down;
    }
    return { x1, y1, x2, y2 };
  }

  // messagesIn returns the messages of the time in view, as far as their lanes are
  // shown and no filter hides them.
  messagesIn(shown: Span): Message[] {
    const [faint, hot] = this.sorted(shown);
    return [...faint, ...hot].sort((a, b) => a.id - b.id);
  }

  // sorted returns them in two lists: those that do not stand out, and those that do.
  private sorted(shown: Span): [Message[], Message[]] {
    const all = this.run.messages;
    const lists: [Message[], Message[]] = [[], []];
    const { sent, ends, look } = this;
    const folds = this.axis.folds.some((f) => !f.open);
    for (let i = firstNotBefore(all, shown.from - this.longest); i < all.length && sent[i] <= shown.until; i++) {
      if (look[i] === 0 || ends[i] < shown.from || (folds && this.hidden(sent[i], ends[i]))) continue;
      lists[look[i] === 2 || all[i] === this.hovered ? 1 : 0].push(all[i]);
    }
    return lists;
  }

  // decide notes of each message whether it is seen and stands out. A redraw goes
  // through all messages in view, and has no time to ask.
  private decide(): void {
    for (const [i, m] of this.run.messages.entries()) {
      const seen = this.byLane[m.from] && this.byLane[m.to] && this.seesMessage(m);
      this.look[i] = !seen ? 0 : this.hot(m) ? 2 : 1;
    }
  }

  opsIn(shown: Span): Op[] {
    return this.run.ops.filter((op) => op.from <= shown.until && op.until >= shown.from && !this.hidden(op.from, op.until) && this.byLane[op.lane] && this.seesOp(op));
  }

  barOf(op: Op): Box | null {
    const l = this.byLane[op.lane];
    if (!l) return null;
    const x = this.x(op.from);
    return { x, y: l.bars + op.row * barStep - this.scroll, w: Math.max(this.x(op.until) - x, 3), h: barHeight };
  }

  draw(): void {
    const c = this.ctx;
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.fillStyle = this.colors.paper;
    c.fillRect(0, 0, this.width, this.height);
    const shown = this.shown;
    const [faintOnes, hot] = this.sorted(shown);
    const ops = this.opsIn(shown);
    c.save();
    c.beginPath();
    c.rect(this.gutter, 0, this.plot, this.height);
    c.clip();
    this.drawGround(shown);
    c.save();
    c.beginPath();
    c.rect(this.gutter, this.top - 4, this.plot, this.height);
    c.clip();
    this.drawDown();
    const faint = this.drawFaint(faintOnes);
    this.drawOps(ops);
    const taken = [...this.takenBy(ops), ...this.foldBoxes()];
    this.drawHot(hot);
    this.drawMarks(taken);
    this.labelOps(ops, taken);
    this.labelMessages(hot, taken);
    c.restore();
    this.drawMissing();
    this.drawFolds();
    this.drawHead(shown);
    this.drawCursor();
    c.restore();
    this.drawNames();
    if (this.scroll + this.height < this.content - 12) {
      c.textAlign = "center";
      this.write("▾ more lanes below: scroll", this.gutter + this.plot / 2, this.height - 8, this.colors.soft, { family: sans, halo: this.colors.paper });
      c.textAlign = "left";
    }
    this.inView = faintOnes.length + hot.length;
    this.drawn = faint + hot.length;
  }

  private drawGround(shown: Span): void {
    const c = this.ctx;
    for (const l of this.lanes) {
      if (l.lane.node) continue;
      c.fillStyle = this.colors.wash;
      c.fillRect(this.gutter, l.top - this.scroll, this.plot, l.height);
    }
    for (const b of this.run.bands) this.tint(b);
    c.strokeStyle = this.colors.grid;
    c.lineWidth = 1;
    c.beginPath();
    for (const t of this.axis.ticks(shown, 90).at) {
      const x = Math.round(this.x(t)) + 0.5;
      c.moveTo(x, this.top);
      c.lineTo(x, this.height);
    }
    c.stroke();
    for (const l of this.lanes) {
      c.strokeStyle = l.lane.node ? this.colors.soft : this.colors.line;
      c.beginPath();
      c.moveTo(this.gutter, Math.round(l.line - this.scroll) + 0.5);
      c.lineTo(this.width, Math.round(l.line - this.scroll) + 0.5);
      c.stroke();
    }
  }

  // tint colours the lanes that a fault befalls while it lasts.
  private tint(b: Band): void {
    const x = this.x(b.from);
    const w = Math.max(this.x(b.until) - x, 2);
    if (x > this.width || x + w < this.gutter || b.kind === "crash") return;
    const c = this.ctx;
    for (const id of b.lanes ?? []) {
      const l = this.byLane[id];
      if (!l) continue;
      const y = l.top - this.scroll;
      c.fillStyle = this.colors["fault-wash"];
      c.fillRect(x, y + 2, w, l.height - 4);
      if (b.kind === "pause" || b.kind === "clock") {
        c.fillStyle = this.hatch("fault", b.kind === "pause" ? 1 : 0) ?? this.colors["fault-wash"];
        c.fillRect(x, y + 2, w, l.height - 4);
      }
      c.fillStyle = this.colors.fault;
      c.fillRect(x, y + 2, w, 2);
    }
  }

  // hatch is a pattern of a colour: rising lines, falling lines or dots.
  private hatch(color: string, way: 0 | 1 | 2): CanvasPattern | null {
    const name = color + way;
    let p = this.hatches.get(name);
    if (p === undefined) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = 6;
      const t = tile.getContext("2d");
      if (t) {
        t.strokeStyle = t.fillStyle = this.color(color);
        t.lineWidth = 1.2;
        t.globalAlpha = 0.55;
        if (way === 0) t.fillRect(2, 2, 1.5, 1.5);
        else {
          const [a, b] = way === 1 ? [6, 0] : [0, 6];
          t.beginPath();
          for (const d of [-6, 0, 6]) {
            t.moveTo(d, a);
            t.lineTo(d + 6, b);
          }
          t.stroke();
        }
      }
      p = this.ctx.createPattern(tile, "repeat");
      this.hatches.set(name, p);
    }
    return p;
  }

  private drawDown(): void {
    const c = this.ctx;
    for (const d of this.run.down) {
      const line = this.y(d.lane);
      const x = this.x(d.from);
      const until = this.x(d.until);
      if (line === null || until < this.gutter || x > this.width) continue;
      c.fillStyle = this.colors.paper;
      c.fillRect(x, line - 11, until - x, 22);
      c.fillStyle = this.hatch("soft", 2) ?? this.colors.grid;
      c.fillRect(x, line - 11, until - x, 22);
      this.cross(x, line, 6, this.colors.bad, 2.4);
      if (d.last > 0) {
        c.fillStyle = this.colors.good;
        c.beginPath();
        c.moveTo(until - 4, line - 7);
        c.lineTo(until - 4, line + 7);
        c.lineTo(until + 6, line);
        c.fill();
      }
      if (until - Math.max(x, this.gutter) > 70) this.write("down", Math.max(x, this.gutter) + 13, line + 4, this.colors.ink, { halo: this.colors.paper, size: 11 });
    }
  }

  private cross(x: number, y: number, r: number, color: string, width: number): void {
    const c = this.ctx;
    c.strokeStyle = color;
    c.lineWidth = width;
    c.beginPath();
    c.moveTo(x - r, y - r);
    c.lineTo(x + r, y + r);
    c.moveTo(x - r, y + r);
    c.lineTo(x + r, y - r);
    c.stroke();
  }

  // drawFaint draws what does not stand out, thinned if there is too much of it,
  // and returns how many it drew.
  private drawFaint(faint: Message[]): number {
    const c = this.ctx;
    const lanes = this.run.lanes.length;
    const apart = faint.length > mostMessages ? (countPairs(faint, lanes) * this.plot) / mostMessages : 0;
    const last = new Map<number, number>(); // by pair of lanes, where the latest that was drawn began
    const heads = apart === 0;
    const paths: [Path2D, Path2D] = [new Path2D(), new Path2D()];
    let n = 0;
    for (const m of faint) {
      if (apart > 0) {
        const pair = m.from * lanes + m.to;
        const x = this.x(m.sent);
        if (x - (last.get(pair) ?? -Infinity) < apart) continue;
        last.set(pair, x);
      }
      const g = this.segment(m);
      if (!g) continue;
      n++;
      const p = paths[m.dropped && !m.late ? 1 : 0];
      p.moveTo(g.x1, g.y1);
      if (m.from === m.to) p.bezierCurveTo(g.x1 + 4, g.y1 - 24, g.x2 - 4, g.y2 - 24, g.x2, g.y2);
      else p.lineTo(g.x2, g.y2);
      if (!heads) continue;
      if (m.dropped && !m.late) cross(p, g.x2, g.y2, 3);
      else if (m.late) ring(p, g, 3);
      else if (m.ended) head(p, g, 5);
      if (m.copy) diamond(p, g);
    }
    c.lineWidth = 0.8;
    c.globalAlpha = Math.min(this.cone ? 0.22 : 0.42, 8 / Math.sqrt(n + 1) + 0.06); // the more, the fainter
    c.strokeStyle = this.colors.soft;
    c.stroke(paths[0]);
    c.strokeStyle = this.colors.bad;
    c.stroke(paths[1]);
    c.globalAlpha = 1;
    return n;
  }

  private drawHot(messages: Message[]): void {
    const c = this.ctx;
    for (const m of messages) {
      const g = this.segment(m);
      if (!g) continue;
      const lost = m.dropped && !m.late;
      const color = lost ? this.colors.bad : this.color(this.kindOf(m));
      c.strokeStyle = color;
      c.fillStyle = color;
      c.lineWidth = m === this.selected || m === this.hovered ? 2.8 : 1.6;
      c.setLineDash(lost ? [5, 4] : m.copy ? [7, 3] : m.late ? [2, 3] : m.ended ? [] : [1, 4]);
      const shaft = new Path2D();
      shaft.moveTo(g.x1, g.y1);
      if (m.from === m.to) shaft.bezierCurveTo(g.x1 + 4, g.y1 - 24, g.x2 - 4, g.y2 - 24, g.x2, g.y2);
      else shaft.lineTo(g.x2, g.y2);
      c.stroke(shaft);
      c.setLineDash([]);
      if (lost) this.cross(g.x2, g.y2, 4.5, color, 1.8);
      else if (m.late) {
        const p = new Path2D();
        ring(p, g, 4);
        c.fillStyle = this.colors.paper;
        c.fill(p);
        c.stroke(p);
      } else if (m.ended) {
        const p = new Path2D();
        head(p, g, 9);
        p.closePath();
        c.fill(p);
      }
      if (m.copy) {
        const p = new Path2D();
        diamond(p, g);
        c.fillStyle = this.colors.paper;
        c.fill(p);
        c.stroke(p);
      }
    }
  }

  private drawOps(ops: Op[]): void {
    const c = this.ctx;
    const last: number[] = []; // by lane, the pixel of the latest of its bars
    for (const op of ops) {
      const hot = this.hot(op);
      if (!hot && ops.length > 1000 && op.row === 0 && op.point < 0 && op !== this.hovered) {
        const x = Math.round(this.x(op.from) / 2);
        if (last[op.lane] === x) continue;
        last[op.lane] = x;
      }
      const b = this.barOf(op);
      if (!b) continue;
      const color = this.color(op.kind);
      c.globalAlpha = hot ? 1 : this.cone ? 0.25 : 0.45;
      c.fillStyle = color;
      if (op.outcome === "unknown") {
        c.globalAlpha *= 0.3;
        c.fillRect(b.x, b.y, b.w, b.h);
        c.globalAlpha = hot ? 1 : 0.5;
        c.fillRect(b.x, b.y, Math.min(3, b.w), b.h);
        if (b.w > 16) this.write("?", Math.min(b.x + b.w, this.width) - 11, b.y + 12.5, color, { bold: true });
      } else if (op.outcome === "fail") {
        c.fillStyle = this.hatch(op.kind in this.colors ? op.kind : "other", 1) ?? color;
        c.fillRect(b.x, b.y, b.w, b.h);
        c.strokeStyle = color;
        c.lineWidth = 1;
        c.strokeRect(b.x + 0.5, b.y + 0.5, Math.max(b.w - 1, 1), b.h - 1);
      } else c.fillRect(b.x, b.y, b.w, b.h);
      c.globalAlpha = 1;
      if (op === this.run.answer || op === this.selected || op === this.hovered) {
        c.strokeStyle = op === this.run.answer ? this.colors.bad : this.colors.ink;
        c.lineWidth = op === this.selected ? 2.5 : 2;
        c.strokeRect(b.x - 1, b.y - 1, b.w + 2, b.h + 2);
      }
      if (op.point >= 0) this.drawPoint(op, b);
    }
  }

  // drawPoint marks where an operation may have taken effect.
  private drawPoint(op: Op, b: Box): void {
    const c = this.ctx;
    const x = this.x(op.point);
    c.strokeStyle = this.colors.ink;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x, b.y - 2);
    c.lineTo(x, b.y + b.h + 2);
    c.stroke();
    c.fillStyle = this.colors.paper;
    c.beginPath();
    c.arc(x, b.y + b.h / 2, 3, 0, 2 * Math.PI);
    c.fill();
    c.stroke();
  }

  private takenBy(ops: Op[]): Box[] {
    const taken: Box[] = [];
    for (const op of ops.length < 300 ? ops : ops.filter((o) => this.hot(o))) {
      const b = this.barOf(op);
      if (b) taken.push(b);
    }
    return taken;
  }

  // labelOps writes the operations that stand out, and others where there is room.
  private labelOps(ops: Op[], taken: Box[]): void {
    const named = (op: Op): boolean => op.rank > 0 || this.hot(op) || op === this.hovered;
    for (const op of ops.filter(named).slice(0, 200)) this.labelOp(op, taken);
    const rest = ops.filter((op) => !named(op) && op.row === 0);
    if (rest.length > 400) return;
    for (const op of rest) {
      const b = this.barOf(op);
      const w = op.text.length * this.char + 4;
      if (!b || b.x < this.gutter) continue;
      const box = { x: b.x, y: b.y - 14, w, h: 13 };
      if (taken.some((t) => meets(t, box))) continue;
      taken.push(box);
      this.write(op.text, b.x, b.y - 4, this.colors.soft, {});
    }
  }

  private labelOp(op: Op, taken: Box[]): void {
    const b = this.barOf(op);
    if (!b) return;
    const c = this.ctx;
    const badge = op.rank > 0 ? 20 : 0;
    const color = op === this.run.answer ? this.colors.bad : this.colors.ink;
    const w = badge + op.text.length * this.char;
    const least = this.gutter + 2;
    const places = [Math.max(b.x, Math.min(least, b.x + b.w - w)), b.x + Math.min(b.w, 12) - w].map((x) => Math.max(Math.min(x, this.width - w - 4), least));
    let box = { x: places[0], y: b.y - 17, w, h: 15 };
    for (const x of places) {
      const other = { ...box, x };
      if (taken.some((t) => meets(t, other))) continue;
      box = other;
      break;
    }
    const crowded = taken.some((t) => meets(t, box));
    if (crowded) box = { ...box, x: Math.max(b.x, least), w: badge };
    if (crowded && (!badge || taken.some((t) => meets(t, box)))) return;
    taken.push(box);
    const x = box.x;
    if (badge) {
      c.fillStyle = color;
      c.beginPath();
      c.arc(x + 7.5, b.y - 9, 7.5, 0, 2 * Math.PI);
      c.fill();
      c.font = `700 10.5px ${sans}`;
      c.textAlign = "center";
      c.fillStyle = this.colors.paper;
      c.fillText(String(op.rank), x + 7.5, b.y - 5.2);
      c.textAlign = "left";
    }
    if (!crowded) this.write(op.text, x + badge, b.y - 5, color, { bold: true, halo: this.colors.wash });
  }

  private drawMarks(taken: Box[]): void {
    const c = this.ctx;
    const shown = this.shown;
    for (const m of this.run.marks) {
      const line = this.y(m.lane);
      if (line === null || m.at < shown.from || m.at > shown.until || this.hidden(m.at, m.at)) continue;
      const x = this.x(m.at);
      c.fillStyle = this.colors.mark;
      c.beginPath();
      c.moveTo(x, line - 6);
      c.lineTo(x + 5, line);
      c.lineTo(x, line + 6);
      c.lineTo(x - 5, line);
      c.fill();
      taken.push({ x: x - 5, y: line - 6, w: 10, h: 12 });
      const box = { x: x + 8, y: line - 19, w: m.text.length * this.char * 0.92, h: 13 };
      if (taken.some((t) => meets(t, box))) box.y = line + 7;
      if (taken.some((t) => meets(t, box))) continue;
      taken.push(box);
      this.write(m.text, box.x, box.y + 10, this.colors.mark, { halo: this.colors.paper, size: 11 });
    }
  }

  // labelMessages writes what the messages that stand out say: whole, or their type,
  // where it is crossed least, or not at all.
  private labelMessages(hot: Message[], taken: Box[]): void {
    if (hot.length > mostLabels) {
      const last = this.cone ? 0 : this.run.answer?.rank;
      hot = hot.filter((m) => m === this.selected || m === this.hovered || m.rank === last).slice(0, mostLabels);
    }
    const segments = hot.map((m) => this.segment(m)).filter((g): g is Segment => g !== null);
    const rails = this.lanes.map((l) => l.line - this.scroll);
    for (const g of segments) taken.push({ x: g.x2 - 5, y: g.y2 - 5, w: 10, h: 10 });
    for (const m of hot) {
      const g = this.segment(m);
      if (!g) continue;
      const why = m.dropped ? " · " + m.dropped : "";
      const whole = brief(m.text) + why;
      const short = m.type + why;
      for (const [text, tolerable] of [[whole, 1], [short, 1], [short, 3]] as [string, number][]) {
        const box = this.placeLabel(g, text.length * this.char * 0.92, taken, segments, rails, tolerable);
        if (!box) continue;
        taken.push({ x: box.x - 3, y: box.y - 1, w: box.w + 6, h: box.h + 2 });
        this.write(text, box.x, box.y + 10.5, m.dropped && !m.late ? this.colors.bad : this.colors.ink, { halo: this.colors.paper, size: 11 });
        break;
      }
    }
  }

  private placeLabel(g: Segment, w: number, taken: Box[], segments: Segment[], rails: number[], tolerable: number): Box | null {
    let best: Box | null = null;
    let fewest = tolerable + 1;
    for (const share of [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9]) {
      const x = g.x1 + (g.x2 - g.x1) * share;
      const y = g.y1 + (g.y2 - g.y1) * share - 7;
      for (const box of [{ x: x + 7, y, w, h: 14 }, { x: x - 7 - w, y, w, h: 14 }]) {
        if (box.x < this.gutter + 2 || box.x + w > this.width - 2 || taken.some((t) => meets(t, box))) continue;
        let n = 0;
        for (const s of segments) if (crosses(s, box)) n += 2;
        for (const r of rails) if (box.y < r && r < box.y + box.h) n++;
        if (n < fewest) [best, fewest] = [box, n];
      }
    }
    return best;
  }

  // foldBoxes keeps texts out of closed folds, which cover what lies in them.
  private foldBoxes(): Box[] {
    return this.axis.folds
      .filter((f) => !f.open)
      .map((f) => ({ x: this.x(f.from), y: 0, w: this.x(f.until) - this.x(f.from), h: this.height }));
  }

  // hidden says whether a stretch of time lies in a closed fold.
  private hidden(from: number, until: number): boolean {
    for (const f of this.axis.folds) if (!f.open && f.from < from && until < f.until) return true;
    return false;
  }

  private drawFolds(): void {
    const c = this.ctx;
    for (const f of this.axis.folds) {
      if (f.open) continue;
      const from = this.x(f.from);
      const until = this.x(f.until);
      if (until < this.gutter || from > this.width || until - from < 4) continue;
      c.globalAlpha = 0.88;
      c.fillStyle = this.colors.paper;
      c.fillRect(from, 0, until - from, this.height);
      c.globalAlpha = 1;
      c.strokeStyle = this.colors.line;
      c.setLineDash([3, 3]);
      c.lineWidth = 1;
      c.strokeRect(Math.round(from) + 0.5, -2, Math.round(until - from), this.height + 4);
      c.setLineDash([]);
      if (until - from < 18) continue;
      c.save();
      c.translate((from + until) / 2 + 4, (this.height + this.top) / 2);
      c.rotate(-Math.PI / 2);
      c.font = `12px ${sans}`;
      c.textAlign = "center";
      c.fillStyle = this.colors.soft;
      const words = lasting(f.until - f.from) + " folded" + this.changesIn(f);
      const room = this.height - this.top - 20;
      c.fillText(c.measureText(words + openIt).width < room ? words + openIt : words, 0, 0);
      c.restore();
    }
  }

  private changesIn(f: Span): string {
    const n = this.run.marks.filter((m) => f.from < m.at && m.at < f.until).length;
    return n > 0 ? ` · ${n} role change${n > 1 ? "s" : ""}` : "";
  }

  // drawMissing shades the time that the page does not hold.
  private drawMissing(): void {
    const kept = this.run.kept;
    let from = this.run.run.from;
    for (const next of [...kept, { from: this.run.run.until, until: Infinity }]) {
      if (next.from > from) {
        const x = Math.max(this.x(from), this.gutter);
        const until = Math.min(this.x(next.from), this.width);
        if (until - x > 2) {
          this.ctx.fillStyle = this.colors.wash;
          this.ctx.fillRect(x, this.top, until - x, this.height);
          if (until - x > 190) this.write("not in this page", x + (until - x) / 2 - 55, this.top + 30, this.colors.soft, {});
        }
      }
      from = next.until;
    }
  }

  // drawHead draws the axis and the faults, which stay on top while lanes scroll.
  private drawHead(shown: Span): void {
    const c = this.ctx;
    c.fillStyle = this.colors.paper;
    c.fillRect(this.gutter, 0, this.plot, this.top - 4);
    const { at, step } = this.axis.ticks(shown, 90);
    const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / 1e6))));
    c.textAlign = "center";
    for (const t of at) {
      const x = this.x(t);
      const label = (t / 1e6).toFixed(decimals);
      if (x - this.gutter > label.length * 4 && this.width - x > label.length * 4) this.write(label, x, 15, this.colors.soft, { size: 11.5 });
    }
    c.textAlign = "left";
    for (const a of this.run.acts) {
      const x = this.x(a.at);
      if (x < this.gutter || x > this.width) continue;
      c.fillStyle = this.colors.soft;
      c.beginPath();
      c.moveTo(x, this.top - 4);
      c.lineTo(x - 4, this.top - 10);
      c.lineTo(x + 4, this.top - 10);
      c.fill();
    }
    for (const [i, b] of this.run.bands.entries()) this.drawBand(b, this.bandRow[i], i);
  }

  bandBox(b: Band, row: number): Box | null {
    const x = Math.max(this.x(b.from), this.gutter);
    const until = Math.min(this.x(b.until), this.width);
    if (row >= maxBandRows || until < this.gutter || x > this.width) return null;
    return { x, y: axisHeight + row * bandStep, w: Math.max(until - x, 2), h: 16 };
  }

  private drawBand(b: Band, row: number, index: number): void {
    const box = this.bandBox(b, row);
    if (!box) return;
    const c = this.ctx;
    c.fillStyle = b.kind === "crash" ? this.colors.grid : this.colors["fault-fill"];
    c.fillRect(box.x, box.y, box.w, box.h);
    const w = b.text.length * this.char * 0.92 + 10;
    let room = box.w;
    if (room < w) {
      room = this.width - box.x;
      for (const [i, o] of this.run.bands.entries()) {
        if (i !== index && this.bandRow[i] === row && o.from > b.from) room = Math.min(room, this.x(o.from) - box.x - 6);
      }
    }
    const fits = Math.floor((room - 10) / (this.char * 0.92));
    const text = b.text.length <= fits ? b.text : fits > 4 ? b.text.slice(0, fits - 1) + "…" : "";
    if (text) this.write(text, box.x + 5, box.y + 12, this.colors["fault-ink"], { size: 11 });
  }

  private drawCursor(): void {
    if (!this.cursor) return;
    const x = Math.round(this.x(this.cursor.at)) + 0.5;
    const c = this.ctx;
    c.strokeStyle = this.colors.ink;
    c.lineWidth = 1;
    c.setLineDash([2, 3]);
    c.beginPath();
    c.moveTo(x, this.top - 4);
    c.lineTo(x, this.height);
    c.stroke();
    c.setLineDash([]);
    const y = this.y(this.cursor.lane);
    if (y === null) return;
    c.fillStyle = this.colors.paper;
    c.lineWidth = 2;
    c.beginPath();
    c.arc(x, y, 4.5, 0, 2 * Math.PI);
    c.fill();
    c.stroke();
  }

  private drawNames(): void {
    const c = this.ctx;
    c.fillStyle = this.colors.paper;
    c.fillRect(0, 0, this.gutter, this.height);
    c.strokeStyle = this.colors.line;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(this.gutter - 0.5, 0);
    c.lineTo(this.gutter - 0.5, this.height);
    c.stroke();
    c.textAlign = "right";
    const right = this.gutter - 12;
    let group: boolean | null = null;
    for (const l of this.lanes) {
      const y = l.lane.node ? l.line - this.scroll : l.bars + 12 - this.scroll;
      if (l.lane.node !== group && l.top - this.scroll - 8 > this.top) {
        this.write(l.lane.node ? "replicas" : "clients", right, l.top - this.scroll - 8, this.colors.soft, { family: sans });
      }
      group = l.lane.node;
      if (y < this.top || y > this.height + 10) continue;
      const role = this.roles(l.lane.id);
      const name = l.lane.name.length > 18 ? l.lane.name.slice(0, 17) + "…" : l.lane.name;
      this.write(name, right, y + (l.lane.node ? (role ? -1 : 4) : 0), this.colors.ink, { bold: true });
      if (role) this.write(role, right, y + 12, this.colors.soft, { size: 10.5 });
    }
    c.fillStyle = this.colors.paper;
    c.fillRect(0, 0, this.gutter - 1, this.top - 4);
    this.write(unit(), right, 15, this.colors.soft, { size: 11.5 });
    if (this.bandRows > 0) this.write("faults", right, axisHeight + 12, this.colors.soft, { family: sans });
    c.textAlign = "left";
  }

  private write(text: string, x: number, y: number, color: string, o: { bold?: boolean; size?: number; halo?: string; family?: string }): void {
    const c = this.ctx;
    c.font = `${o.bold ? "600 " : ""}${o.size ?? fontSize}px ${o.family ?? mono}`;
    if (o.halo) {
      c.strokeStyle = o.halo;
      c.lineWidth = 4;
      c.lineJoin = "round";
      c.strokeText(text, x, y);
    }
    c.fillStyle = color;
    c.fillText(text, x, y);
  }

  // thingAt is what lies under a point, and how far along it the point is.
  thingAt(x: number, y: number): { thing: Thing; share: number } | null {
    if (x < this.gutter || y < 0) return null;
    if (y < this.top - 4) {
      for (const [i, b] of this.run.bands.entries()) {
        const box = this.bandBox(b, this.bandRow[i]);
        if (box && x >= box.x - 2 && x <= box.x + box.w + 2 && y >= box.y && y <= box.y + box.h) return { thing: { words: b.text }, share: 0 };
      }
      return null;
    }
    const shown = this.shown;
    for (const op of this.opsIn(shown)) {
      const b = this.barOf(op);
      if (b && x >= b.x - 2 && x <= b.x + b.w + 2 && y >= b.y - (op.rank ? 16 : 0) && y <= b.y + b.h) return { thing: { op }, share: (x - b.x) / b.w };
    }
    let best: { thing: Thing; share: number } | null = null;
    let near = 6;
    for (const m of this.messagesIn(shown)) {
      const g = this.segment(m);
      if (!g) continue;
      const [d, share] = distance(g, x, y);
      const far = d - (this.hot(m) ? 2 : 0);
      if (far < near) [best, near] = [{ thing: { message: m }, share }, far];
    }
    if (best) return best;
    for (const d of this.run.down) {
      const line = this.y(d.lane);
      if (line !== null && Math.abs(y - line) < 12 && x >= this.x(d.from) && x <= this.x(d.until)) {
        return { thing: { words: `${this.run.lanes[d.lane].name} is down from ${when(d.from)}${d.last > 0 ? " to " + when(d.until) : ""}` }, share: 0 };
      }
    }
    return null;
  }

  foldAt(x: number): number {
    return this.axis.folds.findIndex((f) => !f.open && x >= this.x(f.from) && x <= this.x(f.until));
  }
}

// brief shortens the text of a message for its label: what is nested goes first.
function brief(text: string): string {
  const flat = text.length > 34 ? text.replace(/ ?\w+:(\{[^{}]*\}|\[[^\[\]]*\])/g, "").replace(/\{ /, "{") : text;
  return flat.length > 34 ? flat.slice(0, 33) + "…" : flat;
}

// countPairs counts the pairs of lanes between which messages go, nearly.
function countPairs(messages: Message[], lanes: number): number {
  const seen = new Set<number>();
  for (let i = 0; i < messages.length; i += 7) seen.add(messages[i].from * lanes + messages[i].to); // a sample does
  return seen.size;
}

function firstNotBefore(messages: Message[], t: number): number {
  let from = 0;
  let until = messages.length;
  while (from < until) {
    const middle = (from + until) >> 1;
    if (messages[middle].sent < t) from = middle + 1;
    else until = middle;
  }
  return from;
}

function head(p: Path2D, g: Segment, size: number): void {
  const n = Math.hypot(g.x2 - g.x1, g.y2 - g.y1) || 1;
  const ux = ((g.x2 - g.x1) / n) * size;
  const uy = ((g.y2 - g.y1) / n) * size;
  p.moveTo(g.x2 - ux - uy * 0.38, g.y2 - uy + ux * 0.38);
  p.lineTo(g.x2, g.y2);
  p.lineTo(g.x2 - ux + uy * 0.38, g.y2 - uy - ux * 0.38);
}

function cross(p: Path2D, x: number, y: number, r: number): void {
  p.moveTo(x - r, y - r);
  p.lineTo(x + r, y + r);
  p.moveTo(x - r, y + r);
  p.lineTo(x + r, y - r);
}

function ring(p: Path2D, g: Segment, r: number): void {
  p.moveTo(g.x2 + r, g.y2);
  p.arc(g.x2, g.y2, r, 0, 2 * Math.PI);
}

function diamond(p: Path2D, g: Segment): void {
  const x = g.x1 + (g.x2 - g.x1) * 0.4;
  const y = g.y1 + (g.y2 - g.y1) * 0.4;
  p.moveTo(x, y - 5);
  p.lineTo(x + 5, y);
  p.lineTo(x, y + 5);
  p.lineTo(x - 5, y);
  p.closePath();
}

function crosses(g: Segment, b: Box): boolean {
  let [from, until] = [0, 1];
  for (const [at, by, low, high] of [[g.x1, g.x2 - g.x1, b.x, b.x + b.w], [g.y1, g.y2 - g.y1, b.y, b.y + b.h]]) {
    if (Math.abs(by) < 1e-9) {
      if (at < low || at > high) return false;
      continue;
    }
    const [a, z] = by > 0 ? [(low - at) / by, (high - at) / by] : [(high - at) / by, (low - at) / by];
    from = Math.max(from, a);
    until = Math.min(until, z);
  }
  return from <= until;
}

function distance(g: Segment, x: number, y: number): [number, number] {
  const dx = g.x2 - g.x1;
  const dy = g.y2 - g.y1;
  const share = Math.max(0, Math.min(1, ((x - g.x1) * dx + (y - g.y1) * dy) / (dx * dx + dy * dy || 1)));
  return [Math.hypot(x - g.x1 - dx * share, y - g.y1 - dy * share), share];
}
