// What the page knows, and what follows from it. No document, no network: `node` can load it.
//
// There is one list of entries, by number. An entry may be told more than once, in any order; the
// fullest telling stays. Everything else (chains, lost answers, early attempts, what a filter lets
// pass, where the axis of time breaks) is derived from the list when it is asked for.

/** Entries that the page keeps. The oldest go first, as in the journal. */
export const maximumEntries = 100000;

const words = {
  200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content", 304: "Not Modified",
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
  405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 411: "Length Required",
  413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type",
  416: "Range Not Satisfiable", 417: "Expectation Failed", 429: "Too Many Requests",
  431: "Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
  502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
  507: "Insufficient Storage",
};

/** Effects of a fault after which the client holds no whole answer. */
const losing = {
  "reset": "reset", "empty-response": "closed without a byte", "hang": "silence",
  "random-data": "garbage", "malformed-chunk": "broken chunk", "truncation": "cut",
};

const known = new Map();
/** One string for equal strings: a hundred thousand entries say the same few things. */
function one(text) {
  if (text === null || text === undefined) return null;
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size > 20000) known.clear();
  known.set(text, text);
  return text;
}

/** What the time-line needs of a journal entry; the rest is read when somebody asks for it. */
export function compact(entry) {
  const key = entry.fields?.idempotencyKey?.digest ?? null;
  const isToken = entry.operation === "token";
  const isPost = entry.method === "POST" && !isToken;
  const parts = new Set(["pageSize", "take"]);
  const query = (entry.query ?? []).filter((p) => !parts.has(p.name))
    .map((p) => `${p.name}=${p.value ?? p.digest}`).sort().join("&");
  const wish = isToken
    ? `${entry.client}|token`
    : [entry.client, entry.method === "HEAD" ? "GET" : entry.method, entry.path,
        entry.query?.length ? query : entry.queryDigest ?? "",
        isPost ? key ?? entry.content?.digest ?? "" : ""].join("|");
  const row = {
    id: entry.id,
    requestId: entry.requestIdFrom === "client" ? entry.requestId : null,
    client: one(entry.client),
    operation: one(entry.operation),
    method: one(entry.method),
    path: one(entry.path),
    status: entry.status,
    reason: one(entry.reason),
    rule: one(entry.fault?.rule ?? null),
    effects: entry.fault ? one(entry.fault.effects.join(" ")) : null,
    delivery: one(entry.answer.delivery),
    wait: entry.retryAfter?.seconds ?? null,
    arrival: entry.monotonicSeconds.arrival,
    end: entry.monotonicSeconds.lastOctet,
    time: entry.time,
    moves: entry.clockMoves,
    connection: entry.connection,
    replay: entry.idempotency === "replay",
    findings: entry.findings?.length ?? 0,
    readings: entry.readings ? one(Object.entries(entry.readings).map((r) => r.join("=")).join(" ")) : null,
    wish: one(wish),
  };
  // Whether two of them are the same one is what matters most about POSTs.
  if (isPost) Object.assign(row, { key: one(key), content: one(entry.content?.digest ?? null) });
  return row;
}

/**
 * How the POSTs around a row are related to it: `{row, key, content}`, each `same` or `another`; the
 * nearest five before and after it that ask for the same path as the same client.
 */
export function relatives(rows, row) {
  if (row.key === undefined) return [];
  const like = rows.filter((r) => r.key !== undefined && r.id !== row.id && r.path === row.path && r.client === row.client);
  const compare = (a, b) => (a === null && b === null ? "none" : a === b ? "same" : "another");
  return [...like.filter((r) => r.id < row.id).slice(-5), ...like.filter((r) => r.id > row.id).slice(0, 5)]
    .map((r) => ({ row: r, key: compare(row.key, r.key), content: compare(row.content, r.content) }));
}

