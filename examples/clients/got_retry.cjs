// got, which repeats by itself: `usual` as it comes, `right` with POST, all errors and a timeout.
//
// packages: node-got (Debian)
"use strict";
const http = require("node:http");
const got = require("got");
const { right, attempts, transient, pause, work } = require("./work.cjs");

const client = got.extend({
  agent: { http: new http.Agent({ keepAlive: true }) },
  throwHttpErrors: false,
  ...(right && {
    timeout: 5000,
    retry: {
      limit: attempts - 1,
      methods: ["GET", "POST"], // Each POST has a key.
      statusCodes: transient,
      errorCodes: ["ETIMEDOUT", "ECONNRESET", "ECONNREFUSED", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"],
      // Behind the last attempt got computes 0. Else as told, or doubling with jitter, also for what
      // is no errno: garbage in place of an answer, and one that broke off.
      calculateDelay({ attemptCount, retryOptions, error }) {
        if (attemptCount > retryOptions.limit) return 0;
        const response = error.response;
        if (response && !transient.includes(response.statusCode) && error.name === "HTTPError") return 0;
        if (!retryOptions.methods.includes(error.options.method)) return 0;
        const fields = response && { get: (name) => response.headers[name] };
        return 1000 * pause(attemptCount - 1, fields);
      },
    },
  }),
});

async function attempt(method, url, headers, body) {
  const answer = await client(url, { method, headers, body });
  const fields = { get: (name) => answer.headers[name] };
  return { status: answer.statusCode, fields, content: answer.body };
}

work(attempt);
