#!/usr/bin/env python3
"""aiohttp with aiohttp-retry, several calls at once: `usual` as in its documentation, `right` with more.

packages: aiohttp, aiohttp-retry (PyPI)
"""

import asyncio

import aiohttp
import aiohttp_retry
from work import ATTEMPTS, RIGHT, TRANSIENT, Answer, pause, work

loop = asyncio.new_event_loop()


class AsTold(aiohttp_retry.RetryOptionsBase):
    """Waits as Retry-After says, else longer each time; ExponentialRetry knows nothing of it."""

    def get_timeout(self, attempt, response=None):
        return pause(attempt - 1, response.headers if response is not None else {})


async def start():
    if not RIGHT:
        options = aiohttp_retry.ExponentialRetry(attempts=5)
        return aiohttp_retry.RetryClient(raise_for_status=False, retry_options=options)
    options = AsTold(
        attempts=ATTEMPTS,
        statuses=TRANSIENT,
        exceptions={aiohttp.ClientError, asyncio.TimeoutError},
        retry_all_server_errors=False,
    )
    return aiohttp_retry.RetryClient(retry_options=options, timeout=aiohttp.ClientTimeout(total=5))


client = loop.run_until_complete(start())


async def attempt(method, url, fields, content, **options):
    async with client.request(method, url, headers=fields, data=content, **options) as answer:
        return Answer(answer.status, answer.headers, await answer.read())


async def call(*request):
    # RetryClient is done when the status line has come: what breaks off later is repeated here.
    for number in range(4 if RIGHT else 1):
        try:
            return await attempt(*request)
        except (aiohttp.ClientPayloadError, asyncio.TimeoutError):
            if number == 3 or not RIGHT:
                raise
            await asyncio.sleep(pause(number, {}))


async def stream(content):
    yield content


async def upload(method, url, fields, content):
    if not RIGHT:
        return await attempt(method, url, fields, content)
    # A failed upload wants a new URL, so nothing may repeat it. aiohttp itself repeats a PUT whose
    # connection breaks, but not one whose content is a stream that was read.
    fields = {**fields, "Content-Length": str(len(content))}
    options = {"retry_options": aiohttp_retry.ExponentialRetry(attempts=1)}
    return await attempt(method, url, fields, stream(content), **options)


async def all_of(requests):
    return await asyncio.gather(*(call(*request) for request in requests), return_exceptions=True)


try:
    work(
        lambda *request: loop.run_until_complete(call(*request)),
        put=lambda *request: loop.run_until_complete(upload(*request)),
        together=lambda requests: loop.run_until_complete(all_of(requests)),
    )
finally:
    loop.run_until_complete(client.close())
