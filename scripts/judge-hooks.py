"""What schemathesis may not hold against the server, because no schema can say it.

Each excuse is decided from the request that was sent, never from the answer's words alone.
"""

import base64
import json
import os
import re
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote_to_bytes, urlsplit

import schemathesis

CLIENTS = json.loads(Path(os.environ["QUBS_MOCK_ROOT"], "fixtures/clients.json").read_text())

#: The methods of RFC 9110 §9, RFC 5789 and RFC 10008; any other is 501 (RFC 9110 §9.1), not 405.
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"}

#: Whether each reading is drawn for each answer.
READINGS = "JUDGE_READINGS" in os.environ

#: The sites that are there.
SITES = {
    site["siteName"]
    for file in Path(os.environ["QUBS_MOCK_ROOT"], "fixtures").glob("*/sites.json")
    for site in json.loads(file.read_text())
}

#: Paging tokens that the server has issued, and for which path.
issued = {}

#: Refresh tokens that the server has issued.
refresh_tokens = set()


@schemathesis.hook
def after_call(context, case, response):
    """Remembers issued tokens of pages and of renewal, so that refusing one of these is never excused."""
    try:
        content = response.json()
    except ValueError:
        return
    if isinstance(content, dict) and isinstance(content.get("nextToken"), str):
        issued[content["nextToken"]] = urlsplit(response.request.url).path
    if isinstance(content, dict) and isinstance(content.get("refresh_token"), str):
        refresh_tokens.add(content["refresh_token"])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure counts."""
    check = type(failure).__name__
    sent = urlsplit(response.request.url)
    query = parse_qs(sent.query, keep_blank_values=True)
    if response.request.method not in METHODS and response.status_code == 501:
        return check not in {"ServerError", "UnsupportedMethodResponse"}
    if check == "RejectedPositiveData" and response.status_code == 400:
        wrong = named_errors(response)
        excused = set()
        if crossed(query):
            excused |= {"startDate", "endDate"}
        if any(issued.get(token) != sent.path for token in query.get("nextToken", [])):
            excused.add("nextToken")
        if READINGS and set(query.get("scheduledSite", [])) - SITES:
            # `unknown-site-filter` says 400.
            excused.add("scheduledSite")
        if wrong and wrong <= excused:
            return False
        if READINGS and excused and not wrong:
            # `errors` leaves the names out: what was sent is enough of a reason.
            return False
        if READINGS and sent.path.startswith(("/attachments/", "/uploads/")):
            # `storage` refuses a second credential beside the signature.
            return "Authorization" not in response.request.headers
        if sent.path == "/oauth2/token":
            return not (
                repeats_parameters(response)
                or lacks_refresh_token(response)
                or has_wrong_credentials(response)
                or has_wrong_grant(response)
            )
    if check == "AcceptedNegativeData":
        return not is_clamped(failure.message, case, query)
    return True


def named_errors(response):
    """The parameters that a refusal names."""
    try:
        return set(response.json().get("errors", {}))
    except (ValueError, AttributeError):
        return set()


def crossed(query):
    """Whether a period ends before it begins: the contract's `x-not-after`."""
    start, end = (query.get(name, [""])[0] for name in ("startDate", "endDate"))
    return bool(start and end and start > end)


def is_clamped(message, case, query):
    """Whether the one thing wrong is an integer that the contract's `x-clamp` brings into range."""
    for parameter in case.operation.query:
        definition = parameter.definition
        values = query.get(definition.get("name"), [])
        if (
            "x-clamp" in definition
            and f"parameter `{definition['name']}` in query" in message
            and len(values) == 1
            and re.fullmatch(r"[+-]?[0-9]+", values[0])
        ):
            return True
    return False


def repeats_parameters(response):
    """Whether a form has a parameter twice, which RFC 6749 §3.2 forbids."""
    names = [name for name, _ in parse_qsl(text(response.request.body), keep_blank_values=True)]
    return len(names) > len(set(names))


def lacks_refresh_token(response):
    """Whether a form asks for the grant of a refresh token without one, which RFC 6749 §6 forbids."""
    form = parse_qs(text(response.request.body), keep_blank_values=True)
    return form.get("grant_type") == ["refresh_token"] and "refresh_token" not in form


def client_sent(response):
    """The client of fixtures/clients.json whose name and secret a token request has, or None."""
    form = parse_qs(text(response.request.body), keep_blank_values=True)
    name = form.get("client_id", [""])[0]
    secret = form.get("client_secret", [""])[0]
    authorization = response.request.headers.get("Authorization", "")
    if isinstance(authorization, bytes):
        authorization = authorization.decode("latin-1")
    if authorization.lower().startswith("basic "):
        pair = base64.b64decode(authorization[6:] + "==").partition(b":")
        name, secret = (unquote_to_bytes(part).decode("utf-8", "replace") for part in pair[::2])
    for client in CLIENTS:
        if client["clientId"] == name.partition("+")[0] and client["clientSecret"] == secret:
            return client
    return None


def has_wrong_credentials(response):
    """Whether the token endpoint refuses a client that fixtures/clients.json lacks or disables."""
    client = client_sent(response)
    known = client is not None and not client.get("disabled", False)
    return response.json().get("error") == "invalid_client" and not known


def has_wrong_grant(response):
    """Whether a form renews for a client that may not, or with a refresh token that was never issued."""
    form = parse_qs(text(response.request.body), keep_blank_values=True)
    if form.get("grant_type") != ["refresh_token"]:
        return False
    error = response.json().get("error")
    if error == "unauthorized_client":
        return not (client_sent(response) or {}).get("refreshTokens", False)
    return error == "invalid_grant" and form.get("refresh_token", [""])[0] not in refresh_tokens


def text(body):
    """A request's content as text."""
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
