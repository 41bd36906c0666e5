<?php
// The same morning's work for every PHP stack: only how the calls are made is the stack's own.
//
// No stack by itself: the other files load it. A stack calls work($send, $put) with functions
// (method, URL, fields, content) that return [status, content] or throw.

const TRANSIENT = [429, 500, 502, 503, 504];
const ATTEMPTS = 6;
const PDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n";
define('RIGHT', ($argv[1] ?? 'usual') === 'right');
define('API', getenv('QUBS_BASE_URL') . '/integrations/v1/' . getenv('QUBS_DOMAIN'));

/** The milliseconds before the attempt behind $attempt (0, 1, ...): as told, else doubling with jitter. */
function pause(int $attempt, ?string $told = null, ?string $date = null): int
{
    if ($told === null || $told === '') {
        return (int) (200 * 2 ** $attempt * (0.75 + mt_rand() / mt_getrandmax() / 2));
    }
    return 1000 * (ctype_digit($told) ? (int) $told : max(0, strtotime($told) - strtotime($date)));
}

function uuid(): string
{
    return trim(file_get_contents('/proc/sys/kernel/random/uuid'));
}

class Work
{
    private string $token = '';
    private bool $unfinished = false;

    public function __construct(private Closure $send, private Closure $put)
    {
    }

    private function getToken(): void
    {
        $form = http_build_query([
            'grant_type' => 'client_credentials',
            'client_id' => getenv('QUBS_CLIENT_ID'),
            'client_secret' => getenv('QUBS_CLIENT_SECRET'),
        ]);
        $fields = ['Content-Type' => 'application/x-www-form-urlencoded'];
        [$status, $content] = ($this->send)('POST', getenv('QUBS_TOKEN_URL'), $fields, $form);
        if ($status !== 200) {
            throw new RuntimeException("status $status");
        }
        $this->token = json_decode($content)->access_token;
    }

    private function call(string $method, string $path, ?array $body = null)
    {
        // The key and the octets are made once: whoever repeats the request cannot change them.
        $content = $body === null ? null : json_encode($body);
        $fields = ['Accept' => 'application/json', 'X-Correlation-Id' => uuid()];
        if ($body !== null) {
            $fields += ['Content-Type' => 'application/json', 'Idempotency-Key' => uuid()];
        }
        $withToken = fn () => ($this->send)($method, API . "/$path", $fields + ['Authorization' => "Bearer {$this->token}"], $content);
        [$status, $content_received] = $withToken();
        if ($status === 401 && RIGHT) {
            $this->getToken();
            [$status, $content_received] = $withToken();
        }
        if ($status !== 200 && $status !== 201) {
            throw new RuntimeException("status $status");
        }
        return json_decode($content_received, false, 512, JSON_THROW_ON_ERROR);
    }

    private function readPages(): void
    {
        $following = '';
        do {
            $page = $this->call('GET', "reporting/appointments/pending?pageSize=25$following");
            $following = '&nextToken=' . rawurlencode($page->nextToken ?? '');
            // The documentation says "empty or omitted": many know one of the two alone.
        } while (RIGHT ? !empty($page->nextToken) : isset($page->nextToken));
    }

    private function readStretches(): void
    {
        $days = 'startDate=' . date('Y-m-d', strtotime('-7 days')) . '&endDate=' . date('Y-m-d', strtotime('+7 days'));
        for ($skip = 0, $count = 100; $count === 100; $skip += $count) {
            $count = count($this->call('GET', "appointments?$days&skip=$skip&take=100"));
        }
    }

    private function upload(): void
    {
        $items = [['fileName' => 'report.pdf', 'contentType' => 'application/pdf']];
        for ($attempt = 0; $attempt < (RIGHT ? ATTEMPTS : 1); $attempt++) {
            // A new URL, with a new key, each time: no file is put twice to the same one.
            $urls = $this->call('POST', 'reporting/appointments/A123456/report/attachments', ['items' => $items]);
            try {
                [$status] = ($this->put)('PUT', $urls->items[0]->uploadUrl, ['Content-Type' => 'application/pdf'], PDF);
                if ($status === 200) {
                    return;
                }
            } catch (Exception $error) {
                if (!RIGHT) {
                    throw $error;
                }
            }
            if (RIGHT) {
                usleep(1000 * pause($attempt));
            }
        }
        throw new RuntimeException('the file was not stored');
    }

    /** Takes a step; what fails for good is told and passed over, as a nightly job would. */
    private function step(string $name, Closure $action): bool
    {
        try {
            $action();
            return true;
        } catch (Exception $error) {
            fwrite(STDERR, "$name: " . get_class($error) . ': ' . substr($error->getMessage(), 0, 200) . "\n");
            $this->unfinished = true;
            return false;
        }
    }

    /** Does the work and exits: 0 when all of it is done, else 1. */
    public function do(): void
    {
        if ($this->step('token', fn () => $this->getToken())) {
            $this->step('sites', fn () => $this->call('GET', 'sites'));
            $this->step('exam codes', fn () => $this->call('GET', 'sites/Central%20Clinic/exam-codes'));
            $this->step('pending', fn () => $this->readPages());
            $this->step('appointments', fn () => $this->readStretches());
            foreach (['reporting/appointments/A123456', 'appointments/A123456', 'appointments/operational/by-id/A123456'] as $path) {
                $this->step($path, fn () => $this->call('GET', $path));
            }
            $comment = ['commentText' => 'Images received.'];
            $this->step('comment', fn () => $this->call('POST', 'reporting/appointments/A123456/comments', $comment));
            if ($this->step('upload', fn () => $this->upload())) {
                $report = ['reportText' => 'No acute abnormality detected.', 'reportStatus' => 'final'];
                $this->step('report', fn () => $this->call('POST', 'reporting/appointments/A123456/report', $report));
            }
        }
        exit($this->unfinished ? 1 : 0);
    }
}

function work(Closure $send, ?Closure $put = null): void
{
    (new Work($send, $put ?? $send))->do();
}
