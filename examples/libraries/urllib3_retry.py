#!/usr/bin/env python3
"""urllib3 with its Retry: `defaults` as it comes, `recipe` as most applications set it."""

import sys

import urllib3
from work import work

RETRIES = {
    "defaults": urllib3.Retry(),
    "recipe": urllib3.Retry(
        total=5,
        backoff_factor=0.3,
        backoff_jitter=0.3,
        status_forcelist=[429, 500, 502, 503, 504],
        allowed_methods=None,
    ),
}
pool = urllib3.PoolManager(retries=RETRIES[sys.argv[1]], **({"timeout": 5.0} if sys.argv[1] == "recipe" else {}))


def get_token(url, form):
    return pool.request("POST", url, fields=form, encode_multipart=False).json()["access_token"]


def get(url, fields):
    return pool.request("GET", url, headers=fields)


def post(url, body, fields):
    return pool.request("POST", url, json=body, headers=fields)


work(get_token, get, post)
