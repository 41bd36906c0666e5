// The same morning's work for every Go stack: only how the calls are made is the stack's own.
//
// No stack by itself: it is built together with one of the other files, which calls work.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	attempts    = 6
	appointment = "reporting/appointments/A123456"
	pdf         = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n"
)

var (
	right = len(os.Args) > 1 && os.Args[1] == "right"
	api   = os.Getenv("QUBS_BASE_URL") + "/integrations/v1/" + os.Getenv("QUBS_DOMAIN")
)

type answer struct {
	status  int
	fields  http.Header
	content []byte
}

type send func(method, url string, fields map[string]string, content []byte) (answer, error)

func transient(status int) bool {
	return status == 429 || status == 500 || status == 502 || status == 503 || status == 504
}

// pause says how long to wait behind an attempt (0, 1, ...): as told, else doubling with jitter.
func pause(attempt int, fields http.Header) time.Duration {
	if told := fields.Get("Retry-After"); told != "" {
		if seconds, err := strconv.Atoi(told); err == nil {
			return time.Duration(seconds) * time.Second
		}
		until, err := http.ParseTime(told)
		now, other := http.ParseTime(fields.Get("Date"))
		if err == nil && other == nil {
			return until.Sub(now)
		}
	}
	return time.Duration(float64(200*time.Millisecond) * float64(int(1)<<attempt) * (0.75 + rand.Float64()/2))
}

// persist repeats what may pass by itself.
func persist(once send) send {
	return func(method, url string, fields map[string]string, content []byte) (got answer, err error) {
		for attempt := 0; ; attempt++ {
			got, err = once(method, url, fields, content)
			if (err == nil && !transient(got.status)) || attempt == attempts-1 {
				return got, err
			}
			time.Sleep(pause(attempt, got.fields))
		}
	}
}

// read makes an answer of a response, whose content it reads to the end.
func read(response *http.Response) (answer, error) {
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, content}, err
}

func request(method, url string, fields map[string]string, content []byte) *http.Request {
	var body io.Reader
	if content != nil {
		body = bytes.NewReader(content)
	}
	made, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	for name, value := range fields {
		made.Header.Set(name, value)
	}
	return made
}

func uuid() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(id))
}

type worker struct {
	send, put  send
	token      string
	unfinished bool
}

func (w *worker) getToken() error {
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {os.Getenv("QUBS_CLIENT_ID")},
		"client_secret": {os.Getenv("QUBS_CLIENT_SECRET")},
	}
	fields := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	got, err := w.send("POST", os.Getenv("QUBS_TOKEN_URL"), fields, []byte(form.Encode()))
	if err != nil {
		return err
	}
	if got.status != 200 {
		return fmt.Errorf("status %d", got.status)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err = json.Unmarshal(got.content, &token)
	w.token = token.AccessToken
	return err
}

func (w *worker) call(method, path string, body any, result any) error {
	// The key and the octets are made once: whoever repeats the request cannot change them.
	fields := map[string]string{"Accept": "application/json", "X-Correlation-Id": uuid()}
	var content []byte
	if body != nil {
		content, _ = json.Marshal(body)
		fields["Content-Type"] = "application/json"
		fields["Idempotency-Key"] = uuid()
	}
	fields["Authorization"] = "Bearer " + w.token
	got, err := w.send(method, api+"/"+path, fields, content)
	if err == nil && got.status == 401 && right {
		if err = w.getToken(); err != nil {
			return err
		}
		fields["Authorization"] = "Bearer " + w.token
		got, err = w.send(method, api+"/"+path, fields, content)
	}
	if err != nil {
		return err
	}
	if got.status != 200 && got.status != 201 {
		return fmt.Errorf("status %d", got.status)
	}
	return json.Unmarshal(got.content, result)
}

func (w *worker) get(path string) func() error {
	return func() error {
		var ignored any
		return w.call("GET", path, nil, &ignored)
	}
}

func (w *worker) post(path string, body any) func() error {
	return func() error {
		var ignored any
		return w.call("POST", path, body, &ignored)
	}
}

func (w *worker) pages() error {
	following := ""
	for {
		var page struct {
			NextToken *string `json:"nextToken"`
		}
		if err := w.call("GET", "reporting/appointments/pending?pageSize=25"+following, nil, &page); err != nil {
			return err
		}
		// The documentation says "empty or omitted": many know one of the two alone.
		if page.NextToken == nil || right && *page.NextToken == "" {
			return nil
		}
		following = "&nextToken=" + url.QueryEscape(*page.NextToken)
	}
}

func (w *worker) stretches() error {
	day := func(offset int) string { return time.Now().AddDate(0, 0, offset).Format("2006-01-02") }
	for skip := 0; ; {
		var items []any
		path := fmt.Sprintf("appointments?startDate=%s&endDate=%s&skip=%d&take=100", day(-7), day(7), skip)
		if err := w.call("GET", path, nil, &items); err != nil {
			return err
		}
		skip += len(items)
		if len(items) < 100 {
			return nil
		}
	}
}

func (w *worker) upload() error {
	body := map[string]any{"items": []any{map[string]string{"fileName": "report.pdf", "contentType": "application/pdf"}}}
	tries := 1
	if right {
		tries = attempts
	}
	for attempt := 0; attempt < tries; attempt++ {
		// A new URL, with a new key, each time: no file is put twice to the same one.
		var urls struct {
			Items []struct {
				UploadURL string `json:"uploadUrl"`
			}
		}
		if err := w.call("POST", appointment+"/report/attachments", body, &urls); err != nil {
			return err
		}
		fields := map[string]string{"Content-Type": "application/pdf"}
		got, err := w.put("PUT", urls.Items[0].UploadURL, fields, []byte(pdf))
		if err == nil && got.status == 200 {
			return nil
		}
		if right {
			time.Sleep(pause(attempt, nil))
		}
	}
	return errors.New("the file was not stored")
}

// step takes a step; what fails for good is told and passed over, as a nightly job would.
func (w *worker) step(name string, action func() error) bool {
	err := action()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		w.unfinished = true
	}
	return err == nil
}

// work does the work and exits: 0 when all of it is done, else 1.
func work(send, put send) {
	rand.Seed(time.Now().UnixNano())
	w := &worker{send: send, put: put}
	if w.step("token", w.getToken) {
		w.step("sites", w.get("sites"))
		w.step("exam codes", w.get("sites/Central%20Clinic/exam-codes"))
		w.step("pending", w.pages)
		w.step("appointments", w.stretches)
		for _, path := range []string{appointment, "appointments/A123456", "appointments/operational/by-id/A123456"} {
			w.step(path, w.get(path))
		}
		w.step("comment", w.post(appointment+"/comments", map[string]string{"commentText": "Images received."}))
		if w.step("upload", w.upload) {
			report := map[string]string{"reportText": "No acute abnormality detected.", "reportStatus": "final"}
			w.step("report", w.post(appointment+"/report", report))
		}
	}
	if w.unfinished {
		os.Exit(1)
	}
}
