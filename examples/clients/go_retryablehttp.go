// HashiCorp's go-retryablehttp: `usual` as it comes, `right` with a timeout, jitter and cut answers.
//
// packages: golang-go, golang-github-hashicorp-go-retryablehttp-dev (Debian)
package main

import (
	"context"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	client := retryablehttp.NewClient()
	client.Logger = nil
	if right {
		client.RetryMax = attempts - 1
		client.HTTPClient.Timeout = 5 * time.Second
		// Its own backoff reads Retry-After in seconds only and has no jitter.
		client.Backoff = func(_, _ time.Duration, attempt int, response *http.Response) time.Duration {
			if response == nil {
				return pause(attempt, nil)
			}
			return pause(attempt, response.Header)
		}
		// Its own policy repeats 500 and above but for 501, and reads nothing of the last answer.
		client.CheckRetry = func(ctx context.Context, response *http.Response, err error) (bool, error) {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			return err != nil || transient(response.StatusCode), nil
		}
		client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	}
	once := func(method, url string, fields map[string]string, content []byte) (answer, error) {
		plain := request(method, url, fields, content)
		wrapped, err := retryablehttp.FromRequest(plain)
		if err != nil {
			return answer{}, err
		}
		response, err := client.Do(wrapped)
		if err != nil {
			return answer{}, err
		}
		return read(response)
	}
	if !right {
		work(once, once)
		return
	}
	send := func(method, url string, fields map[string]string, content []byte) (got answer, err error) {
		// The client is done when the status line has come: what breaks off later is repeated here.
		for number := 0; number < 4; number++ {
			if got, err = once(method, url, fields, content); err == nil {
				return got, nil
			}
			time.Sleep(pause(number, nil))
		}
		return got, err
	}
	put := func(method, url string, fields map[string]string, content []byte) (answer, error) {
		// A failed upload wants a new URL, so it is not repeated.
		response, err := client.HTTPClient.Do(request(method, url, fields, content))
		if err != nil {
			return answer{}, err
		}
		return read(response)
	}
	work(send, put)
}
