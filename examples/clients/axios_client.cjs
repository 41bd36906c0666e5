// axios with kept connections: `usual` as it comes, `right` with a timeout and a loop.
//
// packages: node-axios (Debian)
"use strict";
const http = require("node:http");
const axios = require("axios");
const { right, persist, work } = require("./work.cjs");

const client = axios.create({
  httpAgent: new http.Agent({ keepAlive: true }),
  validateStatus: null,
  responseType: "text",
  transformResponse: (text) => text, // axios would parse JSON unasked.
  timeout: right ? 5000 : 0,
});

async function attempt(method, url, headers, data) {
  const answer = await client.request({ method, url, headers, data });
  const fields = { get: (name) => answer.headers[name] };
  return { status: answer.status, fields, content: answer.data };
}

work(right ? persist(attempt) : attempt, attempt);
