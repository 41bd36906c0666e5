#!/usr/bin/env python3
"""httpx: `plain` as it comes, `connect` with its own retries, `transport` with httpx-retries."""

import sys

import httpx
from work import work

if sys.argv[1] == "transport":
    from httpx_retries import Retry, RetryTransport

    # POST is left out unless it is named.
    retry = Retry(total=5, backoff_factor=0.3, allowed_methods=["GET", "POST"])
    client = httpx.Client(transport=RetryTransport(retry=retry))
elif sys.argv[1] == "connect":
    client = httpx.Client(transport=httpx.HTTPTransport(retries=5))
else:
    client = httpx.Client()


def get_token(url, form):
    return client.post(url, data=form).raise_for_status().json()["access_token"]


def get(url, fields):
    return client.get(url, headers=fields).raise_for_status()


def post(url, body, fields):
    return client.post(url, json=body, headers=fields).raise_for_status()


work(get_token, get, post)
