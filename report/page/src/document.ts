// The document that the Go side writes (report/document.go), unpacked.

type Columns<K extends string> = Record<K, number[]>;

interface Packed {
  texts: string[];
  lanes: number[];
  nodes: number;
  run: [number, number];
  timeless?: boolean;
  kept: [number, number][];
  view: [number, number][];
  ops: Columns<"index" | "lane" | "process" | "key" | "kind" | "outcome" | "node" | "called" | "took" | "text" | "rank" | "legal" | "first" | "last">;
  messages: Columns<"from" | "to" | "sent" | "took" | "seq" | "ends" | "fate" | "cause" | "type" | "text" | "rank">;
  bands: { from: number; until: number; kind: string; text: number; lanes: number[] | null }[];
  down: [number, number, number, number, number][];
  acts: [number, number][];
  states: { seq: number; lane: number; changes: number[] }[];
  bins: [number[], number[]];
  drops: string[];
}

export interface Span {
  from: number;
  until: number;
}

export interface Lane {
  id: number;
  name: string;
  node: boolean;
}

export type Outcome = "ok" | "fail" | "unknown";

export interface Op extends Span {
  index: number; // in the history
  lane: number;
  process: number;
  key: string;
  kind: string;
  outcome: Outcome;
  node: string;
  text: string;
  rank: number; // in the witness, from 1, or 0
  legal: number; // in the longest legal order, from 1, or 0
  point: number; // when it may have taken effect, if it is in that order
  first: number; // place of the call among the events
  last: number; // place of the return
  row: number; // among operations of a lane that overlap
  sends: Message[];
}

export interface Message {
  id: number; // position
  from: number;
  to: number;
  sent: number;
  ends: number;
  first: number;
  last: number;
  ended: boolean;
  copy: boolean;
  overtaken: boolean;
  dropped: string; // why, or empty
  late: boolean; // nobody waited for it any more
  type: string;
  text: string;
  rank: number; // of the operation of the witness that it belongs to, or 0
  cause: Message | null;
  timer: string; // that caused it, or empty
  effects: Message[];
  op: Op | null; // whose doing it is, directly or not
}

export interface Band extends Span {
  kind: string;
  text: string;
  lanes: number[] | null;
}

export interface Down extends Span {
  lane: number;
  first: number; // place of the crash among the events
  last: number; // place of the restart, or 0
}

// Change is how the state of a node changed in a step. A value of null says that
// the variable is gone.
export interface Change {
  seq: number;
  lane: number;
  values: [string, string | null][];
}

// Mark is a change that a reader should see on the lane.
export interface Mark {
  at: number;
  seq: number;
  lane: number;
  text: string;
}

export interface Event {
  at: number;
  seq: number;
  kind: "called" | "returned" | "sent" | "arrived" | "dropped" | "crashed" | "restarted" | "changed";
  lane: number;
  op?: Op;
  message?: Message;
  text?: string;
}

export interface Run {
  lanes: Lane[];
  nodes: number;
  run: Span;
  kept: Span[];
  view: Span[];
  ops: Op[];
  messages: Message[];
  bands: Band[];
  down: Down[];
  acts: { at: number; text: string }[];
  changes: Change[];
  marks: Mark[];
  events: Event[];
  bins: [number[], number[]];
  answer: Op | null; // the last operation of the witness: there the violation shows
}

const outcomes: Outcome[] = ["unknown", "ok", "fail", "unknown"];
const seqScale = 4;

const span = ([from, until]: [number, number]): Span => ({ from, until });

export function unpack(p: Packed): Run {
  timeless = p.timeless ?? false;
  const text = (i: number): string => p.texts[i] ?? "";
  const run: Run = {
    lanes: p.lanes.map((name, id) => ({ id, name: text(name), node: id < p.nodes })),
    nodes: p.nodes,
    run: span(p.run),
    kept: (p.kept ?? []).map(span),
    view: (p.view ?? []).map(span),
    ops: unpackOps(p, text),
    messages: unpackMessages(p, text),
    bands: (p.bands ?? []).map((b) => ({ ...b, text: text(b.text) })),
    down: (p.down ?? []).map(([lane, from, until, first, last]) => ({ lane, from, until, first, last })),
    acts: (p.acts ?? []).map(([at, t]) => ({ at, text: text(t) })),
    changes: (p.states ?? []).map((s) => ({ seq: s.seq, lane: s.lane, values: unpackChanges(s.changes, text) })),
    marks: [],
    events: [],
    bins: p.bins,
    answer: null,
  };
  for (const op of run.ops) if (op.rank > (run.answer?.rank ?? 0)) run.answer = op;
  findPoints(run.ops);
  findOwners(run);
  run.events = listEvents(run);
  findMarks(run);
  return run;
}

function unpackOps(p: Packed, text: (i: number) => string): Op[] {
  const c = p.ops;
  let index = 0;
  let called = 0;
  return (c.index ?? []).map((step, i) => {
    index += step;
    called += c.called[i];
    return {
      index, lane: c.lane[i], process: c.process[i], key: text(c.key[i]), kind: text(c.kind[i]),
      outcome: outcomes[{ 1: 1, 2: 2 }[c.outcome[i]] ?? 3], node: text(c.node[i]),
      from: called, until: called + c.took[i], text: text(c.text[i]) || text(c.kind[i]), rank: c.rank[i], legal: c.legal[i], point: -1,
      first: c.first[i], last: c.last[i], row: 0, sends: [],
    };
  });
}

