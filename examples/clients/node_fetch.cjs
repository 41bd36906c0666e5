// The fetch that Node.js has built in: `usual` as it comes, `right` with a timeout and a loop.
//
// packages: nodejs (Debian)
"use strict";
const { right, persist, work } = require("./work.cjs");

async function attempt(method, url, headers, body) {
  const answer = await fetch(url, { method, headers, body, signal: right ? AbortSignal.timeout(5000) : undefined });
  return { status: answer.status, fields: answer.headers, content: await answer.text() };
}

work(right ? persist(attempt) : attempt, attempt);
