#!/usr/bin/env python3
"""A well-behaved client of the QUBS Integrations API, in Python's standard library alone.

It keeps its token and its connections, repeats what may be repeated, waits as long as it is told, for
up to two minutes (else longer each time, with jitter, six times), sends one idempotency key for each operation, follows cursors
and offsets to their ends, and puts files to their upload URLs once, without credentials. Where a test
plays a whole day, it goes on until the day is over, and reports each exam that falls due once.

    qubs-mock run --scenario calm -- python3 examples/good_client.py
"""

import contextlib
import datetime
import email.utils
import http.client
import json
import os
import random
import sys
import time
import urllib.parse
import uuid

ATTEMPTS = 6
# Who is told to wait waits, however often, for so long altogether: others may share the limit.
PATIENCE_SECONDS = 120.0
RENEWALS = 2
TODAY = datetime.date.fromisoformat(os.environ.get("QUBS_TODAY", datetime.date.today().isoformat()))
TIMEOUT_SECONDS = float(os.environ.get("QUBS_TIMEOUT", "5"))
FIRST_PAUSE_SECONDS = float(os.environ.get("QUBS_FIRST_PAUSE", "0.15"))
LONGEST_PAUSE_SECONDS = 20.0
TRANSIENT = {429, 500, 502, 503, 504}
TOKEN_MARGIN_SECONDS = 300.0


class Refused(Exception):
    """An answer that no repetition will change."""

    def __init__(self, status, detail):
        super().__init__(f"{status}: {detail}")
        self.status = status


class Unavailable(Exception):
    """Every attempt failed in a way that might have passed."""


class Answer:
    def __init__(self, status, fields, content):
        self.status = status
        self.fields = fields
        self.content = content

    @property
    def json(self):
        return json.loads(self.content) if self.content else None


