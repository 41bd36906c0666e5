// The view: it draws what data.js derives, and carries out what is asked for. All texts are set as
// texts: nothing that a client sent is ever read as markup.

import {
  Entries, address, attemptName, axis, chains, compact, curlLine, isPending, isProblem, lay, lost,
  parseAddress, parseFilter, relatives, seconds, select, statusText, told,
} from "./data.js";

const $ = (id) => document.getElementById(id);
/** The data of one or more trials, where the page is their report: then there is no server. */
const report = document.getElementById("report-data")
  ? JSON.parse(document.getElementById("report-data").content.textContent) : null;
/** Without the user and password that the address may have: no request may be made with those in it. */
const base = report ? "" : location.origin;
/** The trials of a report, those that failed first. */
const outcomes = ["fail", "error", "not-exercised", "pass"];
const trials = report?.trials.slice().sort((a, b) => outcomes.indexOf(a.outcome) - outcomes.indexOf(b.outcome));
/** The trial of a report that is shown: the one of the address, else the first. */
const trial = () => trials.find((t) => t.session === state.session) ?? trials[0];

const entries = new Entries();
let state = parseAddress(location.hash);
let collapses = true;
let version = -1;
let allChains = [];
let shownChains = [];
let currentRow = -1;
/** Rows that have come above what somebody is reading. */
let newer = 0;
let verdict = null;
let chip = null;
/** Whether somebody chose the chip: then it also filters. A report opens one by itself. */
let isChosen = true;
let evidence = null;
/** The scenario that plays, or played last: `{name, active, after}`. */
let played = null;
let stream = null;
let isLoading = false;
/** What came while the page was paused; `isMissing` where that was too much to keep. */
let held = [];
let isMissing = false;
let now = null;
const rowHeight = () => (matchMedia("(max-width: 760px)").matches ? 64 : 34);

/** An element; strings among its children are texts. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick" || name === "onchange" || name === "onsubmit") element.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-") && typeof value === "boolean") element.setAttribute(name, String(value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}
/** A text in which what stands in backticks is code. */
const marked = (text) => String(text).split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

function say(text) { $("news").textContent = text; }

function copyButton(what, text) {
  return button(`Copy ${what}`, async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(`Copied ${what}.`);
    } catch {
      say("The browser does not let the page copy: select the text.");
    }
  });
}

// MARK: The server

const query = (path) => path + (path.includes("?") ? "&" : "?") + "session=" + encodeURIComponent(state.session);

/** What a control request answers; its failure is an Error with the server's own sentence. */
async function ask(method, path, body) {
  const options = { method, cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const answer = await fetch(`${base}/__admin${path}`, options);
  const text = await answer.text();
  const json = text && answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
  if (!answer.ok) throw Object.assign(new Error(json?.detail ?? `The server answered ${answer.status}.`), { status: answer.status });
  return json;
}
const read = (path) => ask("GET", query(path));

/**
 * Reads the journal from its end back to a number, and says whether that went well.
 *
 * What is told meanwhile joins what is read: the order does not matter.
 */
async function loadJournal(after = 0) {
  if (isLoading) return false;
  isLoading = true;
  const session = state.session;
  try {
    let before = null, left = 100000, first = true;
    while (left > 0) {
      const page = await read(`/requests?limit=${first ? 200 : 10000}${before === null ? "" : `&before=${before}`}`);
      if (session !== state.session) return false;
      entries.dropped = page.dropped;
      const oldest = page.items[page.items.length - 1]?.id ?? 0;
      left -= page.items.length;
      const count = page.items.length;
      take(page.items.map(compact));
      if (first) { draw(); loadVerdict(); }
      if (!count || oldest <= after + 1) break;
      if (!first && page.next === undefined && count < 10000) break;
      before = oldest;
      first = false;
      // The page answers whoever uses it meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    for (const row of entries.pending()) refreshEntry(row.id);
    return true;
  } catch (error) {
    if (session !== state.session) return false;
    if (error.status === 404) say(`There is no session ${state.session} yet: it opens with its first token.`);
    else say(error.message);
    return false;
  } finally {
    isLoading = false;
    if (session !== state.session) loadJournal(); else draw();
  }
}

async function refreshEntry(id) {
  try { take((await read(`/requests/${id}`)).items.filter((e) => e.id === id).map(compact)); } catch { /* it is no longer kept */ }
}

function take(rows) {
  if (state.paused) {
    held.push(rows);
    $("count").textContent = counts();
    // More than that is read from the journal afterwards.
    if (held.length > 20000) { held = []; isMissing = true; }
    return;
  }
  entries.add(rows);
  drawSoon();
}

let verdictTimer = null;
async function loadVerdict() {
  // While too many requests come, nobody asks what they all amount to.
  if (report || state.paused || hole !== null) return;
  const begin = performance.now();
  try { verdict = await read("/verdict"); } catch { verdict = null; }
  drawVerdict();
  verdictCost = performance.now() - begin;
}
/** Which scenario plays, for the head of the page and the mark in the list. */
async function loadPlayed() {
  if (report) return;
  let now = null;
  try { now = (await read("/scenarios")).items.find((s) => s.after !== undefined) ?? null; } catch { /* told elsewhere */ }
  played = now;
  nameSession();
  drawSoon();
}
let verdictCost = 0;
function verdictSoon() {
  if (verdictTimer) return;
  // A verdict that takes long is asked for less often.
  verdictTimer = setTimeout(() => { verdictTimer = null; loadVerdict(); }, Math.max(300, verdictCost * 10));
}

function follow() {
  stream?.close();
  stream = new EventSource(base + query("/__admin/events"));
  const source = stream;
  let wasLost = false;
  source.onopen = () => {
    if (source !== stream) return;
    connection(state.paused ? "paused" : "live");
    if (wasLost) { say("Connected again."); for (const row of entries.pending()) refreshEntry(row.id); refreshPanel(); }
    wasLost = false;
  };
  source.onerror = () => {
    if (source !== stream) return;
    wasLost = true;
    connection("reconnecting");
    drawEmpty();
    if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (source === stream) { follow(); loadJournal(); } }, 2000);
  };
  const on = (kind, act) => source.addEventListener(kind, (event) => { if (source === stream) act(JSON.parse(event.data)); });
  on("request", (entry) => { now = entry.time; take([compact(entry)]); });
  on("gap", noteGap);
  on("verdict", (data) => { verdictSoon(); if (data.operation) loadPlayed(); refreshPanel(["Scenarios", "Faults", "Changes", "World"]); });
  on("fault", () => refreshPanel(["Faults", "Scenarios", "Readings"]));
  on("clock", (data) => { now = data.now; say(`The session's clock stands at ${clockText(data.now)}.`); refreshPanel(["Clock", "World", "Data"]); });
  on("world", () => refreshPanel(["World", "Data", "Changes"]));
  on("reset", (data) => {
    say("The session was reset.");
    if (!data.scope || data.scope.includes("journal")) {
      if (data.operation !== "Admin_RestoreSnapshot") { entries.clear(); held = []; }
      loadJournal();
    }
    verdictSoon();
    loadPlayed();
    refreshPanel();
  });
}

