#!/usr/bin/env python3
"""httpx: `usual` with its transport's own retries, `right` with a loop of the application.

packages: httpx (PyPI)
"""

import httpx
from work import RIGHT, Answer, persist, work

client = httpx.Client() if RIGHT else httpx.Client(transport=httpx.HTTPTransport(retries=5))


def send(method, url, fields, content):
    answer = client.request(method, url, headers=fields, content=content)
    return Answer(answer.status_code, answer.headers, answer.content)


work(persist(send, httpx.TransportError), send) if RIGHT else work(send)