/** Whether the client holds no whole answer, and how it was lost; null where it holds one. */
export function lost(row) {
  for (const effect of row.effects?.split(" ") ?? []) {
    if (losing[effect] && row.delivery !== "complete") return losing[effect];
  }
  for (const effect of row.effects?.split(" ") ?? []) {
    if (effect === "malformed-chunk" || effect === "random-data" || effect === "truncation") return losing[effect];
  }
  if (row.delivery === "cut") return "cut";
  if (row.delivery === "client-left") return "the client left";
  return null;
}

export function isPending(row) { return row.delivery === "pending"; }

function failed(row) {
  return lost(row) !== null || row.status === 401 || row.status === 408 || row.status === 429
    || (row.status >= 500 && row.status !== 501);
}

export function statusText(status) {
  return status === null ? "no answer" : words[status] ? `${status} ${words[status]}` : `${status}`;
}

/** Which of two tellings of one entry says more. */
function fuller(old, row) {
  if (isPending(old) !== isPending(row)) return isPending(old) ? row : old;
  return row.findings >= old.findings ? row : old;
}

/** The one list of entries, in the order of their numbers. */
export class Entries {
  constructor() { this.rows = []; this.version = 0; this.dropped = 0; }

  get newest() { return this.rows.length ? this.rows[this.rows.length - 1].id : 0; }

  place(id) {
    let low = 0, high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].id < id) low = middle + 1; else high = middle;
    }
    return low;
  }

  get(id) {
    const row = this.rows[this.place(id)];
    return row?.id === id ? row : undefined;
  }

  /** Takes in compact rows, in any order, known ones too. */
  add(rows) {
    if (!rows.length) return;
    const fresh = new Map();
    for (const row of rows) {
      const place = this.place(row.id);
      if (this.rows[place]?.id === row.id) this.rows[place] = fuller(this.rows[place], row);
      else fresh.set(row.id, fresh.has(row.id) ? fuller(fresh.get(row.id), row) : row);
    }
    if (fresh.size) {
      const more = [...fresh.values()].sort((a, b) => a.id - b.id);
      if (more[0].id > this.newest) for (const row of more) this.rows.push(row);
      else this.rows = merge(this.rows, more);
      if (this.rows.length > maximumEntries) {
        this.dropped += this.rows.length - maximumEntries;
        this.rows = this.rows.slice(-maximumEntries);
      }
    }
    this.version += 1;
  }

  clear() { this.rows = []; this.dropped = 0; this.version += 1; }

  pending() { return this.rows.filter(isPending); }
}

function merge(a, b) {
  const all = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (j >= b.length || (i < a.length && a[i].id < b[j].id)) all.push(a[i++]); else all.push(b[j++]);
  }
  return all;
}

/** Between two attempts of one chain lie fifteen minutes at most, as for the verdict. */
const longestPause = 900;
/** A wait may fall short by this much, in seconds, before it is called early. */
const tolerance = 0.05;

/**
 * Chains of attempts: each a list of rows, in the order of their arrival; chains by their first.
 *
 * A request continues a chain when it asks for the same, after an answer that failed in a way that
 * passes. The verdict judges with more care; this shows.
 */
export function chains(rows) {
  const ordered = rows.slice().sort((a, b) => a.arrival - b.arrival || a.id - b.id);
  const open = new Map();
  const found = [];
  for (const row of ordered) {
    const waiting = open.get(row.wish) ?? [];
    let best = null;
    for (const chain of waiting) {
      const last = chain[chain.length - 1];
      if (last.end === null || last.end > row.arrival || row.arrival - last.end > longestPause) continue;
      const rank = row.requestId && last.requestId === row.requestId ? 2
        : last.connection === row.connection ? 1 : 0;
      if (best === null || rank > best.rank) best = { chain, rank };
    }
    let chain;
    if (best) {
      chain = best.chain;
      chain.push(row);
    } else {
      chain = [row];
      found.push(chain);
    }
    const rest = waiting.filter((c) => c !== chain && row.arrival - c[c.length - 1].arrival < longestPause).slice(-64);
    if (failed(row)) rest.push(chain);
    if (rest.length) open.set(row.wish, rest); else open.delete(row.wish);
  }
  return found;
}

