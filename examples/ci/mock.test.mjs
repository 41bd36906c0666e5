// Testcontainers for Node: npm install testcontainers; node --test mock.test.mjs
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GenericContainer, Wait } from "testcontainers";

let mock;
let baseURL;

before(async () => {
  mock = await new GenericContainer("registry.example/qubs-mock:0.2.0")
    .withEnvironment({ QUBS_MOCK_ADMIN_TOKEN: "a-token-of-this-test" })
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp("/__admin/ready", 8080))
    .start();
  baseURL = `http://${mock.getHost()}:${mock.getMappedPort(8080)}`;
});

after(() => mock?.stop());

test("a token is granted", async () => {
  // A session of its own for each test: acme-partner+NAME.
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: "acme-partner+node",
    client_secret: "acme-partner-secret",
  });
  const answer = await fetch(`${baseURL}/oauth2/token`, { method: "POST", body: form });
  assert.equal(answer.status, 200);
});
