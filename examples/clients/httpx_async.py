#!/usr/bin/env python3
"""httpx with asyncio, several calls at once: `usual` as it comes, `right` with a loop.

packages: httpx (PyPI)
"""

import asyncio

import httpx
from work import ATTEMPTS, RIGHT, TRANSIENT, Answer, pause, work

loop = asyncio.new_event_loop()
client = httpx.AsyncClient()


async def attempt(method, url, fields, content):
    answer = await client.request(method, url, headers=fields, content=content)
    return Answer(answer.status_code, answer.headers, answer.content)


async def persistent(*request):
    for number in range(ATTEMPTS):
        answer = None
        try:
            answer = await attempt(*request)
            if answer.status not in TRANSIENT:
                return answer
        except httpx.TransportError:
            if number == ATTEMPTS - 1:
                raise
        if number < ATTEMPTS - 1:
            await asyncio.sleep(pause(number, answer.fields if answer else {}))
    return answer


call = persistent if RIGHT else attempt


async def all_of(requests):
    return await asyncio.gather(*(call(*request) for request in requests), return_exceptions=True)


work(
    lambda *request: loop.run_until_complete(call(*request)),
    put=lambda *request: loop.run_until_complete(attempt(*request)),
    together=lambda requests: loop.run_until_complete(all_of(requests)),
)
