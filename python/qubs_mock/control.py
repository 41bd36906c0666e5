"""A session of a running qubs-mock, and the little of its control API that tests need."""

import json
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    """The control API refused something; the text says what to do."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Faults:
    """The fault rules of a session."""

    def __init__(self, session):
        self._session = session

    def add(self, rule):
        """Arms a rule, as `POST /__admin/faults` takes it; returns it as it was set."""
        return self._session.control("POST", "/faults", rule)["items"][-1]

    def list(self):
        """The rules with their counts."""
        return self._session.control("GET", "/faults")["items"]

    def clear(self):
        """Removes all rules."""
        self._session.control("DELETE", "/faults")


class Clock:
    """The clock of a session."""

    def __init__(self, session):
        self._session = session

    def advance(self, by):
        """Puts the clock forward by a duration such as `PT61M`."""
        return self._session.control("POST", "/clock/advance", {"by": by})


class Session:
    """What a client needs to know, and what its test may do: data, clock, faults and journal are
    this session's alone."""

    def __init__(self, base_url, name, client="acme-partner", domain="acme"):
        self.base_url = base_url
        self.token_url = base_url + "/oauth2/token"
        self.session = name
        self.domain = domain
        self.client_id = f"{client}+{name}"
        self.client_secret = client + "-secret"
        self.faults = Faults(self)
        self.clock = Clock(self)

    def control(self, method, path, value=None, **query):
        """A control operation of this session; the JSON of its answer, or `None` without one."""
        octets = self._send(method, path, value, query)
        return json.loads(octets) if octets else None

    def reading(self, name, value):
        """Has the mock take another reading of the documentation in this test, such as
        `reading("page-end", "omitted")`; `mixed` draws for each answer."""
        self.control("PUT", "/readings", {name: value})

    def changes(self, normalised=False):
        """What this test's client changed in the data (`GET /__admin/changes`).

        With `normalised` lasting effects alone, without ids, times and requests: what two tests with
        the same effects have in common.
        """
        return self.control("GET", "/changes", normalised="true" if normalised else "false")

    def verdict(self):
        """The judgement on what this test's client did (`GET /__admin/verdict`)."""
        return self.control("GET", "/verdict")

    def verdict_text(self):
        """The same for people."""
        return self._send("GET", "/verdict", None, {"format": "text"}).decode()

    def open(self):
        """Opens the session, which must not be there yet."""
        self._session("PUT")

    def close(self):
        """Drops the session, so that the next tests have room: a server holds 256."""
        try:
            self._session("DELETE")
        except Refused as refused:
            # The test may have done so itself.
            if refused.status != 404:
                raise

    def _session(self, method):
        url = f"{self.base_url}/__admin/sessions/{self.session}"
        _exchange(urllib.request.Request(url, method=method))

    def _send(self, method, path, value, query):
        query = urllib.parse.urlencode({**query, "session": self.session})
        content = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(
            f"{self.base_url}/__admin{path}?{query}", content, method=method
        )
        if content is not None:
            request.add_header("Content-Type", "application/json")
        return _exchange(request)


# A proxy of the environment has nothing to do with a server on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _exchange(request):
    try:
        with _opener.open(request, timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        octets = error.read()
        try:
            problem = json.loads(octets)
        except ValueError:
            problem = {}
        lines = [
            f"{place}: {sentence}" for place, sentences in problem.get("errors", {}).items()
            for sentence in sentences
        ]
        text = "\n".join(lines) or problem.get("detail") or octets.decode(errors="replace")
        raise Refused(error.code, text) from None
