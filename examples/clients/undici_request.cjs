// undici's request with an Agent: `usual` as it comes, `right` with timeouts and a loop.
//
// packages: node-undici (Debian)
"use strict";
const { Agent, request } = require("undici");
const { right, persist, work } = require("./work.cjs");

const dispatcher = new Agent(right ? { headersTimeout: 5000, bodyTimeout: 5000 } : {});

async function attempt(method, url, headers, body) {
  const answer = await request(url, { method, headers, body, dispatcher });
  const fields = { get: (name) => answer.headers[name] };
  return { status: answer.statusCode, fields, content: await answer.body.text() };
}

work(right ? persist(attempt) : attempt, attempt);