/** What was told before an attempt of a chain: `{wait, gap, early}` in seconds; null for nothing. */
export function told(chain, index) {
  const before = chain[index - 1];
  if (!before || before.wait === null || before.end === null) return null;
  const gap = Math.max(0, chain[index].arrival - before.end);
  const moved = before.moves !== chain[index].moves;
  return { wait: before.wait, gap, early: !moved && gap < before.wait - tolerance };
}

/** Seconds for people: 0.3 s, 2 s, 12 ms. */
export function seconds(value) {
  if (value === 0) return "0 s";
  if (value < 0.0995) return `${Math.max(1, Math.round(value * 1000))} ms`;
  if (value < 9.95) return `${Number(value.toFixed(1))} s`;
  if (value < 600) return `${Math.round(value)} s`;
  return `${Math.round(value / 60)} min`;
}

/** The name of an attempt, as a screen reader says it. */
export function attemptName(chain, index) {
  const row = chain[index];
  const parts = [];
  const loss = lost(row);
  if (isPending(row)) parts.push("not answered yet");
  else if (row.status !== null) parts.push(statusText(row.status));
  if (loss && !isPending(row)) parts.push(`answer lost (${loss})`);
  if (row.end !== null) parts.push(seconds(Math.max(0, row.end - row.arrival)));
  if (row.replay) parts.push("replayed");
  if (row.rule) parts.push(`rule ${row.rule}`);
  return `Attempt ${index + 1} of ${chain.length}: ${parts.join(", ")}`;
}

export function isProblem(chain) {
  return chain.some((row, index) => row.status >= 400 || lost(row) !== null || row.findings > 0
    || told(chain, index)?.early);
}

// Filter

const names = ["operation", "client", "status", "since", "before", "limit"];

function distance(a, b) {
  const line = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    let corner = line[0];
    line[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = line[j];
      line[j] = Math.min(above + 1, line[j - 1] + 1, corner + (a[i - 1] === b[j - 1] ? 0 : 1));
      corner = above;
    }
  }
  return line[b.length];
}

function nearest(word) {
  return names.map((n) => [distance(word.toLowerCase(), n), n]).sort((a, b) => a[0] - b[0])[0][1];
}

/**
 * A filter that somebody has typed: `name:value`, by spaces, all must hold.
 *
 * Returns `{tests, limit}`, or `{error}` with one sentence for whoever typed it.
 */
export function parseFilter(text) {
  const tests = [];
  let limit = null;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const colon = word.indexOf(":");
    if (colon < 1) {
      if (/^[1-5][0-9x][0-9x]$/i.test(word)) return { error: `Write status:${word}.` };
      if (/^[a-z_]{4,}$/i.test(word)) return { error: `Write operation:${word} for operations with that in their name; the names are ${names.join(", ")}. The filter of before holds.` };
      return { error: `Write name:value, such as status:429; the names are ${names.join(", ")}.` };
    }
    const name = word.slice(0, colon), value = word.slice(colon + 1);
    if (!names.includes(name)) {
      return { error: `There is no “${name}”; did you mean “${nearest(name)}”? The names are ${names.join(", ")}.` };
    }
    if (!value) return { error: `Write a value behind ${name}:.` };
    if (name === "operation") {
      const wanted = value.toLowerCase();
      tests.push((r) => (r.operation ?? "other").toLowerCase().includes(wanted));
    } else if (name === "client") {
      tests.push((r) => r.client === value);
    } else if (name === "status") {
      if (!/^[1-5]([0-9][0-9]|xx|XX)$/.test(value)) return { error: "Write a status as 404, or a class as 4xx." };
      const number = value.toLowerCase().endsWith("xx") ? null : Number(value);
      const first = Number(value[0]);
      tests.push((r) => (number === null ? Math.floor(r.status / 100) === first : r.status === number));
    } else if (name === "limit") {
      if (!/^[1-9][0-9]{0,6}$/.test(value)) return { error: "Write limit: and a number, such as limit:100." };
      limit = Number(value);
    } else if (/^[0-9]+$/.test(value)) {
      const id = Number(value);
      tests.push(name === "since" ? (r) => r.id > id : (r) => r.id < id);
    } else if (name === "since" && !Number.isNaN(Date.parse(value))) {
      const time = Date.parse(value);
      tests.push((r) => Date.parse(r.time) >= time);
    } else {
      return { error: name === "since" ? "Write since: and a request's number, or a time such as 2025-01-12T03:40:00Z." : "Write before: and a request's number." };
    }
  }
  return { tests, limit };
}

