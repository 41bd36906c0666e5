#!/usr/bin/env python3
"""Clients that each do one thing wrong, named after the check that finds it.

    qubs-mock run --scenario lost-answers -- python3 examples/bad_clients.py retry.retries-transient
    python3 examples/bad_clients.py                # lists them all, with the scenario for each

Scenarios that are not built in stand in examples/scenarios.

Each is the good client with one habit changed, and so little work that nothing else can go wrong.
A name may have a second part behind a slash, where one check has several ways to fail.
"""

import http.client
import os
import random
import sys
import threading
import time
import urllib.parse
import uuid

import good_client
from good_client import APPOINTMENT, OTHER_APPOINTMENT, PDF, Client, Refused, Unavailable

VARIANTS = {}


def variant(check, scenario="calm"):
    """Registers a client class, whose `work` method is run under the scenario."""

    def register(kind):
        VARIANTS[check] = (kind, scenario)
        return kind

    return register


class Bad(Client):
    def comment(self, appointment=APPOINTMENT, text="Images received."):
        return good_client.comment(self, appointment, text)

    def attempt(self, *steps):
        """Runs steps that may fail."""
        for step in steps:
            try:
                step()
            except (Refused, Unavailable):
                pass


# Retries ----------------------------------------------------------------------------------------------


@variant("retry.retries-transient", "lost-answers")
class GivesUpAtOnce(Bad):
    def persist(self, attempt_once):
        try:
            return attempt_once()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(repr(error)) from error

    def work(self):
        self.attempt(lambda: self.get("reporting/appointments/pending"), self.comment)


@variant("retry.honours-retry-after", "rate-limited-morning")
class CannotWait(Bad):
    def pause(self, attempt, answer):
        return 0.1 * 2**attempt * random.uniform(0.75, 1.25)

    def work(self):
        self.get("reporting/appointments/pending", pageSize=50)
        self.comment()


@variant("retry.not-too-late", "rate-limited-morning")
class ComesBackLate(Bad):
    late = 0.0

    def pause(self, attempt, answer):
        return super().pause(attempt, answer) + self.late

    def work(self):
        self.token()
        # Told a second, it waits for its next round.
        self.late = 32.0
        self.get("sites")


FLAKY_CALLS = (
    "sites",
    "reporting/appointments/pending?pageSize=500",
    f"reporting/appointments/{APPOINTMENT}",
    "appointments?take=1",
    f"appointments/{APPOINTMENT}",
    f"appointments/operational/by-id/{APPOINTMENT}",
)


@variant("retry.pauses", "flaky-network")
class RepeatsAtOnce(Bad):
    def pause(self, attempt, answer):
        return 0

    def work(self):
        for path in FLAKY_CALLS:
            self.get(path)


@variant("retry.backs-off", "flaky-network")
class WaitsLessAndLess(Bad):
    def pause(self, attempt, answer):
        return 0.6 / 2**attempt * random.uniform(0.7, 1.3)

    def work(self):
        for path in FLAKY_CALLS:
            self.get(path)


@variant("retry.jitters", "flaky-network")
class WaitsToTheMillisecond(Bad):
    def pause(self, attempt, answer):
        return 1.0 * 2**attempt

    def work(self):
        self.token()
        # Side by side, each with connections of its own: all return at the same moments.
        calls = [lambda client, path=path: client.get(path) for path in FLAKY_CALLS]
        side_by_side(self, calls)
        for _ in range(20):
            self.get("sites")


def side_by_side(client, calls):
    def run(call):
        copy = type(client)()
        copy._token, copy._token_renewal = client._token, client._token_renewal
        call(copy)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@variant("retry.bounded", "stubborn-fault")
class NeverGivesUp(Bad):
    def pause(self, attempt, answer):
        return 0.02 * (attempt + 1) * random.uniform(0.5, 1.5)

    def work(self):
        good_client.ATTEMPTS = 1000
        self.get("sites")


@variant("retry.leaves-permanent-errors-alone")
class InsistsOnTheImpossible(Bad):
    def work(self):
        path = "reporting/appointments/A999999/comments"
        key = str(uuid.uuid4())
        self.new_key = lambda: key
        for _ in range(2):
            self.attempt(lambda: self.post(path, {"commentText": "Images received."}))

    def fields(self, correlation_id, key=None, has_content=False):
        return super().fields(correlation_id, key and self.new_key(), has_content)


