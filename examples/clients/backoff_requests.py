#!/usr/bin/env python3
"""backoff around requests: `usual` as in its documentation, `right` with runtime() and Retry-After.

packages: backoff, requests (PyPI)
"""

import backoff
import requests
from work import RIGHT, TRANSIENT, Answer, Passing, told, work

session = requests.Session()


def attempt(method, url, fields, content):
    answer = session.request(method, url, headers=fields, data=content, timeout=5)
    return Answer(answer.status_code, answer.headers, answer.content)


@backoff.on_exception(backoff.expo, requests.exceptions.RequestException, max_tries=5)
def usual(method, url, fields, content):
    answer = session.request(method, url, headers=fields, data=content)
    answer.raise_for_status()
    return Answer(answer.status_code, answer.headers, answer.content)


# Full jitter, which backoff adds unasked, would make told pauses shorter: so none for those.
@backoff.on_exception(
    backoff.runtime,
    Passing,
    value=lambda error: told(error.answer.fields),
    max_tries=6,
    jitter=None,
    giveup=lambda error: told(error.answer.fields) is None,
)
@backoff.on_exception(
    backoff.expo,
    (requests.exceptions.RequestException, Passing),
    max_tries=7,
    factor=0.4,
    giveup=lambda error: isinstance(error, Passing) and told(error.answer.fields) is not None,
)
def right(*request):
    answer = attempt(*request)
    if answer.status in TRANSIENT:
        raise Passing(answer)
    return answer


work(right, attempt) if RIGHT else work(usual)
