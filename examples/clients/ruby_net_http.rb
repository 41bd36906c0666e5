#!/usr/bin/env ruby
# Ruby's Net::HTTP: `usual` as it comes, `right` with timeouts and a loop.
#
# packages: ruby (Debian)
require "net/http"
require_relative "work"

connections = {}
attempt = lambda do |method, url, fields, content|
  uri = URI(url)
  http = connections[uri.port] ||= Net::HTTP.new(uri.host, uri.port).tap do |new|
    new.keep_alive_timeout = 30
    if RIGHT
      new.open_timeout = new.read_timeout = 5
      new.max_retries = 0 # The loop below repeats, with pauses.
    end
  end
  http.start unless http.started?
  answer = http.send_request(method.to_s.upcase, uri.request_uri, content, fields)
  # Net::HTTP takes an answer that broke off for a whole one.
  length = answer["Content-Length"]
  raise EOFError, "the answer broke off" if RIGHT && length && length.to_i != answer.body.bytesize

  Answer.new(answer.code.to_i, answer, answer.body)
rescue StandardError
  http.finish if http&.started?
  raise
end

right = lambda do |*request|
  persist(SystemCallError, IOError, SocketError, Timeout::Error, Net::HTTPBadResponse, Net::ProtocolError) do
    attempt.call(*request)
  end
end

(RIGHT ? Work.new(right, attempt) : Work.new(attempt)).work