@variant("retry.leaves-permanent-errors-alone/get")
class LooksAgainAndAgain(Bad):
    def work(self):
        for _ in range(5):
            self.attempt(lambda: self.get("reporting/appointments/A999999"))


# Errors -----------------------------------------------------------------------------------------------


@variant("errors.tolerates-foreign", "foreign-errors")
class UnderstandsItsOwnOnly(Bad):
    def persist(self, attempt_once):
        def attempt():
            answer = attempt_once()
            if answer.status >= 400 and answer.fields.get_content_type() != "application/problem+json":
                raise Refused(answer.status, "this is no answer of the API")
            return answer

        return super().persist(attempt)

    def work(self):
        # The errors of the token endpoint are no problem details anyway.
        self.attempt(self.token)
        time.sleep(self.pause(0, None))
        self.attempt(lambda: self.get("sites"), lambda: self.get(f"appointments/{APPOINTMENT}"))


# Idempotency ------------------------------------------------------------------------------------------


class ChoosesKeys(Bad):
    """Sends what `key` returns for each attempt; no key where that is None."""

    def exchange(self, method, url, fields, content=None):
        if "Idempotency-Key" in fields:
            fields = dict(fields)
            chosen = self.key(fields.pop("Idempotency-Key"))
            if chosen is not None:
                fields["Idempotency-Key"] = chosen
        return super().exchange(method, url, fields, content)


@variant("idempotency.key-sent")
class KnowsNoKeys(ChoosesKeys):
    def key(self, key):
        return None

    def work(self):
        self.comment()


@variant("idempotency.key-wellformed")
class WritesNovelsAsKeys(ChoosesKeys):
    def key(self, key):
        return "comment on " + APPOINTMENT + " " + key * 4

    def work(self):
        self.attempt(self.comment)


@variant("idempotency.key-reused-on-retry", "upload-trouble")
class MakesAKeyForEachAttempt(ChoosesKeys):
    def key(self, key):
        return str(uuid.uuid4())

    def work(self):
        for item in self.upload_urls(APPOINTMENT, {"a.pdf": "application/pdf"}):
            try:
                self.put(item["uploadUrl"], PDF, "application/pdf")
            except OSError:
                pass
        # The scenario breaks the first PUT: a new URL, as it should be.
        self.upload(APPOINTMENT, "a.pdf", PDF, "application/pdf")


@variant("idempotency.payload-stable", "lost-answers")
class StampsEachAttempt(Bad):
    def exchange(self, method, url, fields, content=None):
        if "Idempotency-Key" in fields:
            content = content.replace(b"Images received", b"Images received %d" % time.monotonic_ns())
        return super().exchange(method, url, fields, content)

    def work(self):
        self.attempt(self.comment)


@variant("idempotency.key-fresh-per-operation")
class HasOneKeyForAll(ChoosesKeys):
    def key(self, key):
        return "partner-key"

    def work(self):
        self.comment(APPOINTMENT)
        self.comment(OTHER_APPOINTMENT)


@variant("idempotency.no-duplicate-effect", "lost-answers")
class RepeatsWithoutAKey(KnowsNoKeys):
    pass


# Paging -----------------------------------------------------------------------------------------------

PENDING = "reporting/appointments/pending"


@variant("paging.cursor-verbatim")
class ImprovesCursors(Bad):
    def work(self):
        page = self.get(PENDING, pageSize=100)
        self.attempt(lambda: self.get(PENDING, pageSize=100, nextToken=page["nextToken"].lower()))


@variant("paging.cursor-verbatim/empty")
class BeginsWithAnEmptyCursor(Bad):
    def work(self):
        self.attempt(lambda: self.get(PENDING, pageSize=100, nextToken=""))


@variant("paging.stops-at-end")
class GoesRoundAndRound(Bad):
    def work(self):
        query = {"pageSize": 100}
        while True:
            page = self.get(PENDING, **query)
            if not page["nextToken"]:
                break
            query["nextToken"] = page["nextToken"]
        # The last cursor again and again, to see whether something has been added.
        for _ in range(3):
            self.get(PENDING, **query)


@variant("paging.stops-at-end/null")
class AsksForPageNull(Bad):
    def work(self):
        list(self.pages(PENDING, 100))
        self.attempt(lambda: self.get(PENDING, pageSize=100, nextToken="null"))


