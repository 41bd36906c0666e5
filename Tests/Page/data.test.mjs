// node --test Tests/Page: what the page derives, without a browser.

import assert from "node:assert/strict";
import test from "node:test";
import * as data from "../../Sources/Page/data.js";

/** A journal entry as the control API has it, with what a case changes. */
function entry(id, arrival, change = {}) {
  return {
    id, requestId: `r${id}`, requestIdFrom: "mock", client: "acme-partner", operation: "Integrations_ListSites",
    method: "GET", path: "/integrations/v1/acme/sites", query: [], queryDigest: null, content: { octets: 0, digest: null },
    fields: { idempotencyKey: null }, status: 200, reason: null, fault: null, readings: undefined, retryAfter: null,
    answer: { octets: 2, delivery: "complete" }, monotonicSeconds: { arrival, firstOctet: arrival + 0.01, lastOctet: arrival + 0.01 },
    time: "2025-01-12T03:40:00Z", clockMoves: 0, connection: 1, idempotency: null, findings: [], ...change,
  };
}
const limited = (id, arrival, wait) => entry(id, arrival, { status: 429, retryAfter: { seconds: wait, form: "seconds" } });
const reset = { fault: { rule: "r", ordinal: 1, phase: "after", effects: ["reset"] }, answer: { octets: 0, delivery: "cut" }, status: 200 };
const rows = (...list) => list.map(data.compact);
const ids = (chains) => chains.map((chain) => chain.map((row) => row.id));

