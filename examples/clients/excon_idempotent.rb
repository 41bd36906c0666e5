#!/usr/bin/env ruby
# Excon: `usual` with idempotent and retry_limit as in its documentation, `right` with a loop instead.
#
# packages: ruby-excon (Debian)
require "excon"
require_relative "work"

connections = {}
attempt = lambda do |method, url, fields, content|
  uri = URI(url)
  connection = connections[uri.port] ||= Excon.new(
    "#{uri.scheme}://#{uri.host}:#{uri.port}",
    persistent: true, **(RIGHT ? { read_timeout: 5, connect_timeout: 5 } : {})
  )
  options = { method: method, path: uri.path, query: uri.query, headers: fields, body: content }
  options.update(idempotent: true, retry_limit: 5, retry_interval: 1, expects: [200, 201]) unless RIGHT
  answer = connection.request(options)
  Answer.new(answer.status, answer.headers.to_h.transform_keys(&:downcase), answer.body)
rescue StandardError
  connection&.reset
  raise
end

right = ->(*request) { persist(Excon::Error) { attempt.call(*request) } }

(RIGHT ? Work.new(right, attempt) : Work.new(attempt)).work
