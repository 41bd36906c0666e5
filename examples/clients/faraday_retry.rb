#!/usr/bin/env ruby
# Faraday with its retry middleware: `usual` as in its documentation, `right` with POST and more.
#
# packages: ruby-faraday (Debian)
require "faraday"
require "net/http"
require_relative "work" # It also requires "date", which the middleware needs for Retry-After.

# Net::HTTP takes an answer that broke off for a whole one. This raises what the middleware repeats.
class Whole < Faraday::Response::Middleware
  def on_complete(env)
    length = env.response_headers["content-length"]
    raise Faraday::ConnectionFailed, "the answer broke off" if length && length.to_i != env.body.bytesize
  end
end

options = { max: 5, interval: 0.2, interval_randomness: 0.5, backoff_factor: 2, retry_statuses: TRANSIENT }
if RIGHT
  options.update(
    methods: %i[get post], # Each POST has a key.
    exceptions: [Faraday::ConnectionFailed, Faraday::TimeoutError, Faraday::RetriableResponse, "Timeout::Error",
                 "Errno::ETIMEDOUT", Net::HTTPBadResponse]
  )
end
connection = Faraday.new do |builder|
  builder.options.timeout = builder.options.open_timeout = 5 if RIGHT
  builder.request :retry, options
  builder.use Whole if RIGHT
  builder.adapter Faraday.default_adapter
end

attempt = lambda do |method, url, fields, content|
  answer = connection.run_request(method, url, content, fields)
  Answer.new(answer.status, answer.headers, answer.body)
end

# By another connection, since a failed upload wants a new URL, and the middleware repeats PUT.
once = Faraday.new { |builder| builder.options.timeout = 5 }
put = lambda do |method, url, fields, content|
  answer = once.run_request(method, url, content, fields)
  Answer.new(answer.status, answer.headers, answer.body)
end

(RIGHT ? Work.new(attempt, put) : Work.new(attempt)).work
