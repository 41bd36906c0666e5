<?php
// Symfony's RetryableHttpClient: `usual` as it comes, `right` with POST, timeouts and cut answers.
//
// packages: php-cli, php-curl, php-symfony-http-client (Debian)
use Symfony\Component\HttpClient\HttpClient;
use Symfony\Component\HttpClient\Retry\GenericRetryStrategy;
use Symfony\Component\HttpClient\RetryableHttpClient;
use Symfony\Contracts\HttpClient\Exception\TransportExceptionInterface;

require 'Symfony/Component/HttpClient/autoload.php';
require __DIR__ . '/work.php';

// CurlHttpClient repeats a GET that breaks twice at once, and libcurl once more what breaks on a kept
// connection: neither with HTTP/1.0, which costs a connection for each call.
$plain = HttpClient::create(RIGHT ? ['timeout' => 5, 'http_version' => '1.0'] : []);
$client = RIGHT
    // Codes in a list are repeated whatever the method: each POST has a key. 0 is a broken connection.
    ? new RetryableHttpClient($plain, new GenericRetryStrategy([0, ...TRANSIENT], 200, 2.0, 0, 0.3), 5)
    : new RetryableHttpClient($plain);

$attempt = fn ($client) => function ($method, $url, $fields, $content) use ($client) {
    $answer = $client->request($method, $url, ['headers' => $fields] + ($content === null ? [] : ['body' => $content]));
    return [$answer->getStatusCode(), $answer->getContent(false)];
};

$send = function (...$request) use ($attempt, $client) {
    // What breaks off behind the status line is repeated here.
    for ($number = 0;; $number++) {
        try {
            return $attempt($client)(...$request);
        } catch (TransportExceptionInterface $error) {
            if ($number === 3) {
                throw $error;
            }
            usleep(1000 * pause($number));
        }
    }
};

RIGHT ? work($send, $attempt($plain)) : work($attempt($client));