/** The newest request before one that was not told; null where none is missing. */
let hole = null;
let lastGap = 0, holeTimer = null;

/** Requests were left out: too many at once, or the server has begun afresh. */
function noteGap({ newest }) {
  refreshPanel();
  if (newest < entries.newest) {
    say("The server began afresh: reading its journal.");
    entries.clear();
    loadJournal();
    return;
  }
  if (hole === null) {
    hole = entries.newest;
    say("Requests come faster than they can be told: the newest are shown, the others follow.");
  }
  lastGap = performance.now();
  mendLater();
}

/** While too many come, the newest are enough; who serves clients has other things to do. */
function mendLater() {
  holeTimer ??= setTimeout(async () => {
    holeTimer = null;
    if (hole === null) return;
    if (performance.now() - lastGap < 1500 || isLoading) {
      try { take((await read("/requests?limit=50")).items.map(compact)); } catch { /* another telling comes */ }
    } else {
      const after = hole;
      hole = null;
      if (await loadJournal(after)) { verdictSoon(); return; }
      hole = after;
    }
    mendLater();
  }, 1000);
}

function connection(text) {
  $("connection").textContent = text === "reconnecting" ? "reconnecting: the server does not answer" : text;
  $("connection").className = text;
}

// MARK: State and address

/** Changes the state; `isStep` when Back shall come back to the state before. */
function go(change, isStep = true) {
  const before = state;
  state = { ...state, ...change };
  const text = address(state);
  if (location.hash !== text) {
    if (isStep) history.pushState(null, "", text); else history.replaceState(null, "", text);
  }
  apply(before);
}

function nameSession() {
  $("session-name").textContent = report ? `report, ${trial().title}` : `session ${state.session}${played?.active ? `, playing ${played.name}` : ""}`;
  document.title = `${report ? trial().title : state.session} · qubs-mock`;
}

let isPanelLast = false;
function apply(before) {
  if (before && before.panel !== state.panel && state.panel) isPanelLast = true;
  if (before && before.request !== state.request && state.request !== null) isPanelLast = false;
  nameSession();
  if (before && before.session !== state.session) {
    entries.clear(); held = []; hole = null; verdict = null; chip = null; evidence = null; newer = 0; played = null;
    if (report) showTrial(); else { follow(); loadJournal(); loadPlayed(); }
    drawVerdict();
  }
  for (const [id, on] of [["problems", state.problems], ["pause", state.paused], ["collapse", collapses]]) $(id).setAttribute("aria-pressed", on);
  if (before && before.paused !== state.paused) {
    connection(state.paused ? "paused" : stream?.readyState === 1 ? "live" : "reconnecting");
    if (!state.paused) {
      for (const rows of held) entries.add(rows);
      held = [];
      if (isMissing) { isMissing = false; loadJournal(); }
      verdictSoon();
    }
  }
  if (document.activeElement !== $("filter")) $("filter").value = state.filter;
  if (!before || before.request !== state.request || before.session !== state.session || before.panel !== state.panel) drawSide();
  draw();
}

addEventListener("popstate", () => { const before = state; state = parseAddress(location.hash); $("filter").value = state.filter; apply(before); });

// MARK: The time-line

let drawTimer = 0, drawCost = 0;
/** Draws what has come, at the next frame; where that takes long, after a pause in which others run. */
function drawSoon() {
  if (drawTimer) return;
  const later = () => {
    drawTimer = 0;
    const begin = performance.now();
    draw();
    drawCost = performance.now() - begin;
  };
  drawTimer = drawCost < 10 ? requestAnimationFrame(later) : setTimeout(later, drawCost * 4);
}
let scrollTimer = 0;

let shownKey = "", shownFilter = "";
function draw() {
  const height = rowHeight();
  const scroll = $("scroll");
  if (version !== entries.version) {
    version = entries.version;
    allChains = chains(entries.rows);
    shownKey = "";
    wholeAxis = null;
  }
  const filtered = JSON.stringify([state.filter, state.problems, chip, isChosen]);
  const key = `${filtered} ${version}`;
  let shift = 0;
  if (key !== shownKey) {
    const place = Math.floor(scroll.scrollTop / height);
    const anchor = shownChains[place]?.[0].id, current = shownChains[currentRow]?.[0].id;
    const parsed = parseFilter(state.filter);
    shownChains = select(allChains, { filter: parsed.error ? { tests: [], limit: null } : parsed, problems: state.problems, evidence });
    // A report is read from its beginning; who follows looks at what is new.
    if (report) shownChains.reverse();
    const find = (id) => (id === undefined ? -1 : shownChains.findIndex((chain) => chain[0].id === id));
    if (currentRow >= 0) currentRow = find(current);
    if (filtered !== shownFilter) newer = 0;
    // What somebody is reading stays where it is while others come.
    else if (scroll.scrollTop > 0) shift = Math.max(0, find(anchor) - place);
    shownKey = key;
    shownFilter = filtered;
  }
  $("timeline").style.height = `${shownChains.length * height}px`;
  if (shift) { scroll.scrollTop += shift * height; newer += shift; }
  $("count").textContent = counts();
  // First: what is hidden has no width.
  drawEmpty();
  drawRows();
}

const number = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

function counts() {
  const total = entries.rows.length;
  let text = number(total, "request");
  if (shownChains.length !== allChains.length) text += `, ${number(shownChains.length, "row")} of ${allChains.length.toLocaleString("en")} shown`;
  if (evidence) text += `: the evidence of “${chip}”`;
  if (entries.dropped) text += `; ${entries.dropped.toLocaleString("en")} older ones are no longer kept`;
  if (allChains.length > 1) text += report ? "; the first on top" : "; the newest on top";
  if (state.paused) text += `; paused: ${isMissing ? "many" : held.length} more came`;
  return text;
}

/** So many rows have one scale: that of all of them. Of more, those that are seen have their own. */
const maximumScaled = 500;
let wholeAxis = null;
function scale(visible) {
  const origin = entries.rows.length ? allChains[0][0].arrival : null;
  if (allChains.length > maximumScaled) return axis(visible, collapses, origin);
  return (wholeAxis ??= axis(allChains, collapses, origin));
}

let drawn = [];
function drawRows() {
  const height = rowHeight();
  const scroll = $("scroll");
  if (scroll.scrollTop <= 0) newer = 0;
  const first = Math.max(0, Math.floor(scroll.scrollTop / height) - 5);
  const last = Math.min(shownChains.length, Math.ceil((scroll.scrollTop + (scroll.clientHeight || 600)) / height) + 5);
  const visible = shownChains.slice(first, last);
  const time = scale(visible);
  const focused = document.activeElement?.dataset?.request;
  const list = $("timeline");
  const room = laneWidth();
  drawn = [];
  const items = visible.map((chain, index) => row(chain, first + index, height, time, room));
  list.replaceChildren(...items);
  if (focused) list.querySelector(`[data-request="${Number(focused)}"]`)?.focus({ preventScroll: true });
  $("newer").hidden = !newer;
  $("newer").textContent = `${number(newer, "new row")} above`;
  drawAxis(time, visible, room);
}

