import { Diagram, type Thing } from "./diagram";
import { type Event, type Message, type Op, type Run, unpack, when } from "./document";
import { Overview } from "./overview";
import { describeEvent, describeMessage, describeOp, element, showDetails, showStates } from "./panel";
import { stateAt } from "./states";

const fewClients = 6; // that are shown at first, if those of the witness are not more
const fewNodes = 32;
const colorNames = [
  "paper", "wash", "ink", "soft", "line", "grid", "read", "write", "cas", "delete", "append", "add", "other",
  "bad", "good", "fault", "fault-wash", "fault-ink", "fault-fill", "mark",
];

const get = <T extends HTMLElement>(id: string): T => {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no ${id}`);
  return e as T;
};

class App {
  readonly diagram: Diagram;
  private readonly overview: Overview;
  private current = -1; // position among the events, or -1
  private chosen = false; // the current event was chosen by the reader
  private everyLane = false;
  private printing = false;
  private drawing = false; // a redraw is due
  private found: Event[] = [];
  private filter = { key: null as string | null, client: -1, node: -1, type: null as string | null, messages: "" };
  private readonly firstLanes: Set<number>;

  private readonly search = get<HTMLInputElement>("search");
  private readonly key = get<HTMLSelectElement>("key");
  private readonly client = get<HTMLSelectElement>("client");
  private readonly node = get<HTMLSelectElement>("node");
  private readonly type = get<HTMLSelectElement>("type");
  private readonly tip = get("tip");
  private readonly about = get("about");
  private readonly details = get("details");
  private readonly hint = this.details.innerHTML;
  private readonly states = get("states");

  constructor(readonly run: Run) {
    this.diagram = new Diagram(get<HTMLCanvasElement>("diagram"), run);
    this.overview = new Overview(get<HTMLCanvasElement>("overview"), run);
    this.firstLanes = this.chooseLanes();
    this.fillFilters();
    this.diagram.seesOp = (op) => this.seesOp(op);
    this.diagram.seesMessage = (m) => this.seesMessage(m);
    this.diagram.shows = (lane) => this.shows(lane);
    this.current = this.violation();
    this.listen();
    this.resize();
    this.home();
    this.refresh();
  }

  // chooseLanes are the clients of the witness, some others that did most, and the
  // nodes as far as there is room.
  private chooseLanes(): Set<number> {
    const lanes = new Set<number>();
    const busy = new Map<number, number>();
    const view = this.run.answer ? this.run.view : this.run.kept;
    for (const op of this.run.ops) {
      if (op.rank > 0) lanes.add(op.lane);
      if (view.some((s) => op.from <= s.until && op.until >= s.from)) busy.set(op.lane, (busy.get(op.lane) ?? 0) + 1);
    }
    const others = [...busy.keys()].filter((l) => !lanes.has(l)).sort((a, b) => (busy.get(b) ?? 0) - (busy.get(a) ?? 0) || a - b);
    for (const l of others.slice(0, Math.max(0, fewClients - lanes.size))) lanes.add(l);
    for (const m of this.run.messages) if (m.rank > 0) lanes.add(m.from).add(m.to);
    for (const l of this.run.lanes) if (l.node && l.id < fewNodes) lanes.add(l.id);
    return lanes;
  }

  // readFilters takes over what is chosen above the drawing. To ask the page for
  // every message would take most of the time of a redraw.
  private readFilters(): void {
    const number = (s: HTMLSelectElement): number => (s.value === "" ? -1 : Number(s.value));
    const text = (s: HTMLSelectElement): string | null => (s.value.startsWith("=") ? s.value.slice(1) : null);
    this.filter = { key: text(this.key), client: number(this.client), node: number(this.node), type: text(this.type), messages: this.type.value };
  }

  private shows(lane: number): boolean {
    if (this.filter.client >= 0 && !this.run.lanes[lane].node) return lane === this.filter.client;
    return this.everyLane || this.firstLanes.has(lane);
  }

  private seesOp(op: Op): boolean {
    const { key, client } = this.filter;
    return (key === null || op.key === key) && (client < 0 || op.lane === client);
  }

  private seesMessage(m: Message): boolean {
    const { key, node, type, messages } = this.filter;
    if (messages !== "" && (messages === "witness" ? m.rank === 0 : m.type !== type)) return false;
    if (node >= 0 && m.from !== node && m.to !== node) return false;
    return key === null || !m.op || m.op.key === key;
  }

  private sees(e: Event): boolean {
    if (!this.shows(e.lane)) return false;
    return (!e.op || this.seesOp(e.op)) && (!e.message || this.seesMessage(e.message));
  }

  // fillFilters lists keys, clients, nodes and message types. The values of keys and
  // types begin with a sign, so that an empty key is not the empty choice.
  private fillFilters(): void {
    const count = (names: string[]): [string, number][] => {
      const n = new Map<string, number>();
      for (const name of names) n.set(name, (n.get(name) ?? 0) + 1);
      return [...n].sort((a, b) => b[1] - a[1]).slice(0, 200);
    };
    const option = (to: HTMLSelectElement, value: string, text: string): void => {
      const o = element("option", text);
      o.value = value;
      to.append(o);
    };
    for (const [k, n] of count(this.run.ops.map((op) => op.key))) option(this.key, "=" + k, `${k} (${n})`);
    for (const [t, n] of count(this.run.messages.map((m) => m.type))) option(this.type, "=" + t, `${t} (${n})`);
    for (const l of this.run.lanes.slice(0, 2000)) option(l.node ? this.node : this.client, String(l.id), l.name);
    const hide = (e: HTMLElement, is: boolean): void => {
      if (e.parentElement) e.parentElement.hidden = is;
    };
    hide(this.type, this.run.messages.length === 0);
    hide(this.node, this.run.messages.length === 0);
    hide(get("lanes"), this.run.lanes.every((l) => this.firstLanes.has(l.id)));
  }

  // violation is the event in which the contradiction shows.
  private violation(): number {
    const op = this.run.answer;
    if (!op) return this.run.events.length - 1;
    const last = this.run.events.findIndex((e) => e.op === op && e.kind === "returned");
    return last >= 0 ? last : this.run.events.findIndex((e) => e.op === op);
  }

  // home goes back to what the page showed first.
  home(): void {
    const { axis } = this.diagram;
    for (const f of axis.folds) f.open = false;
    axis.arrange();
    const view = this.run.answer ? this.run.view : this.run.kept;
    const from = view[0]?.from ?? 0;
    const until = view[view.length - 1]?.until ?? this.run.run.until;
    axis.fit({ from, until: Math.max(until, from + 1) }, this.diagram.plot);
    axis.zoom(0.96, this.diagram.plot / 2, 0, Infinity);
    if (this.run.answer) this.reveal(this.run.answer.lane);
  }

  private reveal(lane: number): void {
    const d = this.diagram;
    const l = d.lanes.find((p) => p.lane.id === lane);
    if (l && (l.top < d.scroll + 60 || l.top + l.height > d.scroll + d.height)) d.scrollTo(l.top - d.height / 3);
  }

  private get event(): Event | undefined {
    return this.run.events[this.current];
  }

  // refresh follows a change of what is selected, found or filtered.
  refresh(): void {
    const d = this.diagram;
    const e = this.event;
    d.selected = this.chosen ? (e?.op ?? e?.message ?? null) : null;
    d.cone = d.selected ? coneOf(d.selected) : this.found.length > 0 ? new Set(this.found.flatMap((f) => f.op ?? f.message ?? [])) : null;
    d.cursor = this.chosen ? (e ?? null) : null;
    if (e) {
      const { states } = stateAt(this.run, e);
      d.roles = (lane) => {
        const [role, number] = [states.get(lane)?.get("role"), states.get(lane)?.get("configuration")];
        return [role, number && "config " + number].filter(Boolean).join(", ");
      };
      const nodes = this.run.lanes.filter((l) => l.node && states.has(l.id)).slice(0, fewNodes);
      showStates(this.states, this.run, e, nodes.map((l) => l.id));
    }
    if (this.chosen && e) {
      showDetails(this.details, this.run, e, (thing) => this.choose(thing));
      this.about.textContent = `${when(e.at)}: ${describeEvent(this.run, e)}`;
    } else {
      this.details.innerHTML = this.hint;
      this.about.textContent = "";
    }
    for (const row of document.querySelectorAll<HTMLElement>("tr[data-op]")) row.classList.toggle("on", d.selected !== null && "index" in d.selected && row.dataset.op === String(d.selected.index));
    this.resize();
    this.redraw();
  }

  redraw(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  draw(): void {
    this.diagram.draw();
    this.overview.draw(this.diagram.shown);
    const { drawn, inView } = this.diagram;
    get("thinned").textContent = drawn < inView ? `${drawn.toLocaleString("en")} of ${inView.toLocaleString("en")} messages in view are drawn; zoom in for all.` : "";
  }

  private readColors(): void {
    const style = getComputedStyle(document.documentElement);
    for (const name of colorNames) this.diagram.colors[name] = style.getPropertyValue("--" + name).trim();
    this.overview.colors = this.diagram.colors;
  }

  resize(): void {
    this.readColors();
    const d = this.diagram;
    const ratio = this.printing ? 3 : Math.min(window.devicePixelRatio || 1, 2.5);
    d.layout();
    const width = this.printing ? 1040 : d.canvas.parentElement?.clientWidth ?? 1000;
    const room = this.printing ? 900 : Math.max(360, window.innerHeight * 0.7);
    const before = d.plot;
    d.size(width, Math.max(Math.min(d.content, room), 160), ratio);
    if (before > 0 && before !== d.plot) d.axis.scale *= d.plot / before;
    this.overview.size(this.printing ? 1040 : this.overview.canvas.parentElement?.clientWidth ?? 1000, ratio);
  }

  // select makes an event the current one, and shows it.
  select(position: number, quiet = false): void {
    this.current = position;
    this.chosen = position >= 0;
    if (position < 0) this.current = this.violation();
    const e = this.event;
    if (e && this.chosen && !quiet) {
      const x = this.diagram.axis.x(e.at);
      const fold = this.diagram.axis.folds.find((f) => !f.open && f.from < e.at && e.at < f.until);
      if (fold) this.open(fold);
      if (x < 20 || x > this.diagram.plot - 20 || fold) this.center(e.at);
      this.reveal(e.lane);
    }
    this.refresh();
  }

  private open(fold: { open: boolean }): void {
    fold.open = true;
    this.diagram.axis.arrange();
  }

  private center(t: number): void {
    const { axis, plot } = this.diagram;
    axis.origin = axis.place(t) - plot / 2 / axis.scale;
  }

  choose(thing: Op | Message, late = true): void {
    const events = this.run.events;
    const kinds = late ? ["returned", "arrived", "dropped"] : ["called", "sent"];
    let position = events.findIndex((e) => (e.op ?? e.message) === thing && kinds.includes(e.kind));
    if (position < 0) position = events.findIndex((e) => (e.op ?? e.message) === thing);
    this.select(position);
  }

  step(by: 1 | -1, lane = -1): void {
    for (let i = this.current + (this.chosen ? by : 0); i >= 0 && i < this.run.events.length; i += by) {
      const e = this.run.events[i];
      if (this.sees(e) && (lane < 0 || e.lane === lane)) return this.select(i);
    }
  }

  find(text: string): void {
    const words = text.trim().toLowerCase();
    this.found = [];
    if (words) {
      this.found = this.run.events.filter((e) => {
        if (e.kind === "returned" || e.kind === "arrived" || e.kind === "dropped" || !this.sees(e)) return false;
        const about = e.op ? e.op.text + " " + e.op.node : e.message ? e.message.text + " " + e.message.dropped : (e.text ?? "") + e.kind;
        return (about + " " + this.run.lanes[e.lane].name).toLowerCase().includes(words);
      });
    }
    this.overview.found = this.found.map((e) => e.at);
    get("found").textContent = words ? `${this.found.length.toLocaleString("en")} found` : "";
    this.chosen = false;
    this.current = this.violation();
    this.refresh();
  }

  findNext(by: 1 | -1): void {
    if (this.found.length === 0) return;
    const at = this.chosen ? this.found.indexOf(this.event as Event) : -1;
    const n = this.found.length;
    const next = (at + by + n) % n;
    get("found").textContent = `${next + 1} of ${n.toLocaleString("en")}`;
    this.select(this.run.events.indexOf(this.found[next]));
  }

  zoom(by: number, x = this.diagram.plot / 2): void {
    const { axis, plot } = this.diagram;
    const least = plot / (axis.place(this.run.run.until) * 1.3 + 1);
    axis.zoom(by, x, Math.min(least, axis.scale), 0.5);
    this.redraw();
  }

  pan(x: number): void {
    this.diagram.axis.origin += x / this.diagram.axis.scale;
    this.redraw();
  }

  private listen(): void {
    const on = (id: string, do_: () => void): void => get(id).addEventListener("click", do_);
    on("closer", () => this.zoom(1.5));
    on("farther", () => this.zoom(1 / 1.5));
    on("home", () => {
      this.home();
      this.select(-1);
    });
    on("back", () => this.step(-1));
    on("forward", () => this.step(1));
    get<HTMLInputElement>("lanes").addEventListener("change", (e) => {
      this.everyLane = (e.target as HTMLInputElement).checked;
      this.refresh();
    });
    this.search.addEventListener("input", () => this.find(this.search.value));
    this.search.addEventListener("keydown", (e) => {
      if (e.key === "Enter") this.findNext(e.shiftKey ? -1 : 1);
    });
    for (const s of [this.key, this.client, this.node, this.type]) {
      s.addEventListener("change", () => {
        this.readFilters();
        if (this.search.value) this.find(this.search.value);
        else this.refresh();
      });
    }
    document.addEventListener("keydown", (e) => this.key_(e));
    for (const row of document.querySelectorAll<HTMLElement>("tr[data-op]")) {
      const op = this.run.ops.find((o) => String(o.index) === row.dataset.op);
      if (op) row.addEventListener("click", () => this.choose(op));
    }
    this.listenCanvas(this.diagram.canvas);
    this.listenOverview(this.overview.canvas);
    window.addEventListener("resize", () => this.refresh());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.refresh());
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  private print(now: boolean): void {
    this.printing = now;
    document.documentElement.classList.toggle("printing", now);
    this.refresh();
    this.draw(); // at once: no frame comes before the print
  }

  private key_(e: KeyboardEvent): void {
    const typing = e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement;
    if (e.key === "Escape") {
      if (typing) (e.target as HTMLElement).blur();
      this.search.value = "";
      this.find("");
      return;
    }
    if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
    const wide = this.diagram.plot / 8;
    const here = e.target === this.diagram.canvas;
    const keys: Record<string, () => void> = {
      "/": () => this.search.focus(),
      n: () => this.step(1), p: () => this.step(-1),
      v: () => get("home").click(),
      "+": () => this.zoom(1.3), "=": () => this.zoom(1.3), "-": () => this.zoom(1 / 1.3),
    };
    if (here) {
      keys.ArrowRight = () => (e.shiftKey ? this.pan(wide) : this.step(1));
      keys.ArrowLeft = () => (e.shiftKey ? this.pan(-wide) : this.step(-1));
      keys.ArrowUp = () => this.step(-1, this.chosen ? this.event?.lane : -1);
      keys.ArrowDown = () => this.step(1, this.chosen ? this.event?.lane : -1);
      keys.PageDown = () => this.pan(this.diagram.plot * 0.8);
      keys.PageUp = () => this.pan(-this.diagram.plot * 0.8);
    }
    const act = keys[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  private listenCanvas(canvas: HTMLCanvasElement): void {
    const d = this.diagram;
    const down = new Map<number, PointerEvent>();
    let moved = false;
    const local = (e: MouseEvent): [number, number] => {
      const box = canvas.getBoundingClientRect();
      return [e.clientX - box.left, e.clientY - box.top];
    };
    canvas.addEventListener("wheel", (e) => {
      const [x] = local(e);
      if (e.ctrlKey || e.metaKey) this.zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0022)), x - d.gutter);
      else if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) this.pan(e.deltaX || e.deltaY);
      else {
        const before = d.scroll;
        d.scrollTo(d.scroll + e.deltaY);
        if (d.scroll === before) return; // let the page scroll
        this.redraw();
      }
      e.preventDefault();
    }, { passive: false });
    canvas.addEventListener("pointerdown", (e) => {
      down.set(e.pointerId, e);
      moved = false;
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointermove", (e) => {
      const before = down.get(e.pointerId);
      if (!before) return this.hover(...local(e), e);
      const other = [...down.values()].find((o) => o.pointerId !== e.pointerId);
      if (other) {
        const was = Math.abs(before.clientX - other.clientX);
        const is = Math.abs(e.clientX - other.clientX);
        this.pan((before.clientX - e.clientX) / 2);
        if (was > 10 && is > 10) this.zoom(is / was, (local(e)[0] + local(other)[0]) / 2 - d.gutter);
        moved = true;
      } else if (moved || Math.hypot(e.clientX - before.clientX, e.clientY - before.clientY) > 4) {
        moved = true;
        this.pan(before.clientX - e.clientX);
        d.scrollTo(d.scroll + before.clientY - e.clientY);
      } else return;
      down.set(e.pointerId, e);
    });
    const up = (e: PointerEvent): void => {
      if (down.delete(e.pointerId) && !moved && e.type === "pointerup") this.click(...local(e));
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
      d.hovered = null;
      this.redraw();
    });
    canvas.addEventListener("dblclick", (e) => this.zoom(2, local(e)[0] - d.gutter));
  }

  private click(x: number, y: number): void {
    const hit = this.diagram.thingAt(x, y);
    if (hit && "op" in hit.thing) return this.choose(hit.thing.op);
    if (hit && "message" in hit.thing) return this.choose(hit.thing.message, hit.share > 0.5);
    const fold = this.diagram.axis.folds[this.diagram.foldAt(x)];
    if (fold && !hit) {
      this.open(fold);
      return this.redraw();
    }
    this.select(-1);
  }

  private hover(x: number, y: number, e: MouseEvent): void {
    const hit = this.diagram.thingAt(x, y);
    const thing = hit && "op" in hit.thing ? hit.thing.op : hit && "message" in hit.thing ? hit.thing.message : null;
    this.diagram.canvas.style.cursor = hit ? "pointer" : "";
    this.tip.hidden = !hit;
    if (hit) {
      this.tip.textContent = this.words(hit.thing);
      const place = this.tip.offsetParent?.getBoundingClientRect() ?? { left: 0, top: 0, width: 1000 };
      const wide = this.tip.offsetWidth;
      this.tip.style.left = Math.max(0, Math.min(e.clientX - place.left + 14, place.width - wide - 4)) + "px";
      this.tip.style.top = e.clientY - place.top + 18 + "px";
    }
    if (thing === this.diagram.hovered) return;
    this.diagram.hovered = thing;
    this.redraw();
  }

  words(thing: Thing): string {
    if ("op" in thing) return describeOp(this.run, thing.op);
    return "message" in thing ? describeMessage(this.run, thing.message) : thing.words;
  }

  private listenOverview(canvas: HTMLCanvasElement): void {
    const go = (e: PointerEvent): void => {
      this.center(this.overview.time(e.clientX - canvas.getBoundingClientRect().left));
      this.redraw();
    };
    canvas.addEventListener("pointerdown", (e) => {
      canvas.setPointerCapture(e.pointerId);
      go(e);
    });
    canvas.addEventListener("pointermove", (e) => {
      if (e.buttons) go(e);
    });
  }

  // measure draws so many times, each time a bit farther, and returns how many
  // milliseconds each took with its pixels. For tests.
  measure(times: number): number[] {
    const taken: number[] = [];
    const pixel = this.diagram.canvas.getContext("2d");
    for (let i = 0; i < times; i++) {
      const began = performance.now();
      this.diagram.axis.origin += (i % 2 ? 7 : -7) / this.diagram.axis.scale;
      this.draw();
      pixel?.getImageData(0, 0, 1, 1);
      taken.push(performance.now() - began);
    }
    return taken;
  }
}

// coneOf returns a thing with all of its causes and effects.
function coneOf(thing: Op | Message): Set<Op | Message> {
  const cone = new Set<Op | Message>([thing]);
  const after: Message[] = "type" in thing ? [thing] : [...thing.sends];
  for (let m = after.pop(); m; m = after.pop()) {
    cone.add(m);
    for (const e of m.effects) if (!cone.has(e)) after.push(e);
  }
  if ("type" in thing) {
    for (let m: Message | null = thing; m; m = m.cause) cone.add(m);
    if (thing.op) cone.add(thing.op);
  }
  return cone;
}

const began = performance.now();
const app = new App(unpack(JSON.parse(get("data").textContent ?? "{}")));
app.draw();
document.documentElement.dataset.drawn = (performance.now() - began).toFixed(1);
(globalThis as Record<string, unknown>).rashomon = app; // for tests, and for the curious
