#!/usr/bin/env python3
"""urllib3 with its Retry: `usual` as most snippets have it, `right` with POST, timeout and jitter.

packages: urllib3 (PyPI)
"""

import urllib3
from work import RIGHT, Answer, work

FORCELIST = [429, 500, 502, 503, 504]
if RIGHT:
    retry = urllib3.Retry(
        total=6,
        backoff_factor=0.3,
        backoff_jitter=0.3,
        status_forcelist=FORCELIST,
        allowed_methods=None,  # Any: each POST has a key.
        raise_on_status=False,
    )
    pool = urllib3.PoolManager(retries=retry, timeout=5.0)
else:
    pool = urllib3.PoolManager(retries=urllib3.Retry(total=5, backoff_factor=0.3, status_forcelist=FORCELIST))


def send(method, url, fields, content, **options):
    answer = pool.request(method, url, headers=fields, body=content, **options)
    return Answer(answer.status, answer.headers, answer.data)


def put(*request):
    # A failed upload wants a new URL, so Retry must not repeat it.
    return send(*request, retries=False) if RIGHT else send(*request)


work(send, put)