class Client:
    def __init__(self, environment=os.environ):
        names = [f"QUBS_{name}" for name in ("BASE_URL", "TOKEN_URL", "DOMAIN", "CLIENT_ID", "CLIENT_SECRET")]
        missing = [name for name in names if not environment.get(name)]
        if missing:
            sys.exit(f"{', '.join(missing)} not set: start me by qubs-mock run, or after eval \"$(qubs-mock env)\"")
        self.base = environment["QUBS_BASE_URL"].rstrip("/")
        self.token_url = environment["QUBS_TOKEN_URL"]
        self.domain = environment["QUBS_DOMAIN"]
        self.client_id = environment["QUBS_CLIENT_ID"]
        self.secret = environment["QUBS_CLIENT_SECRET"]
        self.connections = {}
        self.server_time = 0.0
        self._token = None
        self._token_renewal = 0.0

    # One request, one answer -------------------------------------------------------------------

    def exchange(self, method, url, fields, content=None):
        """One attempt on a kept connection; OSError or HTTPException when it breaks."""
        parts = urllib.parse.urlsplit(url)
        connection = self.connections.get(parts.netloc)
        if connection is None:
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            connection = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
            self.connections[parts.netloc] = connection
        target = parts.path + ("?" + parts.query if parts.query else "")
        try:
            connection.request(method, target, body=content, headers=fields)
            response = connection.getresponse()
            if response.headers["Date"]:
                self.server_time = email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
            # Read to the end, or the connection cannot be used again.
            return Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            raise

    def pause(self, attempt, answer):
        """How long to wait before the next attempt, in seconds."""
        told = None if answer is None else self.told_to_wait(answer)
        if told:
            if told > PATIENCE_SECONDS:
                raise Unavailable(f"told to wait {told:.0f} s")
            # Those that were told the same do not come back all at once.
            return told + random.uniform(0, FIRST_PAUSE_SECONDS)
        # A date that is past says nothing else: who comes back at once makes a storm.
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
        return longest * random.uniform(0.75, 1.25)

    @staticmethod
    def told_to_wait(answer):
        """What Retry-After says, in seconds; None where it is missing, or neither seconds nor a date."""
        lines = answer.fields.get_all("Retry-After") or []
        if len(lines) != 1:
            return None
        if lines[0].isdigit():
            return int(lines[0])
        try:
            # A date is meant by the server's clock, which Date tells.
            until = email.utils.parsedate_to_datetime(lines[0])
            now = email.utils.parsedate_to_datetime(answer.fields["Date"])
            return max(0.0, (until - now).total_seconds())
        except (TypeError, ValueError, IndexError):
            return None

    def persist(self, attempt_once):
        """Repeats an attempt until it has an answer that will not change."""
        begin, failures = time.monotonic(), 0
        while True:
            answer = None
            try:
                answer = attempt_once()
                if answer.status not in TRANSIENT:
                    return answer
            except (OSError, http.client.HTTPException) as error:
                reason = error
            else:
                reason = answer.status
            pause = self.pause(failures, answer)
            if answer is None or not self.told_to_wait(answer):
                failures += 1
            waited = time.monotonic() - begin
            if failures == ATTEMPTS or waited + pause > PATIENCE_SECONDS:
                raise Unavailable(f"gave up after {waited:.0f} s: {reason!r}")
            time.sleep(pause)

    # Tokens -------------------------------------------------------------------------------------

    def token(self):
        """The token, fetched anew shortly before its end."""
        if time.monotonic() >= self._token_renewal:
            form = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.secret,
            }
            fields = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            content = urllib.parse.urlencode(form).encode()
            answer = self.persist(lambda: self.json_of(self.exchange("POST", self.token_url, fields, content)))
            if answer.status != 200:
                raise Refused(answer.status, answer.content.decode(errors="replace"))
            self._token = answer.json["access_token"]
            lifetime = answer.json["expires_in"]
            self._token_renewal = time.monotonic() + lifetime - min(TOKEN_MARGIN_SECONDS, lifetime / 4)
        return self._token

    @staticmethod
    def json_of(answer):
        """The answer. One that breaks off inside, or comes from somebody else, is a broken one."""
        try:
            if answer.status in (200, 201):
                answer.json
        except ValueError as error:
            raise http.client.HTTPException("the answer is no JSON") from error
        return answer

    # Calls --------------------------------------------------------------------------------------

    def fields(self, correlation_id, key=None, has_content=False):
        fields = {"Accept": "application/json", "X-Correlation-Id": correlation_id}
        if key is not None:
            fields["Idempotency-Key"] = key
        if has_content:
            fields["Content-Type"] = "application/json"
        return fields

    def url(self, path, query):
        url = f"{self.base}/integrations/v1/{self.domain}/{path}"
        return url + ("?" + urllib.parse.urlencode(query) if query else "")

    def call(self, method, path, query=None, body=None):
        """Calls an operation and returns its JSON; a POST is sent with a key of its own."""
        url = self.url(path, query)
        # Made once: every attempt sends the same id, the same key and the same octets.
        content = None if body is None else json.dumps(body).encode()
        key = str(uuid.uuid4()) if method == "POST" else None
        fields = self.fields(str(uuid.uuid4()), key, content is not None)

        def attempt():
            token = self.token()
            return self.json_of(
                self.exchange(method, url, {**fields, "Authorization": f"Bearer {token}"}, content)
            )

        answer = self.persist(attempt)
        for _ in range(RENEWALS):
            if answer.status != 401:
                break
            # The token has ended before its time: one new one, and the call once more. A second time,
            # since a short life may end on the way.
            self._token_renewal = 0.0
            answer = self.persist(attempt)
        if answer.status not in (200, 201):
            detail = answer.content.decode(errors="replace")
            raise Refused(answer.status, detail)
        return answer.json

    def get(self, path, **query):
        return self.call("GET", path, query)

    def post(self, path, body):
        return self.call("POST", path, body=body)

    def pages(self, path, page_size):
        """All items of a cursor list."""
        query = {"pageSize": page_size}
        while True:
            page = self.get(path, **query)
            yield from page["items"]
            if not page.get("nextToken"):
                return
            query["nextToken"] = page["nextToken"]

    def stretches(self, path, take, **filters):
        """All items of an offset list."""
        skip = 0
        while True:
            items = self.get(path, **filters, skip=skip, take=take)
            yield from items
            skip += len(items)
            if len(items) < take:
                return

    # Files --------------------------------------------------------------------------------------

    def upload_urls(self, appointment, files):
        """Asks for an upload URL for each of {file name: content type}."""
        items = [{"fileName": name, "contentType": kind} for name, kind in files.items()]
        path = f"reporting/appointments/{appointment}/report/attachments"
        return self.post(path, {"items": items})["items"]

    def put(self, url, content, content_type):
        """One PUT of the raw octets: with their length, and without credentials."""
        return self.exchange("PUT", url, {"Content-Type": content_type}, content)

    def upload(self, appointment, name, content, content_type):
        """Uploads a file; after a PUT that failed with a new URL."""
        for attempt in range(ATTEMPTS):
            [item] = self.upload_urls(appointment, {name: content_type})
            answer = None
            try:
                answer = self.put(item["uploadUrl"], content, content_type)
                if answer.status == 200:
                    return item["guid"]
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(self.pause(attempt, answer))
        raise Unavailable(f"{name} could not be uploaded")

    def download(self, url):
        """The octets behind a presigned URL, which needs no credentials."""
        return self.persist(lambda: self.exchange("GET", url, {})).content