/** The chains that pass: those with an attempt for which all tests hold; newest first. */
export function select(all, { filter, problems, evidence }) {
  const { tests, limit } = filter;
  let found = [];
  for (let index = all.length - 1; index >= 0; index--) {
    const chain = all[index];
    if (tests.length && !chain.some((row) => tests.every((test) => test(row)))) continue;
    if (evidence && !chain.some((row) => evidence.has(row.id))) continue;
    if (problems && !isProblem(chain)) continue;
    found.push(chain);
    if (limit !== null && found.length >= limit) break;
  }
  return found;
}

// Axis

/** A pause within a chain is shown whole up to this many seconds; of a longer one the beginning. */
const longestShown = 120;

/**
 * The axis of time for some chains: where a moment stands, from 0 to 1.
 *
 * Idle time, when no call is under way and nobody was told to wait, can be collapsed to a short break. A
 * pause between two attempts at one call is no idle time: it is what the page is about.
 *
 * `origin` is the moment from which the labels count; without it, the first of those shown.
 */
export function axis(shown, collapses, origin = null) {
  const spans = [];
  for (const chain of shown) {
    chain.forEach((row, index) => {
      let end = row.end ?? row.arrival;
      const next = chain[index + 1];
      if (next) end = Math.max(end, Math.min(next.arrival, end + longestShown));
      // What was told counts at the end of a chain for a minute at most.
      else if (row.wait !== null && row.end !== null) end = Math.max(end, row.end + Math.min(row.wait, 60));
      spans.push([row.arrival, Math.max(end, row.arrival)]);
    });
  }
  if (!spans.length) return { at: () => 0, start: 0, end: 0, breaks: [], ticks: [] };
  spans.sort((a, b) => a[0] - b[0]);
  const busy = [];
  for (const [from, to] of spans) {
    const last = busy[busy.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to); else busy.push([from, to]);
  }
  const start = busy[0][0], end = busy[busy.length - 1][1];
  const idle = [];
  for (let i = 1; i < busy.length; i++) {
    const length = busy[i][0] - busy[i - 1][1];
    if (collapses && length > 1) idle.push([busy[i - 1][1], busy[i][0]]);
  }
  const active = Math.max(end - start - idle.reduce((s, [a, b]) => s + b - a, 0), 0.001);
  const short = idle.length ? Math.min(active * 0.05, 1) : 0;
  const total = active + short * idle.length;
  const at = (time) => {
    let x = time - start;
    for (const [a, b] of idle) {
      if (time >= b) x -= b - a - short;
      else if (time > a) x -= (time - a) * (1 - short / (b - a));
      else break;
    }
    return x / total;
  };
  const zero = origin ?? start;
  const step = niceStep(active / 6);
  const ticks = [];
  for (let n = Math.ceil((start - zero) / step - 1e-9); zero + n * step <= end && ticks.length < 12; ) {
    const time = zero + n * step;
    const within = idle.find(([a, b]) => time > a && time < b);
    if (within) { n = Math.ceil((within[1] - zero) / step); continue; }
    ticks.push({ x: at(time), text: `+${offset(n * step, step)}` });
    n += 1;
  }
  return { at, start, end, ticks, breaks: idle.map(([a, b]) => ({ x: at((a + b) / 2), text: `idle ${seconds(b - a)}` })) };
}

