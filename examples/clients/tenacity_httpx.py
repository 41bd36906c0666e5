#!/usr/bin/env python3
"""tenacity around httpx: `usual` as most snippets have it, `right` with a pause that heeds Retry-After.

packages: tenacity, httpx (PyPI)
"""

import httpx
import tenacity
from work import RIGHT, TRANSIENT, Answer, Passing, pause, work

client = httpx.Client()


def attempt(method, url, fields, content):
    answer = client.request(method, url, headers=fields, content=content)
    return Answer(answer.status_code, answer.headers, answer.content)


@tenacity.retry(
    stop=tenacity.stop_after_attempt(5), wait=tenacity.wait_exponential(multiplier=0.2), reraise=True
)
def usual(method, url, fields, content):
    answer = client.request(method, url, headers=fields, content=content)
    answer.raise_for_status()
    return Answer(answer.status_code, answer.headers, answer.content)


def as_told(state):
    error = state.outcome.exception()
    return pause(state.attempt_number - 1, error.answer.fields if isinstance(error, Passing) else {})


@tenacity.retry(
    stop=tenacity.stop_after_attempt(6),
    wait=as_told,
    retry=tenacity.retry_if_exception_type((httpx.TransportError, Passing)),
    reraise=True,
)
def right(*request):
    answer = attempt(*request)
    if answer.status in TRANSIENT:
        raise Passing(answer)
    return answer


work(right, attempt) if RIGHT else work(usual)
