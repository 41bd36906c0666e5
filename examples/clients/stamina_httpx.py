#!/usr/bin/env python3
"""stamina around httpx: `usual` as in its documentation, `right` with a hook that heeds Retry-After.

packages: stamina, httpx (PyPI)
"""

import datetime

import httpx
import stamina
from work import RIGHT, TRANSIENT, Answer, Passing, told, work

client = httpx.Client()


def attempt(method, url, fields, content):
    answer = client.request(method, url, headers=fields, content=content)
    return Answer(answer.status_code, answer.headers, answer.content)


@stamina.retry(on=httpx.HTTPError, attempts=5)
def usual(method, url, fields, content):
    answer = client.request(method, url, headers=fields, content=content)
    answer.raise_for_status()
    return Answer(answer.status_code, answer.headers, answer.content)


def worth_it(error):
    """Whether to repeat; a timedelta is a pause of our own in place of stamina's."""
    if isinstance(error, Passing):
        seconds = told(error.answer.fields)
        return True if seconds is None else datetime.timedelta(seconds=seconds)
    return isinstance(error, httpx.TransportError)


@stamina.retry(on=worth_it, attempts=6, wait_initial=0.2, wait_jitter=0.1)
def right(*request):
    answer = attempt(*request)
    if answer.status in TRANSIENT:
        raise Passing(answer)
    return answer


work(right, attempt) if RIGHT else work(usual)