/** The width of a lane in pixels, as page.css has it. */
function laneWidth() {
  const width = $("scroll").clientWidth || 700;
  return Math.max(60, width - (matchMedia("(max-width: 760px)").matches ? 24 : 406));
}

function drawAxis(time, visible, room) {
  const oldest = allChains[0]?.[0];
  $("axis").style.width = `${room}px`;
  $("axis").replaceChildren(
    ...(oldest ? [make("span", { class: "from" }, `+0 s is ${clockText(oldest.time)}, the session's clock`)] : []),
    ...legible(time.ticks, room).map(({ text, x }) => at(make("span", {}, text), x, room)),
    ...legible(time.breaks, room).map(({ text, x, title }) => at(make("span", { class: "break", title }, text), x, room)),
  );
}

/** Marks of the axis: one that stands too near the one before, or says the same, has no text. */
function legible(marks, room) {
  let last = null;
  return marks.map((mark) => {
    const hides = last !== null && ((mark.x - last.x) * room < 70 || mark.text === last.text);
    if (!hides) last = mark;
    return { ...mark, title: mark.text, text: hides ? "" : mark.text };
  });
}

/** Where a moment stands in a lane, in pixels; the last bar, too, has room for its status. */
const pixels = (x, room) => x * (room - 54);

function at(element, x, room) {
  element.style.left = `${pixels(x, room).toFixed(1)}px`;
  return element;
}

/** A time of the session's clock, its zone named. */
function clockText(time) {
  return String(time).replace("T", " ").replace(/\.(\d{3})\d*/, ".$1").replace("Z", " UTC");
}

function row(chain, index, height, time, room) {
  const first = chain[0];
  const lane = make("span", { class: "lane" });
  const notes = [];
  const words = chain.map((attempt) => (isPending(attempt) ? "…" : lost(attempt) ? `${attempt.status ?? "–"} lost` : String(attempt.status ?? "–")));
  const places = lay(chain.map((attempt, place) => {
    const left = pixels(time.at(attempt.arrival), room);
    return { left, width: pixels(time.at(attempt.end ?? Math.max(attempt.arrival, time.end)), room) - left, least: words[place].length > 3 ? 62 : 34 };
  }), room);
  chain.forEach((attempt, place) => {
    const { left, width } = places[place];
    const wait = told(chain, place);
    if (attempt.wait !== null && attempt.end !== null) {
      const from = pixels(time.at(attempt.end), room);
      const shade = make("span", { class: "wait", role: "img", "aria-label": `told to wait ${seconds(attempt.wait)}` });
      shade.style.left = `${from.toFixed(1)}px`;
      shade.style.width = `${Math.max(0, pixels(time.at(attempt.end + attempt.wait), room) - from).toFixed(1)}px`;
      lane.append(shade);
    }
    if (wait?.early) {
      const text = `early: came after ${seconds(wait.gap)} of ${seconds(wait.wait)}`;
      notes.push(text);
      const mark = make("span", { class: "early", role: "img", "aria-label": text, title: text });
      mark.style.left = `${left.toFixed(1)}px`;
      lane.append(mark);
    }
    const kind = isPending(attempt) ? "pending" : lost(attempt) ? "lost" : `s${Math.floor((attempt.status ?? 500) / 100)}`;
    const name = attemptName(chain, place);
    const bar = make("button", {
      type: "button", class: `bar ${kind}${state.request === attempt.id ? " open" : ""}`,
      "aria-label": name, title: `${name}, request ${attempt.id}`, "data-request": attempt.id,
    }, words[place]);
    bar.style.left = `${left.toFixed(1)}px`;
    bar.style.width = `${width.toFixed(1)}px`;
    lane.append(bar);
  });
  const name = first.operation ?? first.path;
  const short = name.replace(/^Integrations_/, "");
  const isStart = played && first.id > played.after && !(shownChains[report ? index - 1 : index + 1]?.[0].id > played.after) && entries.rows[0].id <= played.after;
  const what = make("span", { class: "what" },
    make("span", {}, short === name ? null : make("span", { class: "family" }, "Integrations_"), short),
    make("span", { class: "more" }, isStart ? make("span", { class: "startword" }, `${played.name} started, the verdict begins here · `) : null, make("span", { class: "ids" }, `#${chain.slice(0, 4).map((r) => r.id).join(" #")}${chain.length > 4 ? " …" : ""} · `),
      notes.length ? make("span", { class: "note" }, `${notes[0]} · `) : null,
      `${clockTime(first.time)} ${first.method} ${first.path.replace("/integrations/v1/", "")}`, first.client ? ` · ${first.client}` : ""));
  what.title = `${name}\n${first.method} ${first.path}`;
  const item = make("li", { class: `row${index === currentRow ? " current" : ""}${isStart ? " start" : ""}`, "aria-setsize": shownChains.length, "aria-posinset": index + 1 }, what, lane);
  item.style.top = `${index * height}px`;
  item.style.height = `${height}px`;
  drawn.push([index, item]);
  return item;
}

/** The attempt of a chain that somebody wants to see first: one that went wrong. */
const telling = (chain) => chain.find((r) => lost(r) !== null || r.status >= 400) ?? chain[chain.length - 1];

const clockTime = (time) => String(time).slice(11, 19);

function drawEmpty() {
  const box = $("empty");
  let content = [];
  if (!report && stream?.readyState !== 1 && !entries.rows.length && $("connection").className === "reconnecting") {
    content = [make("h2", {}, "No connection"), make("p", {}, "The server does not answer. Start it again with the same port: the page connects by itself.")];
  } else if (!entries.rows.length && !isLoading) {
    content = report ? [make("p", {}, "The command sent no request.")] : firstLines();
  } else if (!shownChains.length && entries.rows.length) {
    content = [make("h2", {}, "No request matches"), make("p", {}, "Requests there are, but none that is asked for."),
      button("Show all requests", () => { chip = null; evidence = null; drawVerdict(); $("filter").value = ""; filterError(""); go({ filter: "", problems: false }); })];
  }
  const key = content.map((c) => c.textContent).join();
  if (box.dataset.key !== key) { box.dataset.key = key; box.replaceChildren(...content); }
  $("scroll").hidden = !shownChains.length;
  $("axis").hidden = !shownChains.length;
}