function shuffled(list, seed) {
  const copy = list.slice();
  for (let i = copy.length - 1; i > 0; i--) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const j = seed % (i + 1);
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

test("a request after a failure that passes is the next attempt; after a success it is another call", () => {
  const list = rows(limited(1, 0, 2), entry(2, 1), entry(3, 3), entry(4, 4, reset), entry(5, 5));
  assert.deepEqual(ids(data.chains(list)), [[1, 2], [3], [4, 5]]);
});

test("requests that overlap, other calls and late ones are no attempts", () => {
  const other = entry(2, 1, { path: "/other" });
  const running = entry(3, 0.005);
  const late = entry(4, 1000);
  assert.deepEqual(ids(data.chains(rows(limited(1, 0, 1), other, running, late))), [[1], [3], [2], [4]]);
});

test("a POST continues under the same key; under another it is another call", () => {
  const post = (id, arrival, digest, change) => entry(id, arrival, { method: "POST", fields: { idempotencyKey: { digest } }, ...change });
  const list = rows(post(1, 0, "a", { status: 503 }), post(2, 1, "b"), post(3, 2, "a"));
  assert.deepEqual(ids(data.chains(list)), [[1, 3], [2]]);
});

test("whatever the order in which entries are told, and how often, the chains are the same", () => {
  const list = [];
  for (let i = 1; i <= 200; i++) {
    const kind = i % 3;
    const change = { path: `/p${i % 7}`, connection: i % 5 };
    list.push(kind === 0 ? limited(i, i, 1) : entry(i, i, kind === 1 ? { ...reset, ...change } : change));
    if (i % 10 === 0) list.push(entry(i, i, { ...change, answer: { octets: 0, delivery: "pending" }, status: null, monotonicSeconds: { arrival: i, firstOctet: null, lastOctet: null } }));
  }
  const build = (all) => {
    const entries = new data.Entries();
    for (let i = 0; i < all.length; i += 17) entries.add(rows(...all.slice(i, i + 17)));
    return entries.rows;
  };
  const first = build(list);
  assert.equal(first.length, 200);
  for (let seed = 1; seed <= 20; seed++) {
    const again = build(shuffled([...list, ...list.slice(0, 50)], seed));
    assert.deepEqual(again, first);
    assert.deepEqual(data.chains(again), data.chains(first));
  }
});

test("the oldest entries make room", () => {
  const entries = new data.Entries();
  const some = data.compact(entry(1, 1));
  const many = Array.from({ length: data.maximumEntries + 5 }, (_, i) => ({ ...some, id: i + 1 }));
  entries.add(many);
  assert.equal(entries.rows.length, data.maximumEntries);
  assert.equal(entries.rows[0].id, 6);
  assert.equal(entries.dropped, 5);
});

test("names say attempt, status, what was lost, and the rule", () => {
  const [chain] = data.chains(rows(entry(1, 0, reset), entry(2, 1)));
  assert.equal(data.attemptName(chain, 0), "Attempt 1 of 2: 200 OK, answer lost (reset), 10 ms, rule r");
  assert.equal(data.attemptName(chain, 1), "Attempt 2 of 2: 200 OK, 10 ms");
  const [held] = data.chains(rows(entry(3, 0, { status: null, answer: { octets: 0, delivery: "pending" }, monotonicSeconds: { arrival: 0, firstOctet: null, lastOctet: null } })));
  assert.equal(data.attemptName(held, 0), "Attempt 1 of 1: not answered yet");
});

test("an attempt is early by the time told, unless the clock was moved", () => {
  const early = data.chains(rows(limited(1, 0, 2), entry(2, 0.31)))[0];
  assert.deepEqual(data.told(early, 1), { wait: 2, gap: 0.3, early: true });
  assert.equal(data.told(data.chains(rows(limited(1, 0, 2), entry(2, 2.02)))[0], 1).early, false);
  assert.equal(data.told(data.chains(rows(limited(1, 0, 2), entry(2, 0.3, { clockMoves: 1 })))[0], 1).early, false);
  assert.equal(data.told(early, 0), null);
});

test("filters: names, values, all must hold; what is wrong is told with the nearest", () => {
  const list = data.chains(rows(limited(1, 0, 1), entry(2, 5, { client: "globex-partner", status: 404 }), entry(3, 9, { operation: "token" })));
  const pick = (text) => {
    const filter = data.parseFilter(text);
    assert.equal(filter.error, undefined, text);
    return ids(data.select(list, { filter, problems: false, evidence: null }));
  };
  assert.deepEqual(pick(""), [[3], [2], [1]]);
  assert.deepEqual(pick("status:429"), [[1]]);
  assert.deepEqual(pick("status:4xx client:globex-partner"), [[2]]);
  assert.deepEqual(pick("operation:TOKEN"), [[3]]);
  assert.deepEqual(pick("since:1 before:3"), [[2]]);
  assert.deepEqual(pick("limit:2"), [[3], [2]]);
  assert.match(data.parseFilter("statsu:404").error, /“status”/);
  assert.match(data.parseFilter("clint:x").error, /“client”/);
  for (const wrong of ["404", "status:", "status:teapot", "since:yesterday", "before:x", "limit:0"]) assert.ok(data.parseFilter(wrong).error, wrong);
  assert.deepEqual(ids(data.select(list, { filter: data.parseFilter(""), problems: true, evidence: null })), [[2], [1]]);
  assert.deepEqual(ids(data.select(list, { filter: data.parseFilter(""), problems: false, evidence: new Set([3]) })), [[3]]);
});

test("the axis is common, in order, and collapses idle time", () => {
  const list = data.chains(rows(entry(1, 10), entry(2, 110, { path: "/b" })));
  const wide = data.axis(list, false);
  assert.ok(Math.abs(wide.at(60) - 0.5) < 0.01);
  assert.equal(wide.breaks.length, 0);
  const narrow = data.axis(list, true);
  assert.equal(narrow.breaks.length, 1);
  assert.match(narrow.breaks[0].text, /idle 1\d\d s|idle 100 s/);
  let before = -1;
  for (let time = 10; time <= 110; time += 0.5) {
    const x = narrow.at(time);
    assert.ok(x >= before && x <= 1.0001, `${time}`);
    before = x;
  }
  assert.ok(narrow.at(10.01) > 0.3, "what runs has the room");
  assert.deepEqual(data.axis([], true).ticks, []);
});

test("what was told is on the axis as far as somebody waited for it", () => {
  const list = data.chains(rows(limited(1, 0, 3600), entry(2, 1)));
  assert.ok(data.axis(list, true).end < 2);
});

test("a pause within a chain is no idle time, however short the rest is", () => {
  const list = data.chains(rows(entry(1, 0), limited(2, 10, 1), entry(3, 11.5), entry(4, 40)));
  const { at, breaks } = data.axis(list, true);
  assert.equal(breaks.length, 2);
  const wide = data.axis(list, false);
  // 1.5 s of the pause have as much of what is left as they would have alone.
  const share = (at(11.5) - at(10.01)) / (at(10.01) - at(10));
  assert.ok(Math.abs(share - 149) < 1, `${share}`);
  assert.ok(at(11.5) - at(10) > 5 * (wide.at(11.5) - wide.at(10)));
  // A pause of hours would leave no room for anything else.
  const long = data.axis(data.chains(rows(limited(1, 0, 1), entry(2, 800))), true);
  assert.equal(long.breaks.length, 1);
});

test("labels of the axis count from the origin", () => {
  const list = data.chains(rows(entry(1, 100), entry(2, 100.2, { path: "/b" })));
  assert.equal(data.axis(list, true).ticks[0].text, "+0 s");
  const { ticks } = data.axis(list, true, 90);
  assert.ok(ticks.length > 2 && ticks.every((t) => /^\+10\.\d+ s$/.test(t.text)), JSON.stringify(ticks));
  assert.ok(new Set(ticks.map((t) => t.text)).size === ticks.length);
});

test("bars are laid so that none covers another, and none leaves the room", () => {
  const bar = (left, width = 1, least = 34) => ({ left, width, least });
  const cases = [
    [bar(452), bar(452), bar(453), bar(453)], [bar(0, 500), bar(500)], [bar(10), bar(20), bar(300, 80)],
    Array.from({ length: 60 }, (_, i) => bar(i)), [bar(599)], [bar(0, 2000)], [bar(100, 300), bar(400, 300)], [],
  ];
  for (const bars of cases) {
    const placed = data.lay(bars, 600);
    placed.forEach(({ left, width }, index) => {
      assert.ok(left >= 0 && left + width <= 600.001, JSON.stringify(placed));
      assert.ok(width >= 2);
      if (index) assert.ok(placed[index - 1].left + placed[index - 1].width <= left + 0.001, JSON.stringify(placed));
    });
  }
  // Who has room stands where the time says.
  assert.deepEqual(data.lay([bar(10, 40), bar(200)], 600), [{ left: 10, width: 40 }, { left: 200, width: 34 }]);
  assert.deepEqual(data.lay([bar(10), bar(12)], 600), [{ left: 10, width: 34 }, { left: 46, width: 34 }]);
});

test("the POSTs beside one are told by key and content", () => {
  const post = (id, key, content, change) => entry(id, id, { method: "POST", fields: { idempotencyKey: key && { digest: key } }, content: { octets: 1, digest: content }, ...change });
  const list = rows(post(1, "a", "x"), post(2, "a", "x"), post(3, "b", "x"), post(4, null, "y"), entry(5, 5), post(6, "a", "x", { path: "/other" }));
  const told = (id) => data.relatives(list, list[id - 1]).map((r) => [r.row.id, r.key, r.content]);
  assert.deepEqual(told(1), [[2, "same", "same"], [3, "another", "same"], [4, "another", "another"]]);
  assert.deepEqual(told(4), [[1, "another", "another"], [2, "another", "another"], [3, "another", "another"]]);
  assert.deepEqual(told(5), []);
  const bare = rows(post(1, null, "x"), post(2, null, "x"));
  assert.deepEqual(data.relatives(bare, bare[0])[0].key, "none");
});

test("a word alone in the filter is told how to write it", () => {
  assert.match(data.parseFilter("503").error, /^Write status:503/);
  assert.match(data.parseFilter("Comment").error, /^Write operation:Comment/);
});

test("addresses hold session, request, filter and pause, and come back as they went", () => {
  const state = { session: "a.b", request: 17, filter: "status:4xx operation:Comment", paused: true, problems: false, panel: null };
  const text = data.address(state);
  assert.equal(text, "#/s/a.b/r/17?filter=status%3A4xx%20operation%3AComment&paused");
  assert.deepEqual(data.parseAddress(text), state);
  assert.equal(data.parseAddress("").session, "default");
  assert.equal(data.parseAddress("#/s/%zz/r/x").request, null);
});

test("a line of curl survives a shell", () => {
  assert.equal(data.curlLine("http://h:1", "DELETE", "/__admin/faults/it's?session=a"), "curl -s -X DELETE 'http://h:1/__admin/faults/it'\\''s?session=a'");
  assert.equal(data.curlLine("http://h:1", "GET", "/x"), "curl -s http://h:1/x");
  assert.match(data.curlLine("http://h:1", "PUT", "/x", { a: 1 }), /-H 'Content-Type: application\/json' -d '\{"a":1\}'$/);
});