# The work -------------------------------------------------------------------------------------------

APPOINTMENT, OTHER_APPOINTMENT = "A123456", "A123457"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n"


def read_settings(client):
    for site in client.get("sites")[:1]:
        name = urllib.parse.quote(site["siteName"], safe="")
        client.get(f"sites/{name}")
        client.get(f"sites/{name}/exam-codes")
        client.get(f"sites/{name}/staff-skills")


def around(day):
    """The days of a quarter around a day."""
    some = datetime.timedelta(days=45)
    return {"startDate": (day - some).isoformat(), "endDate": (day + some).isoformat()}


def read_lists(client):
    pending = read_pending(client)
    list(client.stretches("appointments", take=100, **around(TODAY)))
    return pending


def read_pending(client, page_size=100):
    return list(client.pages("reporting/appointments/pending", page_size=page_size))


def read_appointment(client, appointment):
    client.get(f"appointments/operational/by-id/{appointment}")
    client.get(f"appointments/{appointment}")
    client.get(f"appointments/{appointment}/billing")
    pending = client.get(f"reporting/appointments/{appointment}")
    client.get(f"patients/{pending['patientId']}")
    client.get(f"reporting/appointments/{appointment}/comments")
    for attachment in client.get(f"reporting/appointments/{appointment}/attachments"):
        if attachment.get("url"):
            client.download(attachment["url"])


def comment(client, appointment, text):
    path = f"reporting/appointments/{appointment}/comments"
    return client.post(path, {"commentText": text, "commentType": "AC"})


def submit_report(client, appointment):
    client.upload(appointment, "report.pdf", PDF, "application/pdf")
    path = f"reporting/appointments/{appointment}/report"
    for status in ("preliminary", "final"):
        client.post(path, {"reportText": "No acute abnormality detected.", "reportStatus": status})


class Inbox:
    """Tells which exams of the pending list are new: by their ids, since they fall due in no order."""

    def __init__(self, items):
        self.known = {item["appointmentId"] for item in items}

    def new(self, items):
        found = [item["appointmentId"] for item in items if item["appointmentId"] not in self.known]
        self.known.update(found)
        return found


def report_exam(client, appointment):
    path = f"reporting/appointments/{urllib.parse.quote(appointment, safe='')}/report"
    try:
        client.post(path, {"reportText": "No acute abnormality detected.", "reportStatus": "final"})
    except Refused as refused:
        # Somebody else may have reported it since the list was read.
        if refused.status != 404:
            raise


@contextlib.contextmanager
def while_pending(client, appointment):
    """Leaves the block without an error where somebody else has reported the appointment."""
    try:
        yield
    except Refused as refused:
        if refused.status != 404 or waits(client, appointment):
            raise


def waits(client, appointment):
    return any(item["appointmentId"] == appointment for item in read_pending(client))


def report_what_falls_due(client, inbox):
    """Reports new exams for as long as the server's clock runs ahead of ours: a test plays a day then."""
    while True:
        server, own = client.server_time, time.monotonic()
        new = inbox.new(read_pending(client, page_size=200))
        for appointment in new:
            report_exam(client, appointment)
        # Date has whole seconds.
        ahead = (client.server_time - server) - (time.monotonic() - own)
        if not new and ahead < 2:
            return


def work(client):
    read_settings(client)
    inbox = Inbox(read_lists(client))
    with while_pending(client, APPOINTMENT):
        read_appointment(client, APPOINTMENT)
        comment(client, APPOINTMENT, "Images received.")
    with while_pending(client, OTHER_APPOINTMENT):
        comment(client, OTHER_APPOINTMENT, "Images received.")
    with while_pending(client, APPOINTMENT):
        submit_report(client, APPOINTMENT)
    report_what_falls_due(client, inbox)


if __name__ == "__main__":
    try:
        work(Client())
    except (Refused, Unavailable) as failure:
        sys.exit(f"good_client: {failure}")