function firstLines() {
  const suffix = state.session === "default" ? "" : `+${state.session}`;
  const id = "acme-partner";
  const client = suffix ? `--data-urlencode client_id=${id}${suffix}` : `-d client_id=${id}`;
  const lines = [
    `TOKEN=$(curl -s ${base}/oauth2/token -d grant_type=client_credentials ${client} -d client_secret=${id}-secret | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `curl -s "${base}/integrations/v1/acme/reporting/appointments/pending?pageSize=1" -H "Authorization: Bearer $TOKEN" -H "X-Correlation-Id: first-try"`,
  ];
  return [
    make("h2", {}, "No request yet"),
    make("p", {}, "Give your client these values. Attempts appear here as they happen."),
    facts([["base URL", `${base}/integrations/v1/acme`], ["token URL", `${base}/oauth2/token`], ["client_id", id + suffix], ["client_secret", `${id}-secret`]]),
    make("p", {}, "Or paste these two lines into a terminal:"),
    make("pre", {}, lines.join("\n")), copyButton("both lines", lines.join("\n")),
    make("p", {}, "Then let something go wrong: ", button("Choose a scenario", () => go({ panel: "Scenarios" }))),
  ];
}

// MARK: The verdict

function drawVerdict() {
  const groups = new Map();
  for (const check of verdict?.checks ?? []) {
    const key = `${check.level} ${check.result}`;
    groups.set(key, [...(groups.get(key) ?? []), check]);
  }
  const order = ["must fail", "should fail", "must pass", "should pass", "must not-judged", "should not-judged", "must not-exercised", "should not-exercised"];
  if (chip && !groups.has(chip)) chip = null;
  const chips = order.filter((key) => groups.has(key)).map((key) => button(`${key} ${groups.get(key).length}`, () => {
    if (chip === key && isChosen) chip = null; else chip = key;
    isChosen = true;
    drawVerdict();
    draw();
  }, { class: `chip ${key.replace(" ", " is-")}`, "aria-pressed": chip === key, title: meaning(key) }));
  const checks = chip ? groups.get(chip) : [];
  const hasEvidence = isChosen && checks.some((c) => c.evidence.length);
  evidence = hasEvidence ? new Set(checks.flatMap((c) => c.evidence.flatMap((e) => e.requests.map((r) => r.id)))) : null;
  const place = $("verdict");
  const focused = place.contains(document.activeElement) ? document.activeElement.textContent.replace(/ \d+$/, "") : null;
  // A report says at its head what came of the whole; checks are one part of that.
  place.replaceChildren(make("span", { class: "soft" }, report ? "Checks" : verdict ? `Verdict: ${verdict.conclusion?.word ?? verdict.result}` : "Verdict"), ...chips,
    report ? make("span", { class: "soft" }, outcomeOf(trial())) : "");
  if (focused) [...place.querySelectorAll("button")].find((b) => b.textContent.replace(/ \d+$/, "") === focused)?.focus();
  document.querySelector(".findings")?.remove();
  if (chip) {
    const shown = 5;
    const notes = [...new Set([...(trials?.length ? trial().notes : []), ...(verdict.scenario?.notes ?? [])])];
    $("verdict").after(make("div", { class: "findings", role: "region", "aria-label": `Checks: ${chip}`, tabindex: 0 },
      make("p", { class: "soft" }, `${meaning(chip)}${checks.length > 1 ? `: ${checks.length} checks` : ""}.${checks.some((c) => c.evidence.length) && !isChosen ? " Click the chip to see only the requests that show it." : ""}`),
      report ? notes.map((note) => make("p", {}, marked(note))) : null,
      checks.map((check) => make("div", {},
        make("h2", {}, check.id),
        make("p", {}, marked(check.summary)),
        chip.endsWith("pass") ? null : make("p", {}, make("strong", {}, "Rule: "), marked(check.rule)),
        chip.endsWith("fail") ? [make("p", {}, make("strong", {}, "Fix: "), marked(check.advice)),
          make("p", { class: "soft" }, `${check.basis.section ? `Documentation, “${check.basis.section}”` : "Good practice"}: ${check.basis.says}`)] : null,
        (check.remarks ?? []).map((remark) => make("p", {}, marked(remark))),
        check.toDecide ? make("p", {}, make("strong", {}, "To know: "), marked(check.toDecide)) : null,
        [...check.evidence, ...(check.undecided ?? [])].slice(0, shown).map((e) => make("p", { class: "soft" }, e.note === check.summary ? "" : marked(e.note), " ", e.requests.slice(0, 8).map((r) => [" ", requestLink(r.id)]))),
        check.failures > shown ? make("p", { class: "soft" }, `${shown} of ${check.failures} cases are listed.`) : null))));
  }
}

/** What came of a trial beside its checks, in a few words. */
function outcomeOf({ conclusion, verdict: { coverage } }) {
  return [conclusion ? `exit status ${conclusion.exitStatus}: ${conclusion.reason}` : null, `${coverage.called} of ${coverage.of} operations called`].filter(Boolean).join("; ");
}

/** What a chip means: its name is level and result. */
function meaning(key) {
  const [level, result] = key.split(" ");
  const word = { "fail": "failed", "pass": "passed", "not-judged": "seen, but not enough to judge", "not-exercised": "nothing to judge yet" }[result];
  return `${level === "must" ? "Required" : "Advised"}, ${word}`;
}

function requestLink(id) {
  return make("a", { href: address({ ...state, request: id }), onclick: (event) => { event.preventDefault(); go({ request: id }); } }, `request ${id}`);
}

// MARK: The side

let sideNumber = 0;
/** Whether an attempt was opened by a key, which one was open last, and which panel. */
let isByKey = false, lastRequest = null, lastPanel = null;
async function drawSide() {
  drawTabs();
  const side = $("side");
  const isWithin = side.contains(document.activeElement);
  const parts = [];
  sideNumber += 1;
  if (state.request !== null) parts.push(requestRegion(state.request));
  if (state.panel && panels[state.panel]) parts.push(panelRegion(state.panel));
  // What was opened last stands at the top.
  if (isPanelLast) parts.reverse();
  side.scrollTop = 0;
  side.replaceChildren(...parts);
  // Who opens an attempt by keys is in it then; who closes something is back where it was opened.
  if (parts.length && (isByKey || isWithin)) parts[0].focus({ preventScroll: true });
  else if (isWithin) {
    const tab = lastPanel && [...$("tabs").querySelectorAll("button")].find((b) => b.textContent === lastPanel);
    (document.querySelector(`[data-request="${lastRequest}"]`) ?? tab ?? $("scroll")).focus({ preventScroll: true });
  }
  isByKey = false;
  lastRequest = state.request;
  lastPanel = state.panel;
}

function closeButton(what, act) { return button("✕", act, { class: "close", "aria-label": `Close ${what}` }); }

function facts(pairs) {
  return make("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function requestRegion(id) {
  const region = make("section", { "aria-label": `Request ${id}`, tabindex: -1 },
    make("h2", {}, `Request ${id}`), closeButton(`request ${id}`, () => go({ request: null })), make("p", { class: "soft" }, "reading…"));
  fillRequest(region, id, sideNumber);
  return region;
}

async function fillRequest(region, id, number) {
  let entry, explanation = null, changes = [];
  try {
    if (report) {
      entry = trial().entries.find((e) => e.id === id);
      explanation = trial().explanations[id] ?? null;
      if (!entry) throw new Error("The report holds no request of this number.");
    } else {
      entry = (await read(`/requests/${id}`)).items.find((e) => e.id === id);
      if (!entry) throw new Error("The journal holds no request of this number.");
      const isRefused = entry.status >= 400 || entry.fault || entry.reason;
      [explanation, changes] = await Promise.all([
        isRefused ? read(`/requests/${id}/explain`) : null,
        entry.committed ? read("/changes").then((c) => c.items.filter((i) => i.request === id)) : [],
      ]);
    }
  } catch (error) {
    if (number === sideNumber) region.lastChild.textContent = error.message;
    return;
  }
  if (number !== sideNumber) return;
  const row = compact(entry);
  const chain = allChains.find((c) => c.some((r) => r.id === id)) ?? [row];
  const place = Math.max(0, chain.findIndex((r) => r.id === id));
  const wait = told(chain, place);
  const loss = isPending(row) ? null : lost(row);
  const others = chain.filter((r) => r.id !== id);
  const parameters = (entry.query ?? []).map((p) => `${p.name}=${p.value ?? "(not shown)"}${p.known ? "" : " (unknown to the operation)"}`).join("\n");
  const outcome = isPending(row) ? "not answered yet" : [entry.status !== null ? statusText(entry.status) : "no answer", loss ? `answer lost: ${loss}` : null].filter(Boolean).join(", ");
  const isPost = entry.method === "POST" && entry.operation !== "token";
  const beside = relatives(entries.rows, row);
  const found = (verdict?.checks ?? []).filter((c) => c.evidence.some((e) => e.requests.some((r) => r.id === id)));
  region.lastChild.remove();
  region.append(facts([
    ["operation", entry.operation ?? "none of the API's"],
    ["request", `${entry.method} ${entry.path}`],
    ["parameters", parameters],
    ["client", entry.client ?? "not recognised"],
    ["outcome", outcome],
    ["attempt", chain.length > 1 ? make("span", {}, `${place + 1} of ${chain.length}:`, others.map((r) => [" ", requestLink(r.id)])) : null],
    ["pause", wait ? `${seconds(wait.gap)} after the attempt before, which said to wait ${seconds(wait.wait)}${wait.early ? ": too early" : ""}` : null],
    ["told to wait", entry.retryAfter ? `${seconds(entry.retryAfter.seconds)}${entry.retryAfter.form === "seconds" ? "" : ` (Retry-After as ${entry.retryAfter.form})`}` : null],
    ["refused because", reasons[entry.reason] ?? entry.reason?.replaceAll("-", " ")],
    ["fault", entry.fault ? `${entry.fault.effects.map((e) => (e === "status" ? `answered ${entry.status}` : e)).join(", ")}, ${entry.fault.phase === "after" ? "after it was done" : "before anything was done"}; by rule ${entry.fault.rule}, request ${entry.fault.ordinal} of those it matched` : null],
    ["idempotency key", keyWords[entry.idempotency] ?? (entry.fields.idempotencyKey ? (entry.fault?.phase === "before" ? "sent, not looked at: the fault came first" : "sent, not looked at") : isPost ? "none sent" : null)],
    ["like it", beside.length ? make("span", {}, beside.map(({ row: other, key, content }) => make("span", { class: "line" }, requestLink(other.id),
      `: ${key === "none" ? "neither has a key" : `${key} key`}, ${content} content${other.status ? `, ${other.status}` : ""}${lost(other) ? " lost" : ""}`))) : null],
    ["readings", entry.readings ? Object.entries(entry.readings).map(([k, v]) => `${k}=${v}`).join(", ") : null],
    ["effects", entry.committed ? (changes.length ? changes.map((c) => `${c.kind} ${c.change}: ${c.appointmentId ?? c.id}`).join("\n") : "changed the data") : isPost && entry.fault ? "none: nothing was stored" : null],
    ["personal data", (entry.findings ?? []).join(", ")],
    ["verdict", found.length ? make("span", {}, found.map((c) => make("span", { class: "line" }, `${c.id}: `, button(`${c.level} ${c.result}`, () => { chip = `${c.level} ${c.result}`; isChosen = true; drawVerdict(); draw(); })))) : null],
    ["time", clockText(entry.time)],
    ["after the first", allChains.length ? `${(row.arrival - allChains[0][0].arrival).toFixed(3)} s` : null],
    ["took", entry.monotonicSeconds.lastOctet !== null ? seconds(Math.max(0, entry.monotonicSeconds.lastOctet - entry.monotonicSeconds.arrival)) : null],
    ["User-Agent", entry.fields.userAgent],
    ["correlation id", entry.requestIdFrom === "client" ? entry.requestId : `none sent; the server made ${entry.requestId}`],
    ["items", entry.items],
    ["connection", String(entry.connection)],
  ]));
  if (explanation) {
    const broken = explanation.rules ?? [];
    region.append(make("h3", {}, "Explanation"), make("p", {}, marked(explanation.summary)));
    for (const rule of broken) {
      region.append(make("p", {}, `${rule.where}${rule.name ? ` ${rule.name}` : ""}: `, marked(rule.message)), rule.expected !== undefined && rule.expected !== null
        ? make("p", { class: "soft" }, "expected ", make("code", {}, typeof rule.expected === "string" ? rule.expected : JSON.stringify(rule.expected))) : "");
    }
    if (!broken.length && entry.reason === null) {
      // An example of a right request would be another request than the one that has to be sent again.
      region.append(make("p", {}, make("strong", {}, "The request was right. "), entry.fields.idempotencyKey
        ? "To try again, send it as it was: the same Idempotency-Key, the same content."
        : isPost ? "To try again, send it as it was; without an Idempotency-Key that may do it twice." : "To try again, send it as it was."));
    } else if (explanation.curl) {
      region.append(make("h3", {}, "What would be right"), (entry.query ?? []).some((p) => p.value === undefined) || isPost
        ? make("p", { class: "soft" }, "Values that the journal does not keep are examples here.") : "",
      make("pre", {}, make("code", {}, explanation.curl)), copyButton("the right request", explanation.curl));
    }
  }
  if (!report) {
    const line = curlLine(base, "GET", `/__admin/requests/${id}${explanation ? "/explain" : ""}?session=${encodeURIComponent(state.session)}`);
    region.append(make("h3", {}, "The same in a terminal"), make("pre", {}, make("code", {}, line)), copyButton("the line", line));
  } else {
    region.append(copyButton("the path", entry.path));
  }
}

/** Why a request was refused, where the journal's word says too little. */
const reasons = {
  route: "there is no such path", method: "the path does not take this method", message: "it is not valid HTTP",
  contract: "it breaks the contract", domain: "the client has no access to the domain", site: "the client has no access to the site",
  permission: "the client lacks the permission", grant: "the grant was refused", range: "the range cannot be served",
  host: "of its Host", origin: "of its Origin", conflict: "it conflicts with what is there", unavailable: "the mock could not serve it",
};
/** What became of an idempotency key. */
const keyWords = {
  first: "first use of this key", replay: "used before: the stored answer was sent again, nothing was done",
  conflict: "used before for something else",
};

// MARK: Panels

const panels = report ? { Trials: drawTrials } : {
  Faults: drawFaults, Scenarios: drawScenarios, Clock: drawClock, Sessions: drawSessions,
  World: drawWorld, Readings: drawReadings, Changes: drawChanges, Data: drawData,
};

function drawTabs() {
  if (report && trials.length < 2) { $("tabs").hidden = true; return; }
  const focused = $("tabs").contains(document.activeElement) ? document.activeElement.textContent : null;
  $("tabs").replaceChildren(...Object.keys(panels).map((name) => button(name, () => go({ panel: state.panel === name ? null : name }), { "aria-expanded": state.panel === name })));
  if (focused) [...$("tabs").querySelectorAll("button")].find((b) => b.textContent === focused)?.focus();
}

function panelRegion(name) {
  const body = make("div", {});
  const last = make("div", { class: "act" });
  const region = make("section", { "aria-label": name, "data-panel": name, tabindex: -1 }, make("h2", {}, name), closeButton(name, () => go({ panel: null })), body, last);
  fill(name, body);
  return region;
}

async function fill(name, body) {
  try {
    const parts = await panels[name]();
    // What somebody is filling in stays.
    const held = body.contains(document.activeElement) ? document.activeElement : null;
    if (held && ["INPUT", "SELECT"].includes(held.tagName)) return;
    body.replaceChildren(...parts.flat().filter(Boolean));
    // Who has come to a button by keys stays there.
    if (held) [...body.querySelectorAll("button")].find((b) => b.textContent === held.textContent)?.focus({ preventScroll: true });
  } catch (error) {
    body.replaceChildren(make("p", {}, error.message));
  }
}

let panelTimer = null;
function refreshPanel(names) {
  if (report || !state.panel || (names && !names.includes(state.panel)) || panelTimer) return;
  panelTimer = setTimeout(() => {
    panelTimer = null;
    const body = document.querySelector("[data-panel] > div");
    if (body) fill(state.panel, body);
  }, 150);
}

/** Carries out an action, shows the line of curl that does the same, and returns the answer; null where it is refused. */
async function act(what, method, path, body) {
  const full = path.startsWith("/sessions/") ? path : query(path);
  const line = curlLine(base, method, "/__admin" + full, body);
  const place = document.querySelector(".act");
  let failure = null, answer = null;
  try { answer = await ask(method, full, body); say(what); } catch (error) { failure = error.message; say(failure); }
  place?.replaceChildren(make("p", { class: failure ? "note" : "soft" }, failure ?? `${what} With curl:`), make("pre", {}, make("code", {}, line)), copyButton("the line", line));
  refreshPanel();
  return answer;
}

const items = (list, empty, draw) => (list.length ? make("ul", { class: "list" }, list.map((item) => make("li", {}, draw(item)))) : make("p", { class: "soft" }, empty));

function drawTrials() {
  return [make("p", { class: "soft" }, report.headline),
    items(trials, "", (t) => [make("strong", { class: t.outcome === "pass" ? "" : "note" }, `${t.conclusion?.word ?? t.outcome} `), t.title,
      make("p", { class: "soft" }, `${number(t.entries.length, "request")}, ${seconds(t.seconds)}`), t.notes.map((note) => make("p", {}, note)),
      t.session === trial().session ? make("p", { class: "soft" }, "shown here") : button(`Switch to ${t.session}`, () => go({ session: t.session, request: null }))])];
}

/** Takes in the trial of a report that the address asks for. */
function showTrial() {
  const shown = trial();
  state.session = shown.session;
  entries.add(shown.entries.map(compact));
  entries.dropped = shown.dropped;
  verdict = shown.verdict;
  const place = trials.length > 1 ? ` (one of ${trials.length} trials)` : "";
  $("connection").textContent = `report${place}: ${shown.conclusion?.word ?? shown.outcome}`;
  $("connection").className = shown.outcome === "pass" ? "live" : shown.outcome === "fail" ? "failed" : "reconnecting";
  // What went wrong is told before anybody clicks.
  const first = shown.outcome === "pass" ? [] : shown.outcome === "fail" ? ["must fail", "should fail"] : ["must fail", "must not-judged", "should not-judged"];
  chip = first.find((key) => verdict.checks.some((c) => key === `${c.level} ${c.result}`)) ?? null;
  isChosen = false;
  refreshTrials();
}
function refreshTrials() {
  const body = document.querySelector("[data-panel] > div");
  if (body) body.replaceChildren(...drawTrials());
}

async function drawFaults() {
  const rules = (await read("/faults")).items;
  return [items(rules, "No rule is set: nothing goes wrong on purpose. Start a scenario, or add a rule with POST /__admin/faults.", (rule) => {
    const { id, hits, seen, ...rest } = rule;
    return [make("strong", {}, id), make("p", { title: "so many requests matched; so many of them were changed" }, `seen ${seen}, hit ${hits}`), make("pre", {}, JSON.stringify(rest)),
      button(`Remove ${id}`, () => act(`Removed ${id}.`, "DELETE", `/faults/${encodeURIComponent(id)}`))];
  })];
}

async function drawScenarios() {
  const list = (await read("/scenarios")).items;
  const plays = list.find((s) => s.active);
  return [make("p", { class: "soft" }, plays ? `${plays.name} is playing: run your client now.` : "A scenario lets things go wrong as on a bad day. Start one, then run your client."),
    plays ? make("div", { class: "acts" }, button("Stop", () => act("Stopped the scenario.", "POST", "/scenarios/stop"))) : null,
    items(list, "There is no scenario.", (s) => [make("div", { class: "acts" }, button(`Start ${s.name}`, () => act(`Started ${s.name}.`, "POST", `/scenarios/${s.name}/start`)), s.active ? make("strong", {}, "playing") : null),
      make("p", {}, `${s.title}: `, marked(s.description))])];
}

async function drawClock() {
  const clock = await read("/clock");
  const isFrozen = clock.mode === "frozen";
  return [facts([["now", clockText(clock.now)], ["mode", clock.mode], ["moved", `${clock.moves} times`]]),
    make("p", { class: "soft" }, "It is the time of everything that expires or is stamped in this session."),
    make("div", { class: "acts" },
      button("+1 min", () => act("Advanced by a minute.", "POST", "/clock/advance", { by: "PT1M" })),
      button("+61 min", () => act("Advanced by 61 minutes: tokens of an hour have expired.", "POST", "/clock/advance", { by: "PT61M" })),
      isFrozen ? button("Let it run", () => act("The clock runs.", "PUT", "/clock", { mode: "real", now: clock.now }))
        : button("Freeze", () => act("The clock stands.", "PUT", "/clock", { mode: "frozen" })))];
}

async function drawSessions() {
  const list = (await ask("GET", "/sessions")).items;
  return [items(list, "", (s) => [make("strong", {}, s.name), make("p", {}, `${number(s.requests, "request")}, ${number(s.faults, "rule")}, ${clockText(s.now)}`),
    s.name === state.session ? make("p", { class: "soft" }, "shown here") : button(`Switch to ${s.name}`, () => go({ session: s.name, request: null }))]),
  make("div", { class: "acts" }, button("Reset…", openReset)),
  make("p", { class: "soft" }, "A session has data, clock and faults of its own. It opens with its first token: for one named alice, the client_id is ", make("code", {}, "acme-partner+alice"), ".")];
}

function openReset() {
  const scopes = ["data", "ledger", "faults", "journal", "clock", "readings"];
  const boxes = scopes.map((scope) => make("label", {}, make("input", { type: "checkbox", name: scope, checked: true }), ` ${scope}${{ ledger: " (idempotency keys)", journal: " (the requests shown here)" }[scope] ?? ""}`));
  const form = $("reset-form");
  form.replaceChildren(make("p", {}, `What of session ${state.session} shall be as it was at its opening?`), ...boxes,
    make("div", { class: "acts" }, button("Reset", () => {
      const chosen = scopes.filter((s) => form.elements[s].checked);
      $("reset").close();
      if (chosen.length) act(`Reset ${chosen.join(", ")}.`, "POST", "/reset", { scope: chosen });
    }), button("Cancel", () => $("reset").close())));
  $("reset").showModal();
}

let desk = { domain: null, appointment: "" };
let domains = null;
async function drawWorld() {
  // Their names stay: whoever watches a living world asks often.
  domains ??= (await read("/data")).domains.map((d) => d.domain);
  const [world, events] = await Promise.all([read("/world"), read("/world/events?limit=30")]);
  desk.domain ??= domains[0];
  const domain = make("select", { "aria-label": "Domain", onchange: (e) => { desk.domain = e.target.value; } }, domains.map((d) => make("option", { value: d, selected: d === desk.domain }, d)));
  const box = make("input", { type: "text", value: desk.appointment, onchange: (e) => { desk.appointment = e.target.value.trim(); }, autocomplete: "off" });
  const other = world.mode === "still" ? "living" : "still";
  const desks = { arrive: "the patient has come", start: "the examination begins", end: "the examination has ended", pend: "it waits for its report", dictate: "a report was dictated here", type: "it was typed",
    authorise: "it was authorised", finalise: "it is final", cancel: "the appointment is off", miss: "the patient did not come" };
  return [facts([["mode", world.mode], ["time", clockText(world.time)], ["next event", world.next ? clockText(world.next) : "none by itself"]]),
    make("div", { class: "acts" }, button(other === "living" ? "Let it live" : "Let it stand still", () => act(`The world is ${other}.`, "PUT", "/world", { mode: other }))),
    make("p", { class: "soft" }, world.mode === "living" ? "Appointments go their way as the session's clock passes." : "Nothing happens by itself. A living world goes on as the session's clock passes."),
    make("h3", {}, "Front desk"), make("p", { class: "soft" }, "Do by hand what the practice would note of an appointment. The panel Data lists them."), make("label", {}, "Appointment", box), make("label", {}, "Domain ", domain),
    make("div", { class: "acts" }, Object.entries(desks).map(([event, title]) => button(event[0].toUpperCase() + event.slice(1), () => {
      desk.appointment = box.value.trim();
      if (!desk.appointment) { say("Write the id of an appointment first."); box.focus(); return; }
      act(`${desk.appointment}: ${event}.`, "POST", `/world/${encodeURIComponent(desk.domain)}/appointments/${encodeURIComponent(desk.appointment)}/${event}`);
    }, { title }))),
    make("h3", {}, "Events"), items(events.items, "Nothing has happened by itself, or at the front desk.", (e) => `${clockText(e.time)} ${e.domain} ${e.appointmentId}: ${e.event}${e.from ? `, ${e.from}` : ""} → ${e.to}`)];
}

async function drawReadings() {
  const list = (await read("/readings")).items;
  const choose = (reading) => make("select", { "aria-label": reading.id, onchange: (e) => { const value = e.target.value; e.target.blur(); act(`${reading.id} is ${value}.`, "PUT", "/readings", { [reading.id]: value }); } },
    [...new Set([...reading.values.map((v) => v.value), reading.now, "mixed"])].map((v) => make("option", { value: v, selected: v === reading.now, title: reading.values.find((x) => x.value === v)?.meaning }, v + (v === reading.default ? " (default)" : ""))));
  return [make("p", { class: "soft" }, "Each is a place where the documentation is silent. Choose how the server reads it, and see whether your client bears it."),
    make("div", { class: "acts" }, button("Back to the start", () => act("Readings are as at the start.", "DELETE", "/readings"))),
    items(list, "", (r) => [make("label", {}, make("strong", {}, r.id),  " ", marked(r.title), choose(r)), make("p", { class: "soft" }, marked(r.values.find((v) => v.value === r.now)?.meaning ?? (r.now === "mixed" ? "Each answer draws." : "")))])];
}

async function drawChanges() {
  const { items: list, dropped } = await read("/changes");
  return [dropped ? make("p", {}, `${dropped} older changes made room.`) : null,
    list.length > 200 ? make("p", {}, `The last 200 of ${list.length}.`) : null,
    items(list.slice(-200).reverse(), "No client has changed anything.", (c) => [`${clockText(c.time)} ${c.kind} ${c.change}: ${c.domain} ${c.appointmentId ?? ""} ${c.id} `, c.request ? requestLink(c.request) : "by a control request"])];
}

/** What the panel Data shows: `list` is the address of the appointments, `record` what was read last. */
let looked = { domain: null, kind: "appointments", id: "", day: null, status: "", limit: 50, record: null };
const inDomain = (...parts) => ["/data", looked.domain, ...parts].map((part, index) => (index ? encodeURIComponent(part) : part)).join("/");

/** Reads a record, and shows it at the end of the panel. */
async function look(kind, id) {
  looked = { ...looked, kind, id, record: null };
  const record = await act(`Read ${id}.`, "GET", inDomain(kind, id));
  looked.record = record && JSON.stringify(record, null, 1);
  const place = $("record");
  if (!place) return;
  place.replaceChildren(...drawRecord());
  place.scrollIntoView({ block: "nearest" });
}
const drawRecord = () => (looked.record ? [make("h3", {}, looked.id), make("pre", {}, looked.record)] : []);
const choice = (name, values, value, onchange) => make("select", { "aria-label": name, onchange: (e) => { e.target.blur(); onchange(e.target.value); } },
  values.map(([v, text]) => make("option", { value: v, selected: v === value }, text ?? v)));

async function drawData() {
  const data = await read("/data");
  looked.domain ??= data.domains[0]?.domain;
  const here = data.domains.find((d) => d.domain === looked.domain);
  looked.day ??= here?.dayZero ?? "";
  const list = `${inDomain("appointments")}?limit=${looked.limit}${looked.day ? `&date=${encodeURIComponent(looked.day)}` : ""}${looked.status ? `&status=${encodeURIComponent(looked.status)}` : ""}`;
  const [sites, found] = await Promise.all([read(inDomain("sites")), read(list).catch((error) => ({ items: [], failure: error.message }))]);
  const again = (change) => { looked = { ...looked, limit: 50, ...change }; refreshPanel(); };
  const box = make("input", { type: "text", value: looked.id, autocomplete: "off" });
  const day = make("input", { type: "text", value: looked.day, autocomplete: "off", placeholder: "all days", onchange: (e) => { e.target.blur(); again({ day: e.target.value.trim() }); } });
  const kind = choice("Kind of record", [["appointments"], ["sites"], ["patients"]], looked.kind, (value) => { looked.kind = value; });
  const find = () => {
    const id = box.value.trim();
    box.blur();
    if (id) look(kind.value, id); else say("Write the id of a record, such as A123456 or Central Clinic.");
  };
  const statuses = ["NOT ARRIVED", "ARRIVED", "STUDY INPROGRESS", "PENDING REPORTING", "DICTATED", "TYPED", "AUTHORISED", "FINALISED", "APPPOINTMENT CANCELLED", "DID NOT ATTEND"];
  return [make("p", { class: "soft" }, "Day zero is the day around which the data lie: today, when they were laid. Present is how far that day had come; Clock has the time of now."),
    facts([["day zero", data.dayZero], ["present", data.present ? clockText(data.present) : null], ["world", data.world]]),
    make("table", {}, make("tr", {}, ["domain", "sites", "patients", "appointments", "days"].map((h) => make("th", { scope: "col" }, h))),
      data.domains.map((d) => make("tr", {}, [d.domain, d.sites, d.patients, d.appointments, d.first ? `${d.first} to ${d.last}` : ""].map((v) => make("td", {}, String(v)))))),
    make("label", {}, "Domain ", choice("Domain", data.domains.map((d) => [d.domain]), looked.domain, (domain) => again({ domain, day: null, record: null }))),
    make("h3", {}, "A record"), make("label", {}, "Record", box), make("div", { class: "acts" }, kind, button("Find", find)),
    make("div", { id: "record" }, drawRecord()),
    make("h3", {}, "Sites"), items(sites.items, "There is none.", (s) => [button(s.siteName, () => look("sites", s.siteName)), ` ${number(s.appointments, "appointment")}${s.active ? "" : ", not active"}`]),
    make("h3", {}, "Appointments"), make("label", {}, "Day", day),
    make("label", {}, "Status ", choice("Status", [["", "any"], ...statuses.map((v) => [v])], looked.status, (status) => again({ status }))),
    found.failure ? make("p", { class: "note" }, found.failure) : items(found.items, "There is none.", (a) => [button(a.appointmentId, () => look("appointments", a.appointmentId)),
      ` ${a.status}, ${a.scheduledSite}`, make("span", { class: "soft" }, ` ${a.appointmentDate ?? ""} ${a.startTime ?? ""}`)]),
    found.next && looked.limit < 1000 ? button("More appointments", () => again({ limit: Math.min(1000, looked.limit * 2) })) : null,
    make("pre", {}, make("code", {}, curlLine(base, "GET", "/__admin" + query(list))))];
}

// MARK: Hands

function filterError(text) {
  $("filter-error").textContent = text;
  if (text) $("filter").setAttribute("aria-invalid", "true"); else $("filter").removeAttribute("aria-invalid");
}

let filterTimer = null;
function readFilter() {
  clearTimeout(filterTimer);
  const text = $("filter").value.trim();
  const parsed = parseFilter(text);
  filterError(parsed.error ?? "");
  if (!parsed.error && text !== state.filter) go({ filter: text }, false);
}
$("filter").addEventListener("input", () => {
  clearTimeout(filterTimer);
  // Who empties it most often goes on to write something else.
  filterTimer = setTimeout(readFilter, $("filter").value ? 300 : 1500);
});
$("filter").addEventListener("search", readFilter);
$("filter").addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); readFilter(); }
  if (event.key === "Escape") { event.preventDefault(); $("filter").value = ""; readFilter(); $("scroll").focus(); }
  event.stopPropagation();
});
const toggles = {
  problems: () => go({ problems: !state.problems }, false),
  pause: () => go({ paused: !state.paused }, false),
  collapse: () => { collapses = !collapses; wholeAxis = null; $("collapse").setAttribute("aria-pressed", collapses); drawRows(); },
};
for (const [id, toggle] of Object.entries(toggles)) $(id).addEventListener("click", toggle);
$("help-button").addEventListener("click", () => $("help").showModal());
$("help-close").addEventListener("click", () => $("help").close());
$("scroll").addEventListener("scroll", () => { if (!scrollTimer) scrollTimer = requestAnimationFrame(() => { scrollTimer = 0; drawRows(); }); });
addEventListener("resize", drawSoon);
$("timeline").addEventListener("click", (event) => {
  const bar = event.target.closest("[data-request]");
  if (bar) { isByKey = event.detail === 0; go({ request: Number(bar.dataset.request) }); return; }
  // Elsewhere in a row: its attempt that went wrong, else the last.
  const place = drawn.find(([, item]) => item.contains(event.target))?.[0];
  if (place !== undefined && shownChains[place]) go({ request: telling(shownChains[place]).id });
});
$("newer").addEventListener("click", () => { $("scroll").scrollTop = 0; drawRows(); $("scroll").focus(); });

function moveRow(step) {
  if (!shownChains.length) return;
  currentRow = Math.min(shownChains.length - 1, Math.max(0, currentRow + step));
  const height = rowHeight(), scroll = $("scroll");
  if (currentRow * height < scroll.scrollTop) scroll.scrollTop = currentRow * height;
  if ((currentRow + 1) * height > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = (currentRow + 1) * height - scroll.clientHeight;
  drawRows();
  const { id } = telling(shownChains[currentRow]);
  // What is open follows.
  if (state.request !== null) go({ request: id }, false);
  document.querySelector(`[data-request="${id}"]`)?.focus({ preventScroll: true });
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "checkbox") return;
  const keys = {
    "/": () => $("filter").focus(), j: () => moveRow(1), k: () => moveRow(-1), x: toggles.problems, p: toggles.pause,
    "?": () => $("help").showModal(),
    Escape: () => {
      if (state.request !== null) go({ request: null });
      else if (state.panel) go({ panel: null });
      else if (chip) { chip = null; drawVerdict(); draw(); }
      else if (state.filter) { $("filter").value = ""; filterError(""); go({ filter: "" }, false); }
    },
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

// MARK: Beginning

if (report) {
  document.querySelectorAll("#pause, #news, .live-only").forEach((element) => { element.hidden = true; });
  if (trials.length > 1 && state.panel === null && state.request === null) state.panel = "Trials";
  showTrial();
  drawVerdict();
  apply(null);
} else {
  const problem = parseFilter(state.filter).error;
  if (problem) filterError(problem);
  apply(null);
  follow();
  loadJournal();
  loadPlayed();
}