function unpackMessages(p: Packed, text: (i: number) => string): Message[] {
  const c = p.messages;
  const all: Message[] = [];
  let sent = 0;
  let seq = 0;
  for (let i = 0; i < (c.from ?? []).length; i++) {
    sent += c.sent[i];
    seq += c.seq[i];
    const fate = c.fate[i];
    const why = p.drops[fate >> 3] ?? "";
    const cause = c.cause[i] > 0 ? all[i - c.cause[i]] : null;
    const m: Message = {
      id: i, from: c.from[i], to: c.to[i], sent, ends: sent + c.took[i], first: seq, last: seq + c.ends[i],
      ended: (fate & 1) !== 0, copy: (fate & 2) !== 0, overtaken: (fate & 4) !== 0,
      dropped: fate >> 3 ? why : "", late: why === "late",
      type: text(c.type[i]), text: text(c.text[i]) || text(c.type[i]), rank: c.rank[i],
      cause, timer: c.cause[i] < 0 ? text(-c.cause[i]) : "", effects: [], op: null,
    };
    cause?.effects.push(m);
    all.push(m);
  }
  return all;
}

function unpackChanges(list: number[], text: (i: number) => string): [string, string | null][] {
  const values: [string, string | null][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) values.push([text(list[i]), list[i + 1] < 0 ? null : text(list[i + 1])]);
  return values;
}

// findPoints lets each operation of the legal order take effect as early as it can:
// when it has been called and all before it have taken effect.
function findPoints(ops: Op[]): void {
  let at = 0;
  for (const op of ops.filter((o) => o.legal > 0).sort((a, b) => a.legal - b.legal)) {
    at = Math.max(at, op.from);
    op.point = at;
  }
}

// findOwners tells whose doing each message is: what a client sends while it works
// on an operation, and what is sent because of that.
function findOwners(run: Run): void {
  const byLane = new Map<number, Op[]>();
  for (const op of run.ops) {
    const list = byLane.get(op.lane);
    if (list) list.push(op);
    else byLane.set(op.lane, [op]);
  }
  for (const m of run.messages) {
    const mine = m.from >= run.nodes ? underWay(byLane.get(m.from) ?? [], m.first) : null;
    if (mine) mine.sends.push(m);
    m.op = mine ?? m.cause?.op ?? null;
  }
}

// underWay returns the operation of a client that it works on at a place.
function underWay(ops: Op[], place: number): Op | null {
  let from = 0;
  let until = ops.length;
  while (from < until) {
    const middle = (from + until) >> 1;
    if (ops[middle].first < place) from = middle + 1;
    else until = middle;
  }
  const op = ops[from - 1];
  return op && place <= op.last ? op : null;
}

function listEvents(run: Run): Event[] {
  const events: Event[] = [];
  for (const op of run.ops) {
    events.push({ at: op.from, seq: op.first, kind: "called", lane: op.lane, op });
    if (op.outcome !== "unknown") events.push({ at: op.until, seq: op.last, kind: "returned", lane: op.lane, op });
  }
  for (const m of run.messages) {
    events.push({ at: m.sent, seq: m.first, kind: "sent", lane: m.from, message: m });
    if (m.ended) events.push({ at: m.ends, seq: m.last, kind: m.dropped ? "dropped" : "arrived", lane: m.to, message: m });
  }
  for (const d of run.down) {
    events.push({ at: d.from, seq: d.first, kind: "crashed", lane: d.lane });
    if (d.last > 0) events.push({ at: d.until, seq: d.last, kind: "restarted", lane: d.lane });
  }
  return events.sort((a, b) => a.at - b.at || a.seq - b.seq);
}

// findMarks finds changes of role and of configuration, and puts them among the
// events.
function findMarks(run: Run): void {
  const known = new Set<string>();
  let i = 0;
  const bySeq = run.events.slice().sort((a, b) => a.seq - b.seq);
  for (const c of run.changes) {
    while (i + 1 < bySeq.length && bySeq[i + 1].seq <= c.seq + seqScale / 2) i++;
    const at = bySeq.length > 0 ? bySeq[i].at : 0;
    const words: string[] = [];
    for (const [name, value] of c.values) {
      if ((name !== "role" && name !== "configuration") || value === null) continue;
      if (known.has(c.lane + name)) words.push(name === "role" ? value : "config " + value);
      known.add(c.lane + name);
    }
    if (words.length > 0) run.marks.push({ at, seq: c.seq, lane: c.lane, text: words.reverse().join(", ") });
  }
  for (const m of run.marks) run.events.push({ at: m.at, seq: m.seq + 0.5, kind: "changed", lane: m.lane, text: m.text });
  run.events.sort((a, b) => a.at - b.at || a.seq - b.seq);
}

// Without times, those of the document are positions of events.
let timeless = false;

const count = (ns: number): string => String(Math.round(ns / 1e3) / 1e3);

export const unit = (): string => (timeless ? "events" : "ms");

// when tells a moment, lasting a length of time.
export const when = (ns: number): string => (timeless ? `event ${count(ns)}` : `${count(ns)} ms`);

export const lasting = (ns: number): string => `${count(ns)} ${unit()}`;