@variant("paging.keeps-parameters")
class ChangesThePageSize(Bad):
    def work(self):
        page = self.get(PENDING, pageSize=100)
        while page["nextToken"]:
            page = self.get(PENDING, pageSize=50, nextToken=page["nextToken"])


@variant("paging.reads-to-the-end")
class KnowsOnePage(Bad):
    def work(self):
        self.get("appointments")


@variant("paging.reads-to-the-end/middle")
class LeavesInTheMiddle(Bad):
    def work(self):
        page = self.get(PENDING, pageSize=20)
        self.get(PENDING, pageSize=20, nextToken=page["nextToken"])


QUARTER = good_client.around(good_client.TODAY)


@variant("paging.offset-stops")
class NeedsAnEmptyPage(Bad):
    def work(self):
        skip = 0
        while items := self.get("appointments", **QUARTER, skip=skip, take=100):
            skip += len(items)


@variant("paging.offset-stops/gap")
class SkipsTooFar(Bad):
    def work(self):
        self.get("appointments", **QUARTER, skip=0, take=50)
        skip = 100
        while len(self.get("appointments", **QUARTER, skip=skip, take=50)) == 50:
            skip += 50


# Tokens -----------------------------------------------------------------------------------------------


@variant("auth.token-reused")
class AsksForATokenPerCall(Bad):
    def token(self):
        self._token_renewal = 0.0
        return super().token()

    def work(self):
        for _ in range(4):
            self.get("sites")


@variant("auth.recovers-from-401", "token-expiry")
class TakesNoForAnAnswer(Bad):
    def work(self):
        for _ in range(30):
            try:
                self.get("sites")
            except Refused:
                return

    def token(self):
        # Whatever expires_in says.
        return self._token or super().token()

    def call(self, method, path, query=None, body=None):
        fields = self.fields(str(uuid.uuid4())) | {"Authorization": f"Bearer {self.token()}"}
        answer = self.exchange(method, self.url(path, query), fields)
        if answer.status != 200:
            raise Refused(answer.status, "no")
        return answer.json


@variant("auth.no-token-storm", "token-outage")
class HammersTheTokenEndpoint(Bad):
    def pause(self, attempt, answer):
        return 0.01

    def work(self):
        self.get("sites")


@variant("auth.no-token-storm/renewal", "broken-tokens")
class RenewsForEver(Bad):
    def work(self):
        for number in range(9):
            self.attempt(lambda: self.get(f"appointments/A90000{number}"))
            self._token_renewal = 0.0
            time.sleep(0.1)


