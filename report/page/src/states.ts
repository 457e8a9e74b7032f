import type { Event, Run } from "./document";

export type State = Map<string, string>;

// stateAt returns what the nodes hold after an event, by lane, and what changed in
// the step to which the event belongs.
export function stateAt(run: Run, e: Event): { states: Map<number, State>; changed: Set<string> } {
  const states = new Map<number, State>();
  let last = run.changes[0];
  for (const c of run.changes) {
    if (c.seq > e.seq) break;
    last = c;
    const state = states.get(c.lane) ?? new Map<string, string>();
    states.set(c.lane, state);
    for (const [name, value] of c.values) {
      if (value === null) state.delete(name);
      else state.set(name, value);
    }
  }
  const changed = new Set<string>();
  if (last && last.lane === e.lane && !run.events.some((x) => begins.has(x.kind) && last.seq < x.seq && x.seq <= e.seq)) {
    for (const [name] of last.values) changed.add(last.lane + " " + name);
  }
  return { states, changed };
}

// begins are the events with which a step begins.
const begins = new Set<string>(["arrived", "crashed", "restarted"]);

// variables lists the names in the states, what clients could read first.
export function variables(states: Map<number, State>): string[] {
  const names = new Set<string>();
  for (const state of states.values()) for (const name of state.keys()) names.add(name);
  const rank = (name: string): number => (name.startsWith("store") ? 0 : name.startsWith("versions") ? 1 : name === "dirty" ? 2 : name.startsWith("acked by") ? 4 : 3);
  return [...names].sort((a, b) => rank(a) - rank(b) || (rank(a) < 2 ? a.localeCompare(b, "en", { numeric: true }) : 0));
}
