<?php
// Guzzle with Middleware::retry: `usual` with its own delay, `right` with Retry-After and timeouts.
//
// packages: php-cli, php-curl, php-guzzlehttp-guzzle (Debian)
use GuzzleHttp\Client;
use GuzzleHttp\Exception\ConnectException;
use GuzzleHttp\Exception\TransferException;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Middleware;

require 'GuzzleHttp/autoload.php';
require __DIR__ . '/work.php';

$usual = Middleware::retry(function ($retries, $request, $response = null, $error = null) {
    return $retries < 5 && ($error instanceof ConnectException
        || ($response && ($response->getStatusCode() === 429 || $response->getStatusCode() >= 500)));
});
$right = Middleware::retry(
    fn ($retries, $request, $response = null, $error = null) =>
        $retries < ATTEMPTS - 1 && $request->getMethod() !== 'PUT'
            // An answer that broke off is a RequestException, not a ConnectException.
            && ($error instanceof TransferException || ($response && in_array($response->getStatusCode(), TRANSIENT))),
    // Guzzle's own delay knows nothing of Retry-After and has no jitter.
    fn ($retries, $response = null) =>
        pause($retries - 1, $response?->getHeaderLine('Retry-After'), $response?->getHeaderLine('Date'))
);
$stack = HandlerStack::create();
$stack->push(RIGHT ? $right : $usual);
$client = new Client(['handler' => $stack, 'http_errors' => false] + (RIGHT ? ['timeout' => 5] : []));

work(function ($method, $url, $fields, $content) use ($client) {
    // libcurl itself repeats what breaks on a connection that was used before, uploads too.
    $options = RIGHT && $method === 'PUT' ? ['curl' => [CURLOPT_FRESH_CONNECT => true]] : [];
    $answer = $client->request($method, $url, ['headers' => $fields, 'body' => $content] + $options);
    return [$answer->getStatusCode(), (string) $answer->getBody()];
});