@variant("auth.no-stampede")
class FetchesATokenPerThread(Bad):
    def work(self):
        clients = [type(self)() for _ in range(5)]
        threads = [threading.Thread(target=client.token) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # The last one wins.
        self._token, self._token_renewal = clients[-1]._token, clients[-1]._token_renewal
        self.get("sites")


@variant("auth.header-only")
class PutsTheTokenIntoTheURL(Bad):
    def work(self):
        self.get("sites", access_token=self.token())


@variant("auth.header-only/body")
class PutsTheTokenIntoABody(Bad):
    def work(self):
        self.comment(text=f"Sent with {self.token()}")


@variant("auth.within-domains")
class LooksNextDoor(Bad):
    def work(self):
        self.get("sites")
        self.domain = "globex"
        self.attempt(lambda: self.get("sites"))


# Uploads ----------------------------------------------------------------------------------------------


class Uploads(Bad):
    """Uploads once in its own way, and then as it should be."""

    def work(self):
        [item] = self.upload_urls(APPOINTMENT, {"a.pdf": "application/pdf"})
        self.wrong(item["uploadUrl"])
        self.upload(APPOINTMENT, "a.pdf", PDF, "application/pdf")


@variant("upload.before-expiry", "slow-upload")
class ComesTooLate(Uploads):
    def wrong(self, url):
        # The scenario gives it one second.
        time.sleep(2.1)
        self.put(url, PDF, "application/pdf")


@variant("upload.content-type")
class CallsEverythingAStream(Uploads):
    def wrong(self, url):
        self.put(url, PDF, "application/octet-stream")


@variant("upload.content-length")
class SendsInChunks(Uploads):
    def wrong(self, url):
        # Without a length http.client sends what it can iterate over in chunks.
        self.put(url, iter([PDF]), "application/pdf")


@variant("upload.size")
class SendsTooMuch(Uploads):
    def wrong(self, url):
        try:
            self.put(url, PDF + b" " * 2_097_152, "application/pdf")
        except OSError:
            pass  # The answer may come, and the connection close, before all is sent.


@variant("upload.single-put")
class PutsTwice(Bad):
    def work(self):
        [item] = self.upload_urls(APPOINTMENT, {"a.pdf": "application/pdf"})
        self.put(item["uploadUrl"], PDF, "application/pdf")
        self.put(item["uploadUrl"], PDF + b"\n", "application/pdf")


@variant("upload.new-url-after-failure", "slow-upload")
class KnocksOnAClosedDoor(ComesTooLate):
    def wrong(self, url):
        super().wrong(url)
        self.put(url, PDF + b"\n", "application/pdf")


@variant("upload.new-url-after-failure/broken", "upload-trouble")
class KnocksUntilItOpens(Bad):
    def work(self):
        [item] = self.upload_urls(APPOINTMENT, {"a.pdf": "application/pdf"})
        for _ in range(3):
            try:
                self.put(item["uploadUrl"], PDF, "application/pdf")
            except OSError:
                pass


@variant("upload.stored-after-failure", "upload-trouble")
class ReportsWithoutItsFile(Bad):
    def work(self):
        [item] = self.upload_urls(APPOINTMENT, {"a.pdf": "application/pdf"})
        try:
            self.put(item["uploadUrl"], PDF, "application/pdf")
        except OSError:
            pass
        report(self, "final")


def report(client, status, **more):
    body = {"reportText": "No acute abnormality detected.", "reportStatus": status, **more}
    client.post(f"reporting/appointments/{APPOINTMENT}/report", body)


@variant("upload.content-as-promised")
class UploadsNothing(Bad):
    def work(self):
        self.upload(APPOINTMENT, "a.pdf", b"", "application/pdf")


@variant("upload.content-as-promised/type")
class UploadsAPage(Bad):
    def work(self):
        self.upload(APPOINTMENT, "a.pdf", b"<html>please log in</html>", "application/pdf")


@variant("upload.no-credentials")
class ShowsItsTokenToEverybody(Bad):
    def put(self, url, content, content_type):
        fields = {"Content-Type": content_type, "Authorization": f"Bearer {self.token()}"}
        return self.exchange("PUT", url, fields, content)

    def work(self):
        self.upload(APPOINTMENT, "a.pdf", PDF, "application/pdf")


@variant("upload.completed")
class AsksForMoreThanItUses(Bad):
    def work(self):
        kinds = {"a.pdf": "application/pdf", "b.pdf": "application/pdf"}
        first, _ = self.upload_urls(APPOINTMENT, kinds)
        self.put(first["uploadUrl"], PDF, "application/pdf")


# Conduct ----------------------------------------------------------------------------------------------


@variant("reporting.pending-only")
class ReportsOnAnything(Bad):
    def work(self):
        finalised = self.get("appointments/by-status/FINALISED", pageSize=1)["items"][0]
        self.attempt(lambda: self.get(f"reporting/appointments/{finalised['appointmentId']}"))


@variant("reporting.report-after-files")
class ReportsFirst(Bad):
    def work(self):
        [item] = self.upload_urls(APPOINTMENT, {"a.pdf": "application/pdf"})
        report(self, "final")
        self.put(item["uploadUrl"], PDF, "application/pdf")


@variant("reporting.no-step-back")
class TakesTheFinalWordBack(Bad):
    def work(self):
        report(self, "final")
        report(self, "preliminary")


@variant("reporting.each-exam-once", "busy-day")
class KeepsADate(Bad):
    """Takes what is later than all that it has seen; an exam that took long never is."""

    class Inbox:
        def __init__(self, today):
            self.latest = (today, "")

        def new(self, items):
            times = {item["appointmentId"]: (item.get("appointmentDate") or "", item.get("startTime") or "") for item in items}
            # Yesterday's are others' work.
            later = [name for name, moment in times.items() if self.latest < moment <= (self.latest[0], "24")]
            self.latest = max([self.latest] + [times[name] for name in later])
            return later

    def work(self):
        self.get("sites")
        # The practice is ten hours ahead of UTC.
        today = time.strftime("%Y-%m-%d", time.gmtime(self.server_time + 36_000))
        good_client.report_what_falls_due(self, self.Inbox(today))


@variant("reporting.each-exam-once/twice", "busy-day")
class ReportsTwice(Bad):
    def work(self):
        inbox = good_client.Inbox(self.pages("reporting/appointments/pending", page_size=200))
        find = inbox.new
        inbox.new = lambda items: [name for name in find(items) for _ in range(2)]
        good_client.report_what_falls_due(self, inbox)


@variant("reporting.plausible-time")
class ReportsFromTheFuture(Bad):
    def work(self):
        report(self, "final", reportedAtUtc="2199-01-01T00:00:00Z")


@variant("transport.reuses-connections")
class HangsUpAfterEachCall(Bad):
    def exchange(self, method, url, fields, content=None):
        try:
            return super().exchange(method, url, fields, content)
        finally:
            for connection in self.connections.values():
                connection.close()

    def work(self):
        for _ in range(25):
            self.get("sites")
            time.sleep(0.06)


@variant("transport.times-out", "slow-friday")
class HasAllTheTimeInTheWorld(Bad):
    def work(self):
        good_client.TIMEOUT_SECONDS = None
        self.get("sites/Central%20Clinic/exam-codes")


@variant("contract.valid-requests")
class WantsPagesOfNothing(Bad):
    def work(self):
        self.attempt(lambda: self.get("appointments", take=0))


@variant("contract.known-parameters")
class MakesUpAFilter(Bad):
    def work(self):
        self.get("appointments", take=10, date="2025-01-12")


@variant("privacy.no-patient-data-in-urls")
class AsksByName(Bad):
    def work(self):
        self.attempt(lambda: self.get("patients/" + urllib.parse.quote("DOE, Jane")))


@variant("privacy.no-patient-data-in-urls/double")
class EncodesTwice(Bad):
    def work(self):
        self.attempt(lambda: self.get("patients/" + urllib.parse.quote(urllib.parse.quote("DOE, Jane"))))


@variant("privacy.no-patient-data-in-urls/key")
class NamesItsKeys(ChoosesKeys):
    def key(self, key):
        return f"jane-doe.{key}"

    def work(self):
        self.comment()


@variant("privacy.no-patient-data-in-urls/agent")
class TellsItsReferer(Bad):
    def fields(self, correlation_id, key=None, has_content=False):
        page = "https://ris.example/patients?name=Jane%20Doe"
        return {**super().fields(correlation_id, key, has_content), "Referer": page}

    def work(self):
        self.get(f"appointments/{APPOINTMENT}")


class TracesWith(Bad):
    """Sends a correlation id of its own making."""

    def fields(self, correlation_id, key=None, has_content=False):
        return super().fields(self.trace(), key, has_content)

    def work(self):
        self.get(f"appointments/{APPOINTMENT}")


@variant("privacy.no-patient-data-in-urls/name-in-trace")
class TracesByName(TracesWith):
    def trace(self):
        return f"jane.doe-{uuid.uuid4()}"


@variant("privacy.no-patient-data-in-urls/medicare")
class TracesByMedicareNumber(TracesWith):
    def trace(self):
        return f"patient:{self.medicare_number}"

    def work(self):
        self.medicare_number = "none"
        billing = self.get(f"appointments/{APPOINTMENT}/billing")
        self.medicare_number = billing["medicareNumber"]
        super().work()


@variant("trace.correlation-id")
class LeavesNoTrace(TracesWith):
    def fields(self, correlation_id, key=None, has_content=False):
        fields = super(TracesWith, self).fields(correlation_id, key, has_content)
        del fields["X-Correlation-Id"]
        return fields


@variant("trace.correlation-id/shared", "slow-answers")
class HasOneTraceForAll(TracesWith):
    def trace(self):
        return "batch-1"

    def work(self):
        self.token()
        side_by_side(self, [lambda client: client.get("sites"), lambda client: client.get("appointments", take=20)])


def main(arguments):
    if not arguments:
        for name, (_, scenario) in VARIANTS.items():
            print(f"{name:45} {scenario}")
        return
    kind, _ = VARIANTS[arguments[0]]
    client = kind()
    client.work()


if __name__ == "__main__":
    main(sys.argv[1:])