/** Seconds on an axis whose marks are `step` apart: 12.301 s, 250 ms, 21 min. */
function offset(value, step) {
  if (value < 0.9995 && step < 1) return value === 0 ? "0 s" : `${Number((value * 1000).toFixed(Math.max(0, -Math.floor(Math.log10(step)) - 3)))} ms`;
  if (value >= 600 && step >= 60) return `${Math.round(value / 60)} min`;
  return `${value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))} s`;
}

/**
 * Where the bars of a chain stand, so that each can be seen: `[{left, width}]` in pixels.
 *
 * A bar has its place on the axis and its length in time, and at least `least` pixels. One that would be
 * covered moves to the right of the one before; where the room ends, all move to the left, and where
 * there is not enough of it, they get narrower.
 *
 * @param bars `[{left, width, least}]` as the axis has them, in order.
 */
export function lay(bars, room, gap = 2) {
  let sizes = bars.map(({ width, least }) => Math.max(width, least));
  const needed = () => sizes.reduce((sum, size) => sum + size + gap, -gap);
  if (needed() > room) {
    // First what is long in time gives way, then what has to be read.
    sizes = bars.map(({ width, least }) => Math.max(Math.min(width, room / bars.length - gap), least));
    if (needed() > room) sizes = bars.map(() => Math.max(2, room / bars.length - gap));
  }
  const placed = [];
  let from = 0;
  bars.forEach(({ left }, index) => {
    const place = Math.max(left, from);
    placed.push({ left: place, width: sizes[index] });
    from = place + sizes[index] + gap;
  });
  let to = room;
  for (let index = placed.length - 1; index >= 0 && placed[index].left + placed[index].width > to; index--) {
    placed[index].left = Math.max(0, to - placed[index].width);
    to = placed[index].left - gap;
  }
  return placed;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.999);
}

// Addresses

/** The state that an address holds: `#/s/SESSION/r/ID?filter=…&paused`. */
export function parseAddress(hash) {
  const [path, query] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean);
  const state = { session: "default", request: null, filter: "", paused: false, problems: false, panel: null };
  for (let i = 0; i + 1 < parts.length; i += 2) {
    let value = parts[i + 1];
    try { value = decodeURIComponent(value); } catch { /* as it stands */ }
    if (parts[i] === "s") state.session = value;
    if (parts[i] === "r" && /^[0-9]+$/.test(value)) state.request = Number(value);
  }
  const asked = new URLSearchParams(query ?? "");
  state.filter = asked.get("filter") ?? "";
  state.paused = asked.has("paused");
  state.problems = asked.has("problems");
  state.panel = asked.get("panel");
  return state;
}

export function address(state) {
  let text = `#/s/${encodeURIComponent(state.session)}`;
  if (state.request !== null) text += `/r/${state.request}`;
  const query = [];
  if (state.filter) query.push(`filter=${encodeURIComponent(state.filter)}`);
  if (state.paused) query.push("paused");
  if (state.problems) query.push("problems");
  if (state.panel) query.push(`panel=${encodeURIComponent(state.panel)}`);
  return query.length ? `${text}?${query.join("&")}` : text;
}

/** A word for a shell, quoted where that is needed. */
export function shellWord(text) {
  return /^[A-Za-z0-9_.,:/=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The line of curl that sends a control request. */
export function curlLine(base, method, path, body) {
  const line = ["curl", "-s"];
  if (method !== "GET") line.push("-X", method);
  line.push(shellWord(base + path));
  if (body !== undefined) line.push("-H", "'Content-Type: application/json'", "-d", shellWord(JSON.stringify(body)));
  return line.join(" ");
}
