"""The same morning's work for every Python stack: only how the calls are made is the stack's own.

No stack by itself: the other files import it. A stack gives `work` a function
`send(method, url, fields, content)` that returns an `Answer` or raises, and perhaps another for
uploads and one for several calls at once.
"""

import datetime
import email.utils
import json
import os
import random
import sys
import time
import urllib.parse
import uuid
from typing import NamedTuple

MODE = sys.argv[1] if len(sys.argv) > 1 else "usual"
RIGHT = MODE == "right"
API = f"{os.environ['QUBS_BASE_URL']}/integrations/v1/{os.environ['QUBS_DOMAIN']}"
FORM = {
    "grant_type": "client_credentials",
    "client_id": os.environ["QUBS_CLIENT_ID"],
    "client_secret": os.environ["QUBS_CLIENT_SECRET"],
}
TODAY, WEEK = datetime.date.today(), datetime.timedelta(days=7)
TRANSIENT = {429, 500, 502, 503, 504}
ATTEMPTS = 6
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n"


class Answer(NamedTuple):
    status: int
    fields: dict
    content: bytes


class Refused(Exception):
    """An answer that is no success."""


class Passing(Exception):
    """An answer that may be another the next time. Its `answer` may say how long to wait."""

    def __init__(self, answer):
        super().__init__(f"status {answer.status}")
        self.answer = answer


# For the stacks whose retries are the application's own work -----------------------------------


def told(fields):
    """The seconds that Retry-After asks for, in either form, or None."""
    text = fields.get("Retry-After")
    if text is None:
        return None
    if text.isdigit():
        return float(text)
    until = email.utils.parsedate_to_datetime(text)
    now = email.utils.parsedate_to_datetime(fields["Date"])
    return max(0.0, (until - now).total_seconds())


def pause(attempt, fields):
    """The seconds before the attempt behind `attempt` (0, 1, ...): as told, else doubling with jitter."""
    as_told = told(fields)
    return 0.2 * 2**attempt * random.uniform(0.75, 1.25) if as_told is None else as_told


def persist(send, broken):
    """A `send` that repeats what may pass by itself. `broken` are the stack's errors of the line."""

    def persistent(*request):
        for attempt in range(ATTEMPTS):
            answer = None
            try:
                answer = send(*request)
                if answer.status not in TRANSIENT:
                    return answer
            except broken:
                if attempt == ATTEMPTS - 1:
                    raise
            if attempt < ATTEMPTS - 1:
                time.sleep(pause(attempt, answer.fields if answer else {}))
        return answer

    return persistent


# The work ---------------------------------------------------------------------------------------


def form_token(send):
    """Asks for a token as most programs do: with the credentials in the form."""
    content = urllib.parse.urlencode(FORM).encode()
    fields = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = send("POST", os.environ["QUBS_TOKEN_URL"], fields, content)
    if answer.status != 200:
        raise Refused(f"token: {answer.status}")
    return json.loads(answer.content)["access_token"]


class Work:
    def __init__(self, send, put=None, together=None, get_token=None):
        self.send = send
        self.put = put or send
        self.together = together
        self.get_token = get_token or (lambda: form_token(send))
        self.token = None
        self.unfinished = False

    def fields(self, body, key):
        fields = {"Accept": "application/json", "X-Correlation-Id": str(uuid.uuid4())}
        if self.token is not None:
            fields["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            fields |= {"Content-Type": "application/json", "Idempotency-Key": key}
        return fields

    def call(self, method, path, body=None):
        # The key and the octets are made once: whoever repeats the request cannot change them.
        content = None if body is None else json.dumps(body).encode()
        key = str(uuid.uuid4())
        answer = self.send(method, f"{API}/{path}", self.fields(body, key), content)
        if answer.status == 401 and RIGHT:
            self.token = self.get_token()
            answer = self.send(method, f"{API}/{path}", self.fields(body, key), content)
        if answer.status not in (200, 201):
            raise Refused(f"{answer.status}")
        return json.loads(answer.content)

    def get(self, path):
        return self.call("GET", path)

    def get_token_first(self):
        self.token = self.get_token()

    def read_pages(self):
        token = ""
        while token is not None:
            page = self.get(f"reporting/appointments/pending?pageSize=25{token}")
            following = page.get("nextToken")
            if RIGHT and not following:
                # The documentation says "empty or omitted": many know one of the two alone.
                return
            token = following and "&nextToken=" + urllib.parse.quote(following, safe="")

    def read_stretches(self):
        skip = 0
        while True:
            items = self.get(f"appointments?startDate={TODAY - WEEK}&endDate={TODAY + WEEK}&skip={skip}&take=100")
            skip += len(items)
            if len(items) < 100:
                return

    def read_appointment(self):
        paths = ["reporting/appointments/A123456", "appointments/A123456", "appointments/operational/by-id/A123456"]
        if self.together is None:
            for path in paths:
                self.step(path, lambda path=path: self.get(path))
            return
        requests = [("GET", f"{API}/{path}", self.fields(None, None), None) for path in paths]
        answers = self.together(requests)
        if RIGHT and any(isinstance(answer, Answer) and answer.status == 401 for answer in answers):
            # One new token for all of them.
            self.token = self.get_token()
            answers = self.together([(*request[:2], self.fields(None, None), None) for request in requests])
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
            if answer.status != 200:
                raise Refused(f"{answer.status}")

    def comment(self):
        self.call("POST", "reporting/appointments/A123456/comments", {"commentText": "Images received."})

    def upload(self):
        path = "reporting/appointments/A123456/report/attachments"
        items = [{"fileName": "report.pdf", "contentType": "application/pdf"}]
        for attempt in range(ATTEMPTS if RIGHT else 1):
            # A new URL, with a new key, each time: no file is put twice to the same one.
            url = self.call("POST", path, {"items": items})["items"][0]["uploadUrl"]
            try:
                answer = self.put("PUT", url, {"Content-Type": "application/pdf"}, PDF)
                if answer.status == 200:
                    return
                failure = Refused(f"{answer.status}")
            except Exception as error:  # Each stack has errors of its own.
                failure = error
            if attempt < ATTEMPTS - 1 and RIGHT:
                time.sleep(pause(attempt, {}))
        raise failure

    def report(self):
        path = "reporting/appointments/A123456/report"
        self.call("POST", path, {"reportText": "No acute abnormality detected.", "reportStatus": "final"})

    def step(self, name, action):
        """Takes a step; what fails for good is told and passed over, as a nightly job would."""
        try:
            action()
            return True
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            self.unfinished = True
            return False


def work(send, put=None, together=None, get_token=None):
    """Does the work and exits: 0 when all of it is done, else 1."""
    morning = Work(send, put, together, get_token)
    if morning.step("token", morning.get_token_first):
        morning.step("sites", lambda: morning.get("sites"))
        morning.step("exam codes", lambda: morning.get("sites/Central%20Clinic/exam-codes"))
        morning.step("pending", morning.read_pages)
        morning.step("appointments", morning.read_stretches)
        morning.step("appointment", morning.read_appointment)
        morning.step("comment", morning.comment)
        if morning.step("upload", morning.upload):
            morning.step("report", morning.report)
    sys.exit(1 if morning.unfinished else 0)
