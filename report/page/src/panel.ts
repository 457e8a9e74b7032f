import { type Event, type Message, type Op, type Run, when } from "./document";
import { stateAt, variables } from "./states";

const most = 12; // causes or effects that are listed

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, text = "", className = ""): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  if (text) e.textContent = text;
  if (className) e.className = className;
  return e;
}

const lane = (run: Run, id: number): string => run.lanes[id]?.name ?? "?";

export function describeOp(run: Run, op: Op): string {
  const end = op.outcome === "unknown" ? `its client gave up at ${when(op.until)}; it may have happened, or may yet happen` : `${op.outcome}, returned at ${when(op.until)}`;
  return `${lane(run, op.lane)}: ${op.text}${op.node ? " at " + op.node : ""}, called at ${when(op.from)}, ${end}`;
}

export function fateOf(m: Message): string {
  const parts: string[] = [];
  if (!m.ended) parts.push("still under way when the run ended");
  else if (m.late) parts.push(`came too late at ${when(m.ends)}: nobody waited for it any more`);
  else if (m.dropped) parts.push(`dropped at ${when(m.ends)}: ${m.dropped}`);
  else parts.push(`arrived at ${when(m.ends)}`);
  if (m.copy) parts.push("a copy that the network made");
  if (m.overtaken) parts.push("overtaken by a later one");
  return parts.join("; ");
}

export function describeMessage(run: Run, m: Message): string {
  return `${lane(run, m.from)} → ${lane(run, m.to)}: ${m.text}, sent at ${when(m.sent)}, ${fateOf(m)}`;
}

export function describeEvent(run: Run, e: Event): string {
  const who = lane(run, e.lane);
  if (e.op) return e.kind === "called" ? `${who} calls ${e.op.text}` : `${who} is answered: ${e.op.text} (${e.op.outcome})`;
  const m = e.message;
  if (m) {
    if (e.kind === "sent") return `${who} sends ${m.text} to ${lane(run, m.to)}`;
    if (e.kind === "arrived") return `${m.text} from ${lane(run, m.from)} arrives at ${who}`;
    return `${m.text} from ${lane(run, m.from)} to ${who} is dropped: ${m.dropped}`;
  }
  return `${who} ${e.kind === "changed" ? "becomes " + (e.text ?? "") : e.kind}`;
}

// showDetails writes all about an event, with its causes and effects as buttons.
export function showDetails(place: HTMLElement, run: Run, e: Event, go: (thing: Op | Message) => void): void {
  place.replaceChildren();
  const list = element("dl");
  const say = (name: string, value: string | Node): void => {
    const box = element("div");
    const dd = element("dd");
    dd.append(value);
    box.append(element("dt", name), dd);
    list.append(box);
  };
  const code = (text: string): HTMLElement => element("code", text);
  const links = (name: string, things: (Op | Message)[]): void => {
    if (things.length === 0) return;
    const box = element("div", "", "links");
    for (const t of things.slice(0, most)) {
      const b = element("button", "type" in t ? `${t.type} ${lane(run, t.from)} → ${lane(run, t.to)}${t.dropped ? ", " + t.dropped : ""}` : t.text);
      b.type = "button";
      b.addEventListener("click", () => go(t));
      box.append(b);
    }
    if (things.length > most) box.append(element("span", `and ${things.length - most} more`));
    say(name, box);
  };
  place.append(element("h3", describeEvent(run, e)));
  say("At", when(e.at));
  const { op, message: m } = e;
  if (op) {
    if (op.rank) say("Witness", `operation ${op.rank}`);
    say("Operation", code(op.text));
    say("Client", `${lane(run, op.lane)}, process ${op.process}`);
    if (op.node) say("Asked", op.node);
    say("Outcome", op.outcome === "unknown" ? `unknown: it may have happened, or may yet happen; the client gave up at ${when(op.until)}` : op.outcome);
    say("Lasted", `${when(op.from)} to ${when(op.until)}`);
    if (op.legal) say("Legal order", `place ${op.legal}, at the earliest at ${when(op.point)}`);
    links("Sent", op.sends);
  }
  if (m) {
    say("Message", code(m.text));
    say("Way", `${lane(run, m.from)} → ${lane(run, m.to)}, sent at ${when(m.sent)}`);
    say("Fate", fateOf(m));
    if (m.timer) say("Cause", `${m.timer} of ${lane(run, m.from)}`);
    links("Cause", m.cause ? [m.cause] : m.op?.sends.includes(m) ? [m.op] : []);
    links("Effects", m.effects);
  }
  place.append(list);
}

// showStates writes what the nodes hold after an event, as a table.
export function showStates(place: HTMLElement, run: Run, e: Event, nodes: number[]): void {
  place.replaceChildren();
  if (run.changes.length === 0) return;
  const { states, changed } = stateAt(run, e);
  place.append(element("caption", `State at ${when(e.at)}, after: ${describeEvent(run, e)}`));
  const head = element("tr");
  head.append(element("th"));
  for (const id of nodes) {
    const th = element("th", lane(run, id));
    th.scope = "col";
    head.append(th);
  }
  const body = element("tbody");
  for (const name of variables(states)) {
    const row = element("tr");
    const held = nodes.filter((id) => states.get(id)?.has(name)).map((id) => states.get(id)?.get(name));
    const th = element("th", name, new Set(held).size > 1 ? "differs" : "");
    th.scope = "row";
    row.append(th);
    for (const id of nodes) {
      const td = element("td", states.get(id)?.get(name) ?? "", changed.has(id + " " + name) ? "changed" : "");
      row.append(td);
    }
    body.append(row);
  }
  const top = element("thead");
  top.append(head);
  place.append(top, body);
}
