// The same morning's work for every JavaScript stack: only how the calls are made is the stack's own.
//
// No stack by itself: the other files load it. A stack calls work(send, put) with functions
// (method, url, fields, content) => Promise of { status, fields, content }, or rejected: `fields` has
// get(name), `content` is text.
"use strict";
const { randomUUID } = require("node:crypto");

const right = process.argv[2] === "right";
const environment = process.env;
const api = `${environment.QUBS_BASE_URL}/integrations/v1/${environment.QUBS_DOMAIN}`;
const transient = [429, 500, 502, 503, 504];
const attempts = 6;
const pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n";

const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

/** The seconds before the attempt behind `attempt` (0, 1, ...): as told, else doubling with jitter. */
function pause(attempt, fields) {
  const told = fields?.get("retry-after");
  if (!told) return 0.2 * 2 ** attempt * (0.75 + Math.random() / 2);
  if (/^\d+$/.test(told)) return Number(told);
  return Math.max(0, (Date.parse(told) - Date.parse(fields.get("date"))) / 1000);
}

/** A `send` that repeats what may pass by itself. */
function persist(send) {
  return async (...request) => {
    for (let attempt = 0; ; attempt++) {
      let answer;
      try {
        answer = await send(...request);
        if (!transient.includes(answer.status) || attempt === attempts - 1) return answer;
      } catch (error) {
        if (attempt === attempts - 1) throw error;
      }
      await sleep(pause(attempt, answer?.fields));
    }
  };
}

/** Does the work and exits: 0 when all of it is done, else 1. */
async function work(send, put = send) {
  let token;
  let unfinished = false;

  async function getToken() {
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: environment.QUBS_CLIENT_ID,
      client_secret: environment.QUBS_CLIENT_SECRET,
    });
    const fields = { "Content-Type": "application/x-www-form-urlencoded" };
    const answer = await send("POST", environment.QUBS_TOKEN_URL, fields, form.toString());
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    token = JSON.parse(answer.content).access_token;
  }

  async function call(method, path, body) {
    // The key and the octets are made once: whoever repeats the request cannot change them.
    const content = body && JSON.stringify(body);
    const fields = { Accept: "application/json", "X-Correlation-Id": randomUUID() };
    if (body) Object.assign(fields, { "Content-Type": "application/json", "Idempotency-Key": randomUUID() });
    const withToken = () => send(method, `${api}/${path}`, { ...fields, Authorization: `Bearer ${token}` }, content);
    let answer = await withToken();
    if (answer.status === 401 && right) {
      await getToken();
      answer = await withToken();
    }
    if (![200, 201].includes(answer.status)) throw new Error(`status ${answer.status}`);
    return JSON.parse(answer.content);
  }

  async function readPages() {
    for (let following = ""; following !== null; ) {
      const page = await call("GET", `reporting/appointments/pending?pageSize=25${following}`);
      following = page.nextToken ? `&nextToken=${encodeURIComponent(page.nextToken)}` : null;
    }
  }

  async function readStretches() {
    const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    for (let skip = 0, count = 100; count === 100; skip += count) {
      count = (await call("GET", `appointments?startDate=${day(-7)}&endDate=${day(7)}&skip=${skip}&take=100`)).length;
    }
  }

  async function upload() {
    const items = [{ fileName: "report.pdf", contentType: "application/pdf" }];
    for (let attempt = 0; attempt < (right ? attempts : 1); attempt++) {
      // A new URL, with a new key, each time: no file is put twice to the same one.
      const urls = await call("POST", "reporting/appointments/A123456/report/attachments", { items });
      try {
        const answer = await put("PUT", urls.items[0].uploadUrl, { "Content-Type": "application/pdf" }, pdf);
        if (answer.status === 200) return;
      } catch (error) {
        if (!right) throw error;
      }
      if (right) await sleep(pause(attempt));
    }
    throw new Error("the file was not stored");
  }

  // Takes a step; what fails for good is told and passed over, as a nightly job would.
  async function step(name, action) {
    try {
      await action();
      return true;
    } catch (error) {
      console.error(`${name}: ${error.name}: ${error.message}`);
      unfinished = true;
      return false;
    }
  }

  if (await step("token", getToken)) {
    await step("sites", () => call("GET", "sites"));
    await step("exam codes", () => call("GET", "sites/Central%20Clinic/exam-codes"));
    await step("pending", readPages);
    await step("appointments", readStretches);
    const paths = ["reporting/appointments/A123456", "appointments/A123456", "appointments/operational/by-id/A123456"];
    for (const path of paths) await step(path, () => call("GET", path));
    const comment = { commentText: "Images received." };
    await step("comment", () => call("POST", "reporting/appointments/A123456/comments", comment));
    if (await step("upload", upload)) {
      const report = { reportText: "No acute abnormality detected.", reportStatus: "final" };
      await step("report", () => call("POST", "reporting/appointments/A123456/report", report));
    }
  }
  process.exit(unfinished ? 1 : 0);
}

module.exports = { right, attempts, transient, pause, persist, work };
