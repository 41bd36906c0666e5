#!/usr/bin/env python3
"""requests with HTTPAdapter and urllib3's Retry: `usual` as in its documentation, `right` with more.

packages: requests (PyPI)
"""

import time

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from work import RIGHT, Answer, pause, work

FORCELIST = [429, 500, 502, 503, 504]
if RIGHT:
    retry = Retry(
        total=6,
        backoff_factor=0.3,
        backoff_jitter=0.3,
        status_forcelist=FORCELIST,
        allowed_methods=None,  # Any: each POST has a key.
        raise_on_status=False,
    )
else:
    retry = Retry(total=5, backoff_factor=0.3, status_forcelist=FORCELIST)
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=retry))
session.mount("https://", HTTPAdapter(max_retries=retry))
once = requests.Session()


def attempt(method, url, fields, content, by=session):
    answer = by.request(method, url, headers=fields, data=content, timeout=5 if RIGHT else None)
    return Answer(answer.status_code, answer.headers, answer.content)


def send(*request):
    # requests reads the content when Retry is done: what breaks off in the middle is repeated here.
    for number in range(4):
        try:
            return attempt(*request)
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError):
            if number == 3:
                raise
            time.sleep(pause(number, {}))


def put(*request):
    # A failed upload wants a new URL, so the adapter must not repeat it.
    return attempt(*request, by=once)


work(send, put) if RIGHT else work(attempt)
