// Go's net/http: `usual` with http.DefaultClient, `right` with a timeout and a loop.
//
// packages: golang-go (Debian)
package main

import (
	"net/http"
	"time"
)

func main() {
	client := http.DefaultClient
	if right {
		client = &http.Client{Timeout: 5 * time.Second}
	}
	once := func(method, url string, fields map[string]string, content []byte) (answer, error) {
		response, err := client.Do(request(method, url, fields, content))
		if err != nil {
			return answer{}, err
		}
		return read(response)
	}
	if right {
		work(persist(once), once)
	} else {
		work(once, once)
	}
}
