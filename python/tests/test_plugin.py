"""The plugin from outside: whole runs of pytest in a process of their own."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

CLIENT = '''
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from qubs_mock.control import Refused


def token(qubs):
    form = {"grant_type": "client_credentials", "client_id": qubs.client_id,
            "client_secret": qubs.client_secret}
    with urllib.request.urlopen(qubs.token_url, urllib.parse.urlencode(form).encode()) as answer:
        return json.load(answer)["access_token"]


def sites(qubs, bearer):
    request = urllib.request.Request(
        f"{qubs.base_url}/integrations/v1/{qubs.domain}/sites",
        headers={"Authorization": "Bearer " + bearer})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
'''

GIVES_UP = CLIENT + '''
def test_gives_up(qubs):
    qubs.faults.add({"id": "once", "match": {"operation": "Integrations_ListSites"},
                     "when": {"first": 1}, "then": {"status": 503}})
    assert sites(qubs, token(qubs)) == 503
'''


def servers(folder):
    """The ids of the servers that a run in this folder has left, by what they were started with."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"serve" in command and f"QUBS_TEST_RUN={folder}".encode() in environment:
            found.append(int(entry.name))
    return found


def gone(folder, seconds=10):
    """Whether the servers of a run end by themselves within a time."""
    end = time.monotonic() + seconds
    while servers(folder) and time.monotonic() < end:
        time.sleep(0.05)
    return not servers(folder)


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.setenv("QUBS_TEST_RUN", str(pytester.path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    yield lambda *options: pytester.runpytest_subprocess(*options)
    assert gone(pytester.path), "a server is left behind"


def test_a_session_for_each_test(pytester, run):
    pytester.makepyfile(CLIENT + '''
@pytest.mark.parametrize("number", range(5))
def test_alone(qubs, number):
    assert sites(qubs, token(qubs)) == 200
    assert [entry["path"] for entry in qubs.control("GET", "/requests")["items"]].count(
        "/integrations/v1/acme/sites") == 1


def test_clock(qubs):
    bearer = token(qubs)
    qubs.clock.advance("PT61M")
    assert sites(qubs, bearer) == 401


def test_faults(qubs):
    rule = {"id": "busy", "when": {"first": 1}, "then": {"status": 429, "retryAfter": 1}}
    assert qubs.faults.add(rule)["id"] == "busy"
    assert sites(qubs, token(qubs)) == 429
    assert [rule["hits"] for rule in qubs.faults.list()] == [1]
    qubs.faults.clear()
    assert qubs.faults.list() == []


def test_refusal(qubs):
    with pytest.raises(Refused, match="^400: ") as refused:
        qubs.faults.add({"then": {"status": 99}})
    assert "then" in str(refused.value)


def test_sends_nothing(qubs):
    assert qubs.verdict()["result"] == "not-exercised"


def test_changes(qubs):
    assert qubs.changes()["items"] == []
    request = urllib.request.Request(
        f"{qubs.base_url}/integrations/v1/{qubs.domain}/reporting/appointments/A123456/comments",
        json.dumps({"commentText": "Sent.", "commentType": "AC"}).encode(),
        {"Authorization": "Bearer " + token(qubs), "Content-Type": "application/json"})
    urllib.request.urlopen(request).close()
    [change] = qubs.changes()["items"]
    [effect] = qubs.changes(normalised=True)["items"]
    assert "request" in change and "request" not in effect
    assert effect["appointmentId"] == "A123456"
''')
    run().assert_outcomes(passed=10)


def test_the_rules_of_the_readme_can_be_set(pytester, run):
    """Its samples run up to the client, which is the reader's."""
    readme = pathlib.Path(__file__).parent.parent / "README.md"
    samples = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    assert len(samples) >= 2
    client = '''
class MyClient:
    def __init__(self, *words):
        assert len(words) == 4

    def sites(self, domain):
        return domain

    def comment(self, appointment, text):
        pytest.skip("all else is set")

    def pending(self, *words):
        pytest.skip("all else is set")
'''
    pytester.makepyfile("import pytest\n" + client + "".join(samples))
    run().assert_outcomes(passed=1, skipped=2)


def test_without_the_fixture_no_server_starts(pytester, run):
    pytester.makepyfile('''
import os
import pathlib

def test_nothing():
    own = os.getpid()
    assert pathlib.Path(f"/proc/{own}/task/{own}/children").read_text() == ""
''')
    run().assert_outcomes(passed=1)


def test_a_reading_is_one_tests_alone(pytester, run):
    pytester.makepyfile(CLIENT + '''
def last_page(qubs):
    request = urllib.request.Request(
        f"{qubs.base_url}/integrations/v1/{qubs.domain}/appointments/by-status/CANCELLATION%20LIST?pageSize=500",
        headers={"Authorization": "Bearer " + token(qubs)})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)

def test_omitted(qubs):
    qubs.reading("page-end", "omitted")
    qubs.reading("token-lifetime", 900)
    assert "nextToken" not in last_page(qubs)

def test_null(qubs):
    assert last_page(qubs)["nextToken"] is None

def test_slip(qubs):
    with pytest.raises(Refused, match="did you mean page-end"):
        qubs.reading("page-ends", "omitted")
''')
    run().assert_outcomes(passed=3)


def test_a_verdict_that_nobody_asked_for_fails_nothing(pytester, run):
    pytester.makepyfile(GIVES_UP)
    run().assert_outcomes(passed=1)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_a_failed_must_fails_the_test(pytester, monkeypatch, run, workers):
    if workers:
        pytest.importorskip("xdist")
    # So wide that the summary is not cut.
    monkeypatch.setenv("COLUMNS", "200")
    pytester.makepyfile(GIVES_UP + '''
def test_good(qubs):
    assert sites(qubs, token(qubs)) == 200
''')
    result = run("--qubs-verdict", *workers)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([
        "FAIL *checks*", "FAIL  retry.retries-transient (must)",
        "*Integrations_ListSites *503* was never retried.*",
        "*GET /integrations/v1/acme/sites: * 503 *", "*Fix: *",
        "FAILED *::test_gives_up - Failed: retry.retries-transient: Integrations_ListSites *",
    ])


def test_the_marker_asks_for_one_test(pytester, run):
    pytester.makepyfile(GIVES_UP.replace("def test_gives_up", "@pytest.mark.qubs_verdict\ndef test_gives_up")
                        + GIVES_UP.replace(CLIENT, "").replace("gives_up", "other"))
    result = run("--strict-markers")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED *test_gives_up*"])


def test_a_test_that_fails_by_itself_shows_the_verdict_too(pytester, run):
    pytester.makepyfile(GIVES_UP.replace("== 503", "== 200"))
    result = run("--qubs-verdict")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 503 == 200*", "*qubs-mock*", "*was never retried.*"])


def test_one_server_for_all_workers(pytester, run):
    pytest.importorskip("xdist")
    pytester.makepyfile(CLIENT + '''
import os

@pytest.mark.parametrize("number", range(200))
def test_alone(qubs, number):
    assert sites(qubs, token(qubs)) == 200
    with open(os.environ["QUBS_TEST_RUN"] + "/bases", "a") as file:
        file.write(qubs.base_url + "\\n")
''')
    run("-n", "8").assert_outcomes(passed=200)
    bases = (pytester.path / "bases").read_text().split()
    assert len(bases) == 200 and len(set(bases)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
def test_no_process_is_left(pytester, monkeypatch, number):
    monkeypatch.setenv("QUBS_TEST_RUN", str(pytester.path))
    pytester.makepyfile(CLIENT + '''
import pathlib
import time

def test_waits(qubs):
    pathlib.Path("waits").touch()
    time.sleep(60)
''')
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], cwd=pytester.path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ),
        # Who runs these tests in the background ignores SIGINT, and so would the child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        end = time.monotonic() + 60
        while not (pytester.path / "waits").exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert len(servers(pytester.path)) == 1
        process.send_signal(number)
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    assert gone(pytester.path)
