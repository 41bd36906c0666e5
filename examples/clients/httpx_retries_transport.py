#!/usr/bin/env python3
"""httpx with httpx-retries: `usual` as in its documentation, `right` with POST, 500 and cut answers.

packages: httpx-retries (PyPI)
"""

import time

import httpx
from httpx_retries import Retry, RetryTransport
from work import RIGHT, Answer, pause, work

if RIGHT:
    retry = Retry(
        total=6, backoff_factor=0.3, allowed_methods=["GET", "POST"],
        status_forcelist=[429, 500, 502, 503, 504],
    )  # fmt: skip
else:
    retry = Retry(total=5, backoff_factor=0.5)
client = httpx.Client(transport=RetryTransport(retry=retry))


def attempt(method, url, fields, content):
    answer = client.request(method, url, headers=fields, content=content)
    return Answer(answer.status_code, answer.headers, answer.content)


def send(*request):
    # The transport is done when the status line has come: what breaks off later is repeated here.
    for number in range(4):
        try:
            return attempt(*request)
        except httpx.TransportError:
            if number == 3:
                raise
            time.sleep(pause(number, {}))


def put(method, url, fields, content):
    # By another client, since a failed upload wants a new URL, and the transport would repeat it.
    answer = once.request(method, url, headers=fields, content=content)
    return Answer(answer.status_code, answer.headers, answer.content)


once = httpx.Client()
work(send, put) if RIGHT else work(attempt)
