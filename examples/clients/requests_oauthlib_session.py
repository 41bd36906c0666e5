#!/usr/bin/env python3
"""requests-oauthlib, client credentials: `usual` as in its documentation, `right` with Retry and more.

packages: requests-oauthlib (PyPI)
"""

import os
import time

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session
from urllib3 import Retry
from work import FORM, RIGHT, Answer, pause, work

# It refuses plain HTTP, even on loopback, unless it is told.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
session = OAuth2Session(client=BackendApplicationClient(client_id=FORM["client_id"]))
if RIGHT:
    retry = Retry(
        total=6, backoff_factor=0.3, backoff_jitter=0.3, status_forcelist=[429, 500, 502, 503, 504],
        allowed_methods=None, raise_on_status=False,
    )  # fmt: skip
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.mount("https://", HTTPAdapter(max_retries=retry))


def get_token():
    token = session.fetch_token(
        os.environ["QUBS_TOKEN_URL"],
        client_secret=FORM["client_secret"],
        include_client_id=True,
        **({"timeout": 5} if RIGHT else {}),
    )
    return token["access_token"]


def attempt(method, url, fields, content):
    # The session sets Authorization itself.
    fields = {name: value for name, value in fields.items() if name != "Authorization"}
    answer = session.request(method, url, headers=fields, data=content, **({"timeout": 5} if RIGHT else {}))
    return Answer(answer.status_code, answer.headers, answer.content)


def send(*request):
    for number in range(4):
        try:
            return attempt(*request)
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError):
            if number == 3:
                raise
            time.sleep(pause(number, {}))


def put(method, url, fields, content):
    # Not by the session: it would send the token to the upload URL.
    answer = requests.request(method, url, headers=fields, data=content, timeout=5)
    return Answer(answer.status_code, answer.headers, answer.content)


work(send, put, get_token=get_token) if RIGHT else work(attempt, get_token=get_token)
